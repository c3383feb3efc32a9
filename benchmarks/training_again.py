"""What training again on all that was over before the test slice is worth, on later nights of simulated operators.

Run ``python benchmarks/training_again.py [--customers N] [--scenarios …] [--seeds …]``. Ways: the slices' own model; what ``custvalue
train`` does, which trains its members again by halves of the customers and calibrates them anew; and the same with the calibrator of the
slices. Nobody whom a campaign reached is judged.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

import lightgbm
import numpy as np
import pandas as pd
from simulated_rows import Rows, night_rows, open_operator

from custvalue import metrics
from custvalue.churn import TrainingFrame, training_frame
from custvalue.churn.boosting import Fit, fit_by_month
from custvalue.churn.encoding import encode_columns
from custvalue.churn.refitting import train_again
from custvalue.churn.splits import split
from custvalue.config import ChurnConfig
from custvalue.features import FeatureColumn
from custvalue.simulate import simulate
from custvalue.sources import add_months

START, ORIGIN, NIGHTS, MONTHS = date(2023, 7, 1), 21, range(7), 30
MEASURES = ("AUC", "lift at 10 %", "log loss", "excess calibration error", "observed / expected")


def fits(frame: TrainingFrame, columns: Sequence[FeatureColumn], settings: ChurnConfig) -> Iterator[tuple[str, Fit]]:
    """Give each way's model, or none where the history is too short for slices by month."""
    slices = split(frame, settings)
    if slices.refit is None:
        print(slices.why, file=sys.stderr, flush=True)
        return
    train, stop, calibrate = (frame.take(slices[name].rows) for name in ("train", "stop", "calibrate"))
    first = fit_by_month(train, stop, calibrate, columns, settings)
    again = train_again(first, train, frame.take(slices.refit.rows), slices["calibrate"].snapshots, columns, settings)
    yield "slices alone", first
    yield "trained again, calibrator of the slices", replace(again, calibrator=first.calibrator)
    yield "trained again, calibrated by halves", again


def judged(fit: Fit, columns: Sequence[FeatureColumn], nights: Rows) -> dict[str, float]:
    """Measure a model on each night, and give the means."""
    shape = [(column.name, column.kind) for column in columns]
    raw = lightgbm.Booster(model_str=fit.model_text).predict(encode_columns(nights.frame, shape, fit.vocabularies), raw_score=True)
    probability = fit.calibrator.apply(raw)
    found = []
    for _, rows in nights.frame.groupby("night"):
        y, p = rows.outcome.to_numpy(dtype=np.float64), probability[rows.index]
        excess = metrics.expected_calibration_error(y, p, 10) - metrics.perfect_calibration_error(p, 10)
        found.append((metrics.roc_auc(y, p), metrics.lift_score(y, p, 0.1), metrics.log_loss(y, p), excess, y.sum() / p.sum()))
    return dict(zip(MEASURES, np.mean(found, axis=0).tolist(), strict=True))


def judge_operator(folder: Path, scenario: str, seed: int, customers: int) -> Iterator[dict[str, object]]:
    """Simulate an operator, train every way, and judge it."""
    simulate(folder, customers=customers, months=MONTHS, seed=seed, start=START, scenario=scenario)
    tables, config = open_operator(folder)
    as_of, truth = add_months(START, ORIGIN), pd.read_parquet(folder / "truth" / "states.parquet")
    frame, columns, _ = training_frame(tables, as_of, config.churn, config.features)
    parts = [night_rows(tables, truth, add_months(as_of, month), add_months(START, MONTHS), config) for month in NIGHTS]
    nights = Rows(pd.concat([part.frame for part in parts], ignore_index=True), parts[0].columns)
    for way, fit in fits(frame, columns, config.churn):
        print(f"{scenario}, seed {seed}: {way}", file=sys.stderr, flush=True)
        yield {"scenario": scenario, "way": way, **judged(fit, columns, nights)}


def main(arguments: Sequence[str] | None = None) -> int:
    """Read the command line, print the table, and give the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--customers", type=int, default=20_000, help="first customers of each operator (default: %(default)s)")
    parser.add_argument("--scenarios", nargs="+", default=["postpaid", "enterprise"])
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    chosen = parser.parse_args(arguments)
    found: list[dict[str, object]] = []
    for scenario in chosen.scenarios:
        for seed in chosen.seeds:
            with tempfile.TemporaryDirectory() as folder:
                found += judge_operator(Path(folder) / "data", scenario, seed, chosen.customers)
    print(f"{chosen.customers:,} customers an operator, seeds {chosen.seeds}: means over {len(NIGHTS)} nights and the seeds.\n")
    print(f"| scenario | model | {' | '.join(MEASURES)} |\n|---|---|" + "---:|" * len(MEASURES))
    for (scenario, way), rows in pd.DataFrame(found).groupby(["scenario", "way"], sort=False):
        auc, lift, loss, excess, level = rows[list(MEASURES)].mean()
        print(f"| {scenario} | {way} | {auc:.4f} | {lift:.2f} | {loss:.4f} | {excess:.4f} | {level:.2f} |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
