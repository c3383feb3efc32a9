"""What is decided of each customer by himself: who may be called, in which campaign, with which offer, at what worth."""

import itertools
from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from custvalue.config import ready_configs
from custvalue.explain import load_wording
from custvalue.metrics import contact_value
from custvalue.retention.campaigns import policy_notes, sensitive_columns
from custvalue.retention.decisions import DECISIONS, SUPPRESSED, WAITING
from custvalue.retention.managers import POOL

WORDS = {"en": "an offer", "zh": "优惠"}

# what each rule of contact needs to hold; the customer is worth a contact otherwise
SUPPRESSING = {
    "deceased": {"status": "deceased"},
    "port_authorised": {"port_authorised": True},
    "no_consent": {"marketing_consent": False},
    "consent_unknown": {"marketing_consent": None},
    "do_not_contact": {"asked_no_contact": True},
    "in_dispute": {"in_dispute": True},
    "complaint_open": {"complaint_open": 1},
    "cooldown": {"last_contact_days": 59},
    "too_many_contacts": {"contacts_90d": 3},
    "channel_message": {"tier": "silver"},
    "channel_self_service": {"tier": "basic"},
}
CALM = {
    "status": "active",
    "port_authorised": False,
    "marketing_consent": True,
    "asked_no_contact": False,
    "in_dispute": False,
    "complaint_open": 0,
    "last_contact_days": 60,
    "contacts_90d": 2,
}


def one(make_scores, **columns):
    return make_scores(**{name: [value] for name, value in columns.items()})


def test_whom_no_rule_keeps_back_waits_for_a_slot(policy, make_scores, decide_on):
    decided = decide_on(one(make_scores, **CALM), policy)
    assert decided["decision"].tolist() == [WAITING]
    assert decided["manager_id"].tolist() == ["M1"]


@pytest.mark.parametrize("code", SUPPRESSING)
def test_each_rule_keeps_back(policy, make_scores, decide_on, code):
    assert decide_on(one(make_scores, **(CALM | SUPPRESSING[code])), policy)["decision"].tolist() == [code]


@pytest.mark.parametrize("codes", list(itertools.combinations(SUPPRESSING, 2)))
def test_of_two_rules_the_first_of_the_list_is_told(policy, make_scores, decide_on, codes):
    first, second = (SUPPRESSING[code] for code in codes)
    decided = decide_on(one(make_scores, **(CALM | second | first)), policy)["decision"].tolist()
    assert decided == [min(codes, key=SUPPRESSED.index)]


@pytest.mark.parametrize("code", ["deceased", "port_authorised", "do_not_contact", "in_dispute", "complaint_open", "cooldown"])
def test_a_rule_whose_column_is_not_there_is_off(policy, make_scores, decide_on, code):
    columns = {name: value for name, value in CALM.items() if name not in SUPPRESSING[code]}
    assert decide_on(one(make_scores, **columns), policy)["decision"].tolist() == [WAITING]


def test_an_open_complaint_keeps_back_only_where_the_policy_waits(make_policy, make_scores, decide_on):
    rows = one(make_scores, **(CALM | {"complaint_open": 2}))
    assert decide_on(rows, make_policy(rules={"complaint": "call"}))["decision"].tolist() == [WAITING]


def test_the_cooldown_is_the_policys(make_policy, make_scores, decide_on):
    rows = make_scores(last_contact_days=[29, 30, None])
    assert decide_on(rows, make_policy(rules={"cooldown_days": 30}))["decision"].tolist() == ["cooldown", WAITING, WAITING]


def test_reasons_not_to_call_come_after_the_rules_and_in_their_order(make_policy, make_scores, decide_on):
    policy = make_policy(
        campaigns={"big": {"when": ["arpu > 20"]}, "unknown": {"when": ["arpu is missing"]}},
        offers={"gift": {"label": WORDS, "cost": 1.0, "when": ["fond_of_gifts >= 1"]}},
    )
    rows = make_scores(arpu=[10.0, 100.0, None, 100.0, 100.0], probability=[0.5, 0.5, 0.5, 0.001, 0.5], fond_of_gifts=[1, 0, 1, 1, 1])
    expected = ["no_campaign", "no_offer", "arpu_unknown", "not_worth_a_contact", WAITING]
    assert decide_on(rows, policy)["decision"].tolist() == expected
    assert decide_on(rows.assign(marketing_consent=False), policy)["decision"].tolist() == ["no_consent"] * 5


