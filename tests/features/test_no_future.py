"""Rows that the warehouse learns of after ``as_of`` change no feature, whatever they say and whenever they are dated."""

from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from custvalue.config import FeaturesConfig
from custvalue.sources import Moment

ZONE = "Asia/Shanghai"
AS_OF = date(2022, 1, 1)
NOW = datetime(2021, 12, 31, 16)
IDS = ("A", "B", "C", "D")
MONTHS = [date(2021, m, 1) for m in range(1, 13)]
KEYS = {"payments": "payment_id", "complaints": "complaint_id", "contracts": "contract_id"}
EARLY = datetime(2021, 1, 1)


def known_rows():
    """A year of four customers: bills, use, payments, complaints and contracts; D left and came back; all known at the moment."""
    people, bills, use, payments, contracts = [], [], [], [], []
    for n, who in enumerate(IDS):
        people.append({"customer_id": who, "valid_from": date(2020, 1, 1), "joined_on": date(2020, 1, 1), "plan": "S", "status": "active"})
        for month in MONTHS:
            own = {"customer_id": who, "month": month, "available_at": min(NOW, datetime(2021, month.month, 28))}
            bills.append(own | {"revenue": Decimal(20 + n * month.month), "arrears": Decimal(0)})
            use.append(own | {"data_mb": Decimal(500 * n), "voice_minutes": Decimal(month.month)})
        payments.append({"customer_id": who, "paid_at": datetime(2021, 11, 3 + n), "amount": Decimal(30), "channel": "app"})
        term = {"starts_on": date(2021, 1 + n, 1), "ends_on": date(2022, 1 + n, 1)}
        contracts.append({"customer_id": who, "kind": "contract", "product": "Gold"} | term)
    people.append(people[-1] | {"valid_from": date(2020, 3, 1), "status": "closed"})
    people.append(people[-1] | {"valid_from": date(2020, 6, 1), "status": "active"})
    complaints = [
        {"customer_id": "A", "opened_at": datetime(2021, 12, 1), "closed_at": datetime(2022, 1, 5), "justified": True},
        {"customer_id": "B", "opened_at": datetime(2021, 10, 1), "closed_at": datetime(2021, 10, 4), "justified": True},
    ]
    left = [{"customer_id": "D", "left_on": date(2020, 3, 1), "kind": "voluntary"}]
    dated = {"customers": people, "payments": payments, "complaints": complaints, "contracts": contracts, "departures": left}
    numbered = {
        table: [{"available_at": EARLY} | ({KEYS[table]: f"{table}-{n}"} if table in KEYS else {}) | row for n, row in enumerate(rows)]
        for table, rows in dated.items()
    }
    return {"billing": bills, "usage": use} | numbered


KNOWN = known_rows()


@pytest.fixture(scope="module")
def warehouse(open_warehouse):
    return open_warehouse(zone=ZONE)


@pytest.fixture(scope="module")
def features(warehouse):
    return warehouse.runner(warehouse.build(Moment(AS_OF, ZONE), FeaturesConfig(windows=(1, 3), products=("Gold",))))


@pytest.fixture(scope="module")
def before(features):
    found = features(KNOWN)
    assert sorted(found) == list(IDS)
    return found


def added(rows):
    return {table: [*lent, *rows.get(table, [])] for table, lent in KNOWN.items()}


LATER = st.one_of(st.just(NOW + timedelta(microseconds=1)), st.datetimes(NOW + timedelta(seconds=1), datetime(2023, 1, 1)))
CUSTOMER = st.sampled_from([*IDS, "E"])
DAY = st.dates(date(2020, 6, 1), date(2022, 6, 1))
TIME = st.datetimes(datetime(2020, 6, 1), datetime(2022, 6, 1)).map(lambda time: time.replace(microsecond=0))
MONTH = st.sampled_from([*MONTHS, date(2022, 1, 1)])
MONEY = st.integers(0, 10**8).map(lambda cents: Decimal(cents) / 100)


def keyed(table):
    return {KEYS[table]: st.sampled_from([f"{table}-0", f"{table}-1", "new"])} if table in KEYS else {}


def row(table, **fields):
    return st.tuples(st.just(table), st.fixed_dictionaries({"customer_id": CUSTOMER, "available_at": LATER, **keyed(table), **fields}))


