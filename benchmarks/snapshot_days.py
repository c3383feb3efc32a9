"""Is a model calibrated whatever the day of the month? Snapshots on mixed days beside snapshots on firsts of the month alone.

Run ``python benchmarks/snapshot_days.py [--customers N] [--seed S]``: one simulated operator, one model of each way, scored on nights of a
later month; expected and observed leavers side by side. A ratio that moves with the day is the day's doing; one that is the same for all
days of a month is the season's.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score

import custvalue
from custvalue.churn import ModelBundle, label, train_model, training_frame
from custvalue.features import build_features
from custvalue.simulate import simulate
from custvalue.sources import SourceTables

MONTHS, AS_OF, KNOWN_AT = 24, date(2025, 8, 1), date(2026, 1, 1)
NIGHTS = [date(2025, 9, day) for day in (1, 5, 9, 13, 17, 21, 25, 29)]
WAYS = ("mixed", "same")
CONFIG = {"time_zone": "Asia/Shanghai"}


def train(tables: SourceTables, way: str) -> ModelBundle:
    """Train as ``custvalue train`` does, on one way of choosing days."""
    config = custvalue.Config.model_validate(tables_config(way))
    frame, columns, spec_hash = training_frame(tables, AS_OF, config.churn, config.features)
    return train_model(frame, columns, config.churn, as_of=AS_OF, feature_spec_hash=spec_hash).bundle


def tables_config(way: str) -> dict[str, object]:
    """A config's keys; the files it names are not read here."""
    here = Path()
    named = dict.fromkeys(("workspace", "output", "tier_policy", "retention_policy", "wording"), here)
    return {"name": way, "sources": {"folder": here}, "churn": {"snapshot_days": way, "bootstrap": 50}} | named | CONFIG


def judge(tables: SourceTables, models: dict[str, ModelBundle]) -> Iterator[dict[str, object]]:
    """Give one row a night: what each model expects, and what happened."""
    config = custvalue.Config.model_validate(tables_config("mixed"))
    for night in NIGHTS:
        built = build_features(tables.known(night), tables.moment(night), config.features, delay_days=tables.delay_days)
        rows = built.table.to_pandas().merge(label(tables, night, KNOWN_AT, config.churn).to_pandas(), on="customer_id")
        rows = rows[rows.outcome <= 1]
        told: dict[str, object] = {"night": night, "customers": f"{len(rows):,}", "left": int(rows.outcome.sum())}
        for way, bundle in models.items():
            chance = bundle.calibrator.apply(bundle.raw(rows, num_threads=1))
            error = np.sqrt((chance * (1 - chance)).sum())
            told |= {
                f"{way}: expected": f"{chance.sum():.0f}",
                f"{way}: observed / expected": f"{rows.outcome.sum() / chance.sum():.3f}",
                f"{way}: in standard errors": f"{(rows.outcome.sum() - chance.sum()) / error:+.1f}",
                f"{way}: AUC": f"{roc_auc_score(rows.outcome, chance):.3f}",
            }
        yield told


def main(arguments: Sequence[str] | None = None) -> int:
    """Read the command line, print the table, and give the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--customers", type=int, default=20_000, help="simulated customers (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=7)
    told = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        simulate(Path(folder) / "data", customers=told.customers, months=MONTHS, seed=told.seed)
        tables = custvalue.open_tables(Path(folder) / "data", CONFIG)
        table = pd.DataFrame(judge(tables, {way: train(tables, way) for way in WAYS}))
    print("| " + " | ".join(table.columns) + " |")
    print("|" + "---:|" * table.shape[1])
    for row in table.itertuples(index=False):
        print("| " + " | ".join(map(str, row)) + " |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
