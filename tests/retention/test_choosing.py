"""Who gets a slot, with which offer, and who would have got one: slots, stock, budget, reserve, holdout."""

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from custvalue.retention.choosing import choose
from custvalue.retention.decisions import DECISIONS
from custvalue.retention.managers import POOL

from .decided import WORDS, by_list, catalogue, decided, duty


@pytest.fixture(scope="session")
def one_offer(make_policy):
    return make_policy(offers=catalogue(a=None), capacity_per_manager=2)


@pytest.fixture(scope="session")
def scarce(make_policy):
    """Two slots a list, two of offer a, one of offer b."""
    return make_policy(offers=catalogue(a=2, b=1), capacity_per_manager=2)


def test_worthiest_come_first_up_to_capacity_and_ties_go_by_customer(one_offer):
    choice = choose(decided([5.0, 9.0, 9.0, 7.0]), duty=duty(one_offer), policy=one_offer)
    assert by_list(choice.listed) == {"M1": ["c001", "c002"]}
    assert choice.listed["priority"].tolist() == [1, 2]
    assert choice.decisions.to_dict() == {"c000": "over_capacity", "c001": "listed", "c002": "listed", "c003": "over_capacity"}


def test_urgent_customers_get_the_reserved_slots_only_and_stand_first(make_policy):
    policy = make_policy(offers=catalogue(a=None), capacity_per_manager=4)
    rows = decided([50.0, 40.0, 30.0, 3.0, 2.0, 1.0], urgency=[None, None, "amber", "red", "red", "red"])
    # a share of 0.3 of four slots, rounded up, is two: the third urgent customer is worth least and waits
    choice = choose(rows, duty=duty(policy), policy=policy, reserved=0.3)
    assert by_list(choice.listed) == {"M1": ["c003", "c004", "c000", "c001"]}


def test_reserve_that_nobody_needs_goes_to_the_others(one_offer):
    choice = choose(decided([3.0, 2.0, 1.0]), duty=duty(one_offer), policy=one_offer, reserved=1.0)
    assert by_list(choice.listed) == {"M1": ["c000", "c001"]}


def test_when_the_best_offer_has_run_out_the_next_best_is_made(scarce):
    rows = decided([(9.0, 2.0), (8.0, 7.0), (7.5, 6.0)], offers=("a", "b"), manager_id=["M1", "M2", "M3"])
    lines = []
    choice = choose(rows, duty=duty(scarce), policy=scarce, log=lines.append)
    assert choice.listed[["customer_id", "offer", "net_value"]].to_numpy().tolist() == [
        ["c000", "a", 9.0],
        ["c001", "a", 8.0],
        ["c002", "b", 6.0],
    ]
    assert lines == ["offer 'a' ran out after 2 contacts", "offer 'b' ran out after 1 contacts"]


def test_next_best_offer_competes_by_its_own_value(scarce):
    # c002's best is gone when its turn comes; its second, worth 3, stands behind c003's 4, for which the last b is
    rows = decided([(9.0,), (8.0,), (7.5, 3.0), (None, 4.0)], offers=("a", "b"), manager_id=["M1", "M2", "M3", "M4"])
    choice = choose(rows, duty=duty(scarce), policy=scarce)
    assert choice.listed["customer_id"].tolist() == ["c000", "c001", "c003"]
    assert choice.decisions["c002"] == "over_budget"


def test_offer_that_loses_money_is_not_made_when_the_good_one_is_gone(make_policy):
    policy = make_policy(offers=catalogue(a=1, b=None))
    choice = choose(decided([(9.0, 1.0), (8.0, -1.0)], offers=("a", "b")), duty=duty(policy), policy=policy)
    assert choice.listed["customer_id"].tolist() == ["c000"]


def test_short_budget_goes_where_each_unit_of_it_earns_most(make_policy):
    policy = make_policy(offers=catalogue(a=None), budget=10.0, capacity_per_manager=20)
    rows = decided([20.0] + [5.0] * 10, contact_cost=[10.0] + [1.0] * 10)
    lines = []
    choice = choose(rows, duty=duty(policy), policy=policy, log=lines.append)
    assert "c000" not in set(choice.listed["customer_id"])
    assert len(choice.listed) == 10
    assert choice.decisions["c000"] == "over_budget"
    assert "1 customers wait for money" in lines[0]


def test_budget_that_suffices_changes_nothing(make_policy):
    free = make_policy(offers=catalogue(a=None), budget=1e6)
    rows = decided([20.0, 30.0, 10.0])
    choice = choose(rows, duty=duty(free), policy=free)
    assert by_list(choice.listed) == {"M1": ["c001", "c000"]}
    assert "over_budget" not in set(choice.decisions)


