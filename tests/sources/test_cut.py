"""What a run sees at ``as_of`` is what the warehouse knew at 00:00 of that day in the operator's zone."""

from datetime import date, datetime, timedelta

import pytest

NEW_YEAR = date(2022, 1, 1)


def seen(tables, name, as_of=NEW_YEAR):
    rows = tables.known(as_of)[name].to_pyarrow().to_pylist()
    return sorted(rows, key=str)


def complaint(**fields):
    return {"complaint_id": "K1", "customer_id": "0001234", "opened_at": datetime(2021, 12, 1, 9)} | fields


@pytest.mark.parametrize(
    ("zone", "midnight"),
    [
        ("UTC", datetime(2022, 1, 1)),
        ("Asia/Shanghai", datetime(2021, 12, 31, 16)),
        ("America/New_York", datetime(2022, 1, 1, 5)),
        ("Asia/Kolkata", datetime(2021, 12, 31, 18, 30)),
    ],
)
def test_a_row_is_seen_from_local_midnight_on_and_not_a_moment_before(operator, good, zone, midnight):
    times = [midnight, midnight + timedelta(microseconds=1), midnight - timedelta(days=1), midnight - timedelta(days=1, seconds=-1)]
    good["complaints"] = [complaint(complaint_id=f"K{i}", available_at=at) for i, at in enumerate(times)]
    tables = operator(good, time_zone=zone)
    assert [row["complaint_id"] for row in seen(tables, "complaints")] == ["K0", "K2", "K3"]
    assert [row["complaint_id"] for row in seen(tables, "complaints", NEW_YEAR - timedelta(days=1))] == ["K2"]


@pytest.mark.parametrize("zone", ["UTC", "Asia/Shanghai", "America/New_York"])
def test_a_month_is_known_when_it_is_over_where_the_operator_is(operator, good, zone):
    tables = operator(good, time_zone=zone)
    assert {row["month"] for row in seen(tables, "billing", date(2021, 12, 31))} == {date(2021, 11, 1)}
    assert {row["month"] for row in seen(tables, "billing")} == {date(2021, 11, 1), date(2021, 12, 1)}


@pytest.mark.parametrize(("name", "row"), [
    ("customers", {"customer_id": "X", "valid_from": NEW_YEAR, "joined_on": NEW_YEAR}),
    ("departures", {"customer_id": "X", "left_on": NEW_YEAR, "kind": "voluntary"}),
    ("contracts", {"contract_id": "X", "customer_id": "X", "kind": "contract", "starts_on": NEW_YEAR}),
    ("tier_history", {"customer_id": "X", "valid_from": NEW_YEAR, "tier": "gold"}),
    ("daily", {"customer_id": "X", "day": date(2021, 12, 31), "active": True}),
    ("payments", {"payment_id": "X", "customer_id": "X", "paid_at": datetime(2022, 1, 1), "amount": 1.0}),
    ("events", {"event_id": "X", "customer_id": "X", "event_type": "port_query", "occurred_at": datetime(2022, 1, 1)}),
    ("contacts", {"contact_id": "X", "customer_id": "X", "contacted_at": datetime(2022, 1, 1)}),
    ("surveys", {"survey_id": "X", "customer_id": "X", "asked_at": datetime(2022, 1, 1)}),
])  # fmt: skip
def test_without_available_at_a_row_is_known_at_its_event(operator, good, name, row):
    tables = operator(good | {name: [row]} if name != "customers" else good | {name: [*good["customers"], row]})
    assert any("X" in found.values() for found in seen(tables, name))
    assert not any("X" in found.values() for found in seen(tables, name, date(2021, 12, 31)))


def test_a_delay_postpones_what_has_no_available_at(operator, good):
    good["billing"][0]["available_at"] = datetime(2021, 12, 3)
    tables = operator(good, delay_days={"billing": 5})
    assert len(seen(tables, "billing", date(2021, 12, 5))) == 1  # the one that was delivered early
    assert len(seen(tables, "billing", date(2021, 12, 6))) == 3
    assert len(seen(tables, "billing", date(2022, 1, 5))) == 3
    assert len(seen(tables, "billing", date(2022, 1, 6))) == 6


