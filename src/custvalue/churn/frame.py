"""The labelled table that training reads: stacked snapshots of features and outcomes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from custvalue.errors import ConfigError


@dataclass(frozen=True, eq=False)
class TrainingFrame:
    """Features, outcomes and origin of labelled rows, one row a customer and snapshot.

    It unpacks: ``X, y, customer, snapshot = frame``.

    Attributes
    ----------
    X : DataFrame
        (n, columns) float64 and text columns; missing is NaN or null.
    y : (n,) int8
        1 for those who left inside the outcome window.
    customer : (n,) object
        Customer ids as text.
    snapshot : (n,) datetime64[D]
        The day the features were seen.
    dropped : dict
        Reason → customers left out of the labelled rows; counts are of the whole frame, also after `take`.

    Raises
    ------
    ConfigError
        The parts differ in length, or outcomes other than 0 and 1 occur.
    """

    X: pd.DataFrame
    y: NDArray[np.int8]
    customer: NDArray[np.object_]
    snapshot: NDArray[np.datetime64]
    dropped: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        lengths = {"X": len(self.X), "y": len(self.y), "customer": len(self.customer), "snapshot": len(self.snapshot)}
        if len(set(lengths.values())) > 1:
            told = ", ".join(f"{name} {length}" for name, length in lengths.items())
            raise ConfigError(f"the parts of a training frame differ in length: {told}.")
        if not np.isin(self.y, (0, 1)).all():
            raise ConfigError("outcomes of a training frame must be 0 or 1.")

    def __len__(self) -> int:
        return len(self.y)

    def __iter__(self) -> Iterator[Any]:
        return iter((self.X, self.y, self.customer, self.snapshot))

    def take(self, mask: NDArray[Any]) -> TrainingFrame:
        """Rows of a boolean mask, or at positions, in that order."""
        rows = np.flatnonzero(mask) if mask.dtype == np.bool_ else mask
        return TrainingFrame(
            X=self.X.iloc[rows].reset_index(drop=True),
            y=self.y[rows],
            customer=self.customer[rows],
            snapshot=self.snapshot[rows],
            dropped=self.dropped,
        )

    @property
    def leavers(self) -> int:
        """Distinct customers who leave; neighbouring snapshots may hold the same one twice."""
        return len(set(self.customer[self.y == 1]))

    def describe(self) -> pd.DataFrame:
        """One row a snapshot: ``snapshot``, ``active`` (rows) and ``leavers``."""
        rows = pd.DataFrame({"snapshot": self.snapshot, "left": self.y.astype(np.int64)})
        counted = rows.groupby("snapshot", sort=True)["left"].agg(active="size", leavers="sum")
        return counted.reset_index()
