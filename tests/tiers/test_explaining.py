"""Whole sentences, written by hand, for every reason that a rating gives."""

from datetime import date

import ibis
import pyarrow as pa
import pytest

from custvalue.config import TierPolicyConfig, ready_configs
from custvalue.errors import ConfigError, DataError
from custvalue.features import FeatureColumn
from custvalue.tiers import TierPolicy
from custvalue.wording import load_catalogue

DAY = date(2026, 4, 1)
STAR = {
    "name": "star",
    "version": 1,
    "source": "illustrative",
    "tiers": ["diamond", "gold", "silver", "basic"],
    "eligibility": {"min_tenure_months": 6, "segments": ["consumer"]},
    "rules": {
        "points": {
            "components": {
                "arpu": {"metric": "revenue_mean_3m", "points_per_unit": 10},
                "tenure": {"metric": "tenure_months", "points_per_unit": 5},
            },
            "cuts": {
                "kind": "thresholds",
                "at_least": {"diamond": 2300, "gold": 1000, "silver": 500},
                "keep_at": {"gold": 900},
            },
        }
    },
    "adjustments": [
        {"name": "debtor", "when": [{"metric": "arrears_last", "at_least": 100}], "at_most": "silver", "at_once": True},
        {"name": "long-standing", "when": [{"metric": "tenure_months", "at_least": 240}], "at_least": "diamond"},
    ],
    "stability": {"validity_months": 5, "months_before_downgrade": 2, "grace_months": 3, "largest_step_down": 1},
    "transition": {"rule": "higher", "months": 6},
}
USUAL = {"revenue_mean_3m": 96.0, "tenure_months": 84.0, "arrears_last": 0.0, "segment": "consumer", "complaint_open": 0.0}
USUAL |= {"days_since_justified_complaint": None}
GOLD = {"tier": "gold", "valid_from": date(2026, 3, 1), "valid_until": date(2026, 8, 1), "policy_version": "star-v1"}
OVER = GOLD | {"valid_until": date(2026, 4, 1)}
POOR = {"revenue_mean_3m": 20.0}
EARNED = "score 1,380 (ARPU 96 → 960, tenure 84 months → 420)"
FALLEN = "score 620 (ARPU 20 → 200, tenure 84 months → 420), which alone gives silver; gold is kept from 900; diamond needs 2,300"

