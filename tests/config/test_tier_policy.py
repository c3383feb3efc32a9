"""A tier policy whose parts contradict each other is refused with the place and what to write instead."""

import copy

import pytest
import yaml
from hypothesis import event, given
from hypothesis import strategies as st

from custvalue.config import TierPolicyConfig, load_tier_policy
from custvalue.config.tier_checks import adjustment_faults
from custvalue.config.tier_rules import MatrixRule, PointsRule, ShareOfBase, ShareOfRevenue, Thresholds
from custvalue.config.tiers import Adjustment
from custvalue.errors import ConfigError

ARPU = {"metric": "revenue_mean_3m", "points_per_unit": 1.0}
GOOD = {
    "name": "consumer",
    "version": 3,
    "source": "illustrative",
    "tiers": ["gold", "silver", "basic"],
    "rules": {"points": {"components": {"arpu": ARPU}, "cuts": {"kind": "thresholds", "at_least": {"gold": 100, "silver": 50}}}},
}
MATRIX = {
    "form": "matrix",
    "rows": {"metric": "account_lines", "at_least": {"many": 10}, "otherwise": "few"},
    "columns": {"metric": "revenue_mean_12m", "at_least": {"high": 100, "middle": 50}, "otherwise": "low"},
    "cells": {
        "many": {"high": "gold", "middle": "gold", "low": "silver"},
        "few": {"high": "gold", "middle": "silver", "low": "basic"},
    },
}


@pytest.fixture
def policy_file(tmp_path):
    def write(**changed):
        path = tmp_path / "policy.yaml"
        path.write_text(yaml.safe_dump(GOOD | changed, sort_keys=False), encoding="utf-8")
        return path

    return write


def points(**changed):
    return {"rules": {"points": copy.deepcopy(GOOD["rules"]["points"]) | changed}}


def cuts(**keys):
    return points(cuts={"kind": "thresholds", **keys})


def shares(**by_tier):
    return points(cuts={"kind": "share_of_base", "shares": by_tier})


def component(**keys):
    return points(components={"arpu": ARPU, "other": {"metric": "m", **keys}})


def matrix(**changed):
    return {"rules": {"grid": copy.deepcopy(MATRIX) | changed}}


def adjusted(*adjustments):
    usual = {"name": "a", "when": [{"metric": "arrears_months_12m", "at_least": 1}]}
    return {"adjustments": [usual | adjustment for adjustment in adjustments]}


def test_a_policy_is_read(policy_file):
    policy = load_tier_policy(policy_file())
    assert policy.label == "consumer-v3"
    rule = policy.rules["points"]
    assert isinstance(rule, PointsRule)
    assert isinstance(rule.cuts, Thresholds)
    assert rule.cuts.at_least == {"gold": 100, "silver": 50}
    assert policy.protection.justified_within_days == 90


@pytest.mark.parametrize(("kind", "model"), [("share_of_base", ShareOfBase), ("share_of_revenue", ShareOfRevenue)])
def test_the_kind_of_cuts_decides_what_they_are(policy_file, kind, model):
    policy = load_tier_policy(policy_file(**points(cuts={"kind": kind, "shares": {"gold": 0.1, "silver": 0.3}})))
    assert isinstance(policy.rules["points"].cuts, model)


def test_a_matrix_is_read(policy_file):
    rule = load_tier_policy(policy_file(**matrix())).rules["grid"]
    assert isinstance(rule, MatrixRule)
    assert rule.columns.bands == ("high", "middle", "low")


def test_a_policy_is_the_same_after_json(policy_file):
    for changed in (matrix(), cuts(at_least={"gold": 9, "silver": 5}), component(bands={0: 1, 6: 2})):
        policy = load_tier_policy(policy_file(**changed))
        assert TierPolicyConfig.model_validate_json(policy.model_dump_json()) == policy


