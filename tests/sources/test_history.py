"""A feed that breaks with its own history is refused; growth, seasons and small numbers are not."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest

from custvalue.errors import DataError
from custvalue.sources import ContractError, Severity, add_months, refuse_stale

MONTHS = [add_months(date(2021, 1, 1), i) for i in range(8)]
CUSTOMERS = [f"C{i:05d}" for i in range(150)]


def bill(customer: int, month: int, **fields) -> dict:
    return {"customer_id": CUSTOMERS[customer], "month": MONTHS[month], "revenue": 20.0 + customer % 17 + month / 7} | fields


@pytest.fixture
def tables() -> dict[str, list[dict]]:
    """150 customers with eight months of bills and use, and a payment a day each month; nothing wrong."""
    cells = [(customer, month) for month in range(len(MONTHS)) for customer in range(len(CUSTOMERS))]
    return {
        "customers": [{"customer_id": c, "valid_from": date(2020, 1, 1), "joined_on": date(2020, 1, 1), "plan": "M"} for c in CUSTOMERS],
        "billing": [bill(customer, month, rent=9.0 + month) for customer, month in cells],
        "usage": [
            {
                "customer_id": CUSTOMERS[c],
                "month": MONTHS[m],
                "data_mb": 900.0 + 7 * (c % 23) + m,
                "voice_minutes": 50.0 + c + m,
                "active_days": 20,
            }
            for c, m in cells
        ],
        "payments": [
            {"payment_id": f"{c}-{m}", "customer_id": CUSTOMERS[c], "paid_at": paid_at(c, m), "amount": 20.0 + c % 5} for c, m in cells
        ],
        "departures": [{"customer_id": CUSTOMERS[0], "left_on": date(2021, 8, 20), "kind": "voluntary"}],
    }


def paid_at(customer: int, month: int) -> datetime:
    return datetime(2021, month + 1, 1, 12) + timedelta(days=customer % 28, minutes=customer)


def findings(opened, *, of=None):
    found = [finding for report in opened.reports for finding in report.findings]
    return [finding for finding in found if of is None or finding.check == of]


def refusal(operator, tables, **settings) -> ContractError:
    with pytest.raises(ContractError) as refused:
        operator(tables, **settings)
    assert refused.value.exit_code == 3
    return refused.value


def allowing(table: str, check: str) -> dict:
    return {"folder": "data", "checks": {"tables": {table: {"allow": {check: "known outage of the mediation system"}}}}}


def test_a_healthy_operator_has_nothing_to_tell(operator, tables):
    assert findings(operator(tables)) == []


@pytest.mark.parametrize("table", ["billing", "usage"])
def test_a_month_that_is_missing_is_refused_by_name(operator, tables, table):
    tables[table] = [row for row in tables[table] if row["month"] != MONTHS[4]]
    assert f"{table}.month: month(s) missing between others: 2021-05. Load it" in str(refusal(operator, tables))


def test_a_missing_month_may_be_allowed_with_a_reason_that_is_told(operator, tables):
    tables["usage"] = [row for row in tables["usage"] if row["month"] != MONTHS[4]]
    told = []
    opened = operator(tables, sources=allowing("usage", "gap"), log=told.append)
    (finding,) = findings(opened)
    assert (finding.check, finding.severity) == ("gap", Severity.WARN)
    assert [line for line in told if "Allowed by sources.checks: known outage of the mediation system" in line]


def test_a_doubled_month_is_refused(operator, tables):
    tables["usage"] += [row for row in tables["usage"] if row["month"] == MONTHS[5]]
    assert "usage.customer_id+month: key comes twice in 300 row(s), for example C0***00" in str(refusal(operator, tables))


def test_a_month_delivered_again_as_the_next_is_refused(operator, tables):
    old = [row for row in tables["usage"] if row["month"] == MONTHS[6]]
    tables["usage"] = [row for row in tables["usage"] if row["month"] != MONTHS[7]] + [row | {"month": MONTHS[7]} for row in old]
    assert "usage.month: every sum of 2021-08 equals that of the month before" in str(refusal(operator, tables))


def test_payments_loaded_again_under_new_ids_are_refused(operator, tables):
    again = [row | {"payment_id": f"again-{row['payment_id']}"} for row in tables["payments"] if row["paid_at"].month == 4]
    tables["payments"] += again
    assert "payments.payment_id: 50% of the rows of 2021-04 repeat others under another id in 150 row(s)" in str(refusal(operator, tables))


def test_half_a_month_is_refused(operator, tables):
    tables["usage"] = [row for row in tables["usage"] if row["month"] != MONTHS[7] or row["customer_id"] < "C00050"]
    assert "usage.month: 50 row(s) in 2021-08, 33% of the months before" in str(refusal(operator, tables))


@pytest.mark.parametrize(("factor", "told"), [(100, "100.5 times"), (0.01, "1/98.3 of"), (6.9, "6.9 times")])
def test_a_change_of_currency_overnight_is_refused(operator, tables, factor, told):
    tables["billing"] = [row | {"revenue": row["revenue"] * factor} if row["month"] == MONTHS[7] else row for row in tables["billing"]]
    said = str(refusal(operator, tables))
    assert "billing.revenue: mean of the values that are not zero is" in said
    assert told in said
    assert "change of currency or unit" in said


def test_a_change_of_unit_is_refused(operator, tables):
    tables["usage"] = [row | {"data_mb": row["data_mb"] / 1024} if row["month"] >= MONTHS[6] else row for row in tables["usage"]]
    assert "usage.data_mb" in str(refusal(operator, tables))


@pytest.mark.parametrize("factor", [0.6, 1.6])
def test_a_season_is_no_fault(operator, tables, factor):
    tables["billing"] = [row | {"revenue": row["revenue"] * factor} if row["month"] == MONTHS[7] else row for row in tables["billing"]]
    assert findings(operator(tables)) == []


def test_a_tariff_launch_is_noted_and_not_refused(operator, tables):
    tables["usage"] = [row | {"data_mb": row["data_mb"] * 3} if row["month"] >= MONTHS[5] else row for row in tables["usage"]]
    assert {finding.severity for finding in findings(operator(tables))} == {Severity.WARN}


def test_growth_from_the_first_customers_on_is_no_fault(operator, tables):
    tables["billing"] = [row for row in tables["billing"] if int(row["customer_id"][1:]) < 19 * (1 + MONTHS.index(row["month"]))]
    assert findings(operator(tables)) == []


def test_a_column_that_falls_silent_is_refused(operator, tables):
    tables["billing"] = [row | {"rent": None} if row["month"] == MONTHS[7] else row for row in tables["billing"]]
    assert "billing.rent: filled in 0% of 2021-08, before in 100%" in str(refusal(operator, tables))


def test_a_column_without_any_value_counts_as_not_mapped(operator, tables):
    tables["customers"] = [row | {"plan": None} for row in tables["customers"]]
    opened = operator(tables)
    (finding,) = findings(opened)
    assert (finding.check, finding.severity, finding.rows) == ("empty", Severity.REPAIR, 150)
    assert "plan" not in opened.known(date(2021, 9, 1))["customers"].columns


def test_the_newest_tickets_may_still_be_open(operator, tables):
    tables["complaints"] = [
        {
            "complaint_id": f"K{c}-{m}",
            "customer_id": CUSTOMERS[c],
            "opened_at": paid_at(c, m),
            "closed_at": None if m == 7 else paid_at(c, m) + timedelta(days=2),
        }
        for m in range(8)
        for c in range(150)
    ]
    assert findings(operator(tables)) == []


def test_bills_of_customers_that_are_not_in_customers_are_left_out_and_counted(operator, tables):
    tables["billing"] += [bill(0, month) | {"customer_id": f"X{i:05d}"} for month in range(8) for i in range(10)]
    (finding,) = findings(operator(tables))
    assert (finding.check, finding.severity, finding.rows) == ("strangers", Severity.REPAIR, 80)
    assert finding.examples == ("X0***00",)


def test_a_quarter_of_strangers_is_refused(operator, tables):
    tables["customers"] = tables["customers"][:110]
    tables["departures"], tables["usage"], tables["payments"] = tables["departures"], [], []
    del tables["usage"], tables["payments"]
    assert "billing.customer_id: only 880 of 1,200 row(s) is in customers" in str(refusal(operator, tables))


def test_a_few_departures_before_joining_count_for_no_service_and_many_are_refused(operator, tables):
    early = [{"customer_id": c, "left_on": date(2019, 5, 1), "kind": "voluntary"} for c in CUSTOMERS[1:31]]
    (finding,) = findings(operator(tables | {"departures": tables["departures"] + early[:3]}))
    assert (finding.check, finding.severity, finding.rows) == ("order", Severity.REPAIR, 3)
    said = str(refusal(operator, tables | {"departures": tables["departures"] + early}))
    assert "departures.left_on: lies before the customer joined in 30 row(s), for example C0***01" in said


def test_times_in_local_time_are_refused_with_the_hours_they_are_off(operator, tables):
    tables["payments"] = [row | {"available_at": row["paid_at"] - timedelta(hours=8)} for row in tables["payments"]]
    said = str(refusal(operator, tables, time_zone="Asia/Shanghai"))
    assert "payments.available_at: known before paid_at is over, by 8 hours, all of them in 1,200 row(s)" in said
    assert "Times must be UTC: the operator's zone is Asia/Shanghai" in said


def test_a_month_known_at_local_midnight_written_as_utc_is_refused(operator, tables):
    tables["usage"] = [
        row | {"available_at": datetime.combine(add_months(row["month"], 1), datetime.min.time())} for row in tables["usage"]
    ]
    assert "usage.available_at: known before month is over, by 4" in str(refusal(operator, tables, time_zone="America/New_York"))
    assert findings(operator(tables, time_zone="UTC")) == []


def test_a_few_rows_known_too_early_count_from_their_event_on(operator, tables):
    tables["payments"] = [row | {"available_at": row["paid_at"]} for row in tables["payments"]]
    tables["payments"][-1]["available_at"] = datetime(2021, 1, 1)
    opened = operator(tables)
    (finding,) = findings(opened)
    assert (finding.check, finding.severity, finding.rows) == ("early", Severity.REPAIR, 1)
    assert opened.known(date(2021, 1, 2))["payments"].count().execute() == 6


def test_a_daily_feed_that_fell_silent_for_a_week_is_late(operator, tables):
    tables["payments"] = [row for row in tables["payments"] if row["paid_at"] < datetime(2021, 8, 25)]
    opened = operator(tables)
    assert refuse_stale(opened, opened.moment(date(2021, 8, 26)))
    # payments come on days 1 to 28: four days of silence are usual, ten are not
    with pytest.raises(ContractError, match=r"payments: nothing new since 2021-08-24, expected something after 2021-08-2\d"):
        refuse_stale(opened, opened.moment(date(2021, 9, 4)))


def test_closed_before_opened_is_noted_where_it_is_rare(operator, tables):
    tables["complaints"] = [
        {"complaint_id": "K1", "customer_id": CUSTOMERS[0], "opened_at": datetime(2021, 3, 2), "closed_at": datetime(2021, 3, 1)}
    ]
    (finding,) = findings(operator(tables), of="order")
    assert (finding.severity, finding.fault) == (Severity.WARN, "lies before opened_at")


def test_limits_that_name_no_table_are_a_fault_of_the_config(operator, tables):
    with pytest.raises(ValueError, match=r"sources.checks.tables: bills is no contract table"):
        operator(tables, sources={"folder": "data", "checks": {"tables": {"bills": {"level": 9}}}})


def test_an_identifying_number_in_the_wrong_column_is_not_shown(operator, tables):
    tables["customers"] = [row | {"joined_on": "13800001234"} for row in tables["customers"]]
    with pytest.raises(DataError) as refused:
        operator(tables)
    assert "13800001234" not in str(refused.value)
    assert "13***34" in str(refused.value)
