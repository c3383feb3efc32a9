"""Each warning sign just inside and just outside its limit, and which of several counts."""

import pandas as pd
import pytest

from custvalue.config import FeaturesConfig, load_trigger_rules, ready_configs
from custvalue.explain.vocabulary import declared, load_wording
from custvalue.retention import SIGNS, alarm_notes, count_triggers, rule_notes, triggered

DEFAULT = ready_configs() / "triggers" / "default.yaml"


@pytest.fixture(scope="module")
def rules():
    return load_trigger_rules(DEFAULT)


@pytest.fixture(scope="module")
def columns(rules):
    """Columns that the shipped rules read, all unknown."""
    facts = frozenset().union(*(rule.facts for rule in (*rules.triggers.values(), *rules.care.values())))
    return dict.fromkeys(sorted(facts), float("nan"))


@pytest.fixture(scope="module")
def strongest(rules, columns):
    def of(tier="basic", **facts):
        frame = pd.DataFrame([{"customer_id": "A", "tier": tier} | columns | facts])
        row = triggered(frame, rules).iloc[0]
        return None if row.trigger is None else (row.trigger, row.urgency, row.due_hours)

    return of


NEAR = 1e-6
FALLS = {"revenue_before_3m": 100, "revenue_z_12m": -2}
SIGNALS = [
    ("port_query", "red", 24, {}, {"days_since_port_query": 7}, {"days_since_port_query": 8}),
    ("complaint_escalated", "red", 24, {}, {"complaint_escalated_recent": 1}, {"complaint_escalated_recent": 0}),
    ("complaint_repeat", "red", 24, {}, {"complaint_repeat_1m": 1}, {"complaint_repeat_1m": 0}),
    ("spend_halved", "red", 24, FALLS, {"revenue_season_drop_3m": 0.5}, {"revenue_season_drop_3m": 0.5, "revenue_before_3m": 9.99}),
    ("complaint_open", "amber", 24, {}, {"complaint_open": 1}, {"complaint_open": 0}),
    ("competitor_hotline", "amber", 48, {}, {"days_since_competitor_hotline": 0}, {"days_since_competitor_hotline": 8}),
    ("contract_expiry", "amber", 168, {}, {"contract_days_to_end": 30}, {"contract_days_to_end": 31}),
    ("bundle_expiry", "amber", 168, {}, {"bundle_days_to_end": 0}, {"bundle_days_to_end": 31}),
    ("silent", "amber", 72, {}, {"silent_days": 15}, {"silent_days": 14}),
    ("spend_drop", "amber", 72, FALLS, {"revenue_season_drop_3m": 0.15}, {"revenue_season_drop_3m": 0.15 - NEAR}),
    ("spend_drop", "amber", 72, FALLS, {"revenue_season_drop_3m": 0.5 - NEAR}, {"revenue_season_drop_3m": 0.4, "revenue_z_12m": -1.9}),
    (
        "voice_drop",
        "amber",
        72,
        {"voice_minutes_before_3m": 30},
        {"voice_minutes_season_drop_3m": 0.5},
        {"voice_minutes_season_drop_3m": 0.5 - NEAR},
    ),
    ("data_drop", "amber", 72, {"data_mb_season_drop_3m": 0.5}, {"data_mb_before_3m": 500}, {"data_mb_before_3m": 499}),
    (
        "data_without_voice",
        "amber",
        72,
        {"voice_minutes_before_12m": 30, "data_mb_mean_1m": 500},
        {"voice_minutes_zero_months_3m": 2},
        {"voice_minutes_zero_months_3m": 1},
    ),
    ("call_forwarding", "amber", 72, {}, {"days_since_call_forwarding": 7}, {"days_since_call_forwarding": 8}),
    ("arrears", "amber", 72, {"revenue_mean_3m": 80}, {"arrears_last": 40}, {"arrears_last": 39.99}),
    ("arrears", "amber", 72, {"revenue_mean_3m": 0}, {"arrears_last": 0.01}, {"arrears_last": 0}),
    ("roaming_lapse", "amber", 168, {"roaming_days_mean_12m": 1}, {"roaming_days_mean_3m": 0}, {"roaming_days_mean_3m": 0.34}),
]


@pytest.mark.parametrize(("code", "urgency", "hours", "given", "inside", "outside"), SIGNALS)
def test_each_signal_inside_and_outside_its_limit(strongest, code, urgency, hours, given, inside, outside):
    assert strongest(**given, **inside) == (code, urgency, hours)
    assert strongest(**(given | outside)) is None


