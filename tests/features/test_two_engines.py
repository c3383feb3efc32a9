"""One definition, two engines: features worked out by hand hold on every engine, and on any rows the engines agree to 1e-9.

Spark takes seconds to plan a statement of hundreds of columns, so all cases, each a customer of its own, are evaluated together.
"""

import math
import random
from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest

from custvalue.config import FeaturesConfig
from custvalue.sources import CONTRACT, Moment

pytestmark = pytest.mark.long  # one engine is compared with the other: both run in one process

ZONE = "Asia/Shanghai"
AS_OF = date(2022, 3, 31)
NOW = datetime(2022, 3, 30, 16)  # midnight in Shanghai, as UTC
NEWEST = date(2022, 3, 30)
KEYS = {"payments": "payment_id", "complaints": "complaint_id", "contracts": "contract_id", "surveys": "survey_id", "events": "event_id",
        "contacts": "contact_id"}  # fmt: skip


def days(**by_age):
    """Daily rows by age: ``age_0`` is the newest known day; a flag stands for ``active``, a dict for the row's other columns."""
    rows = []
    for name, value in by_age.items():
        day = NEWEST - timedelta(days=int(name.removeprefix("age_")))
        rows.append(
            {"day": day, "available_at": datetime(day.year, day.month, day.day, 16)}
            | (value if isinstance(value, dict) else {"active": value})
        )
    return {"daily": rows}


def ages(active, silent):
    return days(**{f"age_{age}": True for age in active} | {f"age_{age}": False for age in silent})


def ago(number, **more):
    return NOW - timedelta(days=number, **more)


def money(*amounts):
    return [{"month": date(2022, 2 - n, 1) if n < 2 else date(2021, 12, 1), "revenue": Decimal(amount)} for n, amount in enumerate(amounts)]


def asked(number, *, score=None, answered=None, kind="nps"):
    return {"asked_at": ago(number), "answered_at": None if answered is None else ago(answered), "score": score, "kind": kind}


def event(kind, *numbers):
    return [{"event_type": kind, "occurred_at": ago(number)} for number in numbers]


NO_ACTIVITY = {"silent_days": None, "silent_run_30d": None, "days_since_active": None, "active_days_7d": None, "active_days_30d": None}
NO_EVENTS = {
    "port_query_count_1m": 0,
    "port_query_count_12m": 0,
    "days_since_port_query": None,
    "bill_query_months": 0,
    "suspension_count_3m": 0,
}

