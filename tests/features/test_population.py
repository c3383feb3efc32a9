"""One row for each customer who is in service at the moment and not known to have left."""

from datetime import date, datetime

import pytest

from custvalue.config import FeaturesConfig
from custvalue.sources import Moment

AS_OF = date(2022, 1, 1)


@pytest.fixture(scope="module")
def active(open_warehouse):
    warehouse = open_warehouse()
    run = warehouse.runner(warehouse.build(Moment(AS_OF), FeaturesConfig(windows=(1,)), only=("customers", "departures", "billing")))
    return lambda **rows: set(run(rows))


def customer(*, since=date(2020, 1, 1), joined=date(2020, 1, 1), status=None, name="A", **more):
    return {"customer_id": name, "valid_from": since, "joined_on": joined, "status": status} | more


def departure(left_on, *, name="A", **more):
    return {"customer_id": name, "left_on": left_on, "kind": "voluntary"} | more


@pytest.mark.parametrize(
    ("status", "counted"),
    [("active", True), (None, True), ("silent", False), ("suspended", False), ("closed", False), ("deceased", False)],
)
def test_the_status_that_holds_decides(active, status, counted):
    rows = [customer(status="active", since=date(2019, 1, 1)), customer(status=status, since=date(2021, 6, 1))]
    assert active(customers=rows) == ({"A"} if counted else set())


@pytest.mark.parametrize("joined", [AS_OF, date(2021, 12, 31)])
def test_who_joined_up_to_the_moment_counts(active, joined):
    assert active(customers=[customer(joined=joined, since=joined)]) == {"A"}


def test_who_joins_later_does_not_count_though_it_is_known(active):
    joins = date(2022, 1, 2)
    assert active(customers=[customer(joined=joins, since=joins, available_at=datetime(2021, 12, 1))]) == set()
    assert active(customers=[customer(joined=joins, available_at=datetime(2021, 12, 1))]) == set()


@pytest.mark.parametrize(
    ("left_on", "reported", "counted"),
    [
        (date(2021, 12, 31), datetime(2021, 12, 31), False),
        (AS_OF, datetime(2022, 1, 1), False),
        (date(2022, 1, 2), datetime(2021, 12, 1), True),  # notice given, still in service
        (date(2021, 12, 1), datetime(2022, 1, 5), True),  # gone, and nobody knows yet
        (date(2021, 12, 1), datetime(2022, 1, 1), False),
    ],
)
def test_a_departure_counts_once_it_has_happened_and_is_known(active, left_on, reported, counted):
    assert active(customers=[customer()], departures=[departure(left_on, available_at=reported)]) == ({"A"} if counted else set())


def test_who_joined_again_is_back(active):
    back = customer(joined=date(2021, 9, 1), since=date(2021, 9, 1))
    assert active(customers=[customer(), back], departures=[departure(date(2021, 5, 1))]) == {"A"}


def test_who_was_marked_active_again_is_back(active):
    rows = [
        customer(status="active"),
        customer(since=date(2021, 5, 1), status="closed"),
        customer(since=date(2021, 9, 1), status="active"),
    ]
    assert active(customers=rows, departures=[departure(date(2021, 5, 1))]) == {"A"}


def test_an_active_row_written_after_leaving_for_another_reason_brings_nobody_back(active):
    rows = [customer(status="active"), customer(since=date(2021, 9, 1), status="active")]
    assert active(customers=rows, departures=[departure(date(2021, 5, 1))]) == set()


@pytest.mark.parametrize("status", [None, "suspended"])
def test_a_later_row_of_another_kind_brings_nobody_back(active, status):
    rows = [customer(), customer(since=date(2021, 9, 1), status=status)]
    assert active(customers=rows, departures=[departure(date(2021, 5, 1))]) == set()


def test_who_came_back_and_left_again_is_gone(active):
    back = customer(joined=date(2021, 6, 1), since=date(2021, 6, 1))
    left = [departure(date(2021, 5, 1)), departure(date(2021, 11, 1))]
    assert active(customers=[customer(), back], departures=left) == set()


def test_one_row_for_each_active_customer_also_with_many_rows_elsewhere(active):
    names = [f"C{i}" for i in range(5)]
    rows = [customer(name=name, since=date(2020, month, 1)) for name in names for month in (1, 2, 3)]
    bills = [{"customer_id": name, "month": date(2021, month, 1), "revenue": 5} for name in [*names, "nobody"] for month in range(1, 13)]
    assert active(customers=rows, billing=bills) == set(names)
