"""One decision covers an account."""

import pandas as pd
import pytest

from custvalue.retention.accounts import roll_up
from custvalue.retention.choosing import choose

from .decided import catalogue, decided, duty


@pytest.fixture(scope="session")
def policy(make_policy):
    return make_policy(offers=catalogue(a=None), capacity_per_manager=1)


def test_lines_add_up_with_one_contact_paid_for():
    rows = decided(
        [(4.0, 1.0), (-0.5, None), (7.0, 2.0)],
        offers=("a", "b"),
        account=["A1", "A1", None],
        contact_cost=[2.0, 2.0, 2.0],
        value_at_stake=[100.0, 300.0, 50.0],
        probability=[0.1, 0.3, 0.5],
        arpu=[10.0, 30.0, 5.0],
    ).assign(expected_cost__a=[5.0, 6.0, 9.0])
    found, leads = roll_up(rows)
    account = found[found["account"] == "A1"].iloc[0]
    # by hand: (4 + 2) + (-0.5 + 2) - 2 and, for b, which one line alone may take, (1 + 2) - 2
    assert (account["net_value__a"], account["net_value__b"], account["net_value"]) == (5.5, 1.0, 5.5)
    assert (account["value_at_stake"], account["arpu"], account["lines"], account["customer_id"]) == (400.0, 40.0, 2, "c001")
    assert account["expected_cost__a"] == 5 + 6 - 2
    assert account["probability"] == pytest.approx(0.1 * 100 / 400 + 0.3 * 300 / 400)
    assert leads.to_dict() == {"c000": "c001", "c001": "c001", "c002": "c002"}
    assert found.loc[found["account"].isna(), ["net_value", "lines"]].to_numpy().tolist() == [[7.0, 1]]


def test_account_is_as_urgent_as_its_most_urgent_line():
    rows = decided([1.0, 2.0, 3.0], account=["A1"] * 3, urgency=["amber", None, "red"]).assign(
        trigger=["expiry", None, "port_query"], due_hours=[168.0, None, 24.0]
    )
    account = roll_up(rows)[0].iloc[0]
    assert (account["trigger"], account["urgency"], account["due_hours"]) == ("port_query", "red", 24.0)


def test_account_can_be_worth_a_contact_of_which_no_line_is(policy):
    rows = decided([-0.5, -0.25, -0.5], account=["A1"] * 3, decision=["not_worth_a_contact"] * 3, value_at_stake=[1.0, 3.0, 2.0])
    choice = choose(rows, duty=duty(policy), policy=policy)
    # each gains 0.5 or 0.75 but costs 1; together 1.75 for one contact
    assert choice.listed[["customer_id", "net_value", "lines"]].to_numpy().tolist() == [["c001", 0.75, 3]]
    assert choice.decisions.to_dict() == {"c000": "account_covered", "c001": "listed", "c002": "account_covered"}


def test_account_that_a_contact_would_cost_more_than_it_saves_is_left_alone(policy):
    rows = decided([3.0, -9.0], account=["A1"] * 2)
    choice = choose(rows, duty=duty(policy), policy=policy)
    assert choice.listed.empty
    assert set(choice.decisions) == {"not_worth_a_contact"}


def test_account_takes_one_slot_and_one_arm(policy):
    rows = decided([5.0, 4.0, 3.0, 2.0], account=["A1", "A1", "A2", "A2"], arm=["holdout"] * 2 + ["contact"] * 2)
    choice = choose(rows, duty=duty(policy), policy=policy)
    assert choice.listed["customer_id"].tolist() == ["c002"]
    assert choice.would_be[["customer_id", "lines", "arm"]].to_numpy().tolist() == [["c000", 2, "holdout"]]
    assert choice.decisions.to_dict() == {"c000": "held_out", "c001": "held_out", "c002": "listed", "c003": "account_covered"}


def test_account_follows_its_lead_line_into_one_campaign(policy):
    rows = decided([5.0, 4.0, 6.0], account=["A1"] * 3, campaign=["spring", "expiry", None], value_at_stake=[10.0, 90.0, 99.0])
    rows["arm"] = ["holdout", "contact", "holdout"]
    choice = choose(rows, duty=duty(policy), policy=policy)
    assert choice.listed[["customer_id", "campaign", "arm", "lines"]].to_numpy().tolist() == [["c001", "expiry", "contact", 3]]


def test_account_that_waits_waits_with_all_its_lines(policy):
    rows = decided([9.0, 1.0, 1.0], account=[None, "A1", "A1"])
    choice = choose(rows, duty=duty(policy), policy=policy)
    assert choice.decisions.to_dict() == {"c000": "listed", "c001": "over_capacity", "c002": "over_capacity"}


def test_rows_without_accounts_stay_as_they_are():
    rows = decided([1.0, 2.0])
    found, leads = roll_up(rows)
    pd.testing.assert_frame_equal(found.drop(columns="lines"), rows)
    assert (leads.index == leads).all()
