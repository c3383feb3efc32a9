"""Training on a part of the stayers, and what that does to the log-odds."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from custvalue.churn.frame import TrainingFrame
from custvalue.churn.splits import Rows

_KEY_LENGTH = 16


def sample_stayers(frame: TrainingFrame, share: float, *, seed: int) -> Rows:
    """Positions of all rows that left and of a share of those that stayed, ascending.

    Whether a stayer is kept depends on the seed, the customer and the snapshot alone, never on the order of the rows or on features, so
    the odds of leaving among the kept rows are those of all rows divided by the share: `correction` undoes that.

    Parameters
    ----------
    frame : TrainingFrame
        Labelled rows.
    share : float
        In (0, 1]; 1 keeps every row.
    seed : int
        Another one keeps other stayers.
    """
    if share >= 1:
        return np.arange(len(frame))
    return np.flatnonzero((frame.y == 1) | (_uniform(frame, seed) < share))


def correction(share: float) -> float:
    """What to add to the log-odds of a model that learnt from a share of the stayers: log(share).

    Source: King and Zeng 2001, prior correction under sampling on the outcome.
    """
    return math.log(share)


def _uniform(frame: TrainingFrame, seed: int) -> NDArray[np.float64]:
    """Give each row a number in [0, 1) by its customer and snapshot."""
    key = f"{seed:0{_KEY_LENGTH}d}"[-_KEY_LENGTH:]
    named = pd.util.hash_array(frame.customer.astype(object), hash_key=key, categorize=True)
    days = pd.util.hash_array(frame.snapshot.astype("datetime64[D]").astype(np.int64), hash_key=key)
    both = pd.util.hash_array(named ^ (days * np.uint64(0x9E3779B97F4A7C15)), hash_key=key)
    return both / 2.0**64
