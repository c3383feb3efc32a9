"""The experiment behind a campaign: who was listed, in which stratum, and who was randomised together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from custvalue.errors import DataError
from custvalue.metrics import Floats

LEAST_UNITS = 5
"""A stratum with fewer units in either arm is not compared: an interval cannot rest on one or two. It is not joined with others either,
because the share held out may differ from tier to tier."""

Integers = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Design:
    """Listed customers beside held-out ones, stratum by stratum; a cell is an arm of a stratum.

    Strata are weighted by their listed customers, so that what is estimated is the effect on those who were listed.

    Attributes
    ----------
    listed : (n,) bool
        Of each customer.
    pair : (n,) int
        The unit of each customer within a cell; a household whose members differ in stratum is several pairs and one unit.
    pair_cell, pair_unit : (pairs,) int
        The cell, and the unit, of each pair.
    weight : (cells,) float
        The stratum's share of the listed; negative for the held-out.
    customers, units : (cells,) float
        How many a cell holds.
    """

    listed: npt.NDArray[np.bool_]
    pair: Integers
    pair_cell: Integers
    pair_unit: Integers
    weight: Floats
    customers: Floats
    units: Floats

    @classmethod
    def of(cls, listed: npt.ArrayLike, *, stratum: npt.ArrayLike | None = None, unit: npt.ArrayLike | None = None) -> Design:
        """Read the experiment from the customers' arms, strata and units.

        Parameters
        ----------
        listed : (n,) bool
            Listed, or held out although he would have been.
        stratum : (n,) array, optional
            One for all by default.
        unit : (n,) array, optional
            What was randomised: customers of one unit share their arm. Each customer for himself by default.

        Raises
        ------
        DataError
            The arrays differ in length, or an arm of a stratum has fewer than two units; see `comparable`.
        """
        arm, strata, units = _arrays(listed, stratum, unit)
        cell = 2 * strata + arm
        fewest = _units_by_arm(strata, arm, units).min(initial=np.iinfo(np.int64).max)
        if not arm.size or fewest < 2:
            raise DataError("exposure: an effect needs at least two listed and two held-out units in each stratum that is compared.")
        pairs, pair = np.unique(cell * (units.max() + 1) + units, return_inverse=True)
        pair_cell, pair_unit = np.divmod(pairs, units.max() + 1)
        customers = np.bincount(cell).astype(np.float64)
        share = np.repeat(customers[1::2] / customers[1::2].sum(), 2)
        weight = np.where(np.arange(customers.size) % 2, share, -share)
        return cls(arm, pair, pair_cell, pair_unit, weight, customers, np.bincount(pair_cell).astype(np.float64))

    def sums(self, values: npt.ArrayLike) -> Floats:
        """Add up customers' values by pair.

        Raises
        ------
        DataError
            A value is missing: whoever was listed counts, whatever became of him.
        """
        numbers = np.asarray(values, dtype=np.float64)
        if numbers.shape != self.listed.shape or not np.isfinite(numbers).all():
            missing = int((~np.isfinite(numbers)).sum())
            raise DataError(
                f"exposure: {missing} of {numbers.size} outcomes are missing; every one of {self.listed.size} customers needs one."
            )
        return np.asarray(np.bincount(self.pair, numbers, self.pair_cell.size), dtype=np.float64)

    def means(self, values: npt.ArrayLike) -> Floats:
        """Give the mean of each cell."""
        return np.bincount(self.pair_cell, self.sums(values)) / self.customers

    def rate(self, values: npt.ArrayLike, *, listed: bool) -> float:
        """Give an arm's mean, strata weighted as in the difference."""
        own = self.weight > 0 if listed else self.weight < 0
        return float(np.abs(self.weight[own]) @ self.means(values)[own])

    def difference(self, values: npt.ArrayLike) -> tuple[float, Floats]:
        """Give listed minus held-out, and what each pair contributes to its error.

        Neyman's variance of a stratified experiment is the sum of the squared contributions, which with units of several customers is that
        of the linearised ratio of sums; each cell's is scaled by u / (u − 1), u its units.
        """
        sums, size = self.sums(values), np.bincount(self.pair)
        means = np.bincount(self.pair_cell, sums) / self.customers
        scale = self.weight / self.customers * np.sqrt(self.units / (self.units - 1))
        return float(self.weight @ means), scale[self.pair_cell] * (sums - means[self.pair_cell] * size)

    def slope(self, values: npt.ArrayLike, before: npt.ArrayLike) -> float:
        """Give the slope of values on what was known before, the same in each cell; 0 where that does not vary.

        All customers together tell it. The slope with the smallest error would rest on the few who were held out: it fits their noise, and
        its intervals are too narrow.
        """
        size = np.bincount(self.pair)
        now, then = (
            own - (np.bincount(self.pair_cell, own) / self.customers)[self.pair_cell] * size for own in map(self.sums, (values, before))
        )
        spread = float(then @ then)
        return float(now @ then) / spread if spread > 0 else 0.0

    def error(self, contributions: Floats) -> tuple[float, float]:
        """Give the standard error of a difference, and its degrees of freedom by Welch and Satterthwaite."""
        whole = np.bincount(self.pair_unit, contributions)
        by_cell = np.bincount(self.pair_cell, contributions**2)
        uncertain = float(by_cell**2 @ (1 / (self.units - 1)))
        return float(np.sqrt(whole @ whole)), float(by_cell.sum() ** 2 / uncertain) if uncertain > 0 else float("inf")


def comparable(listed: npt.ArrayLike, *, stratum: npt.ArrayLike | None = None, unit: npt.ArrayLike | None = None) -> npt.NDArray[np.bool_]:
    """Tell of each customer whether his stratum has `LEAST_UNITS` units in both arms; parameters as for `Design.of`."""
    arm, strata, units = _arrays(listed, stratum, unit)
    if not arm.size:
        return np.zeros(0, dtype=bool)
    return np.asarray((_units_by_arm(strata, arm, units).min(axis=1) >= LEAST_UNITS)[strata])


def _arrays(
    listed: npt.ArrayLike, stratum: npt.ArrayLike | None, unit: npt.ArrayLike | None
) -> tuple[npt.NDArray[np.bool_], Integers, Integers]:
    arm = np.asarray(listed, dtype=bool)
    strata = np.zeros(arm.size, dtype=np.int64) if stratum is None else _codes(stratum, arm.size, "stratum")
    units = np.arange(arm.size) if unit is None else _codes(unit, arm.size, "unit")
    return arm, strata, units


def _codes(values: npt.ArrayLike, rows: int, name: str) -> Integers:
    codes, _ = pd.factorize(np.asarray(values, dtype=object), use_na_sentinel=False)
    if codes.shape != (rows,):
        raise DataError(f"exposure: {codes.size} values of {name} for {rows} customers.")
    return np.asarray(codes, dtype=np.int64)


def _units_by_arm(strata: Integers, arm: npt.NDArray[np.bool_], units: Integers) -> Integers:
    """Count the units of each stratum, held out and listed: (strata, 2)."""
    if not arm.size:
        return np.zeros((0, 2), dtype=np.int64)
    base = int(units.max()) + 1
    cells = np.unique((2 * strata + arm) * base + units) // base
    return np.bincount(cells, minlength=2 * (int(strata.max()) + 1)).reshape(-1, 2)
