"""The policies that ship are sound, and the consumer cuts give the sizes they promise."""

from datetime import date

import ibis
import numpy as np
import pandas as pd
import pytest

from custvalue.config import load_tier_policy, ready_configs
from custvalue.tiers import TierPolicy, tier_table

FILES = sorted((ready_configs() / "tiers").glob("*.yaml"))
AS_OF = date(2025, 12, 1)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_ready_policy_is_named_after_its_file_and_says_where_it_is_from(path):
    policy = load_tier_policy(path)
    assert policy.name == path.stem
    assert policy.source


@pytest.mark.parametrize("name", ["consumer", "consumer-share"])
def test_consumer_tiers_are_near_5_15_30_50_percent_of_an_ordinary_base(name):
    rng = np.random.default_rng(5)
    count = 20_000
    bills = rng.lognormal(np.log(36), 0.72, count)
    bills[: count // 20] *= 0.05  # second SIMs that are hardly used
    features = pd.DataFrame(
        {
            "customer_id": [f"c{i:05d}" for i in range(count)],
            "revenue_mean_3m": bills,
            "data_mb_mean_3m": rng.lognormal(np.log(8_000), 1.12, count),
            "voice_minutes_mean_3m": rng.gamma(2.0, 117.0, count),
            "tenure_months": np.floor(rng.exponential(60, count)).clip(0, 240),
        }
    )
    table = ibis.memtable(features)
    policy = TierPolicy.from_yaml(ready_configs() / "tiers" / f"{name}.yaml").fit(table, as_of=AS_OF)
    sizes = tier_table(policy.assign(table, as_of=AS_OF), table, order=policy.tiers).set_index("tier")
    rated = sizes["customers"].drop("unrated")
    np.testing.assert_allclose(rated / rated.sum(), [0.05, 0.15, 0.30, 0.50], atol=0.04)
    assert sizes["arpu"].drop("unrated").is_monotonic_decreasing
