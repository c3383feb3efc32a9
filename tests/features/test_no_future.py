"""Rows that the warehouse learns of after ``as_of`` change no feature, whatever they say and whenever they are dated."""

from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from custvalue.config import FeaturesConfig
from custvalue.features import BLOCKS
from custvalue.sources import CONTRACT, Moment

ZONE = "Asia/Shanghai"
AS_OF = date(2022, 1, 1)
NOW = datetime(2021, 12, 31, 16)
IDS = ("A", "B", "C", "D")
MONTHS = [date(2021, m, 1) for m in range(1, 13)]
KEYS = {"payments": "payment_id", "complaints": "complaint_id", "contracts": "contract_id", "surveys": "survey_id", "events": "event_id",
        "contacts": "contact_id"}  # fmt: skip
SETTINGS = FeaturesConfig(windows=(1, 3), products=("Gold",))
EARLY = datetime(2021, 1, 1)


def known_rows():
    """A year of four customers, with rows in every table; D left and came back; all known at the moment."""
    people, bills, use, payments, contracts, days = [], [], [], [], [], []
    for n, who in enumerate(IDS):
        people.append({"customer_id": who, "valid_from": date(2020, 1, 1), "joined_on": date(2020, 1, 1), "plan": "S", "status": "active",
                       "region": "north", "household_id": f"H{n // 2}", "traffic_data_consent": True})  # fmt: skip
        for day in range(1, 31):
            known = datetime(2021, 12, day, 16)
            days.append({"customer_id": who, "day": date(2021, 12, day), "active": day % (n + 2) > 0, "balance": Decimal(day), "data_mb":
                         Decimal(day * n), "available_at": known})  # fmt: skip
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
    surveys = [{"customer_id": "A", "asked_at": datetime(2021, 12, 1), "answered_at": datetime(2022, 1, 2), "kind": "nps", "score": 2}]
    events = [{"customer_id": "B", "event_type": "port_query", "occurred_at": datetime(2021, 11, 1)}]
    contacts = [{"customer_id": "C", "contacted_at": datetime(2021, 11, 5), "arm": "treated", "reached": True, "outcome": "refused"}]
    left = [{"customer_id": "D", "left_on": date(2020, 3, 1), "kind": "voluntary"}]
    dated = {"customers": people, "payments": payments, "complaints": complaints, "contracts": contracts, "departures": left,
             "surveys": surveys, "events": events, "contacts": contacts}  # fmt: skip
    numbered = {
        table: [{"available_at": EARLY} | ({KEYS[table]: f"{table}-{n}"} if table in KEYS else {}) | row for n, row in enumerate(rows)]
        for table, rows in dated.items()
    }
    return {"billing": bills, "usage": use, "daily": days} | numbered


KNOWN = known_rows()


@pytest.fixture(scope="module")
def warehouse(open_warehouse):
    return open_warehouse(zone=ZONE)


@pytest.fixture(scope="module")
def features(warehouse):
    return warehouse.runner(warehouse.build(Moment(AS_OF, ZONE), SETTINGS))


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
    row("daily", day=DAY, active=st.none() | st.booleans(), balance=st.none() | MONEY, data_mb=MONEY),
    row("surveys", asked_at=TIME, answered_at=st.none() | TIME, kind=st.sampled_from(["nps", "after_complaint"]), score=st.integers(1, 10)),
    row("events", event_type=st.sampled_from(["port_query", "bill_query", "competitor_hotline", "suspension"]), occurred_at=TIME),
    row("contacts", contacted_at=TIME, arm=st.sampled_from(["treated", None]), reached=st.booleans(), outcome=st.just("refused")),
    row("departures", left_on=DAY, kind=st.sampled_from(["voluntary", "port_out", "silence"])),
)


def as_tables(rows):
    tables = {}
    for table, fields in rows:
        tables.setdefault(table, []).append(fields)
    return tables


@settings(max_examples=10)
@given(st.lists(FUTURE_ROWS, min_size=10, max_size=80))
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
    "daily": KNOWN["daily"][29] | {"active": False, "balance": Decimal(999)},
    "surveys": {
        "survey_id": "new",
        "customer_id": "B",
        "asked_at": datetime(2021, 12, 3),
        "answered_at": datetime(2021, 12, 4),
        "score": 9,
    },
    "events": {"event_id": "new", "customer_id": "A", "event_type": "bill_query", "occurred_at": datetime(2021, 12, 30)},
    "contacts": {"contact_id": "new", "customer_id": "A", "contacted_at": datetime(2021, 12, 30), "arm": "treated", "reached": False},
    "departures": {"customer_id": "C", "left_on": date(2021, 12, 20), "kind": "port_out"},
}


