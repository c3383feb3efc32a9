"""The base by group, against pandas on random tables, and what is hidden."""

from __future__ import annotations

import math
from decimal import Decimal

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from custvalue.tiers.measures.summary import SUMS, summarise, with_rates

DIMENSIONS = ("tier", "segment", "region")
MONEY = pa.decimal128(18, 4)


def table(rows, money=("revenue_month", "revenue_year", "profit_month", "profit_year")):
    columns = {}
    for name in rows:
        if name in money:
            columns[name] = pa.array([Decimal(f"{value:.4f}") for value in rows[name]], MONEY)
        else:
            columns[name] = pa.array([None if value is None else value for value in rows[name]])
    return ibis.memtable(pa.table(columns))


def customers(count, seed):
    rng = np.random.default_rng(seed)
    asked = rng.integers(0, 4, count)
    answers = rng.binomial(asked, 0.6)
    satisfied = rng.binomial(answers, 0.7)
    return {
        "customer_id": [f"c{place}" for place in range(count)],
        "tier": rng.choice(["gold", "silver", "unrated"], count).tolist(),
        "segment": rng.choice(["consumer", "enterprise", None], count).tolist(),
        "region": rng.choice(["north", "south", "=east()"], count).tolist(),
        "revenue_month": rng.normal(40, 60, count).round(4).tolist(),
        "revenue_year": rng.normal(480, 600, count).round(4).tolist(),
        "profit_month": rng.normal(10, 20, count).round(4).tolist(),
        "profit_year": rng.normal(100, 200, count).round(4).tolist(),
        "complaints": rng.poisson(0.2, count).tolist(),
        "asked": asked.tolist(),
        "answers": answers.tolist(),
        "satisfied": satisfied.tolist(),
        "very_satisfied": rng.binomial(satisfied, 0.4).tolist(),
    }


def watched(count, seed):
    rng = np.random.default_rng(seed)
    return {name: rng.choice(["gold", "north", None], count).tolist() for name in DIMENSIONS} | {"left": rng.integers(0, 2, count).tolist()}


@given(count=st.integers(1, 60), seed=st.integers(0, 10_000), by=st.sets(st.sampled_from(DIMENSIONS)).map(sorted))
def test_groups_hold_what_pandas_counts_and_add_up_to_the_total(count, seed, by):
    rows, seen = customers(count, seed), watched(count, seed + 1)
    found = summarise(table(rows), table(seen), by)
    total = summarise(table(rows), table(seen), ())
    for name in ("customers", "watched", "left", *SUMS):
        assert math.isclose(found[name].sum(), total[name].iloc[0], rel_tol=1e-9, abs_tol=1e-6), name
    if by:
        frame = pd.DataFrame(rows).assign(**{name: pd.Series(rows[name], dtype=object).fillna("unknown") for name in DIMENSIONS})
        expected = frame.groupby(by)[list(SUMS)].sum().assign(customers=frame.groupby(by).size())
        there = found[found.customers > 0].set_index(by)
        pd.testing.assert_frame_equal(
            there[["customers", *SUMS]].sort_index(),
            expected[["customers", *SUMS]].sort_index(),
            check_dtype=False,
            check_index_type=False,
            check_exact=False,
            atol=1e-6,
        )


def test_what_is_not_mapped_is_not_told():
    rows = customers(40, 0)
    found = summarise(table({name: rows[name] for name in ("customer_id", "tier", "revenue_month", "revenue_year")}), None, ["tier"])
    assert list(found.columns) == ["tier", "customers", "revenue_month", "revenue_year"]
    shown = with_rates(found, total=found.sum().to_frame().T)
    assert list(shown.columns[4:]) == ["share", "revenue_share", "arpu"]


def sums(**values):
    usual = {
        "tier": "gold",
        "customers": 100,
        "revenue_month": 5000.0,
        "revenue_year": 60_000.0,
        "profit_month": 1000.0,
        "profit_year": 12_000.0,
        "complaints": 30.0,
        "asked": 80.0,
        "answers": 40.0,
        "satisfied": 30.0,
        "very_satisfied": 10.0,
        "watched": 200,
        "left": 10,
    }
    return pd.DataFrame([usual | values])


def rates(**values):
    return with_rates(sums(**values), total=sums(customers=400, revenue_year=240_000.0)).iloc[0]


def test_rates_by_hand():
    found = rates()
    assert found.share == 0.25
    assert found.revenue_share == 0.25
    assert found.arpu == 50.0
    assert found.margin == 0.2
    assert found.complaints_per_1000 == 300.0
    assert found.satisfaction == 0.75
    assert found.very_satisfied_share == 0.25
    assert found.answer_rate == 0.5
    assert found.churn == 0.05


def test_the_interval_is_wilsons():
    """10 of 200: Newcombe's (1998) formula gives 2.74 % to 8.96 %."""
    found = rates()
    assert found.churn_low == pytest.approx(0.0274, abs=5e-5)
    assert found.churn_high == pytest.approx(0.0896, abs=5e-5)
    nobody = rates(left=0)
    assert nobody.churn == nobody.churn_low == 0
    assert nobody.churn_high > 0


@pytest.mark.parametrize(("answers", "told"), [(29.0, False), (30.0, True)])
def test_few_answers_tell_no_index_but_how_many_they_are(answers, told):
    found = rates(answers=answers, satisfied=20.0)
    assert (not math.isnan(found.satisfaction)) is told
    assert (not math.isnan(found.very_satisfied_share)) is told
    assert found.answers == answers
    assert not math.isnan(found.answer_rate)


@pytest.mark.parametrize(("number", "told"), [(29, False), (30, True)])
def test_few_watched_customers_tell_no_churn(number, told):
    found = rates(watched=number, left=3)
    assert (not math.isnan(found.churn)) is told
    assert found.left == 3


def test_a_group_of_four_tells_its_size_alone():
    found = rates(customers=4, watched=4, left=1)
    told = found.drop("tier").dropna()
    assert set(told.index) == {"customers", "share", "watched"}
    assert rates(customers=5).revenue_month == 5000.0


def test_nobody_and_nothing_divide_nothing():
    found = rates(revenue_year=0.0, asked=0.0, answers=0.0, customers=0, watched=0, left=0)
    for name in ("margin", "satisfaction", "answer_rate", "churn", "arpu"):
        assert math.isnan(found[name]), name


def test_every_engine_counts_the_same(engine, tmp_path):
    rows, seen = customers(200, 3), watched(150, 4)
    paths = []
    for name, content in (("customers", rows), ("watched", seen)):
        path = tmp_path / f"{name}.parquet"
        table(content).to_parquet(path)
        paths.append(engine.read_parquet(str(path)))
    by = ("tier", "region")
    expected = summarise(table(rows), table(seen), by)
    pd.testing.assert_frame_equal(summarise(*paths, by), expected, check_exact=True, check_column_type=False)
