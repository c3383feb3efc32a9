"""What contacting customers earns: the value of a contact, and profit by the share contacted.

`profit_curve`, `expected_profit` and `best_contacted_share` read what contacting each row *would have earned*, given
what the customer did. `contact_value` and `CostMatrix.saving` give it: both are linear in the chance of leaving, so that the
outcome (0 or 1) put in its place gives what was earned, and a probability what is expected.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from custvalue.errors import ConfigError
from custvalue.metrics.arrays import Floats, by_score, same_length, tie_groups


class ProfitCurve(NamedTuple):
    """Profit by share contacted, from nobody to everybody.

    Attributes
    ----------
    share : (k,) ascending from 0 to 1
        A point stands after each run of equal scores; between two points rows are contacted at random.
    profit : (k,) currency a customer of all rows, contacted or not
    """

    share: Floats
    profit: Floats


def contact_value(
    probability: ArrayLike,
    *,
    value: ArrayLike,
    offer: ArrayLike,
    contact_cost: ArrayLike,
    save: ArrayLike,
    take_up: ArrayLike = 1.0,
    harm: ArrayLike = 0.0,
    reach: ArrayLike = 1.0,
) -> Floats:
    """Net value of contacting a customer.

    ``reach * [p * save * (V - d) - (1 - p) * (take_up * d + harm * V)] - contact_cost``: a reached would-be leaver
    stays with chance `save` and costs the offer; a reached stayer takes the offer with chance `take_up`, and leaves
    because he was called with chance `harm`. The defaults give the textbook form (Neslin et al. 2006; Verbraken,
    Verbeke and Baesens 2013), in which everybody is reached, every stayer takes the offer and no call does harm.

    Parameters
    ----------
    probability : (n,) p
        The calibrated churn probability, for what a contact is expected to earn; or the outcome, 0 or 1, for what it
        would have earned.
    value, offer, contact_cost : float or (n,), currency
        V, d, and f of each contact.
    save, take_up, harm, reach : float or (n,)
        Chances, in [0, 1].

    Returns
    -------
    ndarray of float64, shape (n,)
        Currency; negative where the contact costs more than it saves.
    """
    given = (probability, value, offer, contact_cost, save, take_up, harm, reach)
    p, v, d, f, saved, taken, harmed, reached = (np.asarray(each, dtype=np.float64) for each in given)
    return np.asarray(reached * (p * saved * (v - d) - (1 - p) * (taken * d + harmed * v)) - f)


def profit_curve(gain: ArrayLike, score: ArrayLike) -> ProfitCurve:
    """Profit by the share of rows contacted, highest scores first.

    Parameters
    ----------
    gain : (n,) currency
        What contacting the row would have earned, given what the customer did: ``contact_value(y, ...)`` or
        ``CostMatrix.saving(y)``.
    score : (n,)
        Only its order counts. A probability contacts by risk; the expected value of a contact
        (``contact_value(p, ...)``) by value, as lists do.
    """
    gain, score = by_score(*same_length(gain, score, "gains"))
    earned, _, size = tie_groups(gain, score)
    rows = gain.size
    return ProfitCurve(np.r_[0.0, np.cumsum(size[::-1]) / rows], np.r_[0.0, np.cumsum(earned[::-1]) / rows])


def expected_profit(gain: ArrayLike, score: ArrayLike, share: float) -> float:
    """Profit where capacity allows ``share`` of the rows, in (0, 1], to be contacted: currency a customer of all rows.

    A cut among equal scores, or within a row, takes its part of their mean. Other parameters: see `profit_curve`.
    """
    if not 0 < share <= 1:
        raise ConfigError(f"expected_profit: share must lie in (0, 1], not {share!r}; 0.02 means the top 2 %.")
    curve = profit_curve(gain, score)
    return float(np.interp(share, curve.share, curve.profit))


def best_contacted_share(gain: ArrayLike, score: ArrayLike) -> float:
    """Share of the rows whose contacting earns most, 0 where no contact pays; parameters as in `profit_curve`.

    It is found on the rows it is given, where it looks a little better than on others: choose it on one slice, judge
    it on a later one.
    """
    curve = profit_curve(gain, score)
    return float(curve.share[np.argmax(curve.profit)])
