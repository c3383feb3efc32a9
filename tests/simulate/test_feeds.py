"""The usage feed fails now and then, and a scenario can make it fail on purpose."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from custvalue.simulate import load_scenario, simulate
from custvalue.simulate.catalogue import REGIONS
from custvalue.simulate.feeds import draw_outages
from custvalue.simulate.timeline import Streams, Timeline

YEARS = 20


def test_one_region_month_in_two_hundred_fails() -> None:
    timeline = Timeline(np.arange(np.datetime64("2004-01"), np.datetime64("2024-02")).astype("datetime64[D]"))
    assert timeline.months == 12 * YEARS
    shares = []
    for seed in range(10):
        outages = draw_outages(load_scenario("postpaid"), timeline, Streams(seed))
        failed = outages.days_late > 0
        shares.append(failed.mean())
        assert not (outages.lost & ~failed).any()
        assert set(np.unique(outages.days_late)) <= {0, 21, 28, 35, 42}
    assert 0.003 < np.mean(shares) < 0.007


def test_a_planned_failure_delays_one_month_and_loses_another(tmp_path: Path) -> None:
    simulate(tmp_path / "out", customers=600, months=16, seed=5, scenario="feed-outage")
    feeds = load_scenario("feed-outage").feeds
    assert feeds.late_usage_month is not None
    usage = pq.read_table(tmp_path / "out" / "usage.parquet", columns=["customer_id", "month", "available_at"]).to_pandas()
    usage["month"] = pd.to_datetime(usage["month"])
    late_month = pd.Timestamp("2024-01-01") + pd.DateOffset(months=feeds.late_usage_month)
    known = usage["available_at"] + pd.Timedelta(hours=8) - (usage["month"] + pd.DateOffset(months=1))
    assert known[usage["month"] == late_month].min() == pd.Timedelta(days=feeds.late_usage_days)
    others = usage[(usage["month"] != late_month)]
    assert (known[others.index] == pd.Timedelta(0)).mean() > 0.9
    customers = pq.read_table(tmp_path / "out" / "customers.parquet", columns=["customer_id", "region"]).to_pandas()
    region = usage["customer_id"].map(customers.drop_duplicates("customer_id").set_index("customer_id")["region"])
    lost_month = pd.Timestamp("2024-01-01") + pd.DateOffset(months=int(feeds.missing_usage_month or 0))
    rows = pd.crosstab(usage["month"], region)
    assert rows.loc[lost_month, REGIONS[feeds.missing_usage_region]] == 0
    assert (rows.loc[lost_month].drop(REGIONS[feeds.missing_usage_region]) > 0).sum() >= 4
