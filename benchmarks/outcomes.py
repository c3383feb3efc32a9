"""Several outcomes on simulated operators: each model ranks its own outcome, not another's, and the hazard tells when.

Each outcome is trained at a day that leaves later months aside and judged on the customers active that day, by what is known once their
windows are over. The peer of every model is the main one: a model of its own must rank its outcome better than the model of leaving does.
The hazard is judged by the order in which customers left (Harrell's C), beside the main model's probability as a risk score.

    python benchmarks/outcomes.py --customers 8000 --scenarios postpaid prepaid
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml
from sklearn.metrics import roc_auc_score

from custvalue.churn import ModelBundle, Outcome, expected_months, label, survival, train_model, training_frame, with_outcome
from custvalue.churn.hazard import label_months
from custvalue.churn.outcomes import treated
from custvalue.config import Config, OutcomeSettings, TimeToLeave, load_config, ready_configs
from custvalue.features import build_features
from custvalue.simulate import simulate
from custvalue.sources import SourceTables, add_months, open_tables

START = date(2024, 1, 1)
OUTCOMES: dict[str, dict[str, dict[str, Any]]] = {
    "postpaid": {"non_payment": {"kinds": ["non_payment"]}, "time_to_leave": {"form": "hazard"}},
    "prepaid": {"silence": {"kinds": ["silence"]}, "value_loss": {"form": "value_loss"}, "time_to_leave": {"form": "hazard"}},
}
NIGHT, KNOWN_AT, MONTHS = date(2025, 7, 1), date(2026, 2, 1), 25


def operator(folder: Path, scenario: str, *, customers: int, seed: int) -> tuple[Config, SourceTables]:
    """Simulate an operator and open its tables."""
    simulate(folder / "data", customers=customers, months=MONTHS, seed=seed, start=START, scenario=scenario)
    content = {
        "sources": {"folder": "data"},
        "time_zone": "Asia/Shanghai",
        "features": {"windows": [1, 3, 6]},
        "tier_policy": str(ready_configs() / "tiers" / "consumer.yaml"),
        "retention_policy": str(ready_configs() / "retention" / "default.yaml"),
        "churn": {"snapshots": 8, "bootstrap": 50},
        "outcomes": OUTCOMES[scenario],
    }
    (folder / "operator.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
    config = load_config(folder / "operator.yaml")
    return config, open_tables(config)


def train(config: Config, tables: SourceTables) -> ModelBundle:
    """Train one outcome's model as ``custvalue train`` does."""
    frame, columns, spec_hash = training_frame(tables, NIGHT, config.churn, config.features)
    model = train_model(frame, columns, config.churn, as_of=NIGHT, feature_spec_hash=spec_hash)
    return with_outcome(model, frame, config.churn).bundle


def interval(measure: Any, *columns: np.ndarray) -> str:
    """Write a measure with its 95 % interval over customers."""
    random, rows = np.random.default_rng(7), len(columns[0])
    draws = [measure(*(column[chosen] for column in columns)) for chosen in random.integers(0, rows, (200, rows))]
    low, high = np.quantile(draws, (0.025, 0.975))
    return f"{measure(*columns):.3f} [{low:.3f} to {high:.3f}]"


def judge_window(config: Config, tables: SourceTables, facts: pd.DataFrame, own: ModelBundle, main: ModelBundle) -> dict[str, str]:
    """Judge a model of a window, and the main one on the same outcome, on the night's customers whom nobody called."""
    rows = facts.merge(label(tables, NIGHT, KNOWN_AT, config.churn).to_pandas(), on="customer_id")
    called = treated(tables, NIGHT, KNOWN_AT, config.churn)
    gone = set() if called is None else set(called.to_pandas().customer_id)
    rows = rows[(rows.outcome <= Outcome.LEFT) & ~rows.customer_id.isin(gone)]
    y, p, q = rows.outcome.to_numpy(), own.predict_proba(rows), main.predict_proba(rows)
    return {
        "customers": f"{len(rows):,}",
        "of them lost": f"{y.sum():,}",
        "expected": f"{p.sum():.0f}",
        "own model": interval(roc_auc_score, y, p),
        "main model": interval(roc_auc_score, y, q),
        "difference": interval(lambda y, p, q: roc_auc_score(y, p) - roc_auc_score(y, q), y, p, q),
    }


