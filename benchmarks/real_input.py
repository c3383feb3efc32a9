"""Quality on real input: custvalue beside a logistic regression and a default LightGBM, on the same features and rows.

Run ``python benchmarks/real_input.py [--data FOLDER] [--workdir DIR]``; it prints Markdown. Nothing here is tuned: custvalue is trained as
``custvalue train`` does it, the peers have their libraries' defaults, and the later snapshots only judge.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
from lightgbm import LGBMClassifier
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from custvalue import metrics, pipeline
from custvalue.app.console import StepReporter
from custvalue.churn import Interval, TrainingFrame, evaluate, train_model, training_frame
from custvalue.config import Config, load_config, ready_configs
from custvalue.errors import ModelError
from custvalue.features import FeatureColumn
from custvalue.sources import add_months

Floats = NDArray[np.float64]
Peer = Callable[[TrainingFrame, pd.DataFrame, Sequence[FeatureColumn]], Floats]

PROJECT = Path(__file__).resolve().parents[1]
JUDGED = {"interconnect": date(2019, 11, 1), "india-prepaid": date(2014, 9, 1)}
"""Config → the day it is trained at; the customers active that day judge it later."""
UNTRAINABLE = {"megaline": date(2019, 1, 1)}
FEW_LEAVERS = 100
"""Below so many leavers no peer is said to be worse, whatever the interval: it is too easy to move."""
RESAMPLES = 1000
SEED = 7
COMPARED = {"AUC": (metrics.roc_auc, +1), "log loss": (metrics.log_loss, -1)}
"""Measure → its function, and +1 where more is better."""


@dataclass(frozen=True)
class Forecast:
    """What one model says of each judged customer, and how many rows it has learnt from."""

    name: str
    trained_on: int
    p: Floats


@dataclass(frozen=True)
class Judgement:
    """Outcomes of the judged customers and the forecasts of them, custvalue's first and the base rate alone last."""

    title: str
    y: NDArray[np.int8]
    customer: NDArray[np.object_]
    forecasts: tuple[Forecast, ...]


class PercentileClip(TransformerMixin, BaseEstimator):
    """Clip every column to its 1st and 99th percentile among the training rows; missing values stay missing."""

    def fit(self, X: pd.DataFrame, y: object = None) -> PercentileClip:
        """Learn the percentiles."""
        self.low_, self.high_ = X.quantile(0.01), X.quantile(0.99)
        return self

    def transform(self, X: pd.DataFrame) -> pd.DataFrame:
        """Clip."""
        return X.clip(self.low_, self.high_, axis=1)


def logistic_regression(columns: Sequence[FeatureColumn]) -> Pipeline:
    """Build the careful textbook peer: clipped, imputed with missing indicators, scaled, one-hot, default C."""
    numbers = [column.name for column in columns if column.kind == "number"]
    categories = [column.name for column in columns if column.kind == "category"]
    imputer = SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True)
    prepare = make_column_transformer(
        (make_pipeline(PercentileClip(), imputer, StandardScaler()), numbers),
        (OneHotEncoder(handle_unknown="ignore"), categories),
    )
    return make_pipeline(prepare, LogisticRegression(max_iter=5000))


def predict_logistic(train: TrainingFrame, X: pd.DataFrame, columns: Sequence[FeatureColumn]) -> Floats:
    """Fit the logistic regression on all the rows given and predict others."""
    fitted = logistic_regression(columns).fit(train.X, train.y)
    return np.asarray(fitted.predict_proba(X)[:, 1])


def predict_default_lightgbm(train: TrainingFrame, X: pd.DataFrame, columns: Sequence[FeatureColumn]) -> Floats:
    """Fit ``LGBMClassifier()`` on all the rows given and predict others; one thread, so that a second run says the same."""
    levels = {c.name: pd.CategoricalDtype(sorted(train.X[c.name].dropna().unique())) for c in columns if c.kind == "category"}
    names = [column.name for column in columns]
    fitted = LGBMClassifier(random_state=SEED, n_jobs=1, verbosity=-1).fit(train.X[names].astype(levels), train.y)
    return np.asarray(fitted.predict_proba(X[names].astype(levels))[:, 1])


PEERS: dict[str, Peer] = {"logistic regression": predict_logistic, "default LightGBM": predict_default_lightgbm}


