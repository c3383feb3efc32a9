"""Service contacts: who is owed which, when, by whom, in which words; and that nothing withholds one."""

from datetime import date, timedelta

import pandas as pd
import pytest

from custvalue.config import TriggerRules, load_trigger_rules, ready_configs
from custvalue.errors import ConfigError
from custvalue.retention import care, count_care
from custvalue.wording import load_catalogue

AS_OF = date(2026, 1, 10)


@pytest.fixture(scope="module")
def rules():
    return load_trigger_rules(ready_configs() / "triggers" / "default.yaml")


@pytest.fixture(scope="module")
def catalogue():
    return load_catalogue(ready_configs() / "wording")


@pytest.fixture(scope="module")
def owed(rules, catalogue):
    columns = dict.fromkeys(frozenset().union(*(rule.facts for rule in rules.care.values()), {"balance_now"}), float("nan"))

    def of(*customers, as_of=AS_OF, before=None):
        rows = [columns | {"customer_id": f"c{i}", "tier": "basic"} | facts for i, facts in enumerate(customers)]
        return care(pd.DataFrame(rows), rules, as_of, catalogue=catalogue, currency="CNY", before=before)

    return of


DAY = timedelta(days=1)
SHORT = {"balance_lasts_days": 1, "balance_now": 4, "balances_seen": 12}
KINDS = [
    ("complaint_callback", {"complaint_uncalled_days": 1}, {"complaint_uncalled_days": 11}, AS_OF + 2 * DAY, "message"),
    ("complaint_callback", {"complaint_uncalled_days": 5}, {}, AS_OF - 2 * DAY, "message"),
    (
        "complaint_dissatisfied",
        {"complaint_answer_score": 4, "complaint_answer_days": 0},
        {"complaint_answer_score": 5, "complaint_answer_days": 0},
        AS_OF + 3 * DAY,
        "person",
    ),
    ("port_service", {"port_authorised": True}, {"port_authorised": False}, AS_OF + DAY, "person"),
    ("balance_short", SHORT | {"balance_lasts_days": 2.99}, SHORT | {"balance_lasts_days": 3}, AS_OF, "message"),
    ("balance_short", SHORT, SHORT | {"balances_seen": 3}, AS_OF, "message"),  # a postpaid account: a bill, a payment
    ("trial_ends", {"trial_days_to_end": 3}, {"trial_days_to_end": 4}, AS_OF, "message"),
    ("discount_ends", {"discount_days_to_end": 10}, {"discount_days_to_end": 11}, AS_OF, "message"),
    ("contract_ends", {"contract_days_to_end": 30}, {"contract_days_to_end": 31}, AS_OF, "message"),
    ("bill_queried", {"bill_query_months": 3}, {"bill_query_months": 2}, AS_OF + 3 * DAY, "person"),
]


@pytest.mark.parametrize(("kind", "inside", "outside", "due_on", "by"), KINDS)
def test_each_kind_inside_and_outside_its_limit(owed, kind, inside, outside, due_on, by):
    found = owed(inside, outside)
    assert found[["customer_id", "kind", "due_on", "by"]].to_numpy().tolist() == [["c0", kind, due_on, by]]


def test_every_shipped_kind_is_tried_above(rules):
    assert {row[0] for row in KINDS} == set(rules.care)


@pytest.mark.parametrize(
    ("facts", "by"),
    [
        ({"tier": "gold"}, "person"),
        ({"tier": "silver"}, "message"),
        ({"tier": "silver", "complaint_callback_tries": 1}, "person"),  # unreached
        ({"tier": None}, "message"),
    ],
)
def test_a_person_calls_back_who_is_valued_or_was_not_reached(owed, facts, by):
    assert owed({"complaint_uncalled_days": 2, "complaint_callback_tries": 0} | facts).by.tolist() == [by]


def test_a_survey_may_wait_a_day_for_its_answer(owed):
    assert owed({"complaint_uncalled_days": 1, "complaint_callback_tries": 1}).by.tolist() == ["message"]


