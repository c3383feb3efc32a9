"""Check, features and tiers of six customers, worked out by hand."""

from __future__ import annotations

from datetime import date

import pandas as pd
import pytest

from custvalue import pipeline
from custvalue.errors import DataError

from .conftest import AS_OF, tables


def tiers_of(config, heard, as_of=AS_OF) -> pd.DataFrame:
    features = pipeline.build_features_at(config, as_of, reporter=heard)
    return pipeline.assign_tiers(config, as_of, features, reporter=heard).frame.set_index("customer_id")


def test_check_without_a_day_looks_at_the_contract_alone(operator, heard):
    found, freshness = pipeline.check(operator(), None, reporter=heard)
    assert freshness == []
    assert dict(found.rows) == {"customers": 6, "billing": 33, "departures": 2, "complaints": 1}
    assert heard.started == ["check"]
    assert heard.ended[0][1]["rows"]["billing"] == 33


def test_check_with_a_day_tells_the_newest_month(operator, heard):
    pipeline.check(operator(), AS_OF, reporter=heard)
    assert heard.ended[0][1]["text"].endswith("newest month 2024-06")
    with pytest.raises(DataError, match="billing: newest month 2024-06, expected 2024-07"):
        pipeline.check(operator(), date(2024, 8, 1), reporter=heard)


def test_features_are_of_active_customers_in_order_of_their_ids(operator, heard):
    built = pipeline.build_features_at(operator(), AS_OF, reporter=heard)
    assert built.frame.customer_id.tolist() == ["A", "B", "C", "D", "F"]
    assert built.frame.revenue_mean_3m.tolist() == [200, 90, 60, 30, 50]
    assert list(built.frame.columns) == ["customer_id", *(column.name for column in built.columns)]
    assert heard.ended[-1][1]["customers"] == 5


def test_tables_that_were_checked_are_not_checked_again(operator, heard):
    config = operator()
    opened, _ = pipeline.check(config, AS_OF, reporter=heard)
    pipeline.build_features_at(config, AS_OF, reporter=heard, tables=opened)
    assert heard.started == ["check", "features"]


def test_a_day_on_which_nobody_is_active_is_refused(operator, heard):
    left = pd.DataFrame([(who, date(2024, 6, 1), "voluntary") for who in "ABCDEF"], columns=["customer_id", "left_on", "kind"])
    with pytest.raises(DataError, match="no customer is active at 2024-07-01"):
        pipeline.build_features_at(operator(departures=left), AS_OF, reporter=heard)


def test_tiers_by_bill_and_tenure(operator, heard):
    tiers = tiers_of(operator(), heard)
    assert tiers.tier.to_dict() == {"A": "gold", "B": "silver", "C": "silver", "D": "basic", "F": "unrated"}
    assert set(tiers.valid_from.astype(str)) == {"2024-07-01"}
    assert heard.ended[-1][1]["text"] == "policy by-bill-v1: gold 1, silver 2, basic 1, unrated 1"


def test_the_base_by_tier_adds_up(operator, heard):
    config = operator()
    features = pipeline.build_features_at(config, AS_OF, reporter=heard)
    tiers = pipeline.assign_tiers(config, AS_OF, features, reporter=heard)
    scores = tiers.frame[["customer_id", "tier"]].merge(features.frame[["customer_id", "revenue_mean_3m"]], on="customer_id")
    table = pipeline.tiers_by_size(scores.rename(columns={"revenue_mean_3m": "arpu"}), tiers.policy.tiers).set_index("tier")
    assert list(table.index) == ["gold", "silver", "basic", "unrated"]
    assert table.customers.tolist() == [1, 2, 1, 1]
    assert table.revenue_share.tolist() == pytest.approx([200 / 430, 150 / 430, 30 / 430, 50 / 430])
    assert table.arpu.tolist() == [200, 75, 30, 50]


HISTORY = pd.DataFrame(
    [
        ("C", date(2023, 1, 1), "basic", "by-bill-v1"),
        ("C", date(2024, 2, 1), "gold", "by-bill-v1"),
        ("B", date(2024, 2, 1), "gold", "by-bill-v1"),
        ("A", date(2024, 3, 1), "gold", "by-bill-v1"),
        ("D", date(2024, 7, 1), "silver", "by-bill-v1"),
    ],
    columns=["customer_id", "valid_from", "tier", "policy_version"],
)


def test_an_open_complaint_keeps_the_tier_of_the_history(operator, heard):
    tiers = tiers_of(operator(tier_history=HISTORY), heard)
    # C complained and keeps the newest tier of the history; B did not and goes down; D's tier begins today, so it is no tier before
    assert tiers.tier.to_dict() == {"A": "gold", "B": "silver", "C": "gold", "D": "basic", "F": "unrated"}
    assert tiers.valid_from.astype(str).to_dict() == {
        "A": "2024-03-01",
        "B": "2024-07-01",
        "C": "2024-02-01",
        "D": "2024-07-01",
        "F": "2024-07-01",
    }
    assert tiers.reason_code["C"] == "protected_open_complaint"
    assert tiers.care_priority["C"] == 2


def test_what_became_of_a_night_s_customers(operator, heard):
    departures = pd.DataFrame(
        [
            ("A", date(2024, 8, 2), "voluntary"),  # after the gap of July: left
            ("B", date(2024, 10, 1), "port_out"),  # the window's last day: left
            ("C", date(2024, 10, 2), "voluntary"),  # the day after: stayed
            ("D", date(2024, 8, 1), "voluntary"),  # the gap's last day: neither
            ("E", date(2024, 3, 9), "voluntary"),  # long gone: not of this night
            ("F", date(2024, 9, 1), "non_payment"),  # another kind: neither
        ],
        columns=["customer_id", "left_on", "kind"],
    )
    config = operator(departures=departures)
    opened, _ = pipeline.check(config, AS_OF, reporter=heard)
    found = pipeline.snapshot_outcomes(config, opened, AS_OF, date(2024, 11, 1))
    assert dict(zip(found.customer_id, found.outcome, strict=True)) == {"A": 1, "B": 1, "C": 0}
    early = pipeline.snapshot_outcomes(config, opened, AS_OF, date(2024, 9, 1))
    assert dict(zip(early.customer_id, early.outcome, strict=True))["B"] == 0
    assert tables()["customers"].customer_id.isin(found.customer_id).sum() == 3
