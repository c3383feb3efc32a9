"""What explained the risk on published nights, and which earlier night one is compared with."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from custvalue import publish
from custvalue.errors import DataError
from custvalue.pipeline.reasons import PORTFOLIO_FILE, published_portfolio

NIGHT = date(2026, 1, 15)


def publish_night(output: Path, day: date, share: float) -> None:
    staging = publish.stage(output, f"{day:%Y%m%d}".ljust(16, "0"))
    found = pd.DataFrame({"dimension": "all", "group": "all", "reason": ["payment"], "customers": 3, "leavers": [0.7], "named": 2})
    found.assign(share=share, named_share=2 / 3).to_parquet(staging / PORTFOLIO_FILE, index=False)
    publish.publish(output, as_of=day, run_id=f"{day:%Y%m%d}".ljust(16, "0"), staging=staging, lineage={})


def test_a_night_is_compared_with_the_newest_that_is_one_to_two_months_older(tmp_path: Path):
    for day in (date(2025, 11, 14), date(2025, 12, 1), date(2025, 12, 15), date(2025, 12, 16), NIGHT):
        publish_night(tmp_path, day, share=day.day / 100)
    found, earlier = published_portfolio(tmp_path, NIGHT)
    assert earlier == date(2025, 12, 15)
    assert set(found.share_before) == {0.15}
    _, earlier = published_portfolio(tmp_path, date(2025, 11, 14))
    assert earlier is None
    with pytest.raises(DataError, match="2025-12-10 is not published"):
        published_portfolio(tmp_path, date(2025, 12, 10))


def test_a_night_without_them_is_told(tmp_path: Path):
    staging = publish.stage(tmp_path, "other")
    (staging / "scores.parquet").write_bytes(b"scores")
    publish.publish(tmp_path, as_of=NIGHT, run_id="other", staging=staging, lineage={})
    with pytest.raises(DataError, match=f"published without {PORTFOLIO_FILE}"):
        published_portfolio(tmp_path, NIGHT)