def test_every_dated_table_that_a_block_reads_is_corrected():
    read = {table for block in BLOCKS.values() for table in (block.table, *block.needs)}
    assert read <= set(REVISIONS)


@pytest.mark.parametrize("table", sorted(REVISIONS))
def test_a_correction_counts_from_the_moment_it_is_known(features, before, table):
    late = REVISIONS[table] | {"available_at": NOW + timedelta(microseconds=1)}
    in_time = REVISIONS[table] | {"available_at": NOW}
    assert features(added({table: [late]})) == before
    assert features(added({table: [in_time]})) != before


@pytest.fixture(scope="module")
def uncut(warehouse):
    return warehouse.runner(warehouse.built_uncut(Moment(AS_OF, ZONE), SETTINGS))


@pytest.fixture(scope="module")
def uncut_before(uncut):
    return uncut(KNOWN)


@pytest.mark.parametrize("table", sorted(REVISIONS))
def test_without_the_cut_the_same_correction_would_leak(uncut, table):
    late = REVISIONS[table] | {"available_at": NOW + timedelta(days=40)}
    others = [row for row in KNOWN[table] if any(row.get(name) != late.get(name) for name in CONTRACT[table].key)]
    assert uncut(KNOWN | {table: [*others, late]}) != uncut(KNOWN)


@settings(max_examples=3)
@given(st.lists(FUTURE_ROWS, min_size=20, max_size=40))
def test_without_the_cut_the_same_rows_would_leak(uncut, uncut_before, later):
    # the positive control of the property above: switched off, any lot of later rows shows
    assume(len({table for table, _ in later}) >= 4)
    assert uncut(added(as_tables(later))) != uncut_before


FACTS = {"customer_id": "A", "joined_on": date(2020, 1, 1), "status": "active"}


def test_slowly_changing_facts_are_read_as_they_were_known_and_valid_then(features, before):
    """A plan or region agreed for later, valid already but told later, or valid and known: only the last counts."""
    moved = FACTS | {"plan": "L", "region": "south", "household_id": "H9"}
    agreed = moved | {"valid_from": date(2022, 1, 2), "available_at": NOW - timedelta(days=20)}
    told_late = moved | {"valid_from": date(2021, 12, 1), "available_at": NOW + timedelta(days=1)}
    in_force = moved | {"valid_from": date(2022, 1, 1), "available_at": NOW}
    for row in (agreed, told_late):
        assert features(added({"customers": [row]}))["A"] == before["A"]
    found = features(added({"customers": [in_force]}))["A"]
    assert (before["A"]["plan"], before["A"]["region"], before["A"]["household_lines"]) == ("S", "north", 2)
    assert (found["plan"], found["region"], found["household_lines"]) == ("L", "south", 1)


def test_a_contract_cut_short_after_the_moment_still_runs_to_its_end(features, uncut, before):
    """Whoever leaves in January has his contract's end moved to that day, in a row that nobody had yet."""
    cut_short = KNOWN["contracts"][1] | {"ends_on": date(2022, 1, 12), "available_at": NOW + timedelta(days=12)}
    assert before["B"]["contract_days_to_end"] == 31
    assert features(added({"contracts": [cut_short]}))["B"]["contract_days_to_end"] == 31
    as_it_is_now = {**KNOWN, "contracts": [row for row in KNOWN["contracts"] if row["customer_id"] != "B"] + [cut_short]}
    assert uncut(as_it_is_now)["B"]["contract_days_to_end"] == 11


def test_consent_given_later_opens_nothing_before(features, before):
    later = FACTS | {"valid_from": date(2021, 12, 1), "traffic_data_consent": False, "available_at": NOW + timedelta(days=1)}
    assert features(added({"customers": [later]})) == before
    assert before["A"]["competitor_hotline_count_3m"] == 0
    refused = features(added({"customers": [later | {"available_at": NOW}]}))["A"]
    assert refused["competitor_hotline_count_3m"] is None


def test_a_survey_answered_after_the_moment_has_no_answer_yet(before, uncut):
    assert (before["A"]["survey_no_answer"], before["A"]["survey_score_last"]) == (1, None)
    assert uncut(KNOWN)["A"]["survey_score_last"] == 2


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