CASES = {
    "silent for two days": (
        ages(active=(2, 9), silent=(0, 1, 3, 4, 5, 6, 7, 8)),
        {"silent_days": 2, "silent_run_30d": 6, "days_since_active": 3, "active_days_7d": 1, "active_days_30d": 2},
    ),
    "never seen active": (
        ages(active=(), silent=range(5)),
        {"silent_days": 5, "silent_run_30d": 5, "days_since_active": None, "active_days_7d": 0, "active_days_30d": 0},
    ),
    "a late feed is no silence": (ages(active=(3, 4), silent=(5,)), {"silent_days": 0, "days_since_active": 4, "active_days_7d": 2}),
    "days without a row do not count": (ages(active=(4,), silent=(0, 2, 3)), {"silent_days": 3, "silent_run_30d": 3}),
    "an unknown day does not count": (
        days(age_0=False, age_1=None, age_2=True),
        {"silent_days": 1, "silent_run_30d": 1, "active_days_7d": 1},
    ),
    "one day known": (ages(active=(0,), silent=()), {"silent_days": 0, "silent_run_30d": 0, "days_since_active": 1, "active_days_30d": 1}),
    "silent beyond the month": (ages(active=(60,), silent=range(60)), {"silent_days": 60, "silent_run_30d": 30, "active_days_30d": 0}),
    "no day in ninety": (ages(active=(90,), silent=()), NO_ACTIVITY | {"balance_now": None, "voice_a_day_7d": None}),
    "no row at all": ({}, NO_ACTIVITY | {"balance_lasts_days": None, "short_balance_days_30d": None}),
    "half the use of the month before": (
        days(**{f"age_{n}": {"voice_minutes": Decimal(10 if n < 7 else 20), "data_mb": Decimal(3)} for n in range(40) if n != 5}),
        {"voice_a_day_7d": 10, "voice_a_day_before": 20, "voice_a_day_drop": 0.5, "data_a_day_7d": 3, "data_a_day_drop": 0},
    ),
    "no use in the month before": (
        days(age_0={"data_mb": Decimal(3)}, age_7={"data_mb": Decimal(0)}),
        {"data_a_day_7d": 3, "data_a_day_before": 0, "data_a_day_drop": None, "voice_a_day_7d": None},
    ),
    "balance of a few days": (
        days(age_0={"balance": None}, age_1={"balance": Decimal(12)}, age_2={"balance": Decimal("8.99")},
             age_3={"balance": Decimal("9.01")}, age_29={"balance": Decimal(5)}, age_30={"balance": Decimal(1)})
        | {"billing": money(60, 90, 120)},
        {"balance_now": 12, "balance_lasts_days": 4, "short_balance_days_30d": 2},
    ),
    "a balance without bills": (
        days(age_0={"balance": Decimal(7)}),
        {"balance_now": 7, "balance_lasts_days": None, "short_balance_days_30d": None},
    ),
    "bills of nothing": (
        days(age_0={"balance": Decimal(-2)}) | {"billing": money(0, 0)},
        {"balance_now": -2, "balance_lasts_days": None, "short_balance_days_30d": None},
    ),
    "never asked": (
        {"surveys": [asked(400, score=3, answered=399)]},
        {"survey_never_asked": 1, "survey_no_answer": 0, "survey_count_12m": 0, "survey_answered_share_12m": None,
         "survey_score_last": None, "survey_score_mean_12m": None, "survey_score_complaint": None, "days_since_survey": None},
    ),
    "asked and silent": (
        {"surveys": [asked(30), asked(60)]},
        {"survey_never_asked": 0, "survey_no_answer": 1, "survey_count_12m": 2, "survey_answered_share_12m": 0, "survey_score_last": None},
    ),
    "asked and answered": (
        {"surveys": [asked(90, score=8, answered=89), asked(40, score=3, answered=39, kind="after_complaint"), asked(9)]},
        {"survey_never_asked": 0, "survey_no_answer": 0, "survey_count_12m": 3, "survey_answered_share_12m": 2 / 3, "survey_score_last": 3,
         "survey_score_mean_12m": 5.5, "survey_score_complaint": 3, "days_since_survey": 39},
    ),
    "answered tomorrow": (
        {"surveys": [asked(3, score=1, answered=-1)]},
        {"survey_no_answer": 1, "survey_answered_share_12m": 0, "survey_score_last": None, "days_since_survey": None},
    ),
    "asked about the bill every month": (
        {"events": event("bill_query", 3, 40, 70)},
        NO_EVENTS | {"bill_query_months": 3, "bill_query_count_1m": 1, "bill_query_count_3m": 3, "days_since_bill_query": 3},
    ),
    "asked about the bill, but not last month": ({"events": event("bill_query", 40, 70)}, NO_EVENTS | {"bill_query_count_3m": 2}),
    "asked about the bill last month": ({"events": event("bill_query", 3, 70)}, {"bill_query_months": 1}),
    "about to port": (
        {"events": event("port_authorised", 1) + event("port_query", 8, 9, 200)},
        {"port_query_count_1m": 2, "port_query_count_3m": 2, "port_query_count_12m": 3, "days_since_port_query": 8},
    ),
    "authorised to port, which is no feature": ({"events": event("port_authorised", 1)}, NO_EVENTS),
    "consents": (
        {"events": event("competitor_hotline", 8), "consent": True},
        {"competitor_hotline_count_1m": 1, "days_since_competitor_hotline": 8, "call_forwarding_count_12m": 0},
    ),
    "refuses": (
        {"events": event("competitor_hotline", 8), "consent": False},
        NO_EVENTS | {"competitor_hotline_count_1m": None, "days_since_competitor_hotline": None, "call_forwarding_count_12m": None},
    ),
    "has not been asked for consent": (
        {"events": event("competitor_hotline", 8)},
        NO_EVENTS | {"competitor_hotline_count_1m": None, "days_since_competitor_hotline": None},
    ),
    "called twice": (
        {"contacts": [
            {"contacted_at": ago(5), "arm": "treated", "reached": True, "outcome": "refused"},
            {"contacted_at": ago(50), "arm": None, "reached": None, "outcome": None},
            {"contacted_at": ago(2), "arm": "holdout", "reached": None, "outcome": None},
        ]},
        {"contact_count_1m": 1, "contact_count_3m": 2, "contact_reached_3m": 1, "days_since_contact": 5, "contact_refused_12m": 1,
         "contact_accepted_12m": 0, "contact_stop": 0},
    ),
    "held out": (
        {"contacts": [{"contacted_at": ago(2), "arm": "holdout"}]},
        {"contact_count_1m": 0, "contact_reached_1m": 0, "days_since_contact": None, "contact_refused_12m": 0, "contact_stop": 0},
    ),
    "wants no calls": (
        {"contacts": [{"contacted_at": ago(2), "reached": True, "outcome": "Do_not_contact"}]},
        {"contact_count_1m": 1, "contact_stop": 1, "contact_refused_12m": 0},
    ),
    "complained about the network": (
        {"complaints": [
            {"complaint_id": "n1", "opened_at": ago(50), "closed_at": ago(49), "category": "Network"},
            {"complaint_id": "n2", "opened_at": ago(30), "closed_at": None, "category": "network", "repeat_of": "n1", "escalated": True},
            {"complaint_id": "n3", "opened_at": ago(100), "closed_at": ago(96), "category": "billing"},
            {"complaint_id": "n4", "opened_at": ago(95), "closed_at": ago(95, hours=-3), "category": None},
        ]},
        {"complaint_count_3m": 2, "complaint_count_12m": 4, "complaint_about_network_3m": 2, "complaint_about_billing_3m": 0,
         "complaint_repeat_open": 1, "days_since_escalated_complaint": 30, "complaint_close_days_last": 1,
         "complaint_first_contact_share_12m": 1 / 3},
    ),
    "made again after the month": (
        {"complaints": [
            {"complaint_id": "m1", "opened_at": ago(50), "closed_at": ago(49)},
            {"complaint_id": "m2", "opened_at": ago(19), "closed_at": ago(10), "repeat_of": "m1"},
        ]},
        {"complaint_first_contact_share_12m": 0.5, "complaint_close_days_last": 9, "complaint_repeat_open": 0},
    ),
    "asks to leave": (
        {"complaints": [
            {"complaint_id": "c1", "opened_at": ago(3), "category": "Cancellation", "escalated": True},
            {"complaint_id": "c2", "opened_at": ago(2), "category": "win_back"},
        ]},
        {"complaint_count_1m": None, "complaint_open": None, "days_since_complaint": None, "days_since_escalated_complaint": None},
    ),
    "many agreements": (
        {"contracts": [
            {"kind": "trial", "product": "TV", "starts_on": date(2022, 3, 1), "ends_on": date(2022, 4, 20)},
            {"kind": "trial", "product": "Music", "starts_on": date(2022, 3, 10), "ends_on": date(2022, 4, 10)},
            {"kind": "contract", "product": "Two", "starts_on": date(2021, 3, 1), "ends_on": date(2023, 2, 28), "penalty": Decimal("99.5")},
            {"kind": "bundle", "product": "Broadband", "starts_on": date(2021, 1, 1), "ends_on": None, "penalty": Decimal(100)},
            {"kind": "contract", "product": "Old", "starts_on": date(2019, 3, 1), "ends_on": date(2021, 2, 28), "penalty": Decimal(7)},
            {"kind": "discount", "starts_on": date(2021, 3, 1), "ends_on": date(2022, 3, 1)},
        ]},
        {"trial_days_to_end": 10, "agreement_count": 4, "contract_penalty": 199.5, "discount_ended_days": 30, "contract_ended_days": None,
         "product_count": 3, "discount_days_to_end": None},
    ),
    "pays every ten days, then waits": (
        {"payments": [{"paid_at": ago(n), "amount": Decimal(a)} for n, a in ((30, 10), (50, 20), (60, 30))]},
        {"payment_interval_mean_12m": 15, "payment_interval_ratio": 20 / 15, "payment_wait_ratio": 2, "payment_mean_12m": 20},
    ),
    "paid once": (
        {"payments": [{"paid_at": ago(4), "amount": Decimal(10)}]},
        {"payment_interval_mean_12m": None, "payment_interval_ratio": None, "payment_wait_ratio": None, "payment_mean_12m": 10},
    ),
    "paid twice at once": (
        {"payments": [{"paid_at": ago(4), "amount": Decimal(10)}] * 2},
        {"payment_interval_mean_12m": 0, "payment_interval_ratio": None, "payment_wait_ratio": None, "payment_mean_12m": 10},
    ),
    "paid within the second that a day began in": (
        {"payments": [{"paid_at": ago(1, microseconds=-1), "amount": Decimal(1)}]},
        {"days_since_payment": 1},
    ),
}  # fmt: skip


