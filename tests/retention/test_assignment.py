"""Customers of the pool go to managers with free slots, by rights, region and load."""

import pandas as pd
import pytest

from custvalue.retention.choosing import choose
from custvalue.retention.managers import POOL

from .decided import by_list, catalogue, decided, duty


@pytest.fixture(scope="session")
def policy(make_policy):
    return make_policy(offers=catalogue(a=None), capacity_per_manager=0)


def chosen(policy, managers, values, **columns):
    columns = {"manager_id": [POOL] * len(values)} | columns
    return choose(decided(values, **columns), duty=duty(policy, *managers), policy=policy)


def manager(name, capacity=1, **rights):
    return {"manager_id": name, "daily_capacity": capacity, "tiers": None, "region": None, "language": None} | rights


def test_pool_gets_what_managers_own_customers_leave_free(policy):
    choice = chosen(policy, [manager("M1", 2), manager("M2", 1)], [9.0, 8.0, 7.0, 6.0], manager_id=["M1", POOL, POOL, POOL])
    assert by_list(choice.listed) == {"M1": ["c000", "c002"], "M2": ["c001"]}
    assert choice.listed["competed_for"].tolist() == ["M1", POOL, POOL]
    assert choice.decisions["c003"] == "over_capacity"


def test_held_out_customers_do_not_use_up_the_slots_of_the_pool(policy):
    choice = chosen(policy, [manager("M1", 1)], [9.0, 8.0], manager_id=["M1", POOL], arm=["holdout", "contact"])
    assert by_list(choice.listed) == {"M1": ["c001"]}
    assert choice.would_be["customer_id"].tolist() == ["c000"]


@pytest.mark.parametrize("text", ["diamond", "diamond,silver", "silver; diamond", "silver、diamond"])
def test_manager_takes_only_tiers_that_he_may_serve(policy, text):
    choice = chosen(policy, [manager("M1", 5, tiers=text)], [9.0, 8.0], tier=["gold", "diamond"])
    assert by_list(choice.listed) == {"M1": ["c001"]}
    assert choice.decisions["c000"] == "over_capacity"


def test_language_must_be_the_customers_where_both_are_known(policy):
    staff = [manager("M1", 1, language="zh"), manager("M2", 1, language="en")]
    choice = chosen(policy, staff, [9.0, 8.0, 7.0], language=["en", "en", None])
    assert by_list(choice.listed) == {"M1": ["c002"], "M2": ["c000"]}


def test_own_region_is_preferred_but_nobody_waits_for_it(policy):
    staff = [manager("M1", 2, region="north"), manager("M2", 2, region="south")]
    choice = chosen(policy, staff, [9.0, 8.0, 7.0, 6.0], region=["south", "south", "south", "north"])
    assert by_list(choice.listed) == {"M1": ["c002", "c003"], "M2": ["c000", "c001"]}


def test_load_comes_out_even_counting_managers_own_customers(policy):
    # M1 begins with 10, so the next two go to M2 and the last, at 10 against 17, to M1
    choice = chosen(policy, [manager("M1", 4), manager("M2", 4)], [10.0, 9.0, 8.0, 1.0], manager_id=["M1", POOL, POOL, POOL])
    assert by_list(choice.listed) == {"M1": ["c000", "c003"], "M2": ["c001", "c002"]}


def test_absent_managers_take_nobody(policy):
    away = manager("M1", 5) | {"absent_from": "2025-12-30", "absent_to": "2026-01-01"}
    choice = chosen(policy, [away, manager("M2", 1) | {"absent_from": None, "absent_to": None}], [9.0, 8.0])
    assert by_list(choice.listed) == {"M2": ["c000"]}


def test_pools_own_list_takes_whom_no_manager_can(policy):
    choice = chosen(policy, [manager("M1", 1), manager(POOL, 1)], [9.0, 8.0, 7.0])
    assert by_list(choice.listed) == {"M1": ["c000"], POOL: ["c001"]}


def test_without_a_managers_table_the_pool_stays_unassigned(make_policy):
    policy = make_policy(offers=catalogue(a=None), capacity_per_manager=1)
    choice = chosen(policy, [], [9.0, 8.0])
    assert by_list(choice.listed) == {POOL: ["c000"]}


def test_who_calls_is_told(policy):
    lines = []
    rows = decided([9.0, 8.0], manager_id=[POOL, POOL])
    choose(rows, duty=duty(policy, manager("M1", 1), manager(POOL, 1)), policy=policy, log=lines.append)
    assert lines == ["1 customers of the list 'unassigned' go to 1 managers, 1 stay on it"]


def test_priority_counts_own_and_given_customers_together(policy):
    choice = chosen(policy, [manager("M1", 3)], [5.0, 9.0, 7.0], manager_id=["M1", POOL, POOL])
    assert choice.listed[["customer_id", "priority"]].to_numpy().tolist() == [["c001", 1], ["c002", 2], ["c000", 3]]
    pd.testing.assert_index_equal(choice.listed.index, pd.RangeIndex(3))
