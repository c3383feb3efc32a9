"""How near custvalue's churn model comes to what can be known of simulated operators, how long it stays so, and what a launch does to it.

Run ``python benchmarks/churn_simulated.py [--customers N] [--scenarios …] [--seeds …] [--origins …]``. From the first customers of an
operator a fifth is set aside to judge; custvalue learns from a tenth of the others, LightGBM from the same tenth and from all of them, each
at every origin. Nights are the firsts of the months from an origin on; nobody whom a campaign reached is judged.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml
from simulated_rows import Floats, Rows, night_rows, open_operator, rank_by_boosting, share_of_customers

from custvalue import metrics
from custvalue.churn import TrainingFrame, train_model, training_frame
from custvalue.config import Config
from custvalue.simulate import simulate
from custvalue.sources import SourceTables, add_months

START, MONTHS_AFTER = date(2023, 7, 1), 12
NIGHTS = 7
"""Firsts of months judged from an origin on; their outcomes, and silence, which is known three months later, need `MONTHS_AFTER`."""
JUDGED_SHARE, FEWER = 0.2, 10
OURS, SAME, MORE = "custvalue", "LightGBM, same customers", f"LightGBM, {FEWER} times the customers"
OBSERVED, HIDDEN = "oracle on what can be observed", "oracle on the hidden state"
FIRST = 3
"""Nights of an origin over which ranking is averaged: a model is retrained about so often."""
KINDS = {"prepaid": ("voluntary", "port_out", "silence")}
LAUNCH = "tariff-launch"
RETRAINED_AFTER = 5
"""Months after a launch until the retrained model has seen some of its outcomes."""


@dataclass(frozen=True)
class Operator:
    """One simulated operator, opened."""

    name: str
    seed: int
    tables: SourceTables
    config: Config
    truth: pd.DataFrame
    known_at: date


def operator(folder: Path, name: str, seed: int, customers: int, origins: Sequence[int]) -> Operator:
    """Simulate an operator; a launch comes at the last origin, so that a model trained there knows nothing of it."""
    months, scenario = max(origins) + MONTHS_AFTER, name
    if name == LAUNCH:
        scenario = str(folder / "launch.yaml")
        launch = {"month": max(origins), "moves": 0.12, "beyond": 0.25, "symptoms": 0.35, "moved": -0.4, "left_behind": 0.3}
        Path(scenario).write_text(yaml.safe_dump({"launch": launch, "price_rises": []}))
    simulate(folder / "data", customers=customers, months=months, seed=seed, start=START, scenario=scenario)
    kinds = {"kinds": KINDS[name]} if name in KINDS else {}
    tables, config = open_operator(folder / "data", bootstrap=50, **kinds)
    truth = pd.read_parquet(folder / "data" / "truth" / "states.parquet")
    return Operator(name, seed, tables, config, truth, add_months(START, months))


def held_out(ids: pd.Series, seed: int) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Tell who judges: the same customers, whatever the rows."""
    codes, names = pd.factorize(ids)
    numbers = pd.util.hash_array(np.asarray(names, dtype=object), hash_key=f"{seed:016d}") / 2.0**64
    return np.asarray(numbers < JUDGED_SHARE)[codes]


def trained(operator: Operator, as_of: date, nights: Rows, *, peers: bool) -> dict[str, Floats]:
    """Train at a day on customers who do not judge, and score the judged rows."""
    config = operator.config
    frame, columns, spec = training_frame(operator.tables, as_of, config.churn, config.features)
    frame = frame.take(~held_out(pd.Series(frame.customer), operator.seed))
    few = frame.take(share_of_customers(pd.Series(frame.customer), 1 / FEWER, operator.seed))
    model = train_model(few, columns, config.churn, as_of=as_of, feature_spec_hash=spec)
    told(operator, f"trained at {as_of}: {few.leavers:,} leavers of {len(few):,} rows, {model.slices.way}")
    scores = {OURS: model.bundle.predict_proba(nights.frame)}
    if peers:
        scores |= {name: _peer(rows, nights, columns, operator.seed) for name, rows in ((SAME, few), (MORE, frame))}
    return scores


