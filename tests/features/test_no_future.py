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
    rows = {
        "customers": [{"customer_id": i, "valid_from": date(2020, 1, 1), "joined_on": date(2020, 1, 1), "plan": "S", "status": "active"} for i in IDS],
        "billing": [{"customer_id": i, "month": m, "revenue": Decimal(20 + n * m.month), "arrears": Decimal(0)} for n, i in enumerate(IDS) for m in MONTHS],
        "usage": [{"customer_id": i, "month": m, "data_mb": Decimal(500 * n), "voice_minutes": Decimal(m.month)} for n, i in enumerate(IDS) for m in MONTHS],
        "payments": [{"customer_id": i, "paid_at": datetime(2021, 11, 3 + n), "amount": Decimal(30), "channel": "app"} for n, i in enumerate(IDS)],
        "complaints": [{"customer_id": "A", "opened_at": datetime(2021, 12, 1), "closed_at": datetime(2022, 1, 5), "justified": True},
                       {"customer_id": "B", "opened_at": datetime(2021, 10, 1), "closed_at": datetime(2021, 10, 4), "justified": True}],
        "contracts": [{"customer_id": i, "kind": "contract", "product": "Gold", "starts_on": date(2021, 1 + n, 1), "ends_on": date(2022, 1 + n, 1)}
                      for n, i in enumerate(IDS)],
        "departures": [{"customer_id": "D", "left_on": date(2020, 3, 1), "kind": "voluntary"}],
    }  # fmt: skip
    rows["customers"].append(rows["customers"][-1] | {"valid_from": date(2020, 6, 1)})
    for table, lent in rows.items():
        for nth, row in enumerate(lent):
            row["available_at"] = min(NOW, EARLY) if table not in ("billing", "usage") else min(NOW, datetime(row["month"].year, row["month"].month, 28))
            if table in KEYS:
                row[KEYS[table]] = f"{table}-{nth}"
    return rows


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
    row("contracts", kind=st.sampled_from(["contract", "bundle", "discount"]), product=st.sampled_from(["Gold", "TV"]), starts_on=DAY, ends_on=DAY),
    row("departures", left_on=DAY, kind=st.sampled_from(["voluntary", "port_out", "silence"])),
)


def as_tables(rows):
    tables = {}
    for table, fields in rows:
        tables.setdefault(table, []).append(fields)
    return tables


@settings(max_examples=30)
@given(st.lists(FUTURE_ROWS, min_size=1, max_size=30))
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


@pytest.mark.parametrize("delay", [timedelta(microseconds=1), timedelta(days=40)])
@pytest.mark.parametrize("table", sorted(REVISIONS))
def test_a_correction_counts_from_the_moment_it_is_known(features, before, table, delay):
    late = REVISIONS[table] | {"available_at": NOW + delay}
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


def test_a_bill_that_arrives_at_local_midnight_is_in_and_a_second_later_is_not(warehouse):
    bill = {"customer_id": "A", "month": date(2021, 12, 1), "revenue": Decimal(7)}
    rows = {"customers": KNOWN["customers"][:1]}
    day_before = Moment(AS_OF - timedelta(days=1), ZONE)
    on_the_day, day_earlier = (warehouse.runner(warehouse.build(moment, FeaturesConfig(windows=(1,)))) for moment in (Moment(AS_OF, ZONE), day_before))
    at_midnight, too_late = ({**rows, "billing": [bill | {"available_at": NOW + timedelta(seconds=n)}]} for n in (0, 1))
    assert on_the_day(at_midnight)["A"]["revenue_mean_1m"] == 7
    assert day_earlier(at_midnight)["A"]["revenue_mean_1m"] is None
    assert on_the_day(too_late)["A"]["revenue_mean_1m"] is None
