"""Which models are tried: boosters that differ in size and in regularisation, and a line, because no one of them suits all data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from custvalue.config import ChurnConfig
from custvalue.features.columns import FeatureColumn

MANY_LEAVERS = 3_000
"""From so many leavers on three boosters are tried instead of all: with enough to learn from, settings differ little."""

MANY_CELLS = 2_000_000
"""From so many rows times columns on as well: eight models would take minutes."""

_COLUMNS_A_TREE = 60
_HUGE = 20_000
_LEAVES = ((200, 4), (2_000, 7), (_HUGE, 15))


@dataclass(frozen=True)
class Candidate:
    """Booster settings to try.

    Attributes
    ----------
    name : str
        Stands in logs and in the bundle.
    params : dict
        LightGBM's, over those of `booster_settings`. Candidates share one binned data set, so settings of the binning
        (``max_bin``, ``min_data_in_bin``) cannot differ. Of a linear one ``C``, once it is chosen.
    linear : bool
        A logistic regression written as trees (see `linear`) in the place of boosting.
    """

    name: str
    params: Mapping[str, Any]
    linear: bool = False


def booster_settings(leavers: int, rows: int, columns: Sequence[FeatureColumn], settings: ChurnConfig) -> dict[str, Any]:
    """Choose LightGBM parameters for so many leavers: the one booster that suits such data best, and what all others share.

    - Leaves: leavers, not rows, bound how much shape can be learnt.
    - A leaf holds enough rows for some leavers at the base rate; fewer would let single leavers shape the tree.
    - A slow rate, 40 % of the columns a tree and a ridge on leaf values: many weak trees over correlated columns (the
      same usage in several windows) beat few strong ones and come out nearly calibrated.
    - Categories: at least 100 rows a group of levels, strong smoothing and a ridge of their own, because a rare plan's churn rate is
      mostly noise.
    - Monotone where a column declares a sign: a known direction need not be learnt from few leavers.
    - No class weights: probabilities feed money.
    - ``deterministic``, ``force_row_wise``, the seed and a fixed number of threads make the model text repeatable.

    Parameters
    ----------
    leavers, rows : int
        Of the training slice only, so that no other slice shapes the booster.
    columns : sequence of FeatureColumn
        In the booster's order.
    settings : ChurnConfig
        Seed, threads, and whether declared signs hold.
    """
    signs = [column.sign if column.kind == "number" and settings.monotone == "declared" else 0 for column in columns]
    return {
        "objective": "binary",
        "metric": "binary_logloss",
        "num_leaves": _leaves(leavers),
        "min_data_in_leaf": int(np.clip(3 * rows / max(leavers, 1), 20, max(20, rows // 20))),
        "learning_rate": 0.03,
        "feature_fraction": 0.4,
        "lambda_l2": 10.0,
        "cat_smooth": 100.0,
        "cat_l2": 30.0,
        "min_data_per_group": 100,
        "feature_pre_filter": False,
        "deterministic": True,
        "force_row_wise": True,
        "seed": settings.seed,
        "num_threads": settings.threads,
        "verbosity": -1,
        **({"monotone_constraints": signs} if any(signs) else {}),
    }


def candidates(leavers: int, rows: int, columns: int) -> tuple[Candidate, ...]:
    """Give the models to try on so many leavers, rows and columns, all of the training slice.

    Tied ones (40 % of the columns, a ridge of 10, large leaves) suit noisy data with many weak columns, free ones data with sharp
    rules; trees of two leaves are an additive model; trees with random thresholds (``extra_trees``) err elsewhere than the others, so
    a blend gains from them. A logistic regression needs the fewest rows where effects add up. The blend decides how much each one counts.
    The fewer leaves, the faster the rate: small trees need many rounds.
    """
    few_rows = int(np.clip(rows / max(leavers, 1) / 2, 5, 50))
    share = float(np.clip(_COLUMNS_A_TREE / max(columns, 1), 0.4, 1.0))
    free = {"feature_fraction": share, "lambda_l2": 1.0, "min_data_in_leaf": few_rows}
    additive = Candidate("additive", {"num_leaves": 2, "learning_rate": 0.1})
    if leavers >= MANY_LEAVERS or rows * columns >= MANY_CELLS:
        tied_small = Candidate("tied, small", {"num_leaves": 7, "learning_rate": 0.08})
        return (
            additive if leavers < _HUGE else tied_small,
            Candidate("tied", {"learning_rate": 0.05}),
            Candidate("free", free | {"num_leaves": 2 * _leaves(leavers) + 1, "learning_rate": 0.05}),
        )
    return (
        Candidate("linear", {}, linear=True),
        additive,
        Candidate("tied, small", {"num_leaves": 4, "learning_rate": 0.08}),
        Candidate("tied", {"num_leaves": 15, "learning_rate": 0.05}),
        Candidate("free, small", free | {"num_leaves": 7, "learning_rate": 0.05}),
        Candidate("free", free | {"num_leaves": 31, "learning_rate": 0.05}),
        Candidate(
            "sampled", free | {"num_leaves": 31, "learning_rate": 0.05, "lambda_l2": 3.0, "bagging_fraction": 0.8, "bagging_freq": 1}
        ),
        Candidate("random", free | {"num_leaves": 31, "learning_rate": 0.1, "extra_trees": True}),
    )


def _leaves(leavers: int) -> int:
    return next((size for below, size in _LEAVES if leavers < below), 31)