def _peer(rows: TrainingFrame, nights: Rows, columns: Sequence[Any], seed: int) -> Floats:
    return rank_by_boosting(rows.X, rows.y.astype(np.float64), pd.Series(rows.customer), nights.frame, columns, seed)


def judged_nights(operator: Operator, as_of: date, months: Sequence[int]) -> Rows:
    """Stack the judged customers of the nights so many months after a day."""
    parts = []
    for month in months:
        rows = night_rows(operator.tables, operator.truth, add_months(as_of, month), operator.known_at, operator.config)
        rows = rows.take(held_out(rows.frame.customer_id, operator.seed))
        parts.append(Rows(rows.frame.assign(month=month), rows.columns))
    return Rows(pd.concat([part.frame for part in parts], ignore_index=True), parts[0].columns)


def measured(nights: Rows, scores: dict[str, Floats], **where: object) -> Iterator[dict[str, object]]:
    """Give one row a night and way of ranking."""
    for month, rows in nights.frame.groupby("month"):
        y = rows.outcome.to_numpy(dtype=np.float64)
        for way, scored in scores.items():
            p = np.clip(scored[rows.index], 1e-6, 1 - 1e-6)
            excess = metrics.expected_calibration_error(y, p, 10) - metrics.perfect_calibration_error(p, 10)
            found = {"auc": metrics.roc_auc(y, p), "lift": metrics.lift_score(y, p, 0.1), "log_loss": metrics.log_loss(y, p)}
            yield {**where, "month": month, "way": way, **found, "left": y.sum(), "expected": p.sum(), "excess": excess}


def judge_origin(operator: Operator, origin: int) -> Iterator[dict[str, object]]:
    """Train every way at an origin and measure it on the nights that follow."""
    as_of = add_months(START, origin)
    nights = judged_nights(operator, as_of, range(NIGHTS))
    scores = trained(operator, as_of, nights, peers=True)
    window = f"gap{operator.config.churn.gap_months}_horizon{operator.config.churn.horizon_months}"
    for name, column in ((OBSERVED, "observed"), (HIDDEN, "leaving")):
        chance = nights.frame[f"{column}_{window}"]
        scores[name] = chance.fillna(chance.mean()).to_numpy(dtype=np.float64)
    yield from measured(nights, scores, scenario=operator.name, seed=operator.seed, origin=origin)


def judge_launch(operator: Operator, launch: int) -> Iterator[dict[str, object]]:
    """Measure, on nights after a launch, the model from before it and one trained when its first outcomes are known."""
    before, after = add_months(START, launch), add_months(START, launch + RETRAINED_AFTER)
    nights = judged_nights(operator, after, range(FIRST))
    scores = {"trained before the launch": trained(operator, before, nights, peers=False)[OURS]}
    scores[f"retrained {RETRAINED_AFTER} months after it"] = trained(operator, after, nights, peers=False)[OURS]
    yield from measured(nights, scores, scenario=operator.name, seed=operator.seed, origin=launch)


def told(operator: Operator, line: str) -> None:
    """Write a line of progress."""
    print(f"{operator.name}, seed {operator.seed}: {line}", file=sys.stderr, flush=True)