def test_held_out_customers_are_decided_like_everybody_else(make_policy, make_scores, decide_on):
    n = 400
    rows = make_scores(arpu=np.linspace(0, 200, n), probability=np.linspace(0.3, 0, n))
    without, half = (decide_on(rows, make_policy(holdout={"share": share, "universal": share / 2})) for share in (0.0, 0.49))
    assert without["decision"].tolist() == half["decision"].tolist()
    assert set(without["arm"]) == {"contact"}
    assert set(half["arm"]) == {"contact", "holdout", "universal"}


def test_every_decision_has_its_words_in_both_languages():
    labels = load_wording(ready_configs() / "wording").labels["decisions"]
    assert list(labels) == list(DECISIONS)


def test_net_value_is_the_contact_value_of_the_offer_with_the_customers_own_parameters(make_policy, make_scores, decide_on):
    policy = make_policy(by_tier={"gold": {"reach": 0.6, "save": 0.1}}, by_reason={"complaint": {"save": 0.3, "harm": 0.02}})
    rows = make_scores(probability=[0.5, 0.2, 0.4], tier=["gold", "gold", "silver"], reason_code=["bill", "complaint", None])
    decided = decide_on(rows, policy)
    # V 600 and d 100 at an ARPU of 100: a reason beats a tier, a tier beats the policy, and what neither says is the policy's
    own = [(0.5, 0.6, 0.1, 0.01), (0.2, 0.6, 0.3, 0.02), (0.4, 0.5, 0.4, 0.01)]
    by_hand = [rho * (p * gamma * 500 - (1 - p) * (0.25 * 100 + h * 600)) - 1 for p, rho, gamma, h in own]
    assert decided["net_value"].tolist() == pytest.approx(by_hand)
    assert decided[["reach", "save", "harm"]].to_numpy().tolist() == [list(each[1:]) for each in own]


@settings(max_examples=30, deadline=None)
@given(
    probability=st.floats(0, 1),
    arpu=st.floats(0, 500),
    parameters=st.fixed_dictionaries(
        {name: st.floats(0, 1) for name in ("reach", "save", "take_up", "harm")} | {"contact_cost": st.floats(0, 50)}
    ),
)
def test_net_value_agrees_with_the_metric_by_which_models_are_judged(make_policy, make_scores, decide_on, probability, arpu, parameters):
    decided = decide_on(make_scores(probability=[probability], arpu=[arpu]), make_policy(**parameters))
    expected = contact_value(probability, value=6 * arpu, offer=arpu, **parameters)
    assert decided["net_value"].item() == pytest.approx(float(expected), abs=1e-9 * (1 + arpu))
    assert decided["expected_cost"].item() >= parameters["contact_cost"]


def test_a_learned_effect_takes_the_place_of_the_stated_one_and_sleeping_dogs_lie(policy, make_scores, decide_on):
    rows = make_scores(probability=[0.5] * 4, effect=[0.04, -0.02, 0.0, None])
    decided = decide_on(rows, policy)
    taken = 0.5 * (0.5 * 0.4 + 0.5 * 0.25)  # reached, and saved or helping himself
    learned = [effect * 600 - taken * 100 - 1 for effect in (0.04, -0.02, 0.0)]
    assert decided["net_value"].tolist() == pytest.approx([*learned, 41.25])
    strong = decide_on(rows.assign(effect=[0.06, -0.02, 0.0, None]), policy)
    assert strong["decision"].tolist() == [WAITING, "not_worth_a_contact", "not_worth_a_contact", WAITING]


def test_value_months_of_the_hazard_model_take_the_place_of_the_policys(policy, make_scores, decide_on):
    assert decide_on(make_scores(value_months=[9.0, 12.0]), policy)["value_at_stake"].tolist() == [450.0, 600.0]