def test_budget_of_nothing_lists_nobody_and_says_so(make_policy):
    policy = make_policy(offers=catalogue(a=None), budget=0.0)
    lines = []
    choice = choose(decided([20.0, 30.0]), duty=duty(policy), policy=policy, log=lines.append)
    assert choice.listed.empty
    assert lines[-1] == "nobody is listed: the lists have no slot tonight, or no money (2 customers worth a contact)"


@pytest.mark.parametrize("managers", [[], [{"manager_id": "M1", "daily_capacity": 0}], [{"manager_id": "M1", "absent_from": "2025-12-01"}]])
def test_no_capacity_is_a_note_and_no_crash(make_policy, managers):
    policy = make_policy(offers=catalogue(a=None), capacity_per_manager=0)
    lines = []
    night = duty(policy, *managers)
    rows = decided([20.0])
    choice = choose(rows.assign(manager_id=night.list_of(rows["manager_id"])), duty=night, policy=policy, log=lines.append)
    assert choice.listed.empty
    assert choice.decisions.tolist() == ["over_capacity"]
    assert "nobody is listed" in lines[-1]


def test_nobody_waiting_gives_empty_lists_of_the_same_columns(one_offer):
    some, none = (choose(decided(values), duty=duty(one_offer), policy=one_offer) for values in ([1.0], []))
    assert list(none.listed.columns) == list(some.listed.columns)
    assert none.would_be.empty
    assert none.decisions.empty


def test_held_out_customers_take_no_slot_and_keep_the_place_they_would_have_had(one_offer):
    arms = ["contact", "holdout", "contact", "universal", "contact"]
    choice = choose(decided([9.0, 8.0, 7.0, 6.0, 5.0], arm=arms), duty=duty(one_offer), policy=one_offer)
    assert by_list(choice.listed) == {"M1": ["c000", "c002"]}
    assert choice.would_be[["customer_id", "priority", "manager_id", "arm"]].to_numpy().tolist() == [["c001", 2, "M1", "holdout"]]
    assert choice.decisions[["c001", "c003"]].tolist() == ["held_out", "held_out_below"]


def test_costs_shown_are_those_of_the_offer_made(make_policy):
    offers = {"a": {"label": WORDS, "cost": 40.0, "stock": 1}, "b": {"label": WORDS, "cost_months": 0.5}}
    policy = make_policy(offers=offers)
    rows = decided([(9.0, 4.0), (8.0, 5.0)], offers=("a", "b")).assign(expected_cost__a=7.5, expected_cost__b=1.8)
    choice = choose(rows, duty=duty(policy), policy=policy)
    assert choice.listed["offer"].tolist() == ["a", "b"]
    assert choice.listed["offer_cost"].tolist() == [40.0, 5.0]
    assert choice.listed["expected_cost"].tolist() == [7.5, 1.8]


people = st.fixed_dictionaries(
    {
        "a": st.none() | st.integers(-3, 12),
        "b": st.none() | st.integers(-3, 12),
        "manager_id": st.sampled_from(["M1", "M1", "M2", POOL]),
        "arm": st.sampled_from(["contact", "contact", "contact", "holdout", "universal"]),
        "urgency": st.sampled_from([None, None, None, "red", "amber"]),
        "tier": st.sampled_from(["gold", "diamond"]),
        "region": st.sampled_from(["north", "south", None]),
        "account": st.none(),
    }
)
bases = st.lists(people, min_size=1, max_size=14)


def frame_of(base):
    columns = {name: [each[name] for each in base] for name in ("manager_id", "arm", "urgency", "tier", "region", "account")}
    return decided([(each["a"], each["b"]) for each in base], offers=("a", "b"), **columns)


STAFF = (
    {"manager_id": "M1", "daily_capacity": 3, "tiers": None, "region": "north"},
    {"manager_id": "M2", "daily_capacity": 2, "tiers": "gold", "region": "south"},
    {"manager_id": "M3", "daily_capacity": 1, "tiers": "diamond; gold", "region": None},
    {"manager_id": POOL, "daily_capacity": 1, "tiers": None, "region": None},
)


def would_be_by_brute_force(rows, **options):
    """Move each held-out customer alone to those who are called, and see whether he is listed."""
    called = rows[rows["arm"] == "contact"]
    found = set()
    for customer in rows.loc[rows["arm"] != "contact", "customer_id"]:
        alone = rows[rows["customer_id"] == customer].assign(arm="contact")
        listed = choose(pd.concat([called, alone]), **options).listed
        found |= {customer} & set(listed["customer_id"])
    return found