def test_nothing_withholds_service(owed):
    """Whoever is held out, cooling down, without consent or opted out is still called back."""
    facts = {"complaint_uncalled_days": 1, "marketing_consent": False, "arm": "universal", "asked_no_contact": True, "last_contact_days": 0}
    assert owed(facts).kind.tolist() == ["complaint_callback"]


def test_a_customer_may_be_owed_several(owed):
    found = owed({}, {"trial_days_to_end": 0, "port_authorised": True})
    assert found.customer_id.tolist() == ["c1", "c1"]
    assert found.kind.tolist() == ["port_service", "trial_ends"]


def test_facts_are_told_in_words(owed):
    found = owed({"complaint_uncalled_days": 2}, SHORT | {"balance_lasts_days": 1.2, "balance_now": -3.456}, {"trial_days_to_end": 2})
    assert found.facts_en.tolist() == [
        "Complaint closed on 2026-01-08; ask whether it is settled",
        "Balance -¥3.46, lasts 1.2 days",
        "Trial ends on 2026-01-12",
    ]
    assert found.facts_zh.tolist() == [
        "投诉已于2026-01-08办结，请确认客户问题是否解决",
        "余额-3.46元，约可用1.2天",
        "试用将于2026-01-12到期",
    ]


def test_what_goes_on_keeps_its_first_night_and_what_comes_back_gets_a_new_one(owed):
    first = owed(SHORT, {"trial_days_to_end": 3})
    assert first.since.tolist() == [AS_OF, AS_OF]
    second = owed(SHORT | {"balance_lasts_days": 0}, {"port_authorised": 1}, as_of=AS_OF + DAY, before=first)
    assert dict(zip(second.kind, second.since, strict=True)) == {"balance_short": AS_OF, "port_service": AS_OF + DAY}
    third = owed(SHORT | {"balance_lasts_days": 0}, {"trial_days_to_end": 3}, as_of=AS_OF + 2 * DAY, before=second)
    assert dict(zip(third.kind, third.since, strict=True)) == {"balance_short": AS_OF, "trial_ends": AS_OF + 2 * DAY}


def test_what_was_read_back_from_a_file_counts_as_the_night_before(owed, tmp_path):
    first = owed({"trial_days_to_end": 3}, {})
    first.to_parquet(tmp_path / "care.parquet", index=False)
    second = owed({"trial_days_to_end": 2}, {}, as_of=AS_OF + DAY, before=pd.read_parquet(tmp_path / "care.parquet"))
    assert second.since.tolist() == [AS_OF]


def test_nobody_owed_anything_leaves_the_columns(owed, rules, catalogue):
    found = owed({})
    assert list(found.columns) == ["customer_id", "kind", "due_on", "by", "since", "facts_en", "facts_zh"]
    assert found.empty
    assert count_care(found, rules) == dict.fromkeys(rules.care, 0)
    without_rules = TriggerRules(version=1, source="none")
    nothing = care(pd.DataFrame({"customer_id": ["A"]}), without_rules, AS_OF, catalogue=catalogue, currency="CNY")
    assert list(nothing.columns) == list(found.columns)


def test_a_column_that_is_not_built_owes_nothing(rules, catalogue):
    frame = pd.DataFrame(
        {"customer_id": ["A"], "tier": ["gold"], "trial_days_to_end": [1.0], "balance_lasts_days": [0.0], "balances_seen": [9.0]}
    )
    found = care(frame, rules, AS_OF, catalogue=catalogue, currency="CNY")
    assert found.kind.tolist() == ["trial_ends"]  # without balance_now a short balance cannot be told


def test_a_kind_without_words_is_refused(catalogue):
    own = TriggerRules.model_validate(
        {"version": 1, "source": "own", "care": {"birthday": {"when": ["tenure_months == 12"], "by": "message"}}}
    )
    with pytest.raises(ConfigError, match=r"labels\.yaml has no entry 'care_facts\.birthday', which a care rule needs"):
        care(pd.DataFrame({"customer_id": ["A"], "tenure_months": [12.0]}), own, AS_OF, catalogue=catalogue, currency="CNY")
