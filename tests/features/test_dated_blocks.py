"""Payments, complaints, contracts and profile against plain Python; and what columns that are not mapped leave of a block."""

import math
from datetime import date, datetime, timedelta
from decimal import Decimal

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from custvalue.config import FeaturesConfig
from custvalue.errors import ConfigError
from custvalue.sources import Moment

ZONE = "Asia/Shanghai"
AS_OF = date(2022, 3, 31)
NOW = datetime(2022, 3, 30, 16)  # midnight in Shanghai, as UTC
WINDOWS = (1, 3, 12)
PRODUCTS = ("Gold", "TV box", "宽带")
IDS = ("A", "B", "C")


def start(window):
    """First instant of a window, UTC: local midnight of the same day of the month, so many months back."""
    local = pd.Timestamp(AS_OF) - pd.DateOffset(months=window)
    return local.tz_localize(ZONE).tz_convert("UTC").tz_localize(None).to_pydatetime()


def days_before(time):
    return float(math.floor((NOW - time) / timedelta(days=1)))


TIMES = st.one_of(
    st.sampled_from([start(window) + timedelta(seconds=shift) for window in WINDOWS for shift in (-1, 0, 1)]),
    st.sampled_from([NOW, NOW - timedelta(days=1), NOW - timedelta(days=1, seconds=1)]),
    st.datetimes(datetime(2021, 1, 1), NOW).map(lambda time: time.replace(microsecond=0)),
)


def rows_of(customers, **tables):
    """Customers in service, and rows numbered by their key; a row is a dict without it."""
    keys = {"payments": "payment_id", "complaints": "complaint_id", "contracts": "contract_id"}
    numbered = {name: [{keys[name]: f"{i:03d}"} | row for i, row in enumerate(rows)] for name, rows in tables.items()}
    return {"customers": customers(IDS)} | numbered


@pytest.fixture(scope="module")
def features_of(open_warehouse, customers):
    """Give a function that builds one block's features of some rows."""
    warehouse = open_warehouse(zone=ZONE)
    runners = {}

    def run(table, rows):
        if table not in runners:
            only = ("customers", "departures", table)
            runners[table] = warehouse.runner(
                warehouse.build(Moment(AS_OF, ZONE), FeaturesConfig(windows=WINDOWS, products=PRODUCTS), only)
            )
        return runners[table](rows_of(customers, **{table: rows}))

    return run


PAYMENTS = st.fixed_dictionaries(
    {
        "customer_id": st.sampled_from(IDS),
        "paid_at": TIMES,
        "amount": st.integers(1, 10**7).map(lambda cents: Decimal(cents) / 100),
        "channel": st.sampled_from(["app", "shop", None]),
        "balance_after": st.none() | st.integers(-500, 10**6).map(lambda cents: Decimal(cents) / 100),
    }
)


@settings(max_examples=40)
@given(st.lists(PAYMENTS, max_size=25))
def test_payments(features_of, payments):
    found = features_of("payments", payments)
    for customer in IDS:
        own = [(row["paid_at"], i, row) for i, row in enumerate(payments) if row["customer_id"] == customer and row["paid_at"] >= start(12)]
        wanted = {"days_since_payment": None, "payment_channel": None, "balance_last": None}
        for window in WINDOWS:
            inside = [row for time, _, row in own if time >= start(window)]
            wanted[f"payment_count_{window}m"] = float(len(inside)) if own else None
            wanted[f"payment_amount_{window}m"] = float(sum(row["amount"] for row in inside)) if own else None
        if own:
            time, _, last = max(own, key=lambda item: item[:2])
            balance = last["balance_after"]
            wanted["days_since_payment"] = days_before(time)
            wanted["payment_channel"] = last["channel"]
            wanted["balance_last"] = None if balance is None else float(balance)
        assert {name: found[customer][name] for name in wanted} == wanted


COMPLAINTS = st.builds(
    lambda fields, hours: fields | {"closed_at": None if hours is None else fields["opened_at"] + timedelta(hours=hours)},
    st.fixed_dictionaries(
        {
            "customer_id": st.sampled_from(IDS),
            "opened_at": TIMES,
            "escalated": st.sampled_from([True, False, None]),
            "justified": st.sampled_from([True, False, None]),
            "repeat_of": st.sampled_from(["000", None]),
        }
    ),
    st.none() | st.integers(0, 3000),
)