@given(base=bases, stock=st.sampled_from([(None, None), (2, None), (1, 2)]), reserved=st.sampled_from([0.0, 0.3, 1.0]))
def test_would_be_listed_is_who_would_be_listed_if_he_alone_were_called(make_policy, base, stock, reserved):
    policy = make_policy(offers=catalogue(a=stock[0], b=stock[1]), capacity_per_manager=2)
    rows, night = frame_of(base), duty(policy)
    choice = choose(rows, duty=night, policy=policy, reserved=reserved)
    assert set(choice.would_be["customer_id"]) == would_be_by_brute_force(rows, duty=night, policy=policy, reserved=reserved)


@given(base=bases)
def test_would_be_listed_holds_with_managers_who_take_customers_of_the_pool(make_policy, base):
    policy = make_policy(offers=catalogue(a=None, b=None))
    rows, night = frame_of(base), duty(policy, *STAFF)
    choice = choose(rows, duty=night, policy=policy)
    assert set(choice.would_be["customer_id"]) == would_be_by_brute_force(rows, duty=night, policy=policy)


@given(base=bases, budget=st.sampled_from([None, 0.0, 6.0, 40.0]), stock=st.sampled_from([(None, None), (1, 2)]), seed=st.integers(0, 99))
def test_limits_hold_nobody_is_lost_and_order_of_rows_does_not_matter(make_policy, base, budget, stock, seed):
    policy = make_policy(offers=catalogue(a=stock[0], b=stock[1]), budget=budget)
    rows, night = frame_of(base), duty(policy, *STAFF)
    choice = choose(rows, duty=night, policy=policy)
    listed = choice.listed
    capacity = {row["manager_id"]: row["daily_capacity"] for row in STAFF}
    assert all(len(own) <= capacity[manager] for manager, own in listed.groupby("manager_id"))
    assert all(own["priority"].tolist() == list(range(1, len(own) + 1)) for _, own in listed.groupby("manager_id"))
    assert all(pieces is None or (listed["offer"] == code).sum() <= pieces for code, pieces in zip("ab", stock, strict=True))
    assert listed["expected_cost"].sum() <= (np.inf if budget is None else budget + 1e-9)
    assert (listed["arm"] == "contact").all()
    assert (listed["net_value"] > 0).all()
    owned = listed[listed["competed_for"] != POOL]
    assert (owned["manager_id"] == owned["competed_for"]).all()
    rights = {"M1": {"gold", "diamond"}, "M2": {"gold"}, "M3": {"gold", "diamond"}, POOL: {"gold", "diamond"}}
    pooled = listed[listed["competed_for"] == POOL]
    assert all(tier in rights[manager] for manager, tier in zip(pooled["manager_id"], pooled["tier"], strict=True))
    assert set(choice.decisions.index) == set(rows["customer_id"])
    assert set(choice.decisions) <= set(DECISIONS)
    assert (choice.decisions == "listed").sum() == len(listed)
    again = choose(rows.sample(frac=1, random_state=seed), duty=night, policy=policy)
    pd.testing.assert_frame_equal(again.listed, listed)
    pd.testing.assert_frame_equal(again.would_be, choice.would_be)


@given(base=bases)
def test_nobody_worthier_waits_for_a_slot_of_the_same_list(make_policy, base):
    policy = make_policy(offers=catalogue(a=None, b=None))
    rows, night = frame_of(base), duty(policy)
    choice = choose(rows, duty=night, policy=policy, reserved=0.0)
    waiting = rows[rows["customer_id"].isin(choice.decisions.index[choice.decisions == "over_capacity"])]
    for manager, own in waiting.groupby("manager_id"):
        assert choice.listed.loc[choice.listed["manager_id"] == manager, "net_value"].min() >= own["net_value"].max()


@given(
    people=st.lists(st.tuples(st.integers(1, 9), st.integers(1, 5)), min_size=1, max_size=7),
    budget=st.integers(1, 15),
)
def test_budget_earns_nearly_what_the_best_choice_would(make_policy, people, budget):
    policy = make_policy(offers=catalogue(a=None), budget=float(budget), capacity_per_manager=9)
    rows = decided([float(value) for value, _ in people], contact_cost=[float(cost) for _, cost in people])
    earned = choose(rows, duty=duty(policy), policy=policy).listed["net_value"].sum()
    affordable = [
        sum(value for value, _ in chosen)
        for size in range(len(people) + 1)
        for chosen in itertools.combinations(people, size)
        if sum(cost for _, cost in chosen) <= budget
    ]
    # what a choice by yield leaves on the table is less than the one contact that did not fit (Dantzig 1957)
    assert earned >= max(affordable) - max(value for value, _ in people)
