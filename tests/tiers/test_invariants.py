"""What holds for every base: more never lowers a tier, protection holds, and pandas computes the same."""

from datetime import date

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

AS_OF = date(2025, 12, 1)
RANK = {"gold": 0, "silver": 1, "basic": 2, "unrated": 3}
METRICS = ["revenue_mean_3m", "data_mb_mean_3m", "tenure_months"]
FEW = settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

money = st.none() | st.floats(-50, 200).map(lambda value: round(value, 2))
customer = st.fixed_dictionaries(
    {
        "revenue_mean_3m": money,
        "data_mb_mean_3m": st.none() | st.floats(0, 30_000),
        "tenure_months": st.none() | st.integers(0, 120).map(float),
        "complaint_open": st.none() | st.sampled_from([0.0, 1.0, 2.0]),
        "days_since_justified_complaint": st.none() | st.integers(0, 200).map(float),
        "before": st.none() | st.sampled_from(list(RANK)),
    }
)
bases = st.lists(customer, min_size=1, max_size=60).map(
    lambda rows: pd.DataFrame(rows).assign(customer_id=[f"c{i:03d}" for i in range(len(rows))])
)


def tables(base):
    numbers = base[[*METRICS, "complaint_open", "days_since_justified_complaint"]].astype("float64")
    features = pa.Table.from_pandas(pd.concat([base[["customer_id"]], numbers], axis=1), preserve_index=False)
    had = base[base["before"].notna()]
    previous = pa.table(
        {
            "customer_id": pa.array(had["customer_id"].tolist(), pa.string()),
            "tier": pa.array(had["before"].tolist(), pa.string()),
            "valid_from": pa.array([date(2025, 6, 1)] * len(had), pa.date32()),
        }
    )
    return ibis.memtable(features), ibis.memtable(previous)


def assign(policy, base, *, with_previous=True, fitted_on=None):
    features, previous = tables(base)
    fitted = policy.fit(tables(fitted_on)[0] if fitted_on is not None else features, as_of=AS_OF)
    result = fitted.assign(features, as_of=AS_OF, previous=previous if with_previous else None)
    return result.to_pyarrow().to_pandas().set_index("customer_id").loc[base["customer_id"]]


@FEW
@given(base=bases, metric=st.sampled_from(METRICS), more=st.floats(0, 1e4))
def test_more_of_a_metric_never_lowers_a_tier(make_policy, base, metric, more):
    richer = base.assign(**{metric: base[metric].astype("float64") + more})
    before, after = assign(make_policy(), base), assign(make_policy(), richer)
    assert (after["tier"].map(RANK) <= before["tier"].map(RANK)).all()


@FEW
@given(base=bases)
def test_protected_customers_never_fall_and_rise_as_if_unprotected(make_policy, base):
    held, free = assign(make_policy(), base), assign(make_policy(), base, with_previous=False)
    protected = (base["complaint_open"].fillna(0) > 0) | (base["days_since_justified_complaint"].astype("float64") <= 90)
    floor = base["before"].map(RANK).fillna(len(RANK)).astype(float)
    now, by_score = held["tier"].map(RANK).to_numpy(), free["tier"].map(RANK).to_numpy()
    expected = np.where(protected, np.minimum(by_score, floor), by_score)
    np.testing.assert_array_equal(now, expected)


@pytest.mark.parametrize("kind", ["thresholds", "share_of_base"])
def test_pandas_computes_the_same_on_random_customers(make_policy, shares, kind):
    rng = np.random.default_rng(11)
    count = 3000
    base = pd.DataFrame(
        {
            "customer_id": [f"c{i:05d}" for i in range(count)],
            "revenue_mean_3m": rng.lognormal(3.6, 0.72, count) - 5,
            "data_mb_mean_3m": rng.lognormal(9, 1.1, count),
            "tenure_months": rng.integers(0, 150, count).astype(float),
            "complaint_open": rng.binomial(1, 0.05, count).astype(float),
            "days_since_justified_complaint": rng.integers(0, 3000, count).astype(float),
            "before": rng.choice([*RANK, None], count),
        }
    )
    for column in METRICS:
        base.loc[rng.random(count) < 0.1, column] = np.nan

    points = (
        base["revenue_mean_3m"].fillna(0).clip(lower=0)
        + (base["data_mb_mean_3m"].fillna(0).clip(lower=0) * 0.001).clip(upper=10)
        + (base["tenure_months"].fillna(0).clip(lower=0) * 0.5).clip(upper=30)
    ).round(6)
    rated = base["tenure_months"] >= 6
    gold, silver = (100, 50) if kind == "thresholds" else np.quantile(points[rated], [0.9, 0.6])
    tier = np.select([~rated, points >= gold, points >= silver], ["unrated", "gold", "silver"], "basic")

    policy = make_policy() if kind == "thresholds" else make_policy(cuts=shares)
    result = assign(policy, base, with_previous=False)
    np.testing.assert_allclose(result["score"], points.where(rated), atol=1e-6)
    assert result["tier"].tolist() == tier.tolist()
