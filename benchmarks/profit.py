"""Money measures beside those of empulse, and what decisions earn on a real operator's costs by customer.

Run ``python benchmarks/profit.py [--data FOLDER] [--repeats N]`` with the Python that custvalue is installed in. Install ``empulse``
(and ``catboost``) beside it for the peers' columns and rows; where they are absent the tables say so. The data set is
``tv_subscriptions``, whose costs are those of calling a stayer (C_FP), of not calling a leaver (C_FN) and of calling a leaver (C_TP).
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import RepeatedStratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from custvalue import ChurnClassifier, metrics
from custvalue.metrics import CostMatrix

Floats = NDArray[np.float64]
Way = Callable[[pd.DataFrame, pd.DataFrame], Floats]
"""Rows to learn from, rows to judge → a number for each of the latter."""

SEED = 7
RESAMPLES = 1_000
TERMS = {"the paper's": {}, "dear offer": {"value": 100.0, "offer": 30.0, "contact_cost": 5.0}, "wide law": {"alpha": 2.0, "beta": 5.0}}
ABSENT = "absent"


def measures_table(y: Floats, scores: dict[str, Floats]) -> list[str]:
    """Write EMPC, the share contacted and MP beside empulse's, for each score and set of terms."""
    lines = ["| scores | terms | EMPC | empulse | share contacted | empulse | MP | empulse |", "|---|---|---:|---:|---:|---:|---:|---:|"]
    for name, score in scores.items():
        for told, terms in TERMS.items():
            law = {key: terms.get(key, usual) for key, usual in (("alpha", 6.0), ("beta", 14.0))}
            costs = {key: value for key, value in terms.items() if key not in law}
            save = law["alpha"] / (law["alpha"] + law["beta"])
            ours = (*metrics.empc(y, score, **terms), metrics.mp_score(y, score, save=save, **costs))
            theirs = _empulse_measures(y, score, law, costs, save)
            lines.append(f"| {name} | {told} | " + " | ".join(f"{a:.10f} | {b}" for a, b in zip(ours, theirs, strict=True)) + " |")
    return lines


def _empulse_measures(y: Floats, score: Floats, law: dict[str, float], costs: dict[str, float], save: float) -> list[str]:
    """EMPC, share and MP by empulse."""
    if find_spec("empulse") is None:
        return [ABSENT] * 3
    from empulse.metrics import empc_score, mpc_score

    names = {"value": "clv", "offer": "incentive_cost", "contact_cost": "contact_cost"}
    terms = {names[key]: value for key, value in costs.items()}
    found = (
        empc_score(y, score, **law, **terms),
        empc_score.optimal_rate(y, score, **law, **terms),
        mpc_score(y, score, accept_rate=save, **terms),
    )
    return [f"{value:.10f}" for value in found]


def models() -> dict[str, Way]:
    """Ways to a chance of leaving."""
    found: dict[str, Callable[[], Any]] = {
        "custvalue": ChurnClassifier,
        "logistic regression": lambda: make_pipeline(StandardScaler(), LogisticRegression(max_iter=2_000)),
        "LightGBM default": _default_booster,
    }
    if find_spec("catboost") is not None:
        from catboost import CatBoostClassifier

        quiet = {"verbose": False, "thread_count": 1, "random_seed": SEED, "allow_writing_files": False}
        found["CatBoost default"] = lambda: CatBoostClassifier(**quiet)
    return {name: _chance(make) for name, make in found.items()}


def _chance(make: Callable[[], Any]) -> Way:
    def predict(given: pd.DataFrame, asked: pd.DataFrame) -> Floats:
        return np.asarray(make().fit(features(given), given["target"]).predict_proba(features(asked))[:, 1])

    return predict


def _default_booster() -> Any:
    return lightgbm.LGBMClassifier(verbosity=-1, n_jobs=1, random_state=SEED)


def peers_decisions() -> dict[str, Way]:
    """Give empulse's ways to a decision: by calibrated thresholds, and by models trained on the costs themselves."""
    if find_spec("empulse") is None:
        return {}
    from empulse.models import CSBoostClassifier, CSLogitClassifier, CSThresholdClassifier

    def threshold(given: pd.DataFrame, asked: pd.DataFrame) -> Floats:
        model = CSThresholdClassifier(_default_booster(), calibrator="sigmoid", random_state=SEED)
        model.fit(features(given).to_numpy(), given["target"].to_numpy())
        return np.asarray(model.predict(features(asked).to_numpy(), **_as_keywords(costs_of(asked))), dtype=np.float64)

    def boosted(given: pd.DataFrame, asked: pd.DataFrame) -> Floats:
        model = CSBoostClassifier(_default_booster())
        model.fit(features(given).to_numpy(), given["target"].to_numpy(), **_as_keywords(costs_of(given)))
        return np.asarray(model.predict(features(asked).to_numpy()), dtype=np.float64)

    def logistic(given: pd.DataFrame, asked: pd.DataFrame) -> Floats:
        scaler = StandardScaler().fit(features(given))
        model = CSLogitClassifier()
        model.fit(scaler.transform(features(given)), given["target"].to_numpy(), **_as_keywords(costs_of(given)))
        return np.asarray(model.predict(scaler.transform(features(asked))), dtype=np.float64)

    return {
        "empulse CSThreshold (LightGBM default, sigmoid)": threshold,
        "empulse CSBoost (LightGBM default)": boosted,
        "empulse CSLogit": logistic,
    }


