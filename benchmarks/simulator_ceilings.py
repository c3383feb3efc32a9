"""How well anybody can rank the synthetic operator's customers: from five features to the one who knows the hidden intent.

Run ``python benchmarks/simulator_ceilings.py [--customers N] [--seeds 1 2 3]``; it prints a Markdown table. Each model learns from earlier
snapshots of some customers and is judged on later snapshots of others, so neither the months nor the customers are shared.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
from simulated_rows import Floats, Rows, open_operator, rank_by_boosting, share_of_customers
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from custvalue import metrics
from custvalue.churn.outcomes import label
from custvalue.config import ChurnConfig, load_config, ready_configs
from custvalue.features import build_features
from custvalue.simulate import simulate
from custvalue.sources import SourceTables, add_months

START, MONTHS = date(2024, 1, 1), 24
LEARN_AT, JUDGE_AT = (12, 13, 14, 15, 16), (18, 20)
"""Months of history behind the snapshots; the last learning one's outcomes end before the first judged one begins to be read."""
HORIZONS = (1, 3)
GAP = 1
JUDGED_SHARE = 0.2
FEWER = 10
"""The small training sample holds one customer in so many."""
BANDS = {"five features, logistic": ((0.69, 0.70), (3.2, 3.4)), "oracle on the hidden state": ((0.79, 0.81), (5.4, 6.0))}
"""Published at gap 1, horizon 1: AUC and lift at 10 %."""
MEASURES = {
    "AUC": metrics.roc_auc,
    "lift at 1 %": lambda y, p: metrics.lift_score(y, p, 0.01),
    "lift at 10 %": lambda y, p: metrics.lift_score(y, p, 0.1),
}


def featured(tables: SourceTables, truth: pd.DataFrame, months: Sequence[int]) -> Rows:
    """Give features, the oracles' chances and each horizon's outcome (above 1: not judged) of every customer active at the snapshots."""
    config = load_config(ready_configs() / "demo.yaml")
    parts, columns = [], ()
    for month in months:
        day = add_months(START, month)
        built = build_features(tables.known(day), tables.moment(day), config.features, delay_days=tables.delay_days)
        columns = built.columns
        part = built.table.to_pyarrow().to_pandas()
        for horizon in HORIZONS:
            churn = ChurnConfig(gap_months=GAP, horizon_months=horizon)
            outcomes = label(tables, day, add_months(START, MONTHS), churn).to_pyarrow().to_pandas()
            part = part.merge(outcomes.rename(columns={"outcome": f"outcome_{horizon}"}), on="customer_id")
        known = truth[truth.month == add_months(day, -1)]
        parts.append(part.merge(known, on="customer_id", suffixes=("", "_of_truth")))
    return Rows(pd.concat(parts, ignore_index=True), columns)


def five_features(frame: pd.DataFrame) -> pd.DataFrame:
    """Tenure, contract, bundle, complaints and the fall of the bill: what a first spreadsheet would hold."""
    return pd.DataFrame(
        {
            "tenure": np.log1p(frame.tenure_months),
            "in contract": frame.contract_days_to_end.gt(45).astype(float),
            "bundle": frame.bundle_days_to_end.notna().astype(float),
            "complaints": frame.complaint_count_3m.fillna(0).clip(upper=3),
            "fall of the bill": frame.revenue_drop_6m.clip(-1, 1),
        }
    )


def rank_by_logistic(learn: Rows, judge: Rows) -> Floats:
    """Fit a logistic regression on the five features."""
    model = make_pipeline(SimpleImputer(), StandardScaler(), LogisticRegression(max_iter=1000))
    fitted = model.fit(five_features(learn.frame), learn.y)
    return np.asarray(fitted.predict_proba(five_features(judge.frame)))[:, 1]


def judge_seed(folder: Path, customers: int, seed: int) -> dict[tuple[int, str], dict[str, float]]:
    """Simulate one operator, and measure every way of ranking at each horizon."""
    simulate(folder, customers=customers, months=MONTHS, seed=seed, start=START)
    tables, _ = open_operator(folder)
    truth = pd.read_parquet(folder / "truth" / "states.parquet")
    judged, learnt = featured(tables, truth, JUDGE_AT), featured(tables, truth, LEARN_AT)
    everyone = pd.concat([judged.frame.customer_id, learnt.frame.customer_id], ignore_index=True)
    held = share_of_customers(everyone, JUDGED_SHARE, seed)
    judged, learnt = judged.take(held[: len(judged.frame)]), learnt.take(~held[len(judged.frame) :])
    found = {}
    for horizon in HORIZONS:
        judge, learn = judged.of_horizon(horizon), learnt.of_horizon(horizon)
        few = learn.take(share_of_customers(learn.frame.customer_id, 1 / FEWER, seed + 1))
        ranked = {
            "five features, logistic": rank_by_logistic(few, judge),
            "all features, LightGBM": rank_by_boosting(few.frame, few.y, few.frame.customer_id, judge.frame, few.columns, seed),
            f"all features, LightGBM, {FEWER} times the customers": rank_by_boosting(
                learn.frame, learn.y, learn.frame.customer_id, judge.frame, learn.columns, seed
            ),
            "oracle on what can be observed": judge.frame[f"observed_gap1_horizon{horizon}"].to_numpy(dtype=np.float64),
            "oracle on the hidden state": judge.frame[f"leaving_gap1_horizon{horizon}"].to_numpy(dtype=np.float64),
        }
        for name, p in ranked.items():
            found[horizon, name] = {measure: float(take(judge.y, p)) for measure, take in MEASURES.items()}
        rows, leavers = len(judge.frame), int(judge.y.sum())
        print(f"seed {seed}, horizon {horizon}: {rows:,} rows judged, {leavers:,} leavers", file=sys.stderr, flush=True)
    return found


def ceilings_table(found: Sequence[Mapping[tuple[int, str], Mapping[str, float]]], horizon: int) -> list[str]:
    """Write the median over seeds and their range, a row a way of ranking."""
    lines = [f"| gap {GAP}, horizon {horizon} | {' | '.join(MEASURES)} | published |", "|---|" + "---:|" * len(MEASURES) + "---|"]
    for name in [name for at, name in found[0] if at == horizon]:
        cells = []
        for measure in MEASURES:
            values = [seed[horizon, name][measure] for seed in found]
            digits = 3 if measure == "AUC" else 2
            cells.append(f"{np.median(values):.{digits}f} ({min(values):.{digits}f} to {max(values):.{digits}f})")
        auc, lift = BANDS.get(name, (None, None)) if horizon == 1 else (None, None)
        published = f"AUC {auc[0]:.2f} to {auc[1]:.2f}, lift {lift[0]} to {lift[1]}" if auc and lift else ""
        lines.append(f"| {name} | {' | '.join(cells)} | {published} |")
    return lines


def main(arguments: Sequence[str] | None = None) -> int:
    """Read the command line, print the tables, and give the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--customers", type=int, default=100_000, help="first customers of each operator (default: %(default)s)")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    chosen = parser.parse_args(arguments)
    found = []
    for seed in chosen.seeds:
        with tempfile.TemporaryDirectory() as folder:
            found.append(judge_seed(Path(folder) / "operator", chosen.customers, seed))
    seeds = ", ".join(map(str, chosen.seeds))
    print(f"{chosen.customers:,} customers a seed, seeds {seeds}: median, and range over seeds in brackets.")
    for horizon in HORIZONS:
        print("\n".join(["", *ceilings_table(found, horizon)]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