def paired_difference(metric: Callable[[Floats, Floats], float], judgement: Judgement, peer: Forecast) -> Interval:
    """Give custvalue's measure minus a peer's on the same customers, with its 95 % bootstrap interval over them."""
    ours, y = judgement.forecasts[0].p, judgement.y.astype(np.float64)

    def difference(y: Floats, place: Floats) -> float:
        rows = place.astype(np.intp)
        return metric(y, ours[rows]) - metric(y, peer.p[rows])

    places = np.arange(y.size)
    low, high = metrics.bootstrap_interval(difference, y, places, groups=judgement.customer, resamples=RESAMPLES, seed=SEED)
    return Interval(difference(y, places.astype(np.float64)), low, high)


def quality_table(judgement: Judgement) -> list[str]:
    """Write a row a forecast; intervals are 95 %, over customers."""
    lines = [
        "| model | rows learnt from | mean prediction | AUC | PR-AUC | log loss | Brier | calibration error | … above a perfect model's "
        "| lift at 1 % | at 5 % | at 10 % |",
        "|---|" + "---:|" * 11,
    ]
    for forecast in judgement.forecasts:
        judged = evaluate(judgement.y, forecast.p, capacity_share=0.1, groups=judgement.customer, resamples=RESAMPLES, seed=SEED)
        found = judged.metrics
        cells = [forecast.name, f"{forecast.trained_on:,}", f"{forecast.p.mean():.2%}", f"{found['auc']:.3f}"]
        cells += [f"{found['pr_auc'].value:.3f}", f"{found['log_loss']:.4f}", f"{found['brier'].value:.4f}"]
        cells += [f"{found[name].value:.4f}" for name in ("calibration_error", "calibration_excess")]
        cells += [f"{found[name].value:.2f}" for name in ("lift_1pct", "lift_5pct")] + [f"{found['lift_10pct']:.2f}"]
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def difference_table(judgement: Judgement) -> list[str]:
    """Write custvalue minus each other forecast, paired by customer."""
    lines = ["| custvalue minus | AUC (above 0 is better) | log loss (below 0 is better) |", "|---|---:|---:|"]
    for peer in judgement.forecasts[1:]:
        told = [told_difference(paired_difference(metric, judgement, peer)) for metric, _ in COMPARED.values()]
        lines.append(f"| {described(peer)} | {' | '.join(told)} |")
    return lines


def told_difference(difference: Interval) -> str:
    """Write a difference with its sign and interval."""
    return f"{difference.value:+.4f} [{difference.low:+.4f} to {difference.high:+.4f}]"


def described(forecast: Forecast) -> str:
    """Name a forecast with the rows behind it."""
    return f"{forecast.name}, {forecast.trained_on:,} rows"


def verdict(judgement: Judgement) -> str:
    """Say in words what the paired differences allow to conclude, and what not."""
    leavers = int(judgement.y.sum())
    *peers, blind = judgement.forecasts[1:]
    said = [_compare(judgement, peer, judge=leavers >= FEW_LEAVERS) for peer in peers]
    if leavers < FEW_LEAVERS:
        said.insert(0, f"**No claim of superiority: {leavers} leavers are too few to set one model above another.**")
    return " ".join([*said, _compare(judgement, blind, judge=True)])


def _compare(judgement: Judgement, peer: Forecast, *, judge: bool) -> str:
    """Tell each measure as better, worse or open; with ``judge`` off only what was measured."""
    parts = []
    for name, (metric, sign) in COMPARED.items():
        difference = paired_difference(metric, judgement, peer)
        if not judge:
            found = "measured"
        elif difference.low <= 0 <= difference.high:
            found = "no difference shown"
        else:
            found = "better" if sign * difference.value > 0 else "**worse**"
        parts.append(f"{name} {found} ({told_difference(difference)})")
    return f"Against {described(peer)}: {', '.join(parts)}."


def judge(
    title: str, rows: TrainingFrame, ours: Forecast, trainings: Sequence[TrainingFrame], columns: Sequence[FeatureColumn]
) -> Judgement:
    """Fit the peers on each of the given trainings, and set all forecasts of the same rows side by side."""
    peers = [Forecast(name, len(train), predict(train, rows.X, columns)) for train in trainings for name, predict in PEERS.items()]
    base = Forecast("base rate alone", len(trainings[0]), np.full(len(rows), trainings[0].y.mean()))
    return Judgement(title, rows.y, rows.customer, (ours, *peers, base))


