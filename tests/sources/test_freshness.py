"""A run that could not be honest is refused: before any data, or when a monthly feed is late."""

from dataclasses import replace
from datetime import date, datetime, timedelta

import pyarrow as pa
import pytest

from custvalue.config.sources import ChecksConfig
from custvalue.errors import DataError
from custvalue.sources import StaleError, allowed_stale, check_freshness, refuse_stale


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


def stale(tables, *day, **more):
    with pytest.raises(StaleError) as refused:
        refuse_stale(tables, tables.moment(date(*day)), **more)
    return refused.value


def test_a_refusal_tells_machines_the_latest_feed_and_what_to_do(operator, good):
    good["usage"] = [row for row in good["usage"] if row["month"] < date(2021, 12, 1)]
    told = stale(operator(good), 2022, 1, 3, last_good_night=date(2022, 1, 2))
    assert told.facts == {
        "table": "usage",
        "latest": "2021-11",
        "expected": "2021-12",
        "late_days": 31,
        "last_good_night": "2022-01-02",
        "do": "rerun when usage arrives, or --allow-stale usage",
    }
    assert "the last good night is 2022-01-02" in str(told)
    assert "usage: newest month 2021-11, expected 2021-12 (31 days)" in str(told)


def test_of_several_late_feeds_the_latest_comes_first(operator, good):
    good["usage"] = [row for row in good["usage"] if row["month"] < date(2021, 12, 1)]
    facts = stale(operator(good), 2022, 2, 1).facts
    assert (facts["table"], facts["late_days"], facts["also_late"]) == ("usage", 62, ["billing"])
    assert facts["last_good_night"] is None
    assert facts["do"] == "rerun when billing and usage arrive, or --allow-stale billing --allow-stale usage"


def test_what_was_let_pass_is_told_only_if_it_was_late(operator, good):
    good["usage"] = [row for row in good["usage"] if row["month"] < date(2021, 12, 1)]
    allowed = {"checks": {"tables": {name: {"allow": {"late": "a reason"}} for name in ("usage", "billing")}}}
    tables = operator(good)
    tables = replace(tables, checks=ChecksConfig.model_validate(allowed["checks"]))
    assert allowed_stale(refuse_stale(tables, tables.moment(date(2022, 1, 3)))) == "usage (31 days)"
    assert allowed_stale(refuse_stale(tables, tables.moment(date(2021, 12, 3)))) == ""


def crowd(months: int, people: int, **changes) -> list[dict]:
    first = [date(2021, month, 1) for month in range(1, months + 1)]
    return [{"customer_id": f"{who:07d}", "month": month, "data_mb": 1.0 + who % 7} | changes for month in first for who in range(people)]


def test_a_month_of_which_only_a_part_is_known_yet_is_late(operator, good):
    """The table is whole today; on the day that is looked at only four of ten rows of the month had come."""
    good["customers"] = [good["customers"][0] | {"customer_id": f"{who:07d}"} for who in range(200)]
    good["billing"] = [row | {"revenue": row.pop("data_mb")} for row in crowd(12, 200)]
    usage = crowd(12, 200)
    late = {"available_at": datetime(2022, 1, 9)}
    in_time = [row | {"available_at": datetime(2022, 1, 1) if row["month"].month == 12 else add(row["month"])} for row in usage]
    good["usage"] = [row | late if place >= 11 * 200 + 80 else row for place, row in enumerate(in_time)]
    tables = operator(good)
    told = stale(tables, 2022, 1, 5)
    assert "usage: only 80 row(s) of 2021-12 are known, 40% of the months before (31 days)" in str(told)
    assert told.facts["table"] == "usage"
    assert not report(tables, 2022, 1, 9)["usage"].late
    good["usage"] = [row | late if place >= 11 * 200 + 120 else row for place, row in enumerate(in_time)]
    assert not report(operator(good, folder="more"), 2022, 1, 5)["usage"].late


def add(month: date) -> datetime:
    return datetime(month.year + (month.month == 12), month.month % 12 + 1, 1)


@pytest.mark.parametrize(("share", "late"), [(1.0, False), (0.6, False), (0.4, True)])
def test_a_day_of_which_only_a_part_has_come_is_late(operator, good, share, late):
    people, last = 150, date(2021, 12, 31)
    good["customers"] = [good["customers"][0] | {"customer_id": f"{who:07d}"} for who in range(people)]
    days = [last - timedelta(days=back) for back in range(40)]
    good["daily"] = [
        {
            "customer_id": f"{who:07d}",
            "day": day,
            "data_mb": 1.0 + who % 5,
            "available_at": datetime(day.year, day.month, day.day) + timedelta(days=1),
        }
        for day in days
        for who in range(int(people * share) if day == last else people)
    ]
    good["billing"] = [
        {"customer_id": f"{who:07d}", "month": month, "revenue": 3.0 + who % 3}
        for who in range(people)
        for month in (date(2021, 11, 1), date(2021, 12, 1))
    ]
    good["usage"] = [
        {"customer_id": f"{who:07d}", "month": month, "data_mb": 3.0 + who % 3}
        for who in range(people)
        for month in (date(2021, 11, 1), date(2021, 12, 1))
    ]
    entry = report(operator(good), 2022, 1, 1)["daily"]
    assert entry.late is late
    assert entry.thin == ("only 60 row(s) of 2021-12-31 are known, 40% of the days before" if late else "")
