"""Cross-validation over time: train on the past, test on later snapshots, windows apart and customers apart."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from custvalue.churn.splits import Rows, add_months, hashes
from custvalue.errors import ConfigError

TEST_CUSTOMERS = 4
"""With groups, one customer in four of a test snapshot tests; the others' past trains."""

_MOST_MONTHS = 36


class TimeSplit:
    """A scikit-learn splitter with a rolling origin, for rows of several snapshots.

    The newest snapshot tests the last fold, the one before it the fold before, and so on. A fold trains on every older row whose outcome
    window was over by the first day of its test snapshots: what happened in a window that still ran is not known on that day. With
    ``groups``, no customer of a fold's test rows trains in it: a quarter of the customers of the test snapshots is tested, another
    quarter in the next fold, and all their older rows are left out of training.

    Parameters
    ----------
    snapshot : (n,) array of dates
        The day that each row looks from, in the order of ``X``.
    purge : int or timedelta
        Length of an outcome window: calendar months as an integer (gap and horizon together), or days as a ``timedelta``.
    n_splits : int
        Folds.
    test_snapshots : int
        Snapshots that test in each fold.
    seed : int
        Decides with the customer's id which fold tests a customer.

    Raises
    ------
    ConfigError
        An argument is wrong, or the snapshots are too few for so many folds; a ``ValueError``, as scikit-learn's own splitters raise.

    Examples
    --------
    >>> X, y, customer, snapshot = custvalue.training_frame(tables, "2025-07-01")  # doctest: +SKIP
    >>> cv = custvalue.TimeSplit(snapshot, purge=3)  # doctest: +SKIP
    >>> cross_val_score(LGBMClassifier(), X, y, groups=customer, cv=cv, scoring="roc_auc")  # doctest: +SKIP
    """

    def __init__(self, snapshot: ArrayLike, *, purge: int | timedelta, n_splits: int = 5, test_snapshots: int = 1, seed: int = 0) -> None:
        self.snapshot = _days(snapshot)
        self.purge = _window(purge)
        self.n_splits = _at_least_one("n_splits", n_splits)
        self.test_snapshots = _at_least_one("test_snapshots", test_snapshots)
        self.seed = seed
        self._folds = self._find_folds()

    def __repr__(self) -> str:
        days = len(np.unique(self.snapshot))
        return f"TimeSplit({days} snapshots, purge={self.purge!r}, n_splits={self.n_splits}, test_snapshots={self.test_snapshots})"

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:  # noqa: ARG002
        """Number of folds."""
        return self.n_splits

    def split(self, X: Any = None, y: Any = None, groups: Any = None) -> Iterator[tuple[Rows, Rows]]:
        """Give the row numbers that train and that test, oldest fold first.

        Parameters
        ----------
        X, y : optional
            Only their lengths are read, and of a frame by `training_frame` the length of its outcome window.
        groups : (n,) array, optional
            Customers; without them a customer's older rows train where a newer one tests, as in production.

        Raises
        ------
        ConfigError
            Lengths differ, ``purge`` is shorter than the frame's outcome window, or too few customers are left to train.
        """
        for name, given in {"X": X, "y": y, "groups": groups}.items():
            if given is not None and (rows := _length(given)) != self.snapshot.size:
                raise ConfigError(f"{name} has {rows:,} rows and snapshot {self.snapshot.size:,}: give those of the same frame.")
        self._refuse_short_purge(X)
        customers = None if groups is None else _customers(groups)
        for fold, (trained, tested) in enumerate(self._folds):
            yield self._rows(fold, trained, tested, customers)

    def _rows(
        self, fold: int, trained: NDArray[np.datetime64], tested: NDArray[np.datetime64], customers: NDArray[np.object_] | None
    ) -> tuple[Rows, Rows]:
        train, test = np.isin(self.snapshot, trained), np.isin(self.snapshot, tested)
        if customers is not None:
            present = np.unique(customers[test])
            chosen = present[np.argsort(hashes(present, self.seed), kind="stable")]
            parts = min(TEST_CUSTOMERS, chosen.size)
            held = np.isin(customers, chosen[fold % parts :: parts])
            train, test = train & ~held, test & held
            if not train.any():
                raise ConfigError(
                    f"fold {fold + 1} has nobody to train on: its {present.size} test customer(s) hold all older rows. "
                    "Give more customers, or leave `groups` out."
                )
        return np.flatnonzero(train), np.flatnonzero(test)

    def _find_folds(self) -> list[tuple[NDArray[np.datetime64], NDArray[np.datetime64]]]:
        """Snapshots that train and that test, oldest fold first."""
        days = np.unique(self.snapshot)
        ends = _window_ends(days, self.purge)
        folds = []
        for last in range(len(days), 0, -self.test_snapshots):
            tested = days[max(0, last - self.test_snapshots) : last]
            trained = days[ends <= tested[0]]
            if len(tested) < self.test_snapshots or not trained.size:
                break
            folds.append((trained, tested))
        if len(folds) < self.n_splits:
            span = f"{days[0]}" if len(days) == 1 else f"{days[0]} to {days[-1]}"
            remedy = f"set n_splits={len(folds)}, or stack more snapshots" if folds else "stack more snapshots, or shorten the window"
            raise ConfigError(
                f"{len(days)} snapshot(s) ({span}) with windows of {_told(self.purge)} give {len(folds)} fold(s) of {self.test_snapshots} "
                f"test snapshot(s), not {self.n_splits}: {remedy}."
            )
        return folds[: self.n_splits][::-1]

    def _refuse_short_purge(self, X: Any) -> None:
        months = getattr(X, "attrs", {}).get("window_months")
        if months is None:
            return
        days = np.unique(self.snapshot)
        if (_window_ends(days, self.purge) < add_months(days, months)).any():
            raise ConfigError(
                f"purge is {_told(self.purge)}, but the outcome windows of X run {months} month(s) from each snapshot (gap and horizon): "
                f"set purge={months}, or training sees outcomes that lie after the test snapshots."
            )