def rows_of_cases():
    rows = {"customers": []}
    for who, (tables, _) in CASES.items():
        started = date(2015, 1, 1)
        rows["customers"].append(
            {"customer_id": who, "valid_from": started, "joined_on": started, "traffic_data_consent": tables.get("consent")}
        )
        for table, lent in tables.items():
            if table == "consent":
                continue
            for n, row in enumerate(lent):
                key = {KEYS[table]: f"{who} {n}"} if table in KEYS else {}
                rows.setdefault(table, []).append({"customer_id": who} | key | {"available_at": datetime(2022, 3, 1)} | row)
    return rows


TEXTS = {
    "event_type": [
        "port_query",
        "port_authorised",
        "competitor_hotline",
        "call_forwarding",
        "bill_query",
        "suspension",
        "plan_change",
        "other",
    ],
    "category": ["network", "Billing", "CANCELLATION", "billing", None],
    "channel": ["app", "营业厅", None],
    "plan": ["S", "M", "大流量", None],
    "product": ["Gold", "宽带", None],
    "kind": ["nps", "after_complaint", None],
    "outcome": ["accepted", "Refused", "opted_out", None],
    "account_id": ["a1", "a2", None],
    "household_id": ["h1", "h2", "h3", None],
    "repeat_of": ["R1 0", "R2 1", "R3 0", None],
}


