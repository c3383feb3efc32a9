"""Quality on real input: custvalue beside a logistic regression and a default LightGBM, on the same features and rows.

Run ``python benchmarks/real_input.py [--data FOLDER] [--workdir DIR]``; it prints Markdown. No model is tuned: custvalue is trained as
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
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
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
"""Below so many leavers nothing is said for or against a peer, whatever the interval: a handful of customers would turn it round."""
RESAMPLES = 1000
SEED = 7
COMPARED = {"AUC": (metrics.roc_auc, +1), "log loss": (metrics.log_loss, -1)}
"""Measure → its function, and +1 where more is better."""

INTRODUCTION = f"""# Quality on real input

- custvalue is trained as `custvalue train` does it: it learns from three quarters of the labelled customers, the last quarter judges it,
  and it is not refitted on all of them afterwards. For the later snapshot the peers are shown twice: fitted on all labelled customers, and
  on the same three quarters.
- All read the same feature matrix. The later snapshot judges; no setting of a model was chosen by it.
- Intervals are 95 %, from {RESAMPLES:,} bootstrap resamples of the judged customers; differences are paired. They hold for these fitted
  models: another training sample would widen them. Several comparisons are shown, and nothing is corrected for their number.
"""


@dataclass(frozen=True, eq=False)
class Forecast:
    """What one model says of each judged customer, and how many rows it has learnt from."""

    name: str
    trained_on: int
    p: Floats

    def __str__(self) -> str:
        return f"{self.name} ({self.trained_on:,} rows)"


@dataclass(frozen=True, eq=False)
class Judgement:
    """Outcomes of the judged customers and the forecasts of them: custvalue's first, the base rate alone last."""

    y: NDArray[np.int8]
    customer: NDArray[np.object_]
    forecasts: tuple[Forecast, ...]


def predict_logistic(train: TrainingFrame, X: pd.DataFrame, columns: Sequence[FeatureColumn]) -> Floats:
    """Fit a careful textbook logistic regression on all the rows given and predict others.

    Numbers are clipped to the 1st and 99th percentile of the training rows, imputed by their median with an indicator, and standardised;
    categories are one-hot, unknown ones ignored.
    """
    numbers, categories = ([column.name for column in columns if column.kind == kind] for kind in ("number", "category"))
    low, high = train.X[numbers].quantile(0.01), train.X[numbers].quantile(0.99)
    imputer = SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True)
    prepare = make_column_transformer(
        (make_pipeline(imputer, StandardScaler()), numbers), (OneHotEncoder(handle_unknown="ignore"), categories)
    )
    fitted = make_pipeline(prepare, LogisticRegression(max_iter=5000))
    seen, unseen = (rows.assign(**rows[numbers].clip(low, high, axis=1)) for rows in (train.X, X))
    return np.asarray(fitted.fit(seen, train.y).predict_proba(unseen))[:, 1]


def predict_default_lightgbm(train: TrainingFrame, X: pd.DataFrame, columns: Sequence[FeatureColumn]) -> Floats:
    """Fit ``LGBMClassifier()`` on all the rows given and predict others; one thread, so that a second run says the same."""
    levels = {c.name: sorted(train.X[c.name].dropna().unique()) for c in columns if c.kind == "category"}

    def typed(rows: pd.DataFrame) -> pd.DataFrame:
        coded = {name: pd.Categorical(rows[name].where(rows[name].isin(known)), known) for name, known in levels.items()}
        return rows[[column.name for column in columns]].assign(**coded)

    fitted = LGBMClassifier(random_state=SEED, n_jobs=1, verbosity=-1).fit(typed(train.X), train.y)
    return np.asarray(fitted.predict_proba(typed(X)))[:, 1]


PEERS: dict[str, Peer] = {"logistic regression": predict_logistic, "default LightGBM": predict_default_lightgbm}