def test_every_shipped_trigger_is_tried_above(rules):
    assert {signal[0] for signal in SIGNALS} == set(rules.triggers)


@pytest.mark.parametrize(("tier", "days", "hours"), [("diamond", 7, 24), ("gold", 7, 48), ("silver", 15, 72)])
def test_silence_of_a_valued_customer_counts_earlier_and_is_answered_sooner(strongest, tier, days, hours):
    assert strongest(tier=tier, silent_days=days) == ("silent", "amber", hours)
    assert strongest(tier=tier, silent_days=days - 1) is None


def test_red_comes_before_amber_and_of_equals_the_first_in_the_file(strongest):
    assert strongest(contract_days_to_end=5, complaint_repeat_1m=1)[0] == "complaint_repeat"
    assert strongest(complaint_repeat_1m=1, days_since_port_query=0)[0] == "port_query"
    assert strongest(contract_days_to_end=5, complaint_open=1)[0] == "complaint_open"


def test_counts_are_of_every_rule_that_holds_and_add_up_over_parts(rules, columns):
    rows = [{"tier": "gold", "complaint_open": 1, "contract_days_to_end": 3}, {"tier": "gold", "complaint_open": 1}, {"tier": "gold"}]
    frame = pd.DataFrame([columns | row for row in rows])
    counts = count_triggers(frame, rules)
    assert (counts["complaint_open"], counts["contract_expiry"], counts["port_query"]) == (2, 1, 0)
    parts = [count_triggers(part, rules) for part in (frame.head(1), frame.tail(2))]
    assert {code: sum(part[code] for part in parts) for code in counts} == counts
    assert alarm_notes(counts, 3, rules) == [
        "complaint_open meets 2 of 3 customers (67%): raise the limits of that rule, or it tells nobody apart",
        "contract_expiry meets 1 of 3 customers (33%): raise the limits of that rule, or it tells nobody apart",
    ]
    assert alarm_notes(counts, 10, rules) == []
    assert alarm_notes(dict.fromkeys(counts, 0), 0, rules) == []


def test_nobody_at_all_and_any_index_come_back_as_they_are(rules, columns):
    empty = triggered(pd.DataFrame(columns=["customer_id", "tier", *columns]), rules)
    assert list(empty.columns) == ["trigger", "urgency", "due_hours"]
    assert empty.empty
    frame = pd.DataFrame([columns | {"tier": "gold", "complaint_open": 1}, columns | {"tier": None}], index=["x", "y"])
    assert triggered(frame, rules).trigger.to_dict() == {"x": "complaint_open", "y": None}


def test_rules_about_columns_that_are_not_built_are_off_and_said_so_in_one_line(rules, columns):
    built = [name for name in columns if name not in ("silent_days", "balance_lasts_days")]
    frame = pd.DataFrame([dict.fromkeys(built, 0.0) | {"tier": "gold"}])
    assert count_triggers(frame, rules)["silent"] == 0
    assert rule_notes(rules, frame.columns) == [
        "triggers off, because a column is not built: silent (silent_days)",
        "care rules off, because a column is not built: balance_short (balance_lasts_days)",
    ]
    assert rule_notes(rules, columns) == []


def test_shipped_rules_read_columns_that_exist_with_windows_of_the_default_and_have_words(rules, columns):
    known = {*declared(FeaturesConfig().windows), *SIGNS, "tier", "region", "segment"}
    assert set(columns) <= known
    catalogue = load_wording(ready_configs() / "wording")
    assert set(catalogue.names("triggers")) == set(rules.triggers)
    assert set(catalogue.names("care_kinds")) == set(catalogue.names("care_facts")) == set(rules.care)
    assert {trigger.reason for trigger in rules.triggers.values()} - {None} <= set(catalogue.reasons)


def test_what_a_sensitive_reason_hides_no_trigger_reveals(rules):
    """A trigger whose columns a sensitive reason speaks of must be sensitive itself."""
    catalogue = load_wording(ready_configs() / "wording")
    features = declared(FeaturesConfig().windows)
    reasons = {code: {features[name].reason for name in own.facts if name in features} for code, own in rules.triggers.items()}
    hidden = {code for code, found in reasons.items() if any(catalogue.reason(reason).sensitive for reason in found)}
    assert {"port_query", "competitor_hotline"} <= hidden
    assert hidden <= {code for code, own in rules.triggers.items() if own.sensitive}
