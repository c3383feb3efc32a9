"""A run that could not be honest is refused: before any data, or when a monthly feed is late."""

from datetime import date, datetime

import pyarrow as pa
import pytest

from custvalue.errors import DataError
from custvalue.sources import check_freshness, refuse_stale


def report(tables, *day):
    return {entry.table: entry for entry in check_freshness(tables, tables.moment(date(*day)))}


def refusal(tables, *day):
    with pytest.raises(DataError) as refused:
        refuse_stale(tables, tables.moment(date(*day)))
    assert refused.value.exit_code == 3
    return str(refused.value)


def test_feeds_in_time_pass(operator, good):
    tables = operator(good)
    entries = {entry.table: entry for entry in refuse_stale(tables, tables.moment(date(2022, 1, 1)))}
    assert set(entries) == {"customers", "billing", "usage", "departures"}
    billing = entries["billing"]
    assert (billing.rows_known, billing.newest, billing.expected, billing.late) == (6, "2021-12-01", "2021-12", False)


def test_a_late_feed_is_refused_with_what_came_and_what_should(operator, good):
    good["usage"] = [row for row in good["usage"] if row["month"] < date(2021, 12, 1)]
    tables = operator(good)
    assert [name for name, entry in report(tables, 2022, 1, 1).items() if entry.late] == ["usage"]
    told = refusal(tables, 2022, 1, 1)
    assert "feed(s) late at 2022-01-01:" in told
    assert "usage: newest month 2021-11, expected 2021-12" in told
    assert "billing" not in told
    assert "Rerun when they have arrived, or set sources.delay_days" in told


def test_a_month_that_is_there_but_not_known_yet_is_late(operator, good):
    good["usage"] = [row | {"available_at": datetime(2022, 1, 9)} for row in good["usage"]]
    tables = operator(good)
    assert report(tables, 2022, 1, 8)["usage"].newest == "nothing"
    assert report(tables, 2022, 1, 8)["usage"].late
    assert not report(tables, 2022, 1, 9)["usage"].late


def test_a_delay_moves_the_expectation(operator, good):
    good["usage"] = [row for row in good["usage"] if row["month"] < date(2021, 12, 1)]
    tables = operator(good, delay_days={"usage": 5})
    assert report(tables, 2022, 1, 5)["usage"].expected == "2021-11"
    assert not report(tables, 2022, 1, 5)["usage"].late
    assert report(tables, 2022, 1, 6)["usage"].late


@pytest.mark.parametrize("zone", ["UTC", "Asia/Shanghai", "America/New_York"])
def test_an_as_of_before_any_data_says_from_when_there_are_some(operator, good, zone):
    tables = operator(good, time_zone=zone)
    told = refusal(tables, 2020, 6, 1)
    assert "as_of 2020-06-01 lies before any data: the first customers are known from 2021-01-01. Take a later date." in told
    assert report(tables, 2021, 1, 1)["customers"].rows_known == 3


def test_a_customers_table_without_rows_is_told_as_such(operator, good):
    schema = pa.schema({"customer_id": pa.string(), "valid_from": pa.date32(), "joined_on": pa.date32()})
    told = refusal(operator(good | {"customers": schema.empty_table()}), 2022, 1, 1)
    assert "customers" in told
    assert "no row" in told


def test_dates_of_events_are_told_in_the_operators_zone(operator, good):
    good["payments"] = [{"payment_id": "P", "customer_id": "0001234", "paid_at": datetime(2021, 12, 30, 17), "amount": 1.0}]
    assert report(operator(good, time_zone="Asia/Shanghai"), 2022, 1, 1)["payments"].newest == "2021-12-31"