def test_customers_without_a_manager_compete_for_the_pool(policy, make_scores, decide_on):
    decided = decide_on(make_scores(manager_id=["M1", None]), policy)
    assert decided["manager_id"].tolist() == ["M1", POOL]
    assert decided["own_manager_id"].isna().tolist() == [False, True]


def test_a_customer_belongs_to_the_first_campaign_that_runs_and_concerns_him(make_policy, make_scores, decide_on):
    campaigns = {
        "over": {"when": ["arpu > 0"], "ends_on": "2025-12-31"},
        "big": {"when": ["arpu >= 100"]},
        "away": {"when": ["roams >= 1"]},
        "all": {"ends_on": "2026-01-01"},
    }
    rows = make_scores(arpu=[50.0, 100.0, 200.0], roams=[1, 1, 0])
    policy = make_policy(campaigns=campaigns)
    decided = decide_on(rows, policy)
    assert decided["campaign"].tolist() == ["away", "big", "big"]
    assert decided["claims"].tolist() == [2, 3, 2]
    later = decide_on(rows.drop(columns="roams"), policy, as_of=date(2026, 1, 2))
    assert later["campaign"].isna().tolist() == [True, False, False]  # nobody knows who roams
    assert later["decision"].tolist()[0] == "no_campaign"


def test_notes_tell_what_concerns_nobody_here(make_policy):
    policy = make_policy(
        campaigns={"away": {"when": ["roams >= 1"]}, "all": {}},
        offers={"gift": {"label": WORDS, "reasons": ["boredom"]}, "bonus": {"label": WORDS, "when": ["arpu > 1"]}},
        by_reason={"complaint": {"save": 0.1}},
    )
    assert policy_notes(policy, ["arpu"], ["complaint"]) == [
        "campaign away concerns nobody, because there is no column roams",
        "offer gift names reasons that no customer can have: boredom",
    ]
    assert policy_notes(policy, ["arpu", "roams"], ["complaint", "boredom"]) == []


def test_features_on_the_deny_list_are_named(policy):
    assert sensitive_columns(policy, ["age_years", "agent_calls", "gender", "tenure_months"]) == ["age_years", "gender"]


def test_rows_stay_in_their_order_whatever_the_index(policy, make_scores, decide_on):
    rows = make_scores(arpu=[10.0, 20.0, 30.0]).iloc[[2, 0, 1]]
    decided = decide_on(rows, policy)
    assert decided["customer_id"].tolist() == ["c0002", "c0000", "c0001"]
    assert decided.index.tolist() == [0, 1, 2]
    assert decided["value_at_stake"].tolist() == [180.0, 60.0, 120.0]


@settings(max_examples=20, deadline=None)
@given(st.data())
def test_what_is_decided_of_a_customer_depends_on_nobody_else(make_policy, make_scores, decide_on, data):
    n = data.draw(st.integers(2, 30))
    draw = np.random.default_rng(data.draw(st.integers(0, 999)))
    policy = make_policy(holdout={"share": 0.3, "universal": 0.1}, by_reason={"bill": {"save": 0.1}})
    rows = make_scores(
        probability=draw.random(n),
        arpu=draw.lognormal(4, 1, n),
        tier=draw.choice(["gold", "silver"], n),
        reason_code=draw.choice(["bill", "complaint"], n),
        household_id=[f"H{i // 2}" for i in range(n)],
        last_contact_days=draw.integers(0, 120, n).astype(float),
    )
    whole, part = decide_on(rows, policy), np.sort(draw.permutation(n)[: n // 2 + 1])
    pd.testing.assert_frame_equal(decide_on(rows.iloc[part], policy), whole.iloc[part].reset_index(drop=True))


def test_no_customers_are_decided_as_such(policy, make_scores, decide_on):
    decided = decide_on(make_scores(arpu=[1.0]).head(0), policy)
    assert len(decided) == 0
    assert {"net_value", "net_value__month_off", "arm", "decision"} <= set(decided.columns)