# facts that differ, previous state, English, Chinese
CASES = {
    "stays, complaint open": (
        {"complaint_open": 1.0}, GOLD,
        f"gold since 2026-03: {EARNED}; diamond needs 2,300; protected until 2026-08, and while complaint C-17 is open.",
        "金（自2026-03起）：得分1,380（月均消费96 → 960，在网84个月 → 420）；钻石需2,300；2026-08前及投诉C-17未闭环期间不降级。",
    ),
    "first rating": (
        {}, None,
        f"gold since 2026-04: {EARNED}; diamond needs 2,300; protected until 2026-09. First rating.",
        "金（自2026-04起）：得分1,380（月均消费96 → 960，在网84个月 → 420）；钻石需2,300；2026-09前不降级。首次评级。",
    ),
    "highest tier": (
        {"revenue_mean_3m": 300.0}, GOLD,
        "diamond since 2026-04: score 3,420 (ARPU 300 → 3,000, tenure 84 months → 420); protected until 2026-09. Risen at this rating.",
        "钻石（自2026-04起）：得分3,420（月均消费300 → 3,000，在网84个月 → 420）；2026-09前不降级。本次升级。",
    ),
    "renewed": (
        {}, OVER,
        f"gold since 2026-03: {EARNED}; diamond needs 2,300; protected until 2026-09. Renewed at this rating.",
        "金（自2026-03起）：得分1,380（月均消费96 → 960，在网84个月 → 420）；钻石需2,300；2026-09前不降级。本次续期。",
    ),
    "lowest tier": (
        {"revenue_mean_3m": None, "tenure_months": 6.0}, None,
        "basic since 2026-04: score 30 (ARPU unknown → 0, tenure 6 months → 30); silver needs 500. First rating.",
        "基础（自2026-04起）：得分30（月均消费未知 → 0，在网6个月 → 30）；银需500。首次评级。",
    ),
    "kept by a complaint": (
        POOR | {"complaint_open": 1.0}, OVER,
        f"gold since 2026-03: {FALLEN}; protected while complaint C-17 is open. Kept while a complaint is open.",
        "金（自2026-03起）：得分620（月均消费20 → 200，在网84个月 → 420），仅按得分为银；保留金需900；钻石需2,300；"
        "投诉C-17未闭环期间不降级。投诉未闭环，保级。",
    ),
    "kept by a justified complaint": (
        POOR | {"days_since_justified_complaint": 9.0}, OVER,
        f"gold since 2026-03: {FALLEN}; protected for 90 days after a justified complaint. Kept after a justified complaint.",
        "金（自2026-03起）：得分620（月均消费20 → 200，在网84个月 → 420），仅按得分为银；保留金需900；钻石需2,300；"
        "投诉属实后90天内不降级。投诉属实，保级。",
    ),
    "validity": (
        POOR, GOLD,
        f"gold since 2026-03: {FALLEN}; protected until 2026-08. Kept within its validity.",
        "金（自2026-03起）：得分620（月均消费20 → 200，在网84个月 → 420），仅按得分为银；保留金需900；钻石需2,300；"
        "2026-08前不降级。有效期内，保级。",
    ),
    "streak": (
        POOR, OVER,
        f"gold since 2026-03: {FALLEN}. Kept as the score has not been below it for long enough: below since 2026-04, and a fall needs "
        "2 months in a row.",
        "金（自2026-03起）：得分620（月均消费20 → 200，在网84个月 → 420），仅按得分为银；保留金需900；钻石需2,300。"
        "连续未达标时间不足，保级：自2026-04起未达标，连续2个月方降级。",
    ),
    "grace": (
        POOR, OVER | {"below_since": date(2026, 3, 1)},
        f"gold since 2026-03: {FALLEN}. Kept for a time of grace: until 2026-07.",
        "金（自2026-03起）：得分620（月均消费20 → 200，在网84个月 → 420），仅按得分为银；保留金需900；钻石需2,300。"
        "宽限期内，保级：至2026-07。",
    ),
    "transition": (
        POOR, OVER | {"policy_version": "star-v0"},
        f"gold since 2026-03: {FALLEN}. Kept while the policy changes over: until 2026-10.",
        "金（自2026-03起）：得分620（月均消费20 → 200，在网84个月 → 420），仅按得分为银；保留金需900；钻石需2,300。"
        "政策过渡期内，保级：至2026-10。",
    ),
    "downgrade": (
        {"revenue_mean_3m": 1.0}, OVER | {"below_since": date(2026, 1, 1), "grace_until": date(2026, 4, 1)},
        "silver since 2026-04: score 430 (ARPU 1 → 10, tenure 84 months → 420), which alone gives basic; silver is kept from 500; "
        "gold needs 1,000; protected until 2026-09. Fallen at this rating.",
        "银（自2026-04起）：得分430（月均消费1 → 10，在网84个月 → 420），仅按得分为基础；保留银需500；金需1,000；"
        "2026-09前不降级。本次降级。",
    ),
    "kept by the lower cut": (
        {"revenue_mean_3m": 53.0}, GOLD,
        "gold since 2026-03: score 950 (ARPU 53 → 530, tenure 84 months → 420), which alone gives silver; diamond needs 2,300; "
        "protected until 2026-08.",
        "金（自2026-03起）：得分950（月均消费53 → 530，在网84个月 → 420），仅按得分为银；钻石需2,300；2026-08前不降级。",
    ),
    "an override, at once": (
        {"arrears_last": 250.0}, GOLD,
        f"silver since 2026-04: {EARNED}; protected until 2026-09. Set by the rule “debtor”.",
        "银（自2026-04起）：得分1,380（月均消费96 → 960，在网84个月 → 420）；2026-09前不降级。按规则“debtor”定级。",
    ),
    "a floor": (
        {"tenure_months": 240.0}, GOLD,
        "diamond since 2026-04: score 2,160 (ARPU 96 → 960, tenure 240 months → 1,200); protected until 2026-09. "
        "Set by the rule “long-standing”.",
        "钻石（自2026-04起）：得分2,160（月均消费96 → 960，在网240个月 → 1,200）；2026-09前不降级。按规则“long-standing”定级。",
    ),
    "too young": (
        {"tenure_months": 1.0}, None,
        "unrated since 2026-04. Not long enough on the network: 1 month of 6 months.",
        "未评级（自2026-04起）。在网时长不足：在网1个月，满6个月方可评级。",
    ),
    "unknown tenure": (
        {"tenure_months": None}, None,
        "unrated since 2026-04. Time on the network not known.",
        "未评级（自2026-04起）。在网时长未知。",
    ),
    "another segment": (
        {"segment": "enterprise"}, None,
        "unrated since 2026-04. Not a segment of this policy.",
        "未评级（自2026-04起）。不属于本政策的客户类型。",
    ),
}  # fmt: skip


def table(rows):
    text = {"customer_id", "segment", "household_id", "tier", "policy_version"}
    kinds = {
        name: pa.string() if name in text else pa.date32() if "valid" in name or name.endswith(("since", "until")) else pa.float64()
        for name in rows[0]
    }
    return ibis.memtable(pa.Table.from_pylist(rows, schema=pa.schema(kinds)))


def rated(policy, rows, before=None):
    facts = table(rows)
    fitted = TierPolicy(TierPolicyConfig.model_validate(policy)).fit(facts, as_of=DAY)
    previous = None if before is None else table([{"customer_id": "c1"} | before])
    return fitted, facts, fitted.assign(facts, as_of=DAY, previous=previous)


@pytest.mark.parametrize("case", CASES)
def test_sentence(case):
    facts, before, en, zh = CASES[case]
    fitted, facts, state = rated(STAR, [{"customer_id": "c1"} | USUAL | facts], before)
    said = {language: fitted.explain("c1", facts, state, language=language, complaint="C-17", as_of=DAY) for language in ("en", "zh")}
    assert said == {"en": en, "zh": zh}


