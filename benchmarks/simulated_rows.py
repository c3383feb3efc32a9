"""What benchmarks on simulated operators share: snapshots with features, outcomes and truth, customers drawn whole, and a peer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import lightgbm as lgb
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from custvalue.churn.outcomes import label, treated
from custvalue.config import Config, load_config, ready_configs
from custvalue.features import FeatureColumn, build_features
from custvalue.sources import SourceTables, add_months, open_tables

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Rows:
    """Labelled customers of some snapshots."""

    frame: pd.DataFrame
    columns: tuple[FeatureColumn, ...]

    def take(self, mask: NDArray[np.bool_] | pd.Series) -> Rows:
        """Keep some rows."""
        return Rows(self.frame[np.asarray(mask)].reset_index(drop=True), self.columns)

    def of_horizon(self, horizon: int) -> Rows:
        """Keep who stayed or left in the window of a horizon; ``outcome`` tells which."""
        frame = self.frame.assign(outcome=self.frame[f"outcome_{horizon}"])
        return Rows(frame[frame.outcome <= 1].reset_index(drop=True), self.columns)

    @property
    def y(self) -> Floats:
        """1 for those who left in the window."""
        return self.frame.outcome.to_numpy(dtype=np.float64)


def open_operator(folder: Path, **churn: Any) -> tuple[SourceTables, Config]:
    """Open a simulated operator with the demonstration's config, and with other settings of ``churn`` where some are given."""
    config = load_config(ready_configs() / "demo.yaml")
    changed = {"sources": config.sources.model_copy(update={"folder": folder}), "churn": config.churn.model_copy(update=churn)}
    config = config.model_copy(update=changed)
    return open_tables(config), config


def night_rows(tables: SourceTables, truth: pd.DataFrame, night: date, known_at: date, config: Config) -> Rows:
    """Give features, ``outcome`` (0 or 1) and the month's truth of those whom nobody called while the window ran."""
    built = build_features(tables.known(night), tables.moment(night), config.features, delay_days=tables.delay_days)
    frame = built.table.to_pandas().merge(label(tables, night, known_at, config.churn).to_pandas(), on="customer_id")
    contacted = treated(tables, night, known_at, config.churn)
    called = frame.customer_id.isin([] if contacted is None else contacted.to_pandas().customer_id)
    frame = frame[(frame.outcome <= 1) & ~called].merge(
        truth[truth.month == add_months(night, -1)], on="customer_id", suffixes=("", "_of_truth")
    )
    return Rows(frame.assign(night=night).reset_index(drop=True), built.columns)


def share_of_customers(ids: pd.Series, share: float, seed: int) -> NDArray[np.bool_]:
    """Draw whole customers."""
    codes, names = pd.factorize(ids, sort=True)
    return np.asarray(np.random.default_rng(seed).random(len(names)) < share)[codes]


def rank_by_boosting(
    learn: pd.DataFrame, y: Floats, ids: pd.Series, judge: pd.DataFrame, columns: Sequence[FeatureColumn], seed: int
) -> Floats:
    """Fit LightGBM on all features; a fifth of the learning customers stops it."""
    levels = {c.name: sorted(learn[c.name].dropna().unique()) for c in columns if c.kind == "category"}

    def typed(rows: pd.DataFrame) -> pd.DataFrame:
        coded = {name: pd.Categorical(rows[name].where(rows[name].isin(known)), known) for name, known in levels.items()}
        return rows[[column.name for column in columns]].assign(**coded)

    stops = share_of_customers(ids, 0.2, seed + 100)
    X = typed(learn)
    settings = {"objective": "binary", "learning_rate": 0.04, "num_leaves": 15, "min_data_in_leaf": 100, "feature_fraction": 0.4}
    settings |= {"lambda_l2": 10.0, "bagging_fraction": 0.8, "bagging_freq": 1, "seed": seed, "num_threads": 1, "verbosity": -1}
    parts = [lgb.Dataset(X[mask], y[mask], free_raw_data=False) for mask in (~stops, stops)]
    booster = lgb.train(settings, parts[0], 1000, valid_sets=[parts[1]], callbacks=[lgb.early_stopping(40, verbose=False)])
    return np.asarray(booster.predict(typed(judge)))