@pytest.mark.parametrize("zone", ["America/New_York", "Europe/Berlin"])
@pytest.mark.parametrize("delay", [5, 13, 31, 40])
def test_a_delay_counts_local_days_also_when_the_clocks_change(operator, good, zone, delay):
    months = (date(2021, 2, 1), date(2021, 3, 1), date(2021, 10, 1))
    good["billing"] = [{"customer_id": "0001234", "month": month, "revenue": 1.0} for month in months]
    tables = operator(good, time_zone=zone, delay_days={"billing": delay})
    for over in (date(2021, 3, 1), date(2021, 4, 1), date(2021, 11, 1)):
        known_from = over + timedelta(days=delay)
        before, after = seen(tables, "billing", known_from - timedelta(days=1)), seen(tables, "billing", known_from)
        assert len(after) == len(before) + 1


def test_the_latest_version_known_at_the_moment_wins(operator, good):
    versions = [(1.0, datetime(2021, 12, 2)), (2.0, datetime(2021, 12, 20)), (3.0, datetime(2022, 1, 10))]
    good["billing"] = [
        {"customer_id": "0001234", "month": date(2021, 11, 1), "revenue": revenue, "available_at": at} for revenue, at in versions[::-1]
    ]
    tables = operator(good)
    assert tables.revised == {"billing"}
    known = {day: [row["revenue"] for row in seen(tables, "billing", day)] for day in (date(2021, 12, 1), date(2021, 12, 2), NEW_YEAR)}
    assert known == {date(2021, 12, 1): [], date(2021, 12, 2): [1], NEW_YEAR: [2]}
    assert [row["revenue"] for row in seen(tables, "billing", date(2022, 2, 1))] == [3]


def test_a_later_version_may_empty_a_value(operator, good):
    row = good["usage"][0]
    good["usage"] = [row | {"available_at": datetime(2021, 12, 2)}, row | {"data_mb": None, "available_at": datetime(2021, 12, 9)}]
    assert seen(operator(good), "usage")[0]["data_mb"] is None


def test_a_closing_time_of_the_future_is_hidden_with_what_came_of_it(operator, good):
    future = {"closed_at": datetime(2022, 1, 1, 0, 0, 1), "first_response_at": datetime(2022, 1, 2), "justified": True}
    past = {"closed_at": datetime(2022, 1, 1), "first_response_at": datetime(2021, 12, 1, 10), "justified": True}
    good["complaints"] = [complaint(complaint_id="future", **future), complaint(complaint_id="past", **past)]
    seen_future, seen_past = seen(operator(good), "complaints")
    assert (seen_future["closed_at"], seen_future["first_response_at"], seen_future["justified"]) == (None, None, None)
    assert {key: seen_past[key] for key in past} == past


def test_a_verdict_is_out_of_sight_while_nobody_says_when_it_was_given(operator, good):
    good["complaints"] = [complaint(justified=True)]
    assert set(seen(operator(good), "complaints")[0]) == {"complaint_id", "customer_id", "opened_at"}


def test_an_answer_of_the_future_is_hidden(operator, good):
    survey = {"survey_id": "S1", "customer_id": "0001234", "asked_at": datetime(2021, 12, 1), "score": 3}
    good["surveys"] = [survey | {"answered_at": datetime(2022, 1, 3)}]
    (row,) = seen(operator(good), "surveys")
    assert (row["score"], row["answered_at"]) == (None, None)


def test_no_model_code_sees_available_at(operator, good):
    assert all("available_at" not in table.columns for table in operator(good).known(NEW_YEAR).values())


def test_reference_tables_are_seen_whole(operator, good):
    good["managers"] = [{"manager_id": "M-1", "valid_from": date(2030, 1, 1), "daily_capacity": 12}]
    assert len(seen(operator(good), "managers")) == 1