@pytest.mark.parametrize(
    "changed",
    [
        cuts(at_least={"gold": 100, "silver": 50}, keep_at={"gold": 90, "silver": 50}),
        cuts(at_least={"gold": 100, "silver": 50}, keep_at={"gold": 51}),
        component(bands={12: 10, 24: 20}),
        component(bands={0: 20, 1: 10, 3: 0}),  # points for who pays in time
        component(bands={1: -10, 3: -30}),
        component(points_per_unit=-10, cap=30),
        points(components={"a": ARPU | {"cap": 25}}, factors={"years": {"metric": "tenure_months", "bands": {12: 1.5, 60: 4}}}),
        # 0.1 + 0.7 is a little below 0.8 in binary
        points(
            components={"a": ARPU | {"cap": 0.1}, "b": ARPU | {"cap": 0.7}},
            cuts={"kind": "thresholds", "at_least": {"gold": 0.8, "silver": 0.5}},
        ),
        adjusted({"only_from": "silver", "exactly": "gold"}),
        adjusted({"at_most": "basic", "at_once": True}),
        adjusted({"at_least": "silver", "when": [{"metric": "revenue_mean_3m", "at_least": 10}]}),
        adjusted({"at_least": "silver", "when": [{"metric": "tenure_months", "at_least": 0, "below": 12}]}),
        {"service": {"gold": {"answer_within_hours": 4}, "unrated": {"channel": "message"}}},
        {"stability": {"largest_step_down": 2}},
    ],
)
def test_what_makes_sense_is_accepted(policy_file, changed):
    load_tier_policy(policy_file(**changed))