def judge_hazard(config: Config, tables: SourceTables, facts: pd.DataFrame, own: ModelBundle, main: ModelBundle) -> dict[str, str]:
    """Judge by the order of leaving: how often was the customer who is known to have left first held to be the riskier of two."""
    settings = config.churn
    if not isinstance(settings, OutcomeSettings) or not isinstance(settings.outcome, TimeToLeave):
        raise TypeError("a hazard's config is needed")
    newest = add_months(KNOWN_AT, -settings.gap_months - 1)
    labelled = label_months(tables, NIGHT, KNOWN_AT, settings, settings.outcome, newest=newest).to_pandas()
    rows = facts.merge(labelled, on="customer_id")
    rows = rows[rows.outcome <= Outcome.LEFT]
    left, months = (rows.outcome == Outcome.LEFT).to_numpy(), rows.months.to_numpy()
    survived = survival(own, rows)
    inside = left & (months <= survived.shape[1])
    stays = np.prod([1 - inside[months == m].sum() / (months >= m).sum() for m in range(1, survived.shape[1] + 1)])
    p, q = -expected_months(survived), main.predict_proba(rows)
    return {
        "customers": f"{len(rows):,}",
        "of them lost": f"{(1 - stays) * len(rows):.0f}",
        "expected": f"{(1 - survived[:, -1]).sum():.0f}",
        "own model": interval(concordance, left, months, p),
        "main model": interval(concordance, left, months, q),
        "difference": interval(lambda e, t, p, q: concordance(e, t, p) - concordance(e, t, q), left, months, p, q),
    }


def concordance(left: np.ndarray, months: np.ndarray, risk: np.ndarray) -> float:
    """Harrell's C (Harrell et al. 1982): pairs whose order of leaving is known, and ordered so by risk; ties count half."""
    ordered = known = 0.0
    for month in np.unique(months[left]):
        gone, there = risk[left & (months == month)], np.sort(risk[months > month])
        below, above = np.searchsorted(there, gone, "left"), np.searchsorted(there, gone, "right")
        ordered += float((below + above).sum()) / 2
        known += gone.size * there.size
    return ordered / known


def judge(scenario: str, customers: int, seed: int) -> Iterator[Mapping[str, str]]:
    """Give one row for each outcome of an operator."""
    with tempfile.TemporaryDirectory() as folder:
        config, tables = operator(Path(folder), scenario, customers=customers, seed=seed)
        built = build_features(tables.known(NIGHT), tables.moment(NIGHT), config.features, delay_days=tables.delay_days)
        facts = built.table.order_by("customer_id").to_pandas()
        print(f"{scenario}, seed {seed}: training the main outcome", file=sys.stderr)
        main = train(config, tables)
        for outcome in config.outcomes:
            print(f"{scenario}, seed {seed}: training {outcome}", file=sys.stderr)
            own = config.for_outcome(outcome)
            judged = judge_hazard if OUTCOMES[scenario][outcome].get("form") == "hazard" else judge_window
            yield {"operator": scenario, "outcome": outcome} | judged(own, tables, facts, train(own, tables), main)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--customers", type=int, default=8_000)
    parser.add_argument("--scenarios", nargs="+", choices=OUTCOMES, default=list(OUTCOMES))
    parser.add_argument("--seed", type=int, default=21)
    given = parser.parse_args()
    for number, row in enumerate(row for scenario in given.scenarios for row in judge(scenario, given.customers, given.seed)):
        if not number:
            print("| " + " | ".join(row) + " |\n|" + "---|" * len(row))
        print("| " + " | ".join(row.values()) + " |", flush=True)


if __name__ == "__main__":
    main()
