"""What a campaign changed, with 95 % intervals: of those listed, of those reached, and in money."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.special import stdtr, stdtrit

from custvalue.metrics import Floats
from custvalue.retention.effect.design import Design
from custvalue.retention.effect.resampling import studentised

ALPHA = 0.05
RESAMPLES = 999


@dataclass(frozen=True)
class Estimate:
    """A figure and its interval; all NaN where it is not known.

    Attributes
    ----------
    value, low, high : float
        The figure, and the ends of its interval.
    error : float
        Standard error.
    degrees : float
        Degrees of freedom of the error.
    """

    value: float
    low: float
    high: float
    error: float = math.nan
    degrees: float = math.inf

    @classmethod
    def of(cls, design: Design, value: float, contributions: Floats, *, alpha: float = ALPHA) -> Estimate:
        """Take the interval from Student's distribution; `contributions` as `Design.difference` gives them."""
        error, degrees = design.error(contributions)
        return cls(value, value, value, error, degrees).at(alpha)

    @classmethod
    def unknown(cls) -> Estimate:
        """Give the estimate of what cannot be told."""
        return cls(math.nan, math.nan, math.nan)

    @property
    def known(self) -> bool:
        """Whether there is a figure."""
        return not math.isnan(self.value)

    @property
    def p_value(self) -> float:
        """Two-sided p-value of no effect."""
        if self.error == 0:
            return 0.0 if self.value else 1.0
        return float(2 * stdtr(self.degrees, -abs(self.value) / self.error))

    def at(self, alpha: float) -> Estimate:
        """Give the same figure with the interval that leaves out `alpha`."""
        reach = float(stdtrit(self.degrees, 1 - alpha / 2)) * self.error
        return replace(self, low=self.value - reach, high=self.value + reach)

    def times(self, factor: float) -> Estimate:
        """Multiply by what is known exactly."""
        low, high = sorted((self.low * factor, self.high * factor))
        return Estimate(self.value * factor, low, high, self.error * abs(factor), self.degrees)

    def plus(self, amount: float) -> Estimate:
        """Add what is known exactly."""
        return replace(self, value=self.value + amount, low=self.low + amount, high=self.high + amount)


def intention_to_treat(design: Design, outcome: npt.ArrayLike, *, alpha: float = ALPHA) -> Estimate:
    """Give the mean outcome of the listed minus that of the held-out, strata weighted by their listed customers.

    Neyman's interval of a stratified experiment, clustered by unit, with Welch and Satterthwaite's degrees of freedom. It counts everybody
    who was listed, reached or not.

    Parameters
    ----------
    design : Design
    outcome : (n,) array
        For example 1 for who left, 0 for who stayed; nobody's may be missing.
    alpha : float
        What the interval leaves out.
    """
    return Estimate.of(design, *design.difference(outcome), alpha=alpha)


def adjusted_difference(
    design: Design, outcome: npt.ArrayLike, before: npt.ArrayLike | None = None, *, resamples: int = RESAMPLES, seed: int = 7
) -> Estimate:
    """Give the difference of an amount with heavy tails, adjusted by what was known before (CUPED: Deng, Xu, Kohavi, Walker 2013).

    ``difference(outcome) − θ · difference(before)``, θ the slope within cells. The interval is the symmetric percentile-t of a bootstrap
    (Hall 1992, chapter 3): units are drawn again within stratum and arm, and 95 % of the resamples' studentised differences lie within it.
    Of bills its ends are surer than those of the equal-tailed one.

    Parameters
    ----------
    design : Design
    outcome : (n,) array
        For example revenue of the months after the listing, currency.
    before : (n,) array, optional
        The same customers' revenue of the months before.
    resamples, seed : int
        How many resamples, and what fixes them.
    """
    earlier = np.zeros(design.listed.size) if before is None else np.asarray(before, dtype=np.float64)
    theta = design.slope(outcome, earlier)
    value, contributions = design.difference(np.asarray(outcome, dtype=np.float64) - theta * earlier)
    plain = Estimate.of(design, value, contributions)
    if plain.error == 0:
        return plain
    ratios = studentised(design, outcome, earlier, value, resamples=resamples, seed=seed)
    # the error by pairs, as in the resamples
    reach = float(np.quantile(np.abs(ratios), 1 - ALPHA)) * float(np.linalg.norm(contributions))
    return replace(plain, low=value - reach, high=value + reach)


def complier_effect(design: Design, outcome: npt.ArrayLike, reached: npt.ArrayLike) -> Estimate:
    """Give the effect on those whom a contact reaches: the effect on the listed over how many more of them were reached.

    Wald's instrumental-variable estimate with a delta-method interval. It holds where being listed changes nothing for whoever is not
    reached, and is not known where the listed were not clearly reached more often than the held-out.

    Parameters
    ----------
    design : Design
    outcome : (n,) array
        As for `intention_to_treat`.
    reached : (n,) bool
        Whether a contact reached the customer; of the held-out nobody should have been.
    """
    change, contributions = design.difference(outcome)
    first, taken = design.difference(np.asarray(reached, dtype=np.float64))
    if Estimate.of(design, first, taken).low <= 0:
        return Estimate.unknown()
    effect = change / first
    return Estimate.of(design, effect, (contributions - effect * taken) / first)