def paired_difference(metric: Callable[[Floats, Floats], float], judgement: Judgement, peer: Forecast) -> Interval:
    """Give custvalue's measure minus a peer's on the same customers, with its 95 % bootstrap interval over them."""
    ours = judgement.forecasts[0].p

    def difference(y: Floats, place: Floats) -> float:
        rows = place.astype(np.intp)
        return metric(y, ours[rows]) - metric(y, peer.p[rows])

    y, place = judgement.y.astype(np.float64), np.arange(judgement.y.size, dtype=np.float64)
    interval = metrics.bootstrap_interval(difference, y, place, groups=judgement.customer, resamples=RESAMPLES, seed=SEED)
    return Interval(difference(y, place), *interval)


def quality_table(judgement: Judgement) -> list[str]:
    """Write a row a forecast; intervals are 95 %, over customers."""
    heads = ["model", "rows learnt from", "mean prediction", "AUC", "PR-AUC", "log loss", "Brier"]
    heads += ["calibration error", "… above a perfect model's", "lift at 1 %", "at 5 %", "at 10 %"]
    lines = [f"| {' | '.join(heads)} |", "|---|" + "---:|" * (len(heads) - 1)]
    for forecast in judgement.forecasts:
        judged = evaluate(judgement.y, forecast.p, capacity_share=0.1, groups=judgement.customer, resamples=RESAMPLES, seed=SEED)
        found = judged.metrics
        cells = [forecast.name, f"{forecast.trained_on:,}", f"{forecast.p.mean():.2%}", f"{found['auc']:.3f}"]
        cells += [f"{found['pr_auc'].value:.3f}", f"{found['log_loss']:.4f}", f"{found['brier'].value:.4f}"]
        cells += [f"{found[name].value:.4f}" for name in ("calibration_error", "calibration_excess")]
        cells += [f"{found[name].value:.2f}" for name in ("lift_1pct", "lift_5pct")] + [f"{found['lift_10pct']:.2f}"]
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def compare(judgement: Judgement) -> dict[Forecast, dict[str, Interval]]:
    """Give custvalue minus each other forecast, by measure, paired by customer."""
    measured = {name: metric for name, (metric, _) in COMPARED.items()}
    return {
        peer: {name: paired_difference(metric, judgement, peer) for name, metric in measured.items()} for peer in judgement.forecasts[1:]
    }


def difference_table(compared: dict[Forecast, dict[str, Interval]]) -> list[str]:
    """Write what `compare` gives."""
    heads = [f"{name} ({'above' if sign > 0 else 'below'} 0: custvalue is better)" for name, (_, sign) in COMPARED.items()]
    lines = [f"| custvalue minus | {' | '.join(heads)} |", "|---|---:|---:|"]
    for peer, differences in compared.items():
        told = (f"{d.value:+.4f} [{d.low:+.4f} to {d.high:+.4f}]" for d in differences.values())
        lines.append(f"| {peer} | {' | '.join(told)} |")
    return lines


def verdict(compared: dict[Forecast, dict[str, Interval]], leavers: int) -> str:
    """Say in words what paired differences allow to conclude, and what not; of few leavers only against the base rate."""
    *peers, blind = compared
    if leavers >= FEW_LEAVERS:
        return " ".join(_against(peer, compared[peer]) for peer in [*peers, blind])
    refused = f"**No claim of superiority over a peer: {leavers} leavers are too few to set one model above another.**"
    return f"{refused} {_against(blind, compared[blind])}"


def _against(peer: Forecast, differences: dict[str, Interval]) -> str:
    """Tell each measure as better, worse or open."""
    told = []
    for name, difference in differences.items():
        better = COMPARED[name][1] * difference.value > 0
        shown = not difference.low <= 0 <= difference.high
        told.append(f"{name} {'better' if better else '**worse**'}" if shown else f"no difference in {name} can be shown")
    return f"Against {peer}: {', '.join(told)}."


def judge(rows: TrainingFrame, ours: Forecast, trainings: Sequence[TrainingFrame], columns: Sequence[FeatureColumn]) -> Judgement:
    """Fit the peers on each of the given trainings, and set all forecasts of the same rows side by side."""
    peers = [Forecast(name, len(train), predict(train, rows.X, columns)) for train in trainings for name, predict in PEERS.items()]
    base = Forecast("base rate alone", len(trainings[0]), np.full(len(rows), trainings[0].y.mean()))
    return Judgement(rows.y, rows.customer, (ours, *peers, base))