def _days(snapshot: ArrayLike) -> NDArray[np.datetime64]:
    given = np.asarray(snapshot)
    if given.ndim != 1 or not given.size:
        raise ConfigError(f"snapshot must hold one day a row; its shape is {given.shape}.")
    if np.issubdtype(given.dtype, np.number):
        raise ConfigError("snapshot must hold days, not numbers: give the fourth part of `training_frame`, one day a row.")
    try:
        days = given.astype("datetime64[D]")
    except (TypeError, ValueError) as error:
        raise ConfigError(f"snapshot must hold the day of each row, as `training_frame` gives it: {error}.") from error
    if missing := int(np.isnat(days).sum()):
        raise ConfigError(f"snapshot lacks the day of {missing:,} row(s).")
    return days


def _window(purge: int | timedelta) -> int | timedelta:
    if isinstance(purge, np.timedelta64):
        purge = pd.Timedelta(purge).to_pytimedelta()
    if isinstance(purge, np.integer):
        purge = int(purge)
    if isinstance(purge, bool) or not isinstance(purge, int | timedelta):
        raise ConfigError(f"purge must be months as an integer, or a timedelta of days; it is {purge!r}.")
    if isinstance(purge, timedelta):
        if purge < timedelta(days=1):
            raise ConfigError(f"purge must cover the outcome window, at least a day; it is {purge}.")
        return purge
    if not 1 <= purge <= _MOST_MONTHS:
        raise ConfigError(f"purge counts months, from 1 to {_MOST_MONTHS}; it is {purge}. For days give timedelta(days={purge}).")
    return purge


def _window_ends(days: NDArray[np.datetime64], purge: int | timedelta) -> NDArray[np.datetime64]:
    if isinstance(purge, int):
        return add_months(days, purge)
    whole = -(-purge // timedelta(days=1))
    ends: NDArray[np.datetime64] = days + np.timedelta64(whole, "D")
    return ends


def _told(purge: int | timedelta) -> str:
    return f"{purge} month(s)" if isinstance(purge, int) else f"{purge.days} day(s)"


def _at_least_one(name: str, value: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1:
        raise ConfigError(f"{name} must be a whole number from 1 on; it is {value!r}.")
    return int(value)


def _length(given: Any) -> int:
    return int(given.shape[0]) if hasattr(given, "shape") else len(given)


def _customers(groups: Any) -> NDArray[np.object_]:
    customers = pd.Series(np.asarray(groups, dtype=object))
    if missing := int(customers.isna().sum()):
        raise ConfigError(f"groups lacks the customer of {missing:,} row(s).")
    return customers.astype(str).to_numpy(dtype=object)