CUSTOMERS = 210
"""Enough for the base to have a season."""


def value_of(column, rng, low, high):
    """Draw a value that the contract allows: missing, zero, at the edge or usual."""
    if column.nullable and not column.required and rng.random() < 0.15:
        return None
    if column.dtype == "VARCHAR":
        return rng.choice(column.allowed or TEXTS.get(column.name, ["one", "other", None]))
    if column.dtype == "DATE":
        return low + timedelta(days=rng.randrange((high - low).days))
    if column.dtype == "TIMESTAMP":
        edge = rng.choice([NOW, NOW - timedelta(days=1), datetime(2022, 2, 27, 16), datetime(2021, 12, 30, 16)])
        spread = datetime(low.year, low.month, low.day) + timedelta(seconds=rng.random() * (high - low).total_seconds())
        return edge + timedelta(microseconds=rng.choice([-1, 0, 1, 999_999])) if rng.random() < 0.2 else spread
    if column.dtype == "BOOLEAN":
        return rng.random() < 0.5
    if column.dtype == "BIGINT":
        return rng.choice([max(int(column.minimum or 0), 0), 1, 7, rng.randrange(1, 10)])
    if column.dtype == "DOUBLE":
        return rng.choice([0.0, 1.0, rng.random()])
    least = Decimal(0) if column.minimum is not None else Decimal(-20)
    return rng.choice([least, Decimal(0), Decimal(30), Decimal(rng.randrange(10**6)) / 10000, Decimal("99999999999.9999")])