def judge_dataset(config: Config, as_of: date) -> list[str]:
    """Train at a day, judge on the slice set aside and on the customers active that day, and report in Markdown."""
    now = pipeline.build_features_at(config, as_of, reporter=StepReporter(human=True))
    labelled, columns, spec_hash = training_frame(now.tables, as_of, config.churn, config.features)
    model = train_model(labelled, columns, config.churn, as_of=as_of, feature_spec_hash=spec_hash)
    train, held = labelled.take(model.slices["train"].rows), labelled.take(model.slices["test"].rows)
    lines = [f"## {config.name}", "", f"Trained at {as_of} on {len(columns)} features.", "", "```", str(model.slices), "```", ""]
    for title, rows, trainings in (
        ("The slice set aside in training", held, [train]),
        (f"The customers active at {as_of}, judged by what they did next", _later_frame(config, now, as_of), [labelled, train]),
    ):
        ours = Forecast("custvalue", len(train), model.bundle.predict_proba(rows.X))
        judgement = judge(rows, ours, trainings, columns)
        compared, leavers = compare(judgement), int(rows.y.sum())
        left = f"{leavers:,} of {len(rows):,} left: {rows.y.mean():.2%}; custvalue predicted {ours.p.mean():.2%}."
        lines += [f"### {title}", "", left, "", *quality_table(judgement), "", *difference_table(compared), ""]
        lines += [verdict(compared, leavers), ""]
    return [*lines, "What the source says of itself:", "", *(f"- {caveat}" for caveat in now.tables.caveats), ""]


def _later_frame(config: Config, now: pipeline.Features, as_of: date) -> TrainingFrame:
    """Give the customers active at a day with what became of them, known once the window was over."""
    known_at = add_months(as_of, config.churn.gap_months + config.churn.horizon_months)
    found = now.frame.merge(pipeline.snapshot_outcomes(config, now.tables, as_of, known_at), on="customer_id", validate="1:1")
    X, y, customer = found[[c.name for c in now.columns]], found.outcome.to_numpy(np.int8), found.customer_id.to_numpy(object)
    return TrainingFrame(X=X, y=y, customer=customer, snapshot=np.full(len(found), np.datetime64(as_of)))


def refuse_dataset(config: Config, as_of: date) -> list[str]:
    """Report why a data set cannot train."""
    tables, _ = pipeline.check(config, as_of, reporter=StepReporter(human=True))
    try:
        training_frame(tables, as_of, config.churn, config.features)
    except ModelError as error:
        return [f"## {config.name}", "", f"Not trained: {error}", ""]
    raise ModelError(f"{config.name} trains at {as_of}: judge it with the others.")


def main(arguments: Sequence[str] | None = None) -> int:
    """Read the command line, print the report, and give the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    data = Path(os.environ.get("CUSTVALUE_DATA") or PROJECT.parent / "shared" / "data")
    parser.add_argument("--data", type=Path, default=data, help="folder of the data sets (default: CUSTVALUE_DATA, else ../shared/data)")
    parser.add_argument("--workdir", type=Path, help="folder for the workspace, where configs are copied to (default: a temporary one)")
    given = parser.parse_args(arguments)
    if not given.data.is_dir():
        print(f"{given.data} is not a folder. Name the folder of the data sets with --data or CUSTVALUE_DATA.", file=sys.stderr)
        return 2
    with nullcontext(given.workdir) if given.workdir else tempfile.TemporaryDirectory() as folder:
        configs = Path(shutil.copytree(ready_configs(), Path(folder) / "configs", dirs_exist_ok=True))
        print(INTRODUCTION)
        for report, days in ((judge_dataset, JUDGED), (refuse_dataset, UNTRAINABLE)):
            for name, as_of in days.items():
                config = load_config(configs / f"{name}.yaml", environ={"CUSTVALUE_DATA": str(given.data.resolve())})
                print("\n".join(report(config, as_of)), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