def _as_keywords(costs: CostMatrix) -> dict[str, Floats]:
    given = {"fp_cost": costs.false_positive, "fn_cost": costs.false_negative, "tp_cost": costs.true_positive}
    return {name: np.asarray(values, dtype=np.float64) for name, values in (given | {"tn_cost": costs.true_negative}).items()}


def out_of_fold(rows: pd.DataFrame, way: Way, *, repeats: int) -> list[Floats]:
    """Give each row's number from a way that has not learnt from it, once a repeat of five folds."""
    folds = RepeatedStratifiedKFold(n_splits=5, n_repeats=repeats, random_state=SEED).split(rows, rows["target"])
    found = [np.empty(len(rows)) for _ in range(repeats)]
    for number, (given, asked) in enumerate(folds):
        found[number // 5][asked] = way(rows.iloc[given], rows.iloc[asked])
    return found


def features(rows: pd.DataFrame) -> pd.DataFrame:
    """Give the anonymous columns; costs are no features."""
    return rows.filter(regex=r"^x\d+$")


def costs_of(rows: pd.DataFrame) -> CostMatrix:
    """Give the costs of rows."""
    return CostMatrix(*(rows[name].to_numpy() for name in ("C_FP", "C_FN", "C_TP", "C_TN")))


def decisions_table(rows: pd.DataFrame, decisions: dict[str, list[Floats]]) -> list[str]:
    """Write what each way's decisions, 1 or 0 a row, cost and save beside the first one's; 95 % bootstrap intervals over customers."""
    y, costs = rows["target"].to_numpy(dtype=float), costs_of(rows)
    peer = None
    if find_spec("empulse") is not None:
        from empulse.metrics import savings_score as peer
    first = next(iter(decisions))
    spent = {name: np.mean([costs.cost(y, each) for each in repeats], axis=0) for name, repeats in decisions.items()}
    lines = ["| decided by | contacted | cost a customer | savings | empulse's figure | cost above the first's | 95 % interval |"]
    lines.append("|---|---:|---:|---:|---:|---:|---:|")
    for name in sorted(spent, key=lambda name: (name != first, float(spent[name].mean()))):
        savings, theirs = np.mean([metrics.savings_score(y, each, costs) for each in decisions[name]]), ABSENT
        if peer is not None:
            theirs = f"{np.mean([peer(y, each.astype(int), **_as_keywords(costs)) for each in decisions[name]]):.4f}"
        gap = spent[name] - spent[first]
        low, high = interval(gap)
        cells = [f"{np.mean(decisions[name]):.1%}", f"{spent[name].mean():.2f}", f"{savings:.4f}", theirs]
        cells += ["", ""] if name == first else [f"{gap.mean():+.2f}", f"{low:+.2f} to {high:+.2f}"]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return lines


def interval(values: Floats) -> tuple[float, float]:
    """Give the 95 % bootstrap interval of a mean."""
    random = np.random.default_rng(SEED)
    means = [values[random.integers(values.size, size=values.size)].mean() for _ in range(RESAMPLES)]
    low, high = np.quantile(means, [0.025, 0.975])
    return float(low), float(high)


def main(arguments: Sequence[str] | None = None) -> int:
    """Read the command line, print the tables, and give the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    beside = Path(__file__).parents[2] / "shared" / "data"
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("CUSTVALUE_DATA") or beside), help="folder of the data sets")
    parser.add_argument("--repeats", type=int, default=1, help="repeats of the five folds (default: %(default)s)")
    chosen = parser.parse_args(arguments)
    file = chosen.data / "tv_subscriptions" / "churn_tv_subscriptions.csv.gz"
    if chosen.repeats < 1 or not file.is_file():
        parser.error(f"--repeats must be at least 1, and {file} must exist")
    rows = pd.read_csv(file).astype({"target": int})
    found: dict[str, list[Floats]] = {}
    for name, way in {**models(), **peers_decisions()}.items():
        print(f"{name} …", file=sys.stderr, flush=True)
        found[name] = out_of_fold(rows, way, repeats=chosen.repeats)
    chances, costs = found["custvalue"][0], costs_of(rows)
    scores = {"custvalue": chances, "in hundredths": chances.round(2), "random": np.random.default_rng(SEED).random(len(rows))}
    print("\n".join(measures_table(rows["target"].to_numpy(dtype=float), scores)), end="\n\n")
    decisions = {f"{name}, by cost": [(costs.saving(p) > 0) * 1.0 for p in found[name]] for name in models()}
    decisions |= {"custvalue, at one half": [(p > 0.5) * 1.0 for p in found["custvalue"]]}
    decisions |= {name: [np.full(len(rows), rule)] for name, rule in {"nobody": 0.0, "everybody": 1.0}.items()}
    decisions |= {name: found[name] for name in peers_decisions()}
    print("\n".join(decisions_table(rows, decisions)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
