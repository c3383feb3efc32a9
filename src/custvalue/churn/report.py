"""The training report: what a reader needs before trusting the model, in one page of Markdown."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence

from custvalue.churn.evaluation import Evaluation
from custvalue.churn.frame import TrainingFrame
from custvalue.churn.training import TrainedModel
from custvalue.config import Config

MEASURES = {
    "auc": "AUC",
    "pr_auc": "PR-AUC",
    "log_loss": "log loss",
    "brier": "Brier",
    "calibration_error": "calibration error",
    "calibration_excess": "… above a perfect model's",
    "lift_1pct": "lift at 1 %",
    "lift_5pct": "lift at 5 %",
    "lift_10pct": "lift at 10 %",
    "lift_capacity": "lift at capacity",
}
"""Metric → its name in tables."""


def training_report(config: Config, model: TrainedModel, frame: TrainingFrame, *, caveats: Sequence[str]) -> str:
    """Write the report of one training.

    Parameters
    ----------
    config : Config
        What was asked for.
    model : TrainedModel
        What came of it.
    frame : TrainingFrame
        The labelled snapshots.
    caveats : sequence of str
        What the source mapping says of its own data.
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
    blind = base_rate_quality(found)
    lines += [
        f"{found.leavers:,} of {found.rows:,} rows left: the base rate is {found.base_rate:.2%}. Intervals are 95 %, by customer.",
        "",
        "| measure | value | interval | base rate alone |",
        "|---|---:|---:|---:|",
        *(
            f"| {MEASURES[name]} | {i.value:.4f} | {i.low:.4f} to {i.high:.4f} | {blind.get(name, 0):.4f} |"
            for name, i in found.metrics.items()
        ),
        "",
    ]
    if notes := [*model.warnings, *caveats]:
        lines += ["## What to keep in mind", "", *(f"- {note}" for note in notes), ""]
    return "\n".join(lines)


def base_rate_quality(evaluation: Evaluation) -> dict[str, float]:
    """Give the measures of a forecast that says the base rate to everyone; the others are zero or undefined."""
    rate = evaluation.base_rate
    entropy = -(rate * math.log(rate) + (1 - rate) * math.log(1 - rate))
    lifts = {name: 1.0 for name in evaluation.metrics if name.startswith("lift_")}
    return {"auc": 0.5, "pr_auc": rate, "log_loss": entropy, "brier": rate * (1 - rate), **lifts}


def evaluation_json(model: TrainedModel) -> str:
    """Give the evaluation as JSON, as the promotion gates read it."""
    return json.dumps(model.evaluation.to_dict(), indent=2)
