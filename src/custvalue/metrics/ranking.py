"""How well a score ranks: areas under curves, and the lift at a share of the rows."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from custvalue.errors import ConfigError
from custvalue.metrics.arrays import ascending, share_out_ties, tie_groups


def roc_auc(y: ArrayLike, p: ArrayLike) -> float:
    """Area under the ROC curve: the chance that a leaver scores above a stayer, ties counting half.

    Parameters
    ----------
    y : (n,) outcomes, 0 or 1
    p : (n,) scores; only their order counts

    Returns
    -------
    float
        NaN when only one outcome occurs.
    """
    outcome, score = ascending(y, p)
    positive, start, size = tie_groups(outcome, score)
    leavers = positive.sum()
    stayers = outcome.size - leavers
    if leavers == 0 or stayers == 0:
        return float("nan")
    middle_rank = start + (size + 1) / 2
    return float(((positive * middle_rank).sum() - leavers * (leavers + 1) / 2) / (leavers * stayers))


def average_precision(y: ArrayLike, p: ArrayLike) -> float:
    """Area under the precision-recall curve as the sum of precision times the gain in recall (PR-AUC).

    Parameters and the NaN rule are those of `roc_auc`.
    """
    outcome, score = ascending(y, p)
    positive, _, size = tie_groups(outcome, score)
    leavers = positive.sum()
    if leavers == 0:
        return float("nan")
    found = np.cumsum(positive[::-1])
    precision = found / np.cumsum(size[::-1])
    return float((precision * positive[::-1]).sum() / leavers)


def lift_score(y: ArrayLike, p: ArrayLike, share: float) -> float:
    """Churn rate among the ``share`` of rows with the highest scores, divided by the churn rate of all.

    Parameters
    ----------
    y : (n,) outcomes, 0 or 1
    p : (n,) scores; only their order counts
    share : float
        In (0, 1]; rounded up to whole rows, so that at least one is taken.

    Returns
    -------
    float
        1 is no better than chance; NaN when nobody left.
    """
    if not 0 < share <= 1:
        raise ConfigError(f"lift_score: share must lie in (0, 1], not {share!r}; 0.1 means the top 10 %.")
    outcome, score = ascending(y, p)
    rate = outcome.mean()
    if rate == 0:
        return float("nan")
    # 0.1 * 30 is a little above 3 in floating point and must not become 4 rows.
    taken = int(np.ceil(share * outcome.size - 1e-9))
    return float(share_out_ties(outcome, score)[-taken:].mean() / rate)
