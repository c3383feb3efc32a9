"""Trap 13: February and holidays, when everybody uses less."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from custvalue.churn import TrainingFrame, train_model
from custvalue.churn.leakage import Evidence, find_leaks
from custvalue.config import ChurnConfig
from custvalue.features import FeatureColumn

from .conftest import told

SETTINGS = ChurnConfig(gap_months=0, horizon_months=1, small_leavers=60, bootstrap=50, max_rounds=300)
COLUMNS = (FeatureColumn(name="use_drop", en="drop", zh="drop", unit="share", null="never", reason="use"),)
MARCH = np.datetime64("2024-03-01")


def snapshots(*, season):
    """Fourteen months in which a real fall in use raises the risk, and February's days lower everybody's use by a seventh."""
    random = np.random.default_rng(4)
    parts = []
    for month in range(15):
        n = 1_500
        own = random.normal(0, 0.12, n)
        y = random.random(n) < 1 / (1 + np.exp(3.2 - 8 * own))
        day = np.datetime64(f"{2023 + month // 12}-{1 + month % 12:02d}-01")
        told = own + (0.14 if season and month % 12 == 2 else 0.0)
        parts.append(pd.DataFrame({"use_drop": told, "y": y, "day": day, "customer": [f"{month}-{who}" for who in range(n)]}))
    rows = pd.concat(parts, ignore_index=True)
    days = rows.day.to_numpy("datetime64[D]")
    return TrainingFrame(rows[["use_drop"]], rows.y.to_numpy(np.int8), rows.customer.to_numpy(object), days)


@pytest.fixture(scope="module")
def seasonal():
    return snapshots(season=True)


def test_a_fixed_limit_cries_wolf_in_march(seasonal):
    flagged = pd.Series(seasonal.X["use_drop"].to_numpy() > 0.15).groupby(seasonal.snapshot).mean()
    left = pd.Series(seasonal.y).groupby(seasonal.snapshot).mean()
    assert flagged[MARCH] > 3 * flagged.median()
    assert left[MARCH] < 1.3 * left.median()


def test_the_snapshot_is_named(seasonal):
    entries = find_leaks(Evidence(seasonal, COLUMNS, SETTINGS, date(2024, 6, 1))).standing("noted")
    assert any("at snapshot 2024-03-01 it differs for everybody" in entry.finding.seen for entry in entries)
    assert {entry.finding.subject for entry in entries} == {"use_drop"}
    assert find_leaks(Evidence(snapshots(season=False), COLUMNS, SETTINGS, date(2024, 6, 1))).reported == ()


def test_the_months_that_judge_a_model_hold_the_season_against_it(seasonal):
    """The newest months test, February's fall among them: what it costs shows in the measured calibration."""
    calm = train_model(snapshots(season=False), COLUMNS, SETTINGS, as_of=date(2024, 6, 1), feature_spec_hash="none")
    fooled = train_model(seasonal, COLUMNS, SETTINGS, as_of=date(2024, 6, 1), feature_spec_hash="none")
    assert date(2024, 3, 1) in fooled.slices["test"].snapshots
    assert fooled.evaluation.metrics["calibration_error"].value > 2 * calm.evaluation.metrics["calibration_error"].value


def test_features_of_the_package_are_watched_too(honest, gather):
    """A week of holidays in February: the snapshot after it is named where a column of the real features falls with it."""
    february = pd.to_datetime(honest["usage"].month) == "2024-02-01"
    usage = honest["usage"].assign(
        **{name: (honest["usage"][name] * np.where(february, 0.7, 1.0)).round(1) for name in ("data_mb", "voice_minutes")}
    )
    settings = {"gap_months": 0, "horizon_months": 1, "snapshots": 4, "snapshot_days": "same"}
    seen = told(gather(honest | {"usage": usage}, **settings), "shifts")
    assert any("at snapshot 2024-03-01" in text for text in seen.values())