# fmt: off
REFUSED = [
    # tiers
    ({"tiers": ["gold", "gold", "basic"]}, "tiers: tiers must differ, but gold comes more than once"),
    ({"tiers": ["gold", "silver", "unrated"]}, "tiers.2: none may be called 'unrated'"),
    ({"tiers": ["gold", " ", "basic"]}, "tiers.1: a tier needs a name"),
    ({"tiers": ["basic"]}, "tiers: "),
    # overlapping or gapped thresholds
    (cuts(at_least={"gold": 50, "silver": 50}), "at_least.silver: cuts must fall from tier to tier, but 'silver' has 50"),
    (cuts(at_least={"gold": 50, "silver": 70}), "they overlap"),
    (cuts(at_least={"silver": 50, "gold": 100}), "they overlap"),
    (cuts(at_least={"gold": 100}), "rules.points.cuts.at_least: no cut for 'silver' leaves a gap: name gold, silver in that order"),
    (cuts(at_least={}), "no cut for 'gold' leaves a gap"),
    (cuts(at_least={"gold": 9, "silver": 5, "basic": 1}), "at_least.basic: 'basic', the last tier, takes whoever reaches no cut"),
    (cuts(at_least={"gold": 9, "sliver": 5}), "at_least.sliver: no tier is called 'sliver'; there are gold, silver, basic"),
    (cuts(at_least={"gold": 100, "silver": 0}), "at_least.silver: 'silver' needs 0 points, which everybody has"),
    (cuts(at_least={"gold": 100, "silver": 50}, keep_at={"gold": 110}), "keep_at.gold: 'gold' is won with 100 points but kept only with"),
    (cuts(at_least={"gold": 100, "silver": 50}, keep_at={"basic": 1}), "keep_at.basic: there is no cut for 'basic'"),
    (cuts(at_least={"gold": 100, "silver": 50}, keep_at={"gold": 50}), "cuts.keep_at: cuts must fall"),
    (cuts(at_least={"gold": 100, "silver": 50}, keep_at={"gold": 30, "silver": 40}), "keep_at.silver: cuts must fall"),
    (cuts(shares={"gold": 0.1, "silver": 0.2}), "rules.points.cuts.at_least: Field required"),
    (cuts(at_least={"gold": float("nan"), "silver": 50}), "cuts.at_least.gold: "),
    (cuts(at_least={"gold": float("inf"), "silver": 50}), "cuts.at_least.gold: "),
    (shares(gold=0.5, silver=0.5), "cuts.shares: shares add up to 1; they must leave something for the last tier"),
    (shares(silver=0.3, gold=0.1), "cuts must name gold, silver in that order; they name silver, gold"),
    (shares(gold=0.3), "no share for 'silver'"),
    (shares(gold=0.0, silver=0.5), "shares.gold: "),
    (shares(gold=5, silver=15), "shares.gold: "),
    (points(cuts={"kind": "quantiles", "shares": {}}), "rules.points.cuts: "),
    (points(cuts={"at_least": {"gold": 100, "silver": 50}}), "rules.points.cuts: "),
    # points
    (points(components={}), "rules.points.components: "),
    (points(components={"a": {"metric": "m", "points_per_unit": -1}}), "components: every component takes points away"),
    (points(components={"a": {"metric": "m", "bands": {1: -1}}}), "every component takes points away"),
    (component(), "components.other: give either `points_per_unit` or `bands`"),
    (component(points_per_unit=1, bands={1: 1}), "components.other: give either `points_per_unit` or `bands`"),
    (component(points_per_unit=0), "other.points_per_unit: 0 gives no points"),
    (component(points_per_unit=1, cap=0), "other.cap: "),
    (component(bands={}), "other.bands: name at least one band"),
    (component(bands={24: 20, 12: 10}), "other.bands.12: bands ascend, but 12 comes after 24"),
    (component(bands={12: 20, 24: 10}), "other.bands: they give 0, 20, 10 from the lowest value up, rising and falling"),
    (component(bands={12: float("nan")}), "other.bands.12: "),
    (points(factors={"years": {"metric": "m", "bands": {12: 0}}}), "factors.years.bands.12: "),
    (points(factors={"years": {"metric": "m", "bands": {12: 0.5, 24: 2}}}), "factors.years.bands: they give 1, 0.5, 2"),
    (points(factors={"years": {"metric": "m", "bands": {}}}), "factors.years.bands: "),
    (component(metric="complaint_count_12m", points_per_unit=-5), "other.metric: complaints never cost points"),
    (component(metric="complaint_open", bands={0: 10, 1: 0}), "other.metric: complaints never cost points"),
    # weights that cannot reach a tier
    (points(components={"a": ARPU | {"cap": 60}, "b": {"metric": "m", "bands": {1: 10, 5: 39}}}),
     "at_least.gold: 'gold' needs 100 points, but the weights cannot reach it: caps, bands and factors allow 99 at best"),
    (points(components={"a": ARPU | {"cap": 20}}, factors={"years": {"metric": "m", "bands": {12: 2}}}), "'silver' needs 50 points"),
    (points(components={"a": ARPU | {"cap": 20}}, factors={"years": {"metric": "m", "bands": {12: 2}}}), "allow 40 at best"),
    # a matrix
    (matrix(form="matrx"), "rules.grid: `form` is points (which may be left out) or matrix"),
    (matrix(columns={"metric": "m", "at_least": {"high": 5, "middle": 5}, "otherwise": "low"}), "columns.at_least.middle: cuts must fall"),
    (matrix(columns={"metric": "m", "at_least": {"high": 5, "low": 1}, "otherwise": "low"}), "columns.otherwise: 'low' is a band"),
    (matrix(cells=MATRIX["cells"] | {"some": {}}), "cells.some: no row band is called 'some'; there are many, few"),
    (matrix(cells={"many": MATRIX["cells"]["many"]}), "rules.grid.cells: no tier for row few: add it"),
    (matrix(cells=MATRIX["cells"] | {"few": {"high": "gold"}}), "cells.few: no tier for column middle, low: add them"),
    (matrix(cells=MATRIX["cells"] | {"few": MATRIX["cells"]["few"] | {"low": "bronze"}}), "cells.few.low: no tier is called 'bronze'"),
    (matrix(cells=MATRIX["cells"] | {"few": {"high": "silver", "middle": "gold", "low": "basic"}}),
     "cells.few.high: 'middle' gives 'gold' but 'high', a higher band, gives 'silver'"),
    # adjustments
    (adjusted({}), "adjustments.0: give just one of `at_least`"),
    (adjusted({"at_least": "silver", "at_most": "gold"}), "adjustments.0: give just one of `at_least`"),
    (adjusted({"at_least": "bronze"}), "adjustments.0.at_least: no tier is called 'bronze'"),
    (adjusted({"only_from": "bronze", "at_least": "gold"}), "adjustments.0.only_from: no tier is called 'bronze'"),
    (adjusted({"at_least": "silver"}, {"at_most": "silver"}), "adjustments.1.name: another adjustment is called 'a'"),
    (adjusted({"at_least": "basic"}), "adjustments.0.at_least: at_least 'basic' never changes a tier"),
    (adjusted({"at_most": "gold"}), "adjustments.0.at_most: at_most 'gold' never changes a tier"),
    (adjusted({"only_from": "silver", "exactly": "silver"}), "exactly 'silver' never changes a tier that is 'silver'"),
    (adjusted({"only_from": "gold", "at_least": "silver"}), "never changes a tier that is 'gold'"),
    (adjusted({"only_from": "basic", "at_least": "gold"}), "from 'basic' it jumps over 'silver', so that who earned more would"),
    (adjusted({"only_from": "gold", "exactly": "basic"}), "from 'gold' it jumps over 'silver'"),
    (adjusted({"name": "up", "only_from": "silver", "exactly": "gold"}, {"name": "down", "only_from": "gold", "at_most": "silver"}),
     "adjustments.1: a cycle of overrides: "),
    (adjusted({"at_least": "silver", "when": []}), "adjustments.0.when: "),
    (adjusted({"at_least": "silver", "when": [{"metric": "m"}]}), "adjustments.0.when.0: give one test"),
    (adjusted({"at_least": "silver", "when": [{"metric": "m", "below": 3, "among": ["x"]}]}), "adjustments.0.when.0: give one test"),
    (adjusted({"at_least": "silver", "when": [{"metric": "m", "below": 3, "at_least": 3}]}), "no value is at least 3 and below 3"),
    (adjusted({"at_most": "silver", "when": [{"metric": "revenue_mean_3m", "at_least": 500}]}),
     "when.0.metric: 'revenue_mean_3m' earns tiers in rules.points.components.arpu, yet having more of it would lower the tier"),
    (adjusted({"at_least": "silver", "when": [{"metric": "revenue_mean_3m", "below": 5}]}), "yet having less of it would raise the tier"),
    (adjusted({"at_most": "silver", "when": [{"metric": "complaint_count_12m", "at_least": 3}]}), "complaints never cost a tier"),
    (adjusted({"name": "Big Spender", "at_least": "silver"}), "adjustments.0.name: "),
    # the rest
    ({"rules": {}}, "rules: "),
    ({"service": {"bronze": {}}}, "service.bronze: no tier is called 'bronze'; there are gold, silver, basic, unrated"),
    ({"stability": {"largest_step_up": 3}}, "stability.largest_step_up: 3 tiers lie 2 steps apart at most, so 3 limits nothing"),
    ({"stability": {"validity_months": -1}}, "stability.validity_months: "),
    ({"rating": {"every_months": 5}}, "rating.every_months: "),
    ({"rating": {"day": 29}}, "rating.day: "),
    ({"transition": {"rule": "best"}}, "transition.rule: "),
    ({"level": "family"}, "level: "),
    ({"name": "Consumer Policy"}, "name: "),
    ({"version": 0}, "version: "),
    ({"source": ""}, "source: "),
    ({"protection": {"justified_within_days": -1}}, "protection.justified_within_days: "),
    ({"protect": {}}, "protect: unknown key; did you mean 'protection'?"),
]
# fmt: on


