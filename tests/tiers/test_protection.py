"""A complaint never costs a customer his tier."""

from datetime import date

import ibis
import pandas as pd
import pytest

from custvalue.errors import ConfigError, DataError

# score points, open, days since justified, previous -> tier, reason, care priority (cuts: gold 100, silver 50)
CASES = [
    (20.0, 1.0, None, "gold", "gold", "protected_open_complaint", 2),
    (20.0, 0.0, 90.0, "silver", "silver", "protected_justified_complaint", 1),
    (20.0, 0.0, 91.0, "silver", "basic", "downgrade", 0),
    (20.0, 3.0, 5.0, "silver", "silver", "protected_open_complaint", 2),
    (120.0, 1.0, 5.0, "silver", "gold", "upgrade", 2),  # protected customers may rise
    (60.0, 1.0, None, "silver", "silver", "stays", 2),
    (20.0, 1.0, None, "unrated", "basic", "first_rating", 2),
    (20.0, 0.0, None, "gold", "basic", "downgrade", 0),
    (20.0, None, None, "gold", "basic", "downgrade", 0),
    (20.0, 1.0, None, None, "basic", "first_rating", 2),
]
LAST_YEAR = date(2024, 12, 1)


def previous_tiers(tiers, valid_from=LAST_YEAR):
    rows = [(f"c{i:04d}", tier, valid_from) for i, tier in enumerate(tiers) if tier is not None]
    return ibis.memtable(pd.DataFrame(rows, columns=["customer_id", "tier", "valid_from"]))


@pytest.fixture
def cases(make_features):
    points, is_open, justified, *_ = zip(*CASES, strict=True)
    return make_features(
        revenue_mean_3m=[value - 6 for value in points],  # tenure adds 12 * 0.5
        complaint_open=list(is_open),
        days_since_justified_complaint=list(justified),
    )


def test_tier_reason_and_care_priority_case_by_case(make_policy, cases, assigned):
    result = assigned(make_policy(), cases, previous=previous_tiers([case[3] for case in CASES]))
    assert list(zip(result["tier"], result["reason_code"], result["care_priority"], strict=True)) == [case[4:] for case in CASES]


def test_held_tier_keeps_its_day(make_policy, cases, assigned):
    result = assigned(make_policy(), cases, previous=previous_tiers([case[3] for case in CASES]))
    days = pd.to_datetime(result["valid_from"]).dt.date.tolist()
    assert [day == LAST_YEAR for day in days] == [case[3] == case[4] for case in CASES]


def test_protected_customer_is_not_dropped_to_unrated(make_policy, make_features, assigned):
    features = make_features(tenure_months=[2.0, 2.0], complaint_open=[1.0, 0.0])
    result = assigned(make_policy(), features, previous=previous_tiers(["gold", "gold"]))
    assert result["tier"].tolist() == ["gold", "unrated"]
    assert result["score"].isna().all()


@pytest.mark.parametrize(
    ("protection", "tiers"),
    [
        ({"open_complaint": False}, ["basic", "gold"]),
        ({"justified_within_days": 0}, ["gold", "basic"]),
        ({"justified_within_days": 10}, ["gold", "gold"]),
    ],
)
def test_policy_switches_each_protection(make_policy, make_features, assigned, protection, tiers):
    features = make_features(complaint_open=[1.0, 0.0], days_since_justified_complaint=[None, 0.0])
    result = assigned(make_policy(protection=protection), features, previous=previous_tiers(["gold", "gold"]))
    assert result["tier"].tolist() == tiers


def test_without_complaint_columns_nobody_is_protected_and_one_line_says_so(make_policy, make_features, as_of):
    features = make_features(revenue_mean_3m=[10.0]).drop("complaint_open", "days_since_justified_complaint")
    lines = []
    fitted = make_policy().fit(features, as_of=as_of)
    result = fitted.assign(features, as_of=as_of, previous=previous_tiers(["gold"]), log=lines.append).execute()
    assert result["tier"].tolist() == ["basic"]
    assert result["care_priority"].tolist() == [0]
    assert lines == ["tier policy test-v1: no complaint_open and no days_since_justified_complaint feature, so it protects nobody"]


def test_assigning_twice_gives_the_same_tiers_and_then_nothing_moves(make_policy, cases, as_of):
    fitted = make_policy().fit(cases, as_of=as_of)
    once = fitted.assign(cases, as_of=as_of, previous=previous_tiers([case[3] for case in CASES]))
    both = (once, fitted.assign(cases, as_of=as_of, previous=once))
    first, twice = (each.execute().set_index("customer_id").sort_index() for each in both)
    columns = ["tier", "score", "valid_from", "care_priority", "earned"]
    pd.testing.assert_frame_equal(first[columns], twice[columns])
    held = {"protected_open_complaint", "protected_justified_complaint"}
    assert set(twice["reason_code"]) - held == {"stays"}


def test_tier_of_another_policy_protects_from_nothing_and_is_counted(make_policy, make_features, as_of):
    features, lines = make_features(complaint_open=[1.0, 1.0]), []
    fitted = make_policy().fit(features, as_of=as_of)
    previous = previous_tiers(["platinum", "silver"])
    result = fitted.assign(features, as_of=as_of, previous=previous, log=lines.append).execute()
    assert result.sort_values("customer_id")["tier"].tolist() == ["basic", "silver"]
    assert [line for line in lines if "1 customers hold a tier" in line and "platinum" in line]


def test_previous_with_a_customer_twice_is_refused(make_policy, make_features, assigned):
    twice = ibis.union(previous_tiers(["gold"]), previous_tiers(["silver"]))
    with pytest.raises(DataError, match="2 rows for 1 customers"):
        assigned(make_policy(), make_features(revenue_mean_3m=[1.0]), previous=twice)


def test_previous_from_the_future_is_refused(make_policy, make_features, assigned):
    with pytest.raises(DataError, match="1 rows that are valid only from after 2025-12-01"):
        assigned(
            make_policy(),
            make_features(revenue_mean_3m=[1.0]),
            previous=previous_tiers(["gold"], valid_from=date(2025, 12, 2)),
        )


def test_previous_without_a_column_is_refused(make_policy, make_features, assigned):
    with pytest.raises(ConfigError, match="previous tiers lack valid_from"):
        assigned(make_policy(), make_features(revenue_mean_3m=[1.0]), previous=previous_tiers(["gold"]).drop("valid_from"))
