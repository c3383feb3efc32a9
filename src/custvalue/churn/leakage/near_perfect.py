"""Columns that alone tell leavers from stayers better than honest data let a whole model do."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from custvalue.churn.leakage.association import Association, Sample, associate
from custvalue.churn.leakage.evidence import Evidence
from custvalue.churn.leakage.findings import Finding

HIGHEST_AUC = 0.85
"""A model that knew the hidden intent of every customer reaches 0.79 to 0.81 a month ahead, and one column of the real panels 0.80."""

HIGHEST_ODDS_RATIO = 50.0
"""The strongest split of the real panels and of simulated operators has an odds ratio of 18, its interval's lower end at most 10."""

DOUBT = 0.01
_STAYERS_A_LEAVER = 5
_FEWEST_STAYERS = 10_000


def find(evidence: Evidence) -> Iterator[Finding]:
    """Look at every feature column: its values, its levels, and whether it is missing."""
    frame, sample_rows = evidence.frame, _sampled(evidence.frame.y)
    if np.unique(frame.y).size < 2:
        return
    sample = Sample.of(frame.y[sample_rows], frame.customer[sample_rows])
    doubt = DOUBT / max(1, len(evidence.columns))
    for column in evidence.columns:
        found = associate(frame.X[column.name].iloc[sample_rows], sample, doubt=doubt)
        if (seen := describe(found)) is not None:
            yield Finding(
                column.name,
                seen,
                "Find out when the warehouse learns this value: is it written, corrected or emptied when a customer leaves? Give its "
                "table an honest `available_at`, or leave the column out of the mapping.",
            )


def describe(found: Association) -> str | None:
    """Tell what is too good to be true about a column, or None."""
    told = []
    if found.auc_low >= HIGHEST_AUC:
        told.append(f"AUC {found.auc:.3f} alone (at least {found.auc_low:.2f}; honest columns stay below {HIGHEST_AUC:.2f}).")
    split = found.split
    if split is not None and split.low >= HIGHEST_ODDS_RATIO:
        told.append(
            f"{split.leavers:,} of the {split.rows:,} rows where it is {split.words} left, an odds ratio of {split.odds_ratio:,.0f} "
            f"(at least {split.low:,.0f}; honest splits stay below {HIGHEST_ODDS_RATIO:.0f})."
        )
    return " ".join(told) or None


def _sampled(y: NDArray[np.int8]) -> NDArray[np.intp]:
    """Every leaver and enough stayers; neither an AUC nor an odds ratio depends on how many stayers there are."""
    stayers = np.flatnonzero(y == 0)
    wanted = max(_FEWEST_STAYERS, _STAYERS_A_LEAVER * int((y == 1).sum()))
    step = max(1, stayers.size // wanted)
    return np.sort(np.concatenate([np.flatnonzero(y == 1), stayers[::step]]))


def associations(rows: pd.DataFrame, y: NDArray[np.int8], customer: NDArray[np.object_]) -> Iterator[tuple[str, Association]]:
    """Measure every column of a table of facts against the outcome, where there are leavers and stayers."""
    if np.unique(y).size < 2:
        return
    sample = Sample.of(y, customer)
    for name in rows.columns:
        yield str(name), associate(rows[name], sample, doubt=DOUBT / max(1, rows.shape[1]))
