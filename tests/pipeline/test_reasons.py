"""Reasons of a whole night: whose they are, what they add up to, and which earlier night they are compared with."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from custvalue import publish
from custvalue.config import ready_configs
from custvalue.errors import DataError
from custvalue.explain import load_wording
from custvalue.features import FeatureColumn
from custvalue.pipeline import reasons as room
from custvalue.pipeline.reasons import PORTFOLIO_FIGURE, PORTFOLIO_FILE, REASONS_FILE, NightReasons, explain_everyone, published_portfolio

NIGHT = date(2026, 1, 15)
COLUMNS = tuple(
    FeatureColumn(name=name, en=name, zh=name, unit=unit, null="none", reason=reason)
    for name, unit, reason in [("days_since_payment", "days", "payment"), ("silent_days", "days", "silence")]
)


class Contributions:
    """A model of two columns whose contributions are a tenth of the days, whatever the row's place."""

    @staticmethod
    def contributions(facts: pd.DataFrame) -> np.ndarray:
        return np.column_stack([facts[column.name] / 10 for column in COLUMNS] + [np.zeros(len(facts))])


@pytest.fixture
def night(monkeypatch: pytest.MonkeyPatch) -> NightReasons:
    monkeypatch.setattr(room, "_BATCH", 2)
    facts = pd.DataFrame({"customer_id": ["a", "b", "c"], "days_since_payment": [60.0, 5.0, 50.0], "silent_days": [20.0, 30.0, 0.0]})
    scored = pd.DataFrame({"customer_id": ["c", "a", "b"], "probability": [0.1, 0.4, 0.2], "tier": ["basic", "gold", "gold"]})
    wording = load_wording(ready_configs() / "wording")
    features = SimpleNamespace(frame=facts, columns=COLUMNS)
    return explain_everyone(features, scored, Contributions(), wording, currency="CNY", as_of=NIGHT)


def test_everybody_has_reasons_whatever_the_batch_and_the_order_of_the_scores(night: NightReasons):
    assert night.table["customer_id"].to_pylist() == ["a", "b", "c"]
    assert night.table["reason_codes"].to_pylist() == [["payment", "silence"], ["silence"], ["payment"]]
    assert [own[0].en for own in night.of(["c", "a"])] == ["No payment for 50 days", "No payment for 60 days"]
    found = night.portfolio.set_index(["group", "reason"]).leavers
    # a: 6 to 2 of 0.4; b: 0.5 to 3 of 0.2; c: all of 0.1
    assert found["gold"].to_dict() == pytest.approx({"payment": 0.3 + 0.2 / 7, "silence": 0.1 + 0.2 * 6 / 7})
    assert found["basic"].to_dict() == pytest.approx({"payment": 0.1})


def test_a_night_is_compared_with_the_newest_that_is_one_to_two_months_older(night: NightReasons, tmp_path: Path):
    for day in (date(2025, 11, 14), date(2025, 12, 1), date(2025, 12, 15), date(2025, 12, 16), NIGHT):
        staging = publish.stage(tmp_path, f"{day:%Y%m%d}".ljust(16, "0"))
        (staging / "scores.parquet").write_bytes(b"scores")
        night.save(staging, load_wording(ready_configs() / "wording"), language="zh", tiers=("gold", "basic"))
        night.portfolio.assign(share=day.day / 100).to_parquet(staging / PORTFOLIO_FILE, index=False)
        publish.publish(tmp_path, as_of=day, run_id=f"{day:%Y%m%d}".ljust(16, "0"), staging=staging, lineage={})
    found, earlier = published_portfolio(tmp_path, NIGHT)
    assert earlier == date(2025, 12, 15)
    assert set(found.share_before) == {0.15}
    _, earlier = published_portfolio(tmp_path, date(2025, 11, 14))
    assert earlier is None
    with pytest.raises(DataError, match="2025-12-10 is not published"):
        published_portfolio(tmp_path, date(2025, 12, 10))


def test_what_a_night_writes(night: NightReasons, tmp_path: Path):
    night.save(tmp_path, load_wording(ready_configs() / "wording"), language="en", tiers=("gold", "basic"))
    assert {path.name for path in tmp_path.iterdir()} == {REASONS_FILE, PORTFOLIO_FILE, PORTFOLIO_FIGURE}
    assert pq.read_table(tmp_path / REASONS_FILE).equals(night.table)
    assert pd.read_parquet(tmp_path / PORTFOLIO_FILE).share.tolist() == pytest.approx(night.portfolio.share.tolist())
