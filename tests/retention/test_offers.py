"""Which offer a customer gets, and which he may not."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

WORDS = {"en": "an offer", "zh": "优惠"}


def catalogue(**offers):
    return {code: {"label": WORDS} | keys for code, keys in offers.items()}


@pytest.fixture
def taken(make_policy, make_scores, decide_on):
    """Offers that customers get from a catalogue."""

    def offered(offers, *, policy=None, **columns):
        decided = decide_on(make_scores(**columns), make_policy(offers=offers, **(policy or {})))
        return decided["offer"].tolist()

    return offered


TWO = catalogue(best={"cost": 1.0}, usual={"cost": 10.0})


def test_the_offer_with_which_a_contact_earns_most_is_made(make_policy, make_scores, decide_on):
    offers = catalogue(
        cheap={"cost": 10.0, "save_factor": 0.5}, dear={"cost_months": 1.0}, lasting={"margin_loss": 0.2, "save_factor": 1.5}
    )
    decided = decide_on(make_scores(probability=[0.1, 0.5, 0.9]), make_policy(offers=offers)).round(6)

    def worth(p, save, cost):  # V 600 at an ARPU of 100
        return 0.5 * (p * save * (600 - cost) - (1 - p) * (0.25 * cost + 0.01 * 600)) - 1

    for at, p in enumerate((0.1, 0.5, 0.9)):
        by_hand = {"cheap": worth(p, 0.2, 10), "dear": worth(p, 0.4, 100), "lasting": worth(p, 0.6, 0.2 * 600)}
        row = decided.loc[at]
        assert {code: row[f"net_value__{code}"] for code in by_hand} == pytest.approx(by_hand)
        assert row["offer"] == max(by_hand, key=by_hand.get)
        assert row["net_value"] == pytest.approx(max(by_hand.values()))
    assert decided["offer"].tolist() == ["cheap", "lasting", "lasting"]
    assert decided["offer_cost"].tolist() == [10.0, 120.0, 120.0]
    assert decided["expected_cost"].tolist() == pytest.approx(
        [1 + 0.5 * (p * g + (1 - p) * 0.25) * d for p, g, d in ((0.1, 0.2, 10), (0.5, 0.6, 120), (0.9, 0.6, 120))]
    )


def test_of_equal_offers_the_first_of_the_catalogue_is_made(taken):
    assert taken(catalogue(second={}, first={}), arpu=[100.0]) == ["second"]


def test_saving_stops_at_certainty_whatever_an_offer_promises(make_policy, make_scores, decide_on):
    offers = catalogue(sure={"save_factor": 10.0})
    decided = decide_on(make_scores(probability=[1.0]), make_policy(offers=offers))
    assert decided["net_value"].item() == pytest.approx(0.5 * 600 - 1)


def test_tiers_reasons_and_conditions_limit_an_offer(taken):
    rows = {"arpu": [100.0, 30.0, 100.0, 100.0], "tier": ["gold", "gold", "silver", "gold"]}
    rows["reason_codes"] = [["bill", "contract"], ["contract"], ["contract"], np.array(["bill"], dtype=object)]
    limited = {
        "tiers": ["gold"],
        "reasons": ["contract"],
        "when": ["arpu >= 50"],
    }
    assert taken(catalogue(best={"cost": 1.0} | limited, usual={"cost": 10.0}), **rows) == ["best", "usual", "usual", "usual"]
    for key, wanted in (("tiers", [True, True, False, True]), ("reasons", [True, True, True, False]), ("when", [True, False, True, True])):
        expected = ["best" if may else "usual" for may in wanted]
        assert taken(catalogue(best={"cost": 1.0, key: limited[key]}, usual={"cost": 10.0}), **rows) == expected


@pytest.mark.parametrize("given", [["bill", None, "contract"], [["bill"], None, ["contract", "bill"]]])
def test_reasons_are_read_one_or_several(taken, given):
    column = "reason_code" if isinstance(given[0], str) else "reason_codes"
    offers = catalogue(best={"cost": 1.0, "reasons": ["contract"]}, usual={"cost": 10.0})
    assert taken(offers, **{column: given}) == ["usual", "usual", "best"]


def test_a_condition_on_a_column_that_is_not_there_holds_for_nobody(taken):
    offers = catalogue(best={"cost": 1.0, "when": ["no_such_column is missing"]}, usual={"cost": 10.0})
    assert taken(offers, arpu=[100.0]) == ["usual"]


def test_a_channel_limits_an_offer_to_those_it_serves(taken):
    offers = catalogue(best={"cost": 1.0, "channel": "message"}, usual={"cost": 10.0})
    assert taken(offers, tier=["gold", "silver", "basic"]) == ["usual", "best", "usual"]


def test_after_a_port_query_only_what_is_open_to_all_is_offered(taken):
    offers = catalogue(special={"cost": 1.0}, open={"cost": 10.0, "open_to_all": True})
    assert taken(offers, days_since_port_query=[5.0, 90.0, 91.0, None]) == ["open", "open", "special", "special"]
    assert taken(offers, trigger=["port_query", "bill_drop", None]) == ["open", "special", "special"]
    assert taken(offers, policy={"rules": {"port_query_days": 4}}, days_since_port_query=[5.0]) == ["special"]
    assert taken(catalogue(special={}), days_since_port_query=[5.0]) == [None]


def test_an_offer_is_made_as_often_a_quarter_as_it_says(make_policy, make_scores, decide_on):
    policy = make_policy(offers=catalogue(best={"cost": 1.0}, usual={"cost": 10.0, "per_quarter": 2}))
    made = [["best"], ["best", "usual"], ["best", "usual", "usual"], []]
    standing = pd.DataFrame({"customer_id": [f"c{i:04d}" for i in range(4)], "offers_90d": made})
    standing = standing.assign(open_order=False, last_contacted_on=None, contacts_90d=0, do_not_contact=False, deferred_until=None)
    decided = decide_on(make_scores(arpu=[100.0] * 5), policy, standing=standing)
    assert decided["offer"].tolist() == ["usual", "usual", None, "best", "best"]
    assert decided["decision"].tolist()[2] == "no_offer"


def test_a_campaign_makes_its_own_offers_only(taken):
    campaigns = {"small": {"when": ["arpu < 50"], "offers": ["usual"]}, "all": {}}
    assert taken(TWO, policy={"campaigns": campaigns}, arpu=[40.0, 60.0]) == ["usual", "best"]


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_more_offers_are_never_worth_less_and_none_that_is_closed_is_made(make_policy, make_scores, decide_on, data):
    n = data.draw(st.integers(1, 20))
    draw = np.random.default_rng(data.draw(st.integers(0, 999)))
    offers = catalogue(
        a={"cost_months": 0.5, "when": ["keen >= 1"]},
        b={"cost": 20.0, "save_factor": 0.8, "reasons": ["bill"]},
        c={"margin_loss": 0.1, "tiers": ["gold"]},
    )
    rows = make_scores(
        probability=draw.random(n),
        arpu=draw.lognormal(4, 1, n),
        tier=draw.choice(["gold", "silver"], n),
        reason_code=draw.choice(["bill", "complaint"], n),
        keen=draw.integers(0, 2, n),
    )
    whole, part = (decide_on(rows, make_policy(offers=each)) for each in (offers, {code: offers[code] for code in "ab"}))
    assert (whole["net_value"].fillna(-1e9) >= part["net_value"].fillna(-1e9)).all()
    open_to = {"a": rows["keen"] >= 1, "b": rows["reason_code"] == "bill", "c": rows["tier"] == "gold"}
    for code, may in open_to.items():
        assert (whole[f"net_value__{code}"].notna() == may).all()
    best = whole[[f"net_value__{code}" for code in offers]].max(axis=1)
    pd.testing.assert_series_equal(whole["net_value"], best, check_names=False)
