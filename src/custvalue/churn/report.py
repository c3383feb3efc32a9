"""The training report: what a reader needs before trusting the model, in one page of Markdown."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence

import numpy as np

from custvalue.churn.evaluation import Evaluation
from custvalue.churn.frame import TrainingFrame
from custvalue.churn.leakage import LeakageReport
from custvalue.churn.training import TrainedModel
from custvalue.config import Config
from custvalue.metrics import empc_score
from custvalue.wording import Catalogue


def training_report(
    config: Config,
    model: TrainedModel,
    frame: TrainingFrame,
    *,
    leakage: LeakageReport,
    caveats: Sequence[str],
    catalogue: Catalogue,
) -> str:
    """Write the report of one training.

    Parameters
    ----------
    config : Config
        What was asked for.
    model : TrainedModel
        What came of it.
    frame : TrainingFrame
        The labelled snapshots.
    leakage : LeakageReport
        What the leakage checks found.
    caveats : sequence of str
        What the source mapping says of its own data.
    catalogue : Catalogue
        Names of the measures, in the config's language.
    """
    churn = config.churn
    lines = [
        f"# Churn model {config.name}",
        "",
        f"Outcome: leaves ({', '.join(churn.kinds)}) after a gap of {churn.gap_months} and within {churn.horizon_months} month(s).",
        "",
        "## Snapshots",
        "",
        "| snapshot | active customers | left in the window | rate |",
        "|---|---:|---:|---:|",
    ]
    for row in frame.describe().to_dict("records"):
        lines.append(f"| {row['snapshot']:%Y-%m-%d} | {row['active']:,} | {row['leavers']:,} | {row['leavers'] / row['active']:.2%} |")
    lines += ["", *(f"- {count:,} {reason}: not trained on" for reason, count in frame.dropped.items()), "", "## Split", ""]
    lines += ["```", str(model.slices), "```", "", "## Quality on the test slice", ""]
    found = model.evaluation
    lines += [
        f"{found.leavers:,} of {found.rows:,} rows left: the base rate is {found.base_rate:.2%}. Intervals are 95 %, by customer.",
        "",
        "| measure | value | interval | base rate alone |",
        "|---|---:|---:|---:|",
        *(f"| {' | '.join(row)} |" for row in quality_rows(found, catalogue, config.language)),
        "",
    ]
    lines += ["## Leakage", "", *(f"- {line}" for line in leakage.lines), ""]
    if notes := [*model.warnings, *caveats]:
        lines += ["## What to keep in mind", "", *(f"- {note}" for note in notes), ""]
    return "\n".join(lines)


def quality_rows(evaluation: Evaluation, catalogue: Catalogue, language: str) -> list[tuple[str, str, str, str]]:
    """Tell each measure, its value, its 95 % interval, and what knowing the base rate alone gives, where that says anything."""
    rate = evaluation.base_rate
    blind = {"auc": 0.5, "pr_auc": rate, "brier": rate * (1 - rate)}
    blind["log_loss"] = -(rate * math.log(rate) + (1 - rate) * math.log(1 - rate))
    blind["empc"] = empc_score(np.arange(evaluation.rows) < evaluation.leavers, np.zeros(evaluation.rows))
    blind |= {name: 1.0 for name in evaluation.metrics if name.startswith("lift_")}
    rows = []
    for name in catalogue.names("measures"):
        if name not in evaluation.metrics:
            continue
        found = evaluation.metrics[name]
        interval = f"{found.low:.4f} to {found.high:.4f}"
        base = f"{blind[name]:.4f}" if name in blind else ""
        rows.append((catalogue.label(f"measures.{name}", language), f"{found.value:.4f}", interval, base))
    return rows


def evaluation_json(model: TrainedModel) -> str:
    """Give the evaluation as JSON, as the promotion gates read it."""
    return json.dumps(model.evaluation.to_dict(), indent=2)
