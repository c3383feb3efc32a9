"""Level, fall, trend and volatility against numpy, on histories with gaps, nulls, zeros and corrections."""

from datetime import date
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from custvalue.config import FeaturesConfig
from custvalue.sources import Moment

AS_OF = date(2022, 3, 1)
WINDOWS = (1, 2, 3, 12)
LEVELS = {
    "revenue": "billing",
    "discount": "billing",
    "voice_minutes": "usage",
    "data_mb": "usage",
    "sms_count": "usage",
    "active_days": "usage",
}
SHAPED = ("revenue", "voice_minutes", "data_mb")
COUNTED = ("voice_minutes", "data_mb")
BY_DAY = ("voice_minutes", "data_mb", "sms_count", "active_days")


def month(lag):
    return (pd.Period(AS_OF, "M") - 1 - lag).to_timestamp().date()


def thirty(lag):
    """What an amount of a month is multiplied by to be one of thirty days."""
    return 30 / pd.Period(month(lag), "M").days_in_month


@pytest.fixture(scope="module")
def features(open_warehouse):
    warehouse = open_warehouse()
    tables = ("customers", "departures", "billing", "usage")
    run = warehouse.runner(warehouse.build(Moment(AS_OF), FeaturesConfig(windows=WINDOWS), only=tables))

    def of(histories, **more):
        ids = [f"C{i}" for i in range(len(histories))]
        rows = {"customers": [{"customer_id": i, "valid_from": month(40), "joined_on": month(40)} for i in ids], "billing": [], "usage": []}
        for customer, history in zip(ids, histories, strict=True):
            for lag, amounts in history.items():
                for table in ("billing", "usage"):
                    lent = {name: value for name, value in amounts.items() if LEVELS.get(name, "billing") == table}
                    if lent:
                        rows[table].append({"customer_id": customer, "month": month(lag)} | lent)
        found = run(rows)
        return [found[i] for i in ids]

    return of


def expected(values):
    """Recompute one amount's features from lag → value, None where the month's value is unknown."""
    known = {lag: float(value) for lag, value in values.items() if value is not None}
    result = {}
    for window in WINDOWS:
        lags = np.array([lag for lag in known if lag < window])
        inside = np.array([known[lag] for lag in lags])
        mean = inside.mean() if len(inside) else None
        result[f"mean_{window}m"] = mean
        if window == 1:
            continue
        earlier = inside[lags > 0] if len(inside) else inside
        before = earlier.mean() if len(earlier) else None
        result[f"before_{window}m"] = before
        falls = before is not None and before > 1e-9 and 0 in known
        result[f"drop_{window}m"] = 1 - known[0] / before if falls else None
        if window >= 3:
            enough = len(inside) >= 3 and mean > 1e-9
            result[f"trend_{window}m"] = np.polyfit(-lags, inside, 1)[0] / mean if enough else None
            result[f"cv_{window}m"] = inside.std(ddof=1) / mean if enough else None
        result[f"zero_months_{window}m"] = float((inside == 0).sum()) if len(inside) else None
    return result


CENTS = st.one_of(st.just(0), st.integers(1, 20_000), st.integers(1, 10_000_000_000)).map(lambda value: Decimal(value) / 100)
SIGNED = st.one_of(CENTS, CENTS.map(lambda value: -value))
MONTH = st.fixed_dictionaries(
    {
        "revenue": SIGNED,
        "discount": st.none() | SIGNED,
        "voice_minutes": st.none() | CENTS,
        "data_mb": st.none() | CENTS,
        "sms_count": st.none() | st.integers(0, 5000),
        "active_days": st.none() | st.integers(0, 31),
    }
)
HISTORIES = st.lists(st.dictionaries(st.integers(-2, 14), MONTH, max_size=14), min_size=1, max_size=6)