def test_a_score_just_below_a_cut_does_not_read_as_if_it_had_reached_it():
    fitted, facts, state = rated(STAR, [{"customer_id": "c1"} | USUAL | {"revenue_mean_3m": 57.99996}])
    assert "score 999.99 (" in fitted.explain("c1", facts, state)
    assert "gold needs 1,000;" in fitted.explain("c1", facts, state)


MATRIX = {
    "form": "matrix",
    "rows": {"metric": "lines", "at_least": {"A": 10}, "otherwise": "B", "roll_up": "max"},
    "columns": {"metric": "revenue_mean_12m", "at_least": {"high": 100}, "otherwise": "low"},
    "cells": {"A": {"high": "gold", "low": "silver"}, "B": {"high": "silver", "low": "basic"}},
}


def test_matrix_and_household_are_said_of_the_household_in_declared_words():
    policy = {
        "name": "home",
        "version": 1,
        "source": "x",
        "tiers": ["gold", "silver", "basic"],
        "level": "household",
        "rules": {"m": MATRIX},
    }
    rows = [
        {"customer_id": f"c{i}", "household_id": home, "lines": lines, "revenue_mean_12m": revenue}
        for i, (home, lines, revenue) in enumerate([("h1", 12.0, 60.0), ("h1", 12.0, 45.5), (None, None, 99.0)])
    ]
    fitted, facts, state = rated(policy, rows)
    columns = [FeatureColumn(name="lines", en="Lines of the household", zh="家庭号码数", unit="count", null="never", reason="household")]
    assert fitted.explain("c1", facts, state, columns=columns) == (
        "gold since 2026-04: Lines of the household 12 is in band “A”, ARPU 105.5 is in band “high”. First rating."
    )
    assert fitted.explain("c2", facts, state) == (
        "basic since 2026-04: lines unknown is in band “B”, ARPU 99 is in band “low”. First rating."
    )


def test_factors_and_units_are_said():
    policy = STAR | {
        "eligibility": {},
        "adjustments": [],
        "rules": {
            "points": {
                "components": {"data": {"metric": "data_mb_mean_3m", "points_per_unit": 0.01, "cap": 300}},
                "factors": {"data": {"metric": "tenure_months", "bands": {12: 1.5}}},
                "cuts": {"kind": "thresholds", "at_least": {"diamond": 400, "gold": 300, "silver": 100}},
            }
        },
    }
    fitted, facts, state = rated(policy, [{"customer_id": "c1", "data_mb_mean_3m": 20480.0, "tenure_months": 13.0}])
    assert fitted.explain("c1", facts, state).startswith(
        "gold since 2026-04: score 307.2 (data 20 GB → 204.8, × 1.5 for tenure 13 months); diamond needs 400; protected until 2026-09."
    )


def test_what_cannot_be_explained_says_why():
    fitted, facts, state = rated(STAR, [{"customer_id": "c1"} | USUAL])
    with pytest.raises(DataError, match=r"customer \*\*\* has 0 rows in the rating"):
        fitted.explain("c9", facts, state)
    with pytest.raises(ConfigError, match="given by star-v1, not by star-v2"):
        TierPolicy(TierPolicyConfig.model_validate(STAR | {"version": 2})).fit(facts, as_of=DAY).explain("c1", facts, state)
    with pytest.raises(ConfigError, match="no cuts yet"):
        TierPolicy(TierPolicyConfig.model_validate(STAR)).explain("c1", facts, state)


def test_frames_in_memory_do():
    fitted, facts, state = rated(STAR, [{"customer_id": "c1"} | USUAL], GOLD)
    assert fitted.explain("c1", facts.to_pandas(), state.to_pandas()) == fitted.explain("c1", facts.to_pyarrow(), state.to_pyarrow())


CODES = {
    "first_rating", "upgrade", "stays", "renewed", "downgrade", "policy_change", "adjusted",
    "protected_open_complaint", "protected_justified_complaint", "transition", "within_validity", "below_too_briefly", "grace",
    "unrated_short_tenure", "unrated_unknown_tenure", "unrated_other_segment", "not_rated_yet",
}  # fmt: skip


def test_every_reason_code_has_words_and_no_words_are_left_over():
    assert set(load_catalogue(ready_configs() / "wording").names("tier_reasons")) == CODES


def test_amounts_are_said_with_their_currency_where_it_is_known():
    fitted, facts, state = rated(STAR, [{"customer_id": "c1"} | USUAL | {"revenue_mean_3m": 96.25}])
    bill = FeatureColumn(name="revenue_mean_3m", en="Bill", zh="账单", unit="money", null="no bill", reason="bill")
    said = {name: fitted.explain("c1", facts, state, language=name, columns=[bill], currency="CNY", as_of=DAY) for name in ("en", "zh")}
    assert "(ARPU ¥96.25 → 962.5, tenure 84 months → 420)" in said["en"]
    assert "月均消费96.25元 → 962.5" in said["zh"]
    assert "ARPU 96.25 → 962.5" in fitted.explain("c1", facts, state, columns=[bill], as_of=DAY)
