"""Scores, cuts and reasons of single customers, computed by hand."""

import math
from datetime import date

import ibis
import numpy as np
import pandas as pd
import pytest

from custvalue.errors import ConfigError

# revenue, data MB, tenure -> points, tier; cuts: gold 100, silver 50; data 1 point a 1,000 MB (cap 10), tenure 0.5 a month (cap 30)
BY_HAND = [
    (60.0, 5_000.0, 24.0, 77.0, "silver"),  # 60 + 5 + 12
    (80.0, 90_000.0, 120.0, 120.0, "gold"),  # 80 + 10 (cap) + 30 (cap)
    (60.0, 10_000.0, 60.0, 100.0, "gold"),  # exactly at the cut is in the tier
    (59.99, 10_000.0, 60.0, 99.99, "silver"),
    (41.0, 0.0, 18.0, 50.0, "silver"),
    (-25.0, 4_000.0, 20.0, 14.0, "basic"),  # a credit note costs no points: 0 + 4 + 10
    (None, 3_000.0, 8.0, 7.0, "basic"),  # an unknown bill gives none
    (500.0, 0.0, 5.0, None, "unrated"),
    (500.0, 0.0, None, None, "unrated"),
    (20.0, 0.0, 6.0, 23.0, "basic"),  # rated from the sixth month
]


@pytest.fixture
def by_hand(make_features):
    revenue, data, tenure, _, _ = zip(*BY_HAND, strict=True)
    return make_features(revenue_mean_3m=list(revenue), data_mb_mean_3m=list(data), tenure_months=list(tenure))


def test_points_and_tiers_are_those_computed_by_hand(make_policy, by_hand, assigned):
    result = assigned(make_policy(), by_hand)
    expected = [math.nan if points is None else points for *_, points, _ in BY_HAND]
    np.testing.assert_allclose(result["score"], expected, rtol=0, atol=1e-9)
    assert result["tier"].tolist() == [tier for *_, tier in BY_HAND]


def test_reason_tells_short_from_unknown_tenure(make_policy, by_hand, assigned):
    reasons = assigned(make_policy(), by_hand)["reason_code"]
    assert reasons.tolist() == ["first_rating"] * 7 + ["unrated_short_tenure", "unrated_unknown_tenure", "first_rating"]


def test_output_has_exactly_the_promised_columns_and_types(make_policy, by_hand, as_of):
    schema = make_policy().fit(by_hand, as_of=as_of).assign(by_hand, as_of=as_of).schema()
    assert {name: str(kind.copy(nullable=True)) for name, kind in schema.items()} == {
        "customer_id": "string",
        "tier": "string",
        "score": "float64",
        "valid_from": "date",
        "valid_until": "date",
        "below_since": "date",
        "grace_until": "date",
        "reason_code": "string",
        "policy_version": "string",
        "care_priority": "int64",
        "earned": "string",
    }


def test_policy_version_is_the_label(make_policy, by_hand, assigned):
    assert set(assigned(make_policy(version=3), by_hand)["policy_version"]) == {"test-v3"}


def test_everybody_is_rated_where_no_tenure_is_asked_for(make_policy, make_features, assigned):
    result = assigned(make_policy(eligibility={}), make_features(tenure_months=[None, 0.0]))
    assert result["tier"].tolist() == ["basic", "basic"]
    assert result["score"].tolist() == [30.0, 30.0]


def test_float_dust_does_not_miss_a_cut(make_policy, make_features, assigned):
    parts = {name: {"metric": f"m{name}", "points_per_unit": 1.0} for name in "abc"}
    policy = make_policy(
        eligibility={},
        components=parts,
        cuts={"kind": "thresholds", "at_least": {"gold": 0.8, "silver": 0.6}},
    )
    assert 0.1 + 0.7 + 0.0 < 0.8  # the dust is real
    assert assigned(policy, make_features(ma=[0.1], mb=[0.7], mc=[0.0]))["tier"].tolist() == ["gold"]


def test_nan_of_an_arrow_table_is_a_missing_value(make_policy, assigned):
    import pyarrow as pa

    table = pa.table(
        {
            "customer_id": ["a", "b"],
            "revenue_mean_3m": pa.array([float("nan"), 120.0]),
            "data_mb_mean_3m": pa.array([float("nan"), float("nan")]),
            "tenure_months": pa.array([12.0, float("nan")]),
            "complaint_open": pa.array([float("nan"), 0.0]),
            "days_since_justified_complaint": pa.array([float("nan"), float("nan")]),
        }
    )
    result = assigned(make_policy(), ibis.memtable(table))
    assert result["tier"].tolist() == ["basic", "unrated"]
    assert result.loc["a", "score"] == 6.0
    assert result["care_priority"].tolist() == [0, 0]


def test_tier_that_stays_keeps_its_day_and_a_new_one_starts_at_as_of(make_policy, make_features, assigned, as_of):
    features = make_features(revenue_mean_3m=[150.0, 150.0, 10.0])
    previous = ibis.memtable(
        pd.DataFrame(
            {
                "customer_id": ["c0000", "c0001", "c9999"],
                "tier": ["gold", "silver", "gold"],
                "valid_from": [date(2025, 3, 1), date(2025, 4, 1), date(2025, 5, 1)],
            }
        )
    )
    result = assigned(make_policy(), features, previous=previous)
    assert len(result) == 3
    assert [day.isoformat() for day in pd.to_datetime(result["valid_from"]).dt.date] == [
        "2025-03-01",
        as_of.isoformat(),
        as_of.isoformat(),
    ]


@pytest.mark.parametrize("column", ["revenue_mean_3m", "tenure_months"])
def test_missing_metric_names_policy_component_metric_and_what_there_is(make_policy, make_features, as_of, column):
    features = make_features(revenue_mean_3m=[1.0]).drop(column)
    with pytest.raises(ConfigError, match=rf"test-v1, rule 'points', component '\w+': feature '{column}'.*data_mb_mean_3m"):
        make_policy().fit(features, as_of=as_of)


def test_close_names_are_offered_first(make_policy, make_features, as_of):
    features = make_features(revenue_mean_3m=[1.0]).rename(revenue_mean_2m="revenue_mean_3m")
    with pytest.raises(ConfigError, match="for example revenue_mean_2m"):
        make_policy().fit(features, as_of=as_of)


def test_text_metric_is_refused(make_policy, make_features, as_of):
    features = make_features(revenue_mean_3m=[1.0]).mutate(revenue_mean_3m=ibis.literal("12"))
    with pytest.raises(ConfigError, match="is string, not a number"):
        make_policy().fit(features, as_of=as_of)


def test_unfitted_policy_refuses_to_assign(make_policy, make_features, as_of):
    with pytest.raises(ConfigError, match="no cuts yet"):
        make_policy().assign(make_features(revenue_mean_3m=[1.0]), as_of=as_of)
