"""The base by tier, counted by hand."""

import math

import ibis
import pandas as pd
import pytest

from custvalue.errors import ConfigError
from custvalue.tiers import tier_table

TIERS = pd.DataFrame({"customer_id": list("abcde"), "tier": ["gold", "basic", "basic", "unrated", "basic"]})
FEATURES = pd.DataFrame({"customer_id": list("edcba"), "revenue_mean_3m": [None, 5.0, 10.0, 25.0, 60.0]})
ORDER = ("gold", "silver", "basic")


@pytest.mark.parametrize("wrap", [lambda frame: frame, ibis.memtable], ids=["pandas", "ibis"])
def test_shares_and_arpu_by_tier_in_policy_order(wrap):
    table = tier_table(wrap(TIERS), wrap(FEATURES), order=ORDER)
    expected = pd.DataFrame(
        {
            "tier": ["gold", "silver", "basic", "unrated"],
            "customers": [1, 0, 3, 1],
            "share": [0.2, 0.0, 0.6, 0.2],
            "revenue_share": [0.6, 0.0, 0.35, 0.05],
            "arpu": [60.0, math.nan, 17.5, 5.0],
        }
    )
    pd.testing.assert_frame_equal(table, expected)


def test_base_without_revenue_has_no_revenue_shares():
    table = tier_table(TIERS, FEATURES.assign(revenue_mean_3m=0.0), order=ORDER)
    assert table["revenue_share"].isna().all()
    assert table["customers"].sum() == 5


def test_tier_outside_the_policy_is_refused():
    with pytest.raises(ConfigError, match="tiers gold occur, but the policy's are silver, basic, unrated"):
        tier_table(TIERS, FEATURES, order=("silver", "basic"))


def test_unknown_metric_is_refused():
    with pytest.raises(ConfigError, match="feature 'revenue_mean_2m' is not in the feature table"):
        tier_table(TIERS, FEATURES, order=ORDER, metric="revenue_mean_2m")