def reach_table(found: pd.DataFrame) -> list[str]:
    """Lift at 10 % of the first nights, and what share of a peer's custvalue reaches: median over seeds and origins, and range."""
    first = found[found.month < FIRST].groupby(["scenario", "seed", "origin", "way"])[["auc", "lift"]].mean().unstack("way")
    lines = [
        f"| scenario | {OURS} | {SAME} | {MORE} | {OBSERVED} | share of ten times' lift | share of the oracle's |",
        "|---|" + "---:|" * 6,
    ]
    for scenario, rows in first.groupby(level="scenario", sort=False):
        lifts, aucs = rows["lift"], rows["auc"]
        cells = [f"{lifts[way].median():.2f} (AUC {aucs[way].median():.3f})" for way in (OURS, SAME, MORE, OBSERVED)]
        shares = [lifts[OURS] / lifts[way] for way in (MORE, OBSERVED)]
        cells += [f"{share.median():.1%} ({share.min():.1%} to {share.max():.1%})" for share in shares]
        lines.append(f"| {scenario} | {' | '.join(cells)} |")
    return lines


def month_table(found: pd.DataFrame) -> list[str]:
    """Calibration and decay of custvalue month by month after training, pooled over seeds and origins."""
    lines = ["| scenario | months after | left | observed / expected | excess calibration error | AUC | lift at 10 % | of the oracle's |"]
    lines.append("|---|" + "---:|" * 7)
    pooled = found.groupby(["scenario", "month", "way"], sort=False)[["auc", "lift", "left", "expected", "excess"]].agg(
        {"auc": "mean", "lift": "mean", "left": "sum", "expected": "sum", "excess": "mean"}
    )
    for (scenario, month), rows in pooled.groupby(level=["scenario", "month"], sort=False):
        ours, oracle = rows.loc[(scenario, month, OURS)], rows.loc[(scenario, month, OBSERVED)]
        level = f"{ours.left / ours.expected:.2f} | {ours.excess:.4f}"
        lines.append(
            f"| {scenario} | {month} | {ours.left:,.0f} | {level} | {ours.auc:.3f} | {ours.lift:.2f} | {ours.lift / oracle.lift:.1%} |"
        )
    return lines


def launch_table(found: pd.DataFrame) -> list[str]:
    """What a launch costs, and what retraining brings back."""
    lines = ["| model | AUC | lift at 10 % | log loss | observed / expected | excess calibration error |", "|---|" + "---:|" * 5]
    for way, rows in found.groupby("way", sort=False):
        means = rows[["auc", "lift", "log_loss", "excess"]].mean()
        level = rows.left.sum() / rows.expected.sum()
        lines.append(f"| {way} | {means.auc:.3f} | {means.lift:.2f} | {means.log_loss:.4f} | {level:.2f} | {means.excess:.4f} |")
    return lines


def main(arguments: Sequence[str] | None = None) -> int:
    """Read the command line, print the tables, and give the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--customers", type=int, default=100_000, help="first customers of each operator (default: %(default)s)")
    parser.add_argument("--scenarios", nargs="+", default=["postpaid", "prepaid", "enterprise", LAUNCH])
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--origins", type=int, nargs="+", default=[18, 21], help="months of history behind each training (default: 18 21)")
    chosen = parser.parse_args(arguments)
    found: list[dict[str, object]] = []
    launched: list[dict[str, object]] = []
    for name in chosen.scenarios:
        for seed in chosen.seeds:
            with tempfile.TemporaryDirectory() as folder:
                made = operator(Path(folder), name, seed, chosen.customers, chosen.origins)
                if name == LAUNCH:
                    launched += judge_launch(made, max(chosen.origins))
                else:
                    found += [row for origin in chosen.origins for row in judge_origin(made, origin)]
    print(f"{chosen.customers:,} customers an operator, seeds {chosen.seeds}, trained after {chosen.origins} months.")
    if found:
        print(f"\nLift at 10 % over the first {FIRST} nights after training: median over seeds and origins, range in brackets.\n")
        print("\n".join(reach_table(pd.DataFrame(found))))
        print("\nMonth by month after training, pooled over seeds and origins.\n")
        print("\n".join(month_table(pd.DataFrame(found))))
    if launched:
        print(f"\nA tariff launch: nights {RETRAINED_AFTER} to {RETRAINED_AFTER + FIRST - 1} months after it.\n")
        print("\n".join(launch_table(pd.DataFrame(launched))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
