"""Risk in three words, against what is usual for the base."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from custvalue.errors import ConfigError

HIGH_RISK = 4.0
"""From so many times the base rate a risk is called high (illustrative; lift in the top few percent of a fair model)."""
MEDIUM_RISK = 2.0
"""From so many times the base rate a risk is called medium (illustrative)."""


def risk_band(probability: npt.ArrayLike, *, base_rate: float) -> npt.NDArray[np.object_]:
    """Put calibrated probabilities into words: ``high``, ``medium`` or ``low``.

    Parameters
    ----------
    probability : array-like, shape (n,)
        Chance of leaving within the horizon.
    base_rate : float
        Share of the base that leaves within the same horizon. Bands are relative: above 25 % nobody can be `high`.

    Returns
    -------
    ndarray of str, shape (n,)

    Raises
    ------
    ConfigError
        `base_rate` is not between 0 and 1.
    """
    if not 0 < base_rate < 1:
        raise ConfigError(f"risk bands need a base rate between 0 and 1, not {base_rate!r}. Give the model's.")
    p = np.asarray(probability, dtype=np.float64)
    bands = np.where(p >= HIGH_RISK * base_rate, "high", np.where(p >= MEDIUM_RISK * base_rate, "medium", "low"))
    return bands.astype(object)