def random_rows(who, rng):
    """Rows of one customer in every table, with gaps, late rows, rows told twice and, for some, a single row."""
    rows = {}
    for table in (CONTRACT[name] for name in CONTRACT if CONTRACT[name].event and name not in ("departures", "tier_history")):
        count = rng.choice([0, 1, 8, 20] if table.event != "month" else [1, 20, 20, 20, 20])
        for n in range(count):
            low = date(2021, 12, 1) if table.name == "daily" else date(2020, 12, 1)
            row = {c.name: value_of(c, rng, low, date(2022, 5, 1)) for c in table.columns}
            row |= {"customer_id": who} | ({KEYS[table.name]: f"{who} {n}"} if table.name in KEYS else {})
            if "month" in row:
                row["month"] = date(2021 + n // 12, n % 12 + 1, 1)
            if "joined_on" in row:
                row |= {
                    "valid_from": date(2019 + n // 12, n % 12 + 1, 3),
                    "joined_on": date(2018, 2, 3),
                    "status": rng.choice(["active", None]),
                }
            if "day" in row:
                row["day"] = NEWEST - timedelta(days=2 * n if count < 12 else n)
            if rng.random() < 0.2:
                row["available_at"] = NOW + timedelta(days=rng.choice([-1, 0, 40]))
            keep = rng.random() < 0.9
            rows.setdefault(table.name, []).extend([row] if keep else [])
            if keep and rng.random() < 0.15:
                again = {
                    c.name: value_of(c, rng, low, NEWEST) for c in table.columns if c.name not in (*table.key, table.event, "customer_id")
                }
                told = row.get("available_at", datetime(2022, 1, 1))
                rows[table.name].append(row | again | {"joined_on": date(2018, 2, 3)} | {"available_at": told + timedelta(days=60)})
    return rows


def all_rows():
    """The cases by hand, and customers of every kind drawn at random."""
    rows, rng = rows_of_cases(), random.Random(7)  # noqa: S311
    started = {"valid_from": date(2018, 2, 3), "joined_on": date(2018, 2, 3)}
    for n in range(CUSTOMERS):
        rows["customers"].append({"customer_id": f"R{n}"} | started)
        for table, lent in random_rows(f"R{n}", rng).items():
            rows.setdefault(table, []).extend(lent)
    rows["departures"] = [{"customer_id": f"R{n}", "left_on": date(2021, 11, n + 1), "kind": "voluntary"} for n in range(5)]
    return rows


@pytest.fixture(scope="module")
def folder(write_rows, tmp_path_factory):
    return write_rows(tmp_path_factory.mktemp("cases"), all_rows())


@pytest.fixture(scope="module")
def found(engine, features_on, folder):
    """Features of each of two days, on one engine; the day inside a month, whose months are cut elsewhere, needs no third window."""
    windows = {AS_OF: (1, 3, 12), date(2022, 2, 17): (1, 3)}
    found = {
        day: features_on(engine, folder, Moment(day, ZONE), FeaturesConfig(windows=months, products=("Gold", "宽带")))
        for day, months in windows.items()
    }
    FOUND[engine.name] = found
    return found


FOUND = {}


@pytest.mark.parametrize("who", CASES)
def test_case(found, who):
    wanted = CASES[who][1]
    assert {name: found[AS_OF][who][name] for name in wanted} == {
        name: value if value is None else pytest.approx(value, rel=1e-12) for name, value in wanted.items()
    }


def differing(one, other):
    """Columns in which two engines differ by more than 1e-9, with an example each."""
    assert one.keys() == other.keys()
    return {
        name: (who, value, other[who][name])
        for who, row in one.items()
        for name, value in row.items()
        if value != other[who][name]
        and not (isinstance(value, float) and isinstance(other[who][name], float) and math.isclose(value, other[who][name], rel_tol=1e-9))
    }


def test_engines_agree_on_every_column_of_every_day(found):
    assert FOUND["duckdb"].keys() == found.keys()
    for day, rows in found.items():
        assert len(rows) > len(CASES) + CUSTOMERS / 2
        assert differing(FOUND["duckdb"][day], rows) == {}


def test_every_column_has_been_compared_with_values_in_it(found):
    empty = {name for row in found[AS_OF].values() for name in row if all(other[name] is None for other in found[AS_OF].values())}
    assert empty == set()


def test_a_difference_of_a_millionth_would_be_seen(found):
    who, row = next(iter(found[AS_OF].items()))
    off = {who: row | {"tenure_months": row["tenure_months"] * (1 + 1e-6)}}
    assert list(differing({who: row}, off)) == ["tenure_months"]


def test_what_announces_a_departure_is_no_feature(found):
    assert not [name for row in found[AS_OF].values() for name in row if "authorised" in name or "cancellation" in name]
