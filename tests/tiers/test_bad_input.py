"""What is wrong with a base or with previous tiers is told, or has a defined result."""

from datetime import date

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from custvalue.errors import ConfigError, DataError


def previous(**columns):
    usual = {"customer_id": ["c0000"], "tier": ["gold"], "valid_from": [date(2025, 6, 1)]}
    return pa.table(usual | columns)


def test_all_equal_scores_are_all_in_the_tier_whose_cut_they_reach(make_policy, shares, make_features, assigned, as_of):
    features = make_features(revenue_mean_3m=[44.0] * 5)  # 44 + 6 for the tenure
    assert set(assigned(make_policy(), features)["tier"]) == {"silver"}
    lines = []
    fitted = make_policy(cuts=shares).fit(features, as_of=as_of, log=lines.append)
    assert set(fitted.assign(features, as_of=as_of).to_pandas()["tier"]) == {"gold"}
    assert lines == ["tier policy test-v1: many equal scores, so gold takes all of silver (cut 50)"]


def test_a_base_of_negative_revenue_is_rated_by_the_rest(make_policy, make_features, assigned):
    result = assigned(make_policy(), make_features(revenue_mean_3m=[-500.0, -0.01]))
    assert result["score"].tolist() == [6.0, 6.0]


def test_infinite_and_nan_values_are_unknown(make_policy, make_features, assigned):
    result = assigned(make_policy(), make_features(revenue_mean_3m=[np.inf, -np.inf, np.nan, 100.0]))
    assert result["score"].tolist() == [6.0, 6.0, 6.0, 106.0]


def test_nobody_rated_is_a_result_for_thresholds(make_policy, make_features, assigned):
    assert set(assigned(make_policy(), make_features(tenure_months=[1.0, None]))["tier"]) == {"unrated"}


def test_no_customers_at_all_is_an_empty_rating(make_policy, make_features, as_of):
    features = make_features(revenue_mean_3m=[1.0]).filter(ibis.literal(False))
    assert make_policy().fit(features, as_of=as_of).assign(features, as_of=as_of).to_pyarrow().num_rows == 0


@pytest.mark.parametrize("bill", [[0.0, -5.0], [None, None]])
def test_shares_of_revenue_that_nobody_brings_are_refused(make_policy, make_features, as_of, bill):
    cuts = {"kind": "share_of_revenue", "shares": {"gold": 0.5, "silver": 0.3}, "of": "bill"}
    with pytest.raises(DataError, match=r"no rated customer has a positive bill.*cuts\.of"):
        make_policy(cuts=cuts).fit(make_features(revenue_mean_3m=[1.0, 2.0], bill=bill), as_of=as_of)


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"level": "household"}, "level household: column 'household_id' is not in the table"),
        ({"eligibility": {"segments": ["consumer"]}}, r"eligibility\.segments: feature 'segment' is not in the feature table"),
        (
            {"adjustments": [{"name": "vip", "when": [{"metric": "staff", "at_least": 1}], "exactly": "gold"}]},
            "adjustment 'vip': feature 'staff' is not in the feature table",
        ),
        (
            {"adjustments": [{"name": "vip", "when": [{"metric": "tenure_months", "among": ["12"]}], "exactly": "gold"}]},
            "adjustment 'vip': feature 'tenure_months' is float64, not a text",
        ),
        ({"factors": {"f": {"metric": "age", "bands": {1: 2}}}}, "rule 'points', factor 'f': feature 'age' is not"),
        (
            {"cuts": {"kind": "share_of_revenue", "shares": {"gold": 0.5, "silver": 0.3}, "of": "bil"}},
            r"rule 'points', cuts\.of: feature 'bil'",
        ),
    ],
)
def test_a_column_that_the_policy_reads_is_missed_by_name(make_policy, make_features, as_of, parts, message):
    with pytest.raises(ConfigError, match=message):
        make_policy(**parts).fit(make_features(revenue_mean_3m=[1.0]), as_of=as_of)


def test_previous_tiers_may_lack_all_that_is_not_needed(make_policy, make_features, assigned):
    policy = make_policy(stability={"validity_months": 6, "months_before_downgrade": 2})
    row = assigned(policy, make_features(revenue_mean_3m=[10.0]), previous=previous()).loc["c0000"]
    assert (row["tier"], row["reason_code"], row["below_since"].date().isoformat()) == ("gold", "below_too_briefly", "2025-12-01")


def test_previous_tiers_may_hold_columns_of_nothing_and_others(make_policy, make_features, assigned):
    nothing = pa.nulls(1)
    before = previous(
        valid_until=nothing, below_since=nothing, grace_until=nothing, policy_version=nothing, reason_code=nothing, note=["x"]
    )
    assert assigned(make_policy(), make_features(revenue_mean_3m=[200.0]), previous=before).loc["c0000", "reason_code"] == "stays"


def test_a_previous_tier_of_nobody_and_a_missing_day_protect_as_far_as_known(make_policy, make_features, assigned, as_of):
    before = previous(valid_from=pa.array([None], pa.date32()))
    row = assigned(make_policy(), make_features(revenue_mean_3m=[200.0]), previous=before).loc["c0000"]
    assert (row["tier"], row["reason_code"], row["valid_from"].date().isoformat()) == ("gold", "stays", as_of.isoformat())


def test_a_null_tier_is_no_tier(make_policy, make_features, assigned):
    row = assigned(make_policy(), make_features(revenue_mean_3m=[200.0]), previous=previous(tier=pa.array([None], pa.string()))).loc[
        "c0000"
    ]
    assert (row["tier"], row["reason_code"]) == ("gold", "first_rating")


def test_previous_without_a_customer_is_refused(make_policy, make_features, assigned):
    before = pa.concat_tables([previous(), previous(customer_id=pa.array([None], pa.string()))])
    with pytest.raises(DataError, match="2 rows for 1 customers"):
        assigned(make_policy(), make_features(revenue_mean_3m=[1.0]), previous=before)


@pytest.mark.parametrize("kind", ["pandas", "arrow"])
def test_frames_in_memory_give_pandas_in_their_order(make_policy, make_features, as_of, kind):
    features = make_features(customer_id=["z", "a", "m"], revenue_mean_3m=[150.0, 60.0, 1.0])
    frame = features.to_pandas() if kind == "pandas" else features.to_pyarrow()
    fitted = make_policy().fit(frame, as_of=as_of)
    once = fitted.assign(frame, as_of=as_of)
    twice = fitted.assign(frame, as_of=as_of, previous=once)
    assert isinstance(once, pd.DataFrame)
    assert once["customer_id"].tolist() == ["z", "a", "m"]
    assert once["tier"].tolist() == twice["tier"].tolist() == ["gold", "silver", "basic"]
    assert twice["reason_code"].tolist() == ["stays"] * 3


def test_what_is_no_table_is_refused(make_policy, as_of):
    with pytest.raises(ConfigError, match="takes Ibis, pandas or Arrow tables, not list"):
        make_policy().fit([1, 2], as_of=as_of)


def test_a_frame_of_mixed_types_is_refused(make_policy, as_of):
    with pytest.raises(DataError, match="does not convert to Arrow"):
        make_policy().fit(pd.DataFrame({"customer_id": ["a", 1]}), as_of=as_of)