@settings(max_examples=15)
@given(HISTORIES)
def test_every_formula_agrees_with_numpy(features, histories):
    for history, found in zip(histories, features(histories), strict=True):
        past = {lag: amounts for lag, amounts in history.items() if lag >= 0}
        for name in LEVELS:
            values = {lag: amounts[name] for lag, amounts in past.items()}
            if name in BY_DAY:
                values = {lag: None if value is None else float(value) * thirty(lag) for lag, value in values.items()}
            largest = max([abs(float(value)) for value in values.values() if value is not None], default=0.0)
            for suffix, wanted in expected(values).items():
                kind = suffix.split("_")[0]
                if (kind in ("trend", "cv") and name not in SHAPED) or (kind == "zero" and name not in COUNTED):
                    continue
                column = f"{name}_{suffix}"
                if wanted is None:
                    assert found[column] is None, column
                    continue
                mean = abs(found[f"{name}_{'before' if kind == 'drop' else 'mean'}_{suffix.split('_')[-1]}"])
                tolerance = 1e-9 * largest / mean if kind in ("drop", "trend", "cv") else 1e-9
                assert found[column] == pytest.approx(wanted, rel=1e-9, abs=max(tolerance, 1e-9)), column


def amounts(*values, name="revenue"):
    """Give a history, oldest month first."""
    return {len(values) - 1 - i: {name: value} for i, value in enumerate(values) if value is not None}


def test_a_fall_by_hand(features):
    (found,) = features([amounts(100, 100, 100, 40)])
    assert found["revenue_mean_1m"] == 40
    assert found["revenue_before_3m"] == 100
    assert found["revenue_drop_3m"] == pytest.approx(0.6)
    assert found["revenue_mean_3m"] == 80


def test_a_trend_by_hand(features):
    (found,) = features([amounts(10, 20, 30)])
    assert found["revenue_trend_3m"] == pytest.approx(0.5)  # 10 a month over a mean of 20
    assert found["revenue_cv_3m"] == pytest.approx(0.5)  # standard deviation 10


def test_a_gap_counts_neither_as_zero_nor_at_all(features):
    gap, joined = features([amounts(10, None, 30), amounts(10, 30)])
    assert gap["revenue_mean_3m"] == joined["revenue_mean_3m"] == 20
    assert gap["revenue_trend_3m"] is None
    assert gap["revenue_before_2m"] is None
    assert gap["revenue_drop_3m"] == pytest.approx(-2)


def test_one_month_of_history_has_a_level_and_nothing_else(features):
    (found,) = features([amounts(12)])
    known = {name for name, value in found.items() if name.startswith("revenue") and value is not None}
    assert known == {f"revenue_mean_{window}m" for window in WINDOWS}


def test_without_the_newest_month_there_is_no_fall(features):
    (found,) = features([amounts(10, 10, 10, None)])
    assert (found["revenue_mean_1m"], found["revenue_drop_3m"]) == (None, None)
    assert found["revenue_before_3m"] == 10


@pytest.mark.parametrize("values", [(0, 0, 0), (-10, -20, -30), (30, -40, 10)])
def test_shares_of_nothing_or_less_are_missing(features, values):
    (found,) = features([amounts(*values)])
    assert found["revenue_mean_3m"] == pytest.approx(sum(values) / 3)
    assert (found["revenue_trend_3m"], found["revenue_cv_3m"]) == (None, None)


def test_a_bill_that_never_changes_has_neither_trend_nor_volatility(features):
    bills = [[Decimal(bill)] * months for bill in ("29.85", "104.8", "33.3333", "1000000.1", "0.01") for months in (3, 5, 7, 12)]
    for found in features([amounts(*bill) for bill in bills]):
        assert [found[f"revenue_{kind}_{window}m"] for kind in ("trend", "cv", "drop") for window in (3, 12)] == [0.0] * 6