@pytest.mark.parametrize(("changed", "told"), REFUSED, ids=[told[:60] for _, told in REFUSED])
def test_a_policy_that_cannot_work_is_refused(policy_file, changed, told):
    path = policy_file(**changed)
    with pytest.raises(ConfigError) as refused:
        load_tier_policy(path)
    assert told in str(refused.value)
    assert str(path) in str(refused.value)
    assert refused.value.exit_code == 2


def test_a_cycle_of_overrides_is_told_with_its_way(policy_file):
    up = {"name": "up", "only_from": "silver", "exactly": "gold"}
    down = {"name": "down", "only_from": "gold", "exactly": "silver"}
    with pytest.raises(ConfigError, match=r"silver → gold → silver|gold → silver → gold"):
        load_tier_policy(policy_file(**adjusted(up, down)))
    load_tier_policy(policy_file(**adjusted(up)))


TIERS = ("diamond", "gold", "silver", "basic")


def after(adjustments, tier):
    """What the rules' tier becomes where all conditions hold, by the documentation's words."""
    for adjustment in adjustments:
        if adjustment.only_from in (None, tier):
            ranks = sorted([TIERS.index(tier), TIERS.index(adjustment.target)])
            tier = {"at_least": TIERS[ranks[0]], "at_most": TIERS[ranks[1]], "exactly": adjustment.target}[adjustment.effect]
    return TIERS.index(tier)


@st.composite
def adjustment_lists(draw):
    one = st.tuples(st.sampled_from([None, *TIERS]), st.sampled_from(["at_least", "at_most", "exactly"]), st.sampled_from(TIERS))
    return [
        Adjustment(name=f"a{i}", when=({"metric": "m", "at_least": 1},), only_from=start, **{effect: target})
        for i, (start, effect, target) in enumerate(draw(st.lists(one, min_size=1, max_size=3)))
    ]


@given(adjustment_lists())
def test_accepted_adjustments_never_turn_the_order_of_tiers_around(adjustments):
    results = [after(adjustments, tier) for tier in TIERS]
    refused = adjustment_faults(adjustments, TIERS, {})
    event(f"refused: {bool(refused)}, in order: {results == sorted(results)}")
    assert refused or results == sorted(results)


def test_an_order_that_is_turned_around_is_seen():
    jump = [Adjustment(name="a", when=({"metric": "m", "at_least": 1},), only_from="basic", exactly="diamond")]
    assert [after(jump, tier) for tier in TIERS] == [0, 1, 2, 0]
    assert adjustment_faults(jump, TIERS, {})
