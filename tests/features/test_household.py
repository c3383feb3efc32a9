"""Households and accounts by hand: who belongs, who left, whose complaints, whose share."""

from datetime import date, datetime
from decimal import Decimal

import pytest

from custvalue.config import FeaturesConfig
from custvalue.sources import Moment

AS_OF = date(2022, 1, 1)
SINCE = date(2018, 1, 1)


def line(name, household=None, account=None, **more):
    return {"customer_id": name, "household_id": household, "account_id": account, "valid_from": SINCE, "joined_on": SINCE} | more


@pytest.fixture(scope="module")
def features(open_warehouse):
    warehouse = open_warehouse()
    only = ("customers", "departures", "billing", "complaints")
    return warehouse.runner(warehouse.build(Moment(AS_OF), FeaturesConfig(windows=(1, 3, 12)), only))


def test_lines_in_service_are_counted_the_own_one_included(features):
    people = [line("A", "H"), line("B", "H"), line("C", "H", status="closed"), line("D", "K"), line("E")]
    found = features({"customers": people})
    assert {name: row["household_lines"] for name, row in found.items()} == {"A": 2, "B": 2, "D": 1, "E": None}


def test_who_left_counts_for_the_others_from_the_day_it_is_known(features):
    left = [
        {"customer_id": "B", "left_on": date(2021, 12, 10), "kind": "port_out"},
        {"customer_id": "C", "left_on": date(2021, 3, 1), "kind": "voluntary"},
        {"customer_id": "D", "left_on": date(2021, 12, 20), "kind": "voluntary", "available_at": datetime(2022, 1, 2)},
        {"customer_id": "E", "left_on": date(2022, 1, 5), "kind": "voluntary", "available_at": datetime(2021, 12, 1)},
    ]
    found = features({"customers": [line(name, "H") for name in "ABCDE"], "departures": left})
    assert (found["A"]["household_left_3m"], found["A"]["household_left_12m"]) == (1, 2)
    assert found["A"]["household_lines"] == 3  # A; D is not known to have left, E has not left yet
    assert set(found) == {"A", "D", "E"}


def test_an_earlier_service_under_the_same_id_is_no_member_who_left(features):
    back = line("A", "H", joined_on=date(2021, 11, 1), valid_from=date(2021, 11, 1))
    left = [{"customer_id": "A", "left_on": date(2021, 10, 1), "kind": "voluntary"}]
    found = features({"customers": [line("A", "H"), back, line("B", "H")], "departures": left})
    assert (found["A"]["household_left_12m"], found["B"]["household_left_12m"]) == (0, 0)


def test_complaints_of_the_others(features):
    def complaint(n, name, opened):
        return {"complaint_id": f"{n}", "customer_id": name, "opened_at": opened}

    complaints = [
        complaint(1, "A", datetime(2021, 12, 1)),
        complaint(2, "B", datetime(2021, 12, 1)),
        complaint(3, "B", datetime(2021, 10, 1)),
        complaint(4, "B", datetime(2021, 9, 30, 23, 59)),
    ]
    found = features({"customers": [line("A", "H"), line("B", "H"), line("C")], "complaints": complaints})
    assert [found[name]["household_complaints_3m"] for name in "ABC"] == [2, 1, None]


def test_share_of_the_account(features):
    bills = [
        {"customer_id": name, "month": date(2021, month, 1), "revenue": Decimal(revenue)}
        for name, month, revenue in (("A", 12, 30), ("A", 11, 30), ("B", 12, 20), ("B", 9, 500), ("C", 12, 0))
    ]
    found = features({"customers": [line("A", account="X"), line("B", account="X"), line("C", account="Y")], "billing": bills})
    assert [found[name]["account_revenue_3m"] for name in "ABC"] == [80, 80, 0]
    assert [found[name]["account_revenue_share_3m"] for name in "ABC"] == [0.75, 0.25, None]
    assert found["A"]["household_revenue_3m"] is None


def test_who_moved_belongs_to_the_household_of_now(features):
    moved = line("B", "K", valid_from=date(2021, 6, 1))
    later = line("A", "K", valid_from=date(2021, 6, 1), available_at=datetime(2022, 1, 1, 1))
    found = features({"customers": [line("A", "H"), line("B", "H"), moved, later]})
    assert (found["A"]["household_lines"], found["B"]["household_lines"]) == (1, 1)


def test_an_operator_without_groups_has_no_such_columns(open_warehouse):
    warehouse = open_warehouse(without=("customers.household_id", "customers.account_id"))
    names = warehouse.build(Moment(AS_OF), FeaturesConfig()).table.columns
    assert not [name for name in names if name.startswith(("household", "account"))]