@settings(max_examples=40)
@given(st.lists(COMPLAINTS, max_size=25))
def test_complaints(features_of, complaints):
    found = features_of("complaints", complaints)
    for customer in IDS:
        known = [
            row if row["closed_at"] is not None and row["closed_at"] <= NOW else row | {"closed_at": None, "justified": None}
            for row in complaints
            if row["customer_id"] == customer
        ]
        own = [row for row in known if row["opened_at"] >= start(12) or row["closed_at"] is None]
        still_open = [row["opened_at"] for row in own if row["closed_at"] is None]
        justified = [row["opened_at"] for row in own if row["justified"]]
        took = [(row["closed_at"] - row["opened_at"]) / timedelta(days=1) for row in own if row["closed_at"]]
        wanted = {
            "days_since_complaint": days_before(max(row["opened_at"] for row in own)) if own else None,
            "days_since_justified_complaint": days_before(max(justified)) if justified else None,
            "complaint_open": float(len(still_open)) if own else None,
            "complaint_open_days": days_before(min(still_open)) if still_open else None,
            "complaint_close_days_mean_12m": pytest.approx(sum(took) / len(took)) if took else None,
        }
        for window in WINDOWS:
            inside = [row for row in own if row["opened_at"] >= start(window)]
            wanted[f"complaint_count_{window}m"] = float(len(inside)) if own else None
            wanted[f"complaint_repeat_{window}m"] = float(sum(row["repeat_of"] is not None for row in inside)) if own else None
            wanted[f"complaint_escalated_{window}m"] = float(sum(bool(row["escalated"]) for row in inside)) if own else None
        assert {name: found[customer][name] for name in wanted} == wanted


def test_of_two_payments_at_one_time_the_last_id_counts_in_whatever_order_they_come(features_of):
    row = {"customer_id": "A", "paid_at": datetime(2022, 3, 1), "amount": Decimal(1)}
    payments = [row | {"payment_id": f"P{i}", "channel": f"channel {i}", "balance_after": Decimal(i)} for i in range(5)]
    for lot in (payments, payments[::-1], payments[2:] + payments[:2]):
        found = features_of("payments", lot)["A"]
        assert (found["payment_channel"], found["balance_last"]) == ("channel 4", 4)


DAYS = st.one_of(st.sampled_from([AS_OF + timedelta(days=n) for n in (-1, 0, 1)]), st.dates(date(2021, 1, 1), date(2023, 1, 1)))
CONTRACTS = st.fixed_dictionaries(
    {
        "customer_id": st.sampled_from(IDS),
        "kind": st.sampled_from(["contract", "bundle", "discount", "trial"]),
        "product": st.sampled_from([*PRODUCTS, "Silver", None]),
        "starts_on": DAYS,
        "ends_on": st.none() | DAYS,
        "monthly_fee": st.none() | st.integers(0, 10**5).map(lambda cents: Decimal(cents) / 100),
    }
)


@settings(max_examples=40)
@given(st.lists(CONTRACTS, max_size=25))
def test_contracts(features_of, contracts):
    found = features_of("contracts", [row | {"available_at": NOW} for row in contracts])
    for customer in IDS:
        own = [row | {"nth": i} for i, row in enumerate(contracts) if row["customer_id"] == customer and row["starts_on"] <= AS_OF]
        in_force = [row for row in own if row["ends_on"] is None or row["ends_on"] >= AS_OF]
        signed = [row for row in in_force if row["kind"] == "contract"]
        held = {row["product"] for row in in_force if row["kind"] in ("bundle", "trial")}
        ended = [row["ends_on"] for row in own if row["kind"] == "contract" and row not in signed]
        fees = [row["monthly_fee"] for row in in_force if row["monthly_fee"] is not None]
        newest = max(signed, key=lambda row: (row["starts_on"], row["nth"]), default={"product": None})
        wanted = {
            "contract_product": newest["product"],
            "product_count": float(len(held - {None})) if own else None,
            "contract_fee": float(sum(fees)) if fees else None,
            "contract_ended_days": float((AS_OF - max(ended)).days) if ended and not signed else None,
        }
        for kind in ("contract", "bundle", "discount"):
            ends = [row["ends_on"] for row in in_force if row["kind"] == kind and row["ends_on"]]
            wanted[f"{kind}_days_to_end"] = float((max(ends) - AS_OF).days) if ends else None
        for product, column in zip(PRODUCTS, ("product_gold", "product_tv_box", "product_宽带"), strict=True):
            wanted[column] = float(product in held) if own else None
        assert {name: found[customer][name] for name in wanted} == wanted