def run_dataset(config: Config, as_of: date) -> list[str]:
    """Train at a day, judge on the slice set aside and on the customers active that day, and report in Markdown."""
    reporter = StepReporter(human=True)
    now = pipeline.build_features_at(config, as_of, reporter=reporter)
    labelled, columns, spec_hash = training_frame(now.tables, as_of, config.churn, config.features)
    model = train_model(labelled, columns, config.churn, as_of=as_of, feature_spec_hash=spec_hash)
    train, held = labelled.take(model.slices["train"].rows), labelled.take(model.slices["test"].rows)
    later = _later_frame(config, now, as_of)

    def ours(rows: TrainingFrame) -> Forecast:
        return Forecast("custvalue", len(train), model.bundle.predict_proba(rows.X))

    judgements = [
        judge("The slice set aside in training", held, ours(held), [train], columns),
        judge(f"The customers active at {as_of}", later, ours(later), [labelled, train], columns),
    ]
    described_days = ", ".join(str(day) for day in np.unique(labelled.snapshot))
    lines = [f"## {config.name}", "", f"Trained at {as_of} on snapshot {described_days}: {len(labelled):,} labelled customers, "]
    lines[-1] += f"{labelled.leavers:,} leavers, {len(columns)} features; {model.slices.why}"
    for judgement in judgements:
        lines += [
            "",
            f"### {judgement.title}",
            "",
            f"{int(judgement.y.sum()):,} of {len(judgement.y):,} left: {judgement.y.mean():.2%}.",
            "",
        ]
        lines += [*quality_table(judgement), "", *difference_table(judgement), "", verdict(judgement)]
    return [*lines, "", "What the source says of itself:", "", *(f"- {caveat}" for caveat in now.tables.caveats), ""]


def _later_frame(config: Config, now: pipeline.Features, as_of: date) -> TrainingFrame:
    """Give the customers active at a day with what became of them, known once the window was over."""
    known_at = add_months(as_of, config.churn.gap_months + config.churn.horizon_months)
    found = now.frame.merge(pipeline.snapshot_outcomes(config, now.tables, as_of, known_at), on="customer_id", validate="1:1")
    return TrainingFrame(
        X=found[[column.name for column in now.columns]],
        y=found.outcome.to_numpy(dtype=np.int8),
        customer=found.customer_id.to_numpy(dtype=object),
        snapshot=np.full(len(found), np.datetime64(as_of)),
    )


def refusal(config: Config, as_of: date) -> list[str]:
    """Report why a data set cannot train."""
    tables, _ = pipeline.check(config, as_of, reporter=StepReporter(human=True))
    try:
        training_frame(tables, as_of, config.churn, config.features)
    except ModelError as error:
        return [f"## {config.name}", "", f"Not trained: {error}", ""]
    raise ModelError(f"{config.name} trains at {as_of}; judge it with the others.")


INTRODUCTION = f"""# Quality on real input

- custvalue is trained as `custvalue train` does it and learns from three quarters of the labelled customers; the last quarter judges it.
  It is not refitted on all of them afterwards. The peers are shown fitted on the same rows and, for the later snapshot, on all labelled rows.
- All read the same feature matrix. The later snapshot was used to judge, never to choose anything.
- Intervals are 95 %, {RESAMPLES:,} bootstrap resamples of the judged customers; differences are paired. They hold for these fitted models: another
  training sample would add to them. Several comparisons are shown; nothing is corrected for their number.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Read the command line, print the report, and give the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    default = Path(os.environ.get("CUSTVALUE_DATA") or PROJECT.parent / "shared" / "data")
    parser.add_argument("--data", type=Path, default=default, help="folder of the data sets (default: CUSTVALUE_DATA, else %(default)s)")
    parser.add_argument("--workdir", type=Path, help="folder for the workspace, which holds copied configs only (default: a temporary one)")
    given = parser.parse_args(arguments)
    if not given.data.is_dir():
        print(f"{given.data} is no folder. Name the folder of the data sets with --data or CUSTVALUE_DATA.", file=sys.stderr)
        return 2
    with nullcontext(given.workdir) if given.workdir else tempfile.TemporaryDirectory() as folder:
        configs = Path(shutil.copytree(ready_configs(), Path(folder) / "configs", dirs_exist_ok=True))
        print(INTRODUCTION)
        for runner, dates in ((run_dataset, JUDGED), (refusal, UNTRAINABLE)):
            for name, as_of in dates.items():
                config = load_config(configs / f"{name}.yaml", environ={"CUSTVALUE_DATA": str(given.data.resolve())})
                print("\n".join(runner(config, as_of)), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