def test_a_bill_that_is_steady_again_after_a_step_has_neither_in_the_window_after_it(features):
    for before, after in ((1000, "33.3333"), ("99999999.9999", "0.07"), ("29.85", "88888888.01")):
        (found,) = features([amounts(*[Decimal(before)] * 6, *[Decimal(after)] * 3)])
        assert [found[f"revenue_{kind}_3m"] for kind in ("trend", "cv", "drop")] == [0.0] * 3
        months = np.array([float(before)] * 6 + [float(after)] * 3)
        assert found["revenue_cv_12m"] == pytest.approx(months.std(ddof=1) / months.mean(), rel=1e-9)
        assert found["revenue_trend_12m"] == pytest.approx(np.polyfit(range(9), months, 1)[0] / months.mean(), rel=1e-9)


@pytest.mark.parametrize("name", ["revenue", "data_mb", "voice_minutes"])
def test_large_amounts_do_not_overflow(features, name):
    (found,) = features([amounts(150_000, 99_999_999_999, Decimal("123456789.1234"), name=name)])
    scale = [thirty(lag) if name in BY_DAY else 1.0 for lag in (2, 1, 0)]
    assert found[f"{name}_cv_3m"] == pytest.approx(
        np.std(np.multiply([150_000, 99_999_999_999, 123456789.1234], scale), ddof=1) / found[f"{name}_mean_3m"]
    )


@pytest.mark.parametrize("name", BY_DAY)
def test_the_same_use_every_day_is_no_fall_in_february_and_no_trend(features, name):
    days = [pd.Period(month(lag), "M").days_in_month for lag in range(11, -1, -1)]
    assert days[-2:] == [31, 28]  # the newest month is a February
    a_day = 1 if name == "active_days" else 7
    (found,) = features([amounts(*[a_day * length for length in days], name=name)])
    kinds = ("drop", "trend", "cv") if name in SHAPED else ("drop",)
    assert [found[f"{name}_{kind}_{window}m"] for kind in kinds for window in (3, 12)] == [0.0] * (2 * len(kinds))
    assert {found[f"{name}_mean_{window}m"] for window in WINDOWS} == {30.0 * a_day}
    assert found.get(f"{name}_z_12m") is None


def test_days_of_a_bill_are_not_counted(features):
    """Rent is by month: a February's bill is compared as it stands."""
    (found,) = features([amounts(100, 100, 90)])
    assert found["revenue_drop_3m"] == pytest.approx(0.1)


def test_zero_months(features):
    (found,) = features([amounts(0, 5, 0, None, 0, name="data_mb")])
    assert [found[f"data_mb_zero_months_{window}m"] for window in (2, 3, 12)] == [1, 2, 3]
    assert found["voice_minutes_zero_months_12m"] is None


def test_arrears(features):
    found = features(
        [
            {0: {"revenue": 1, "arrears": 0}, 3: {"revenue": 1, "arrears": 7}, 5: {"revenue": 1, "arrears": Decimal("0.5")}},
            {0: {"revenue": 1, "arrears": 12}, 12: {"revenue": 1, "arrears": 99}},
            {1: {"revenue": 1, "arrears": 4}},
            {0: {"revenue": 1}},
        ]
    )
    assert [(row["arrears_last"], row["arrears_months_12m"]) for row in found] == [(0, 2), (12, 1), (None, 1), (None, None)]


def test_a_late_feed_moves_the_newest_month(open_warehouse, customers):
    warehouse = open_warehouse()
    settings_, moment = FeaturesConfig(windows=(1, 3)), Moment(date(2022, 3, 4))
    rows = {"customers": customers(["A"]), "billing": []}
    for lag, revenue in enumerate([5, 10, 20]):
        rows["billing"].append({"customer_id": "A", "month": month(lag), "revenue": revenue})
    prompt, late = (
        warehouse.runner(warehouse.build(moment, settings_, only=("customers", "departures", "billing"), delay_days={"billing": days}))(
            rows
        )["A"]
        for days in (0, 10)
    )
    assert (prompt["revenue_mean_1m"], prompt["revenue_before_3m"]) == (5, 15)
    assert (late["revenue_mean_1m"], late["revenue_before_3m"]) == (10, 20)