def test_of_two_contracts_from_one_day_the_last_id_counts_in_whatever_order_they_come(features_of):
    row = {"customer_id": "A", "kind": "contract", "starts_on": date(2022, 1, 1), "ends_on": None}
    contracts = [row | {"contract_id": f"K{i}", "product": f"Plan {i}"} for i in (3, 1, 2, 0)]
    ended = row | {"contract_id": "K9", "product": "Plan 9", "ends_on": AS_OF - timedelta(days=1)}
    for lot in ([*contracts, ended], [ended, *contracts[::-1]]):
        assert features_of("contracts", lot)["A"]["contract_product"] == "Plan 3"


def test_tenure_counts_whole_months(open_warehouse):
    wanted = {
        AS_OF: 0,
        date(2022, 3, 1): 0,
        date(2022, 2, 28): 1,
        date(2021, 3, 31): 12,
        date(2020, 12, 31): 15,
        date(2021, 4, 1): 11,
        date(2012, 3, 30): 120,
    }
    warehouse = open_warehouse(zone=ZONE)
    run = warehouse.runner(warehouse.build(Moment(AS_OF, ZONE), FeaturesConfig(windows=(1,)), ("customers", "departures")))
    rows = [{"customer_id": f"{day}", "valid_from": day, "joined_on": day, "available_at": NOW} for day in wanted]
    assert {customer: row["tenure_months"] for customer, row in run({"customers": rows}).items()} == {f"{d}": m for d, m in wanted.items()}


def test_the_profile_is_the_one_that_holds_at_the_moment(open_warehouse):
    warehouse = open_warehouse(zone=ZONE)
    run = warehouse.runner(warehouse.build(Moment(AS_OF, ZONE), FeaturesConfig(windows=(1,)), ("customers", "departures")))
    row = {"customer_id": "A", "joined_on": date(2020, 1, 1)}
    rows = [
        row | {"valid_from": date(2020, 1, 1), "plan": "S", "region": "north", "segment": "consumer"},
        row | {"valid_from": date(2021, 1, 1), "plan": "M", "region": None, "segment": "household"},
        row | {"valid_from": date(2022, 4, 1), "plan": "L", "available_at": datetime(2022, 1, 1)},  # agreed, not yet in force
    ]
    found = run({"customers": rows})["A"]
    wanted = {"tenure_months": 26, "plan": "M", "segment": "household", "region": None}
    assert {name: found[name] for name in wanted} == wanted


def test_without_a_flag_a_day_of_use_is_an_active_day(open_warehouse, customers):
    warehouse = open_warehouse(zone=ZONE, without=("daily.active", "daily.balance"))
    known = ("customers", "departures", "billing", "daily")
    run = warehouse.runner(warehouse.build(Moment(AS_OF, ZONE), FeaturesConfig(windows=(1,)), known))
    day = {"customer_id": "A", "available_at": NOW, "data_mb": Decimal(0)}
    used = [
        {"voice_minutes": Decimal(0)},
        {"voice_minutes": None},
        {"voice_minutes": Decimal(2), "data_mb": None},
        {"voice_minutes": Decimal(0), "data_mb": Decimal(1)},
        {"voice_minutes": Decimal(0)},
    ]
    rows = [day | {"day": AS_OF - timedelta(days=1 + age)} | use for age, use in enumerate(used)]
    found = run({"customers": customers(IDS), "daily": rows})["A"]
    assert (found["silent_days"], found["active_days_7d"], found["days_since_active"]) == (2, 2, 3)


def test_a_survey_without_scores_still_tells_who_answered(open_warehouse, customers):
    warehouse = open_warehouse(zone=ZONE, without=("surveys.score", "surveys.kind"))
    run = warehouse.runner(warehouse.build(Moment(AS_OF, ZONE), FeaturesConfig(windows=(1, 12)), ("customers", "departures", "surveys")))
    asked = {"customer_id": "A", "asked_at": NOW - timedelta(days=9)}
    answered = asked | {"answered_at": NOW - timedelta(days=2)}
    found = run({"customers": customers(IDS), "surveys": [asked | {"survey_id": "1"}, answered | {"survey_id": "2"}]})
    assert (found["A"]["survey_answered_share_12m"], found["A"]["days_since_survey"]) == (0.5, 2)
    assert (found["B"]["survey_never_asked"], found["A"]["survey_never_asked"]) == (1, 0)


@pytest.mark.parametrize("categories", [("network", "Network"), ("!",)])
def test_complaint_categories_that_would_share_a_column_are_refused(open_warehouse, categories):
    with pytest.raises(ConfigError, match=r"features.complaint_categories: .* give no column name of their own"):
        open_warehouse().build(Moment(AS_OF, ZONE), FeaturesConfig(complaint_categories=categories))