FUTURE_ROWS = st.one_of(
    row("customers", valid_from=DAY, joined_on=DAY, plan=st.sampled_from("SML"), status=st.sampled_from(["active", "silent", None])),
    row("billing", month=MONTH, revenue=MONEY, arrears=MONEY),
    row("usage", month=MONTH, data_mb=MONEY, voice_minutes=st.none() | MONEY),
    row("payments", paid_at=TIME, amount=MONEY, channel=st.sampled_from(["app", "shop"]), balance_after=MONEY),
    row("complaints", opened_at=TIME, closed_at=st.none() | TIME, escalated=st.booleans(), justified=st.booleans()),
    row(
        "contracts",
        kind=st.sampled_from(["contract", "bundle", "discount"]),
        product=st.sampled_from(["Gold", "TV"]),
        starts_on=DAY,
        ends_on=DAY,
    ),
    row("departures", left_on=DAY, kind=st.sampled_from(["voluntary", "port_out", "silence"])),
)


def as_tables(rows):
    tables = {}
    for table, fields in rows:
        tables.setdefault(table, []).append(fields)
    return tables


@settings(max_examples=20)
@given(st.lists(FUTURE_ROWS, min_size=5, max_size=40))
def test_what_becomes_known_later_changes_no_feature(features, before, later):
    # any two futures give what no future gives, so that adding, changing and removing such rows are all covered
    assert features(added(as_tables(later))) == before


REVISIONS = {
    "customers": {"customer_id": "A", "valid_from": date(2021, 6, 1), "joined_on": date(2020, 1, 1), "plan": "L", "status": "active"},
    "billing": KNOWN["billing"][11] | {"revenue": Decimal(999)},
    "usage": KNOWN["usage"][11] | {"data_mb": Decimal(999)},
    "payments": {"payment_id": "new", "customer_id": "A", "paid_at": datetime(2021, 12, 30), "amount": Decimal(9)},
    "complaints": {"complaint_id": "new", "customer_id": "C", "opened_at": datetime(2021, 12, 30)},
    "contracts": {"contract_id": "new", "customer_id": "B", "kind": "bundle", "starts_on": date(2021, 5, 1), "ends_on": date(2022, 5, 1)},
    "departures": {"customer_id": "C", "left_on": date(2021, 12, 20), "kind": "port_out"},
}


@pytest.mark.parametrize("table", sorted(REVISIONS))
def test_a_correction_counts_from_the_moment_it_is_known(features, before, table):
    late = REVISIONS[table] | {"available_at": NOW + timedelta(microseconds=1)}
    in_time = REVISIONS[table] | {"available_at": NOW}
    assert features(added({table: [late]})) == before
    assert features(added({table: [in_time]})) != before


@pytest.fixture(scope="module")
def uncut(warehouse):
    return warehouse.runner(warehouse.built_uncut(Moment(AS_OF, ZONE), FeaturesConfig(windows=(1, 3), products=("Gold",))))


@pytest.mark.parametrize("table", sorted(REVISIONS))
def test_without_the_cut_the_same_correction_would_leak(uncut, table):
    late = REVISIONS[table] | {"available_at": NOW + timedelta(days=40)}
    assert uncut(added({table: [late]})) != uncut(KNOWN)


def test_a_complaint_closed_after_the_moment_is_open_and_not_judged_yet(before, uncut):
    assert (before["A"]["complaint_open"], before["A"]["days_since_justified_complaint"]) == (1, None)
    assert (before["B"]["complaint_open"], before["B"]["days_since_justified_complaint"]) == (0, 91)  # 91 days and 16 hours
    leaked = uncut(KNOWN)["A"]
    assert (leaked["complaint_open"], leaked["days_since_justified_complaint"]) == (0, 30)


def test_a_row_that_arrives_at_local_midnight_is_in_and_a_second_later_is_not(warehouse):
    paid = {"payment_id": "P", "customer_id": "A", "paid_at": datetime(2021, 12, 20), "amount": Decimal(7)}
    only = ("customers", "departures", "payments")
    on_the_day, day_earlier = (
        warehouse.runner(warehouse.build(Moment(AS_OF - timedelta(days=days), ZONE), FeaturesConfig(windows=(1,)), only)) for days in (0, 1)
    )
    at_midnight, too_late, in_time = (
        {"customers": KNOWN["customers"][:1], "payments": [paid | {"available_at": NOW + timedelta(**late)}]}
        for late in ({}, {"seconds": 1}, {"days": -1})
    )
    assert on_the_day(at_midnight)["A"]["payment_count_1m"] == 1
    assert on_the_day(too_late)["A"]["payment_count_1m"] is None
    assert day_earlier(at_midnight)["A"]["payment_count_1m"] is None
    assert day_earlier(in_time)["A"]["payment_count_1m"] == 1
