"""What managers are told beside the figures: nothing sensitive, and what holds for all told to all alike."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import pandas as pd
import pytest

from custvalue.config import RetentionPolicyConfig, TriggerRules
from custvalue.explain import Reason
from custvalue.lists import list_rows
from custvalue.wording import LANGUAGES, Catalogue

from .test_rows import LISTED

POLICY = RetentionPolicyConfig.model_validate(
    {
        "name": "test", "version": 1, "source": "made up", "reach": 0.5, "save": 0.2, "take_up": 0.3, "harm": 0.0, "contact_cost": 2,
        "offers": {
            "bonus": {
                "label": {"en": "data bonus", "zh": "流量赠送"}, "cost": 5,
                "talking_points": {"en": ["Ten GB a month"], "zh": ["每月10GB"]},
            }
        },
        "rules": {
            "cooldown_days": 45, "quiet_hours": {"from": "20:30", "until": "10:00"},
            "do_not_say": {"en": ["Promise nothing else."], "zh": ["不得另作承诺。"]},
        },
    }
)  # fmt: skip
RULES = TriggerRules.model_validate(
    {
        "version": 1, "source": "made up",
        "triggers": {
            "port_query": {"when": ["days_since_port_query <= 7"], "urgency": "red", "within_hours": 24, "sensitive": True},
            "competitor_hotline": {"when": ["days_since_competitor <= 7"], "urgency": "amber", "within_hours": 48, "sensitive": True},
            "contract_expiry": {"when": ["contract_days_to_end <= 30"], "urgency": "amber", "within_hours": 168, "reason": "contract"},
        },
    },
    context={"thresholds": {}},
)  # fmt: skip
NOTHING: Sequence[Sequence[Reason]] = [[], []]


@pytest.fixture
def rows_of(catalogue: Catalogue):
    def rows_of(listed: pd.DataFrame, reasons: Sequence[Sequence[Reason]] = NOTHING) -> pd.DataFrame:
        given = {"as_of": date(2026, 1, 1), "token_key": b"key", "base_rate": 0.05}
        return list_rows(listed, reasons, {}, **given, catalogue=catalogue, policy=POLICY, rules=RULES)

    return rows_of


@pytest.mark.parametrize(("trigger", "urgency", "en", "zh"), [
    ("port_query", "red", "call first", "优先联系"),
    ("competitor_hotline", "amber", "call soon", "尽快联系"),
    ("of_an_older_night", "red", "call first", "优先联系"),
    ("contract_expiry", "amber", "contract ends soon", "合约即将到期"),
])  # fmt: skip
def test_a_sensitive_signal_is_told_by_its_urgency(rows_of, trigger: str, urgency: str, en: str, zh: str):
    rows = rows_of(LISTED.assign(trigger=[trigger, None], urgency=[urgency, None], due_hours=[24.0, None]))
    assert rows.trigger_words_en.tolist() == [en, pd.NA]
    assert rows.trigger_words_zh.tolist() == [zh, pd.NA]
    assert rows.trigger[0] == trigger  # for the orders, inside the warehouse


def test_a_sensitive_reason_is_neither_shown_nor_coded(rows_of, catalogue: Catalogue):
    bill, port = Reason("bill", "Bill fell", "消费下降", 1.0), Reason("port_query", "Asked to port", "查询携转", 2.0)
    assert catalogue.reason("port_query").sensitive
    rows = rows_of(LISTED, [[port, bill], [port]])
    assert rows.reasons_en.tolist() == [["Bill fell"], ["Several signs taken together"]]
    assert rows.reasons_zh.tolist() == [["消费下降"], ["多项情况综合判断"]]
    assert rows.reason_codes.tolist() == [["bill"], []]


def test_what_nobody_may_hear_is_told_beside_every_customer_alike(rows_of, catalogue: Catalogue):
    triggers = LISTED.assign(trigger=["port_query", None], urgency=["red", None], due_hours=[24.0, None])
    with_query, without = rows_of(triggers).do_not_say_en
    assert with_query == without
    assert with_query == ["Promise nothing else.", *catalogue.standing_rules("en")]
    assert any("taking the number along" in rule for rule in without)


def test_reasons_and_trigger_add_their_own_rules_once(rows_of, catalogue: Catalogue):
    contract = Reason("contract", "Ends soon", "即将到期", 1.0)
    rows = rows_of(LISTED.assign(trigger=["contract_expiry"] * 2, urgency="amber", due_hours=168.0), [[contract], []])
    for language in LANGUAGES:
        own = catalogue.not_to_say(["contract"], language)
        first, second = rows[f"do_not_say_{language}"]
        assert first == second
        assert [rule for rule in first if rule in own] == list(own)


def test_offer_talking_points_hours_and_cooldown_come_from_the_policy(rows_of):
    rows = rows_of(LISTED.assign(offer=["bonus", None]))
    assert rows.offer_words_en.tolist() == ["data bonus", pd.NA]
    assert rows.talking_points_zh.tolist() == [["每月10GB"], []]
    assert set(rows.best_time) == {"10:00–20:30"}
    assert set(rows.cooldown_until) == {pd.Timestamp(2026, 2, 15)}


def test_hours_to_answer_count_from_when_the_managers_day_begins(rows_of):
    rows = rows_of(
        LISTED.assign(trigger=["port_query", None], urgency=["red", None], due_hours=[24.0, None], contract_days_to_end=[5.0, 5.0])
    )
    assert rows.due_by.tolist() == [pd.Timestamp(2026, 1, 2, 10), pd.Timestamp(2026, 1, 8, 10)]
