"""Features of other features: prices of use, and the stage of a customer's life."""

from __future__ import annotations

import numpy as np
import pandas as pd

from pandas_features.grouping import quotient

PRICES = {"gb": ("data_mb", 1024), "minute": ("voice_minutes", 1)}
ENDS = ("contract_days_to_end", "bundle_days_to_end", "discount_days_to_end")


def prices(found: pd.DataFrame, recent: int) -> dict[str, np.ndarray]:
    """Bill for a unit of use, and how it rose against the months before the last."""

    def price(use: str, units: int, of: str) -> np.ndarray:
        paid, used = found[f"revenue_{of}"].to_numpy(), found[f"{use}_{of}"].to_numpy()
        return np.where((paid > 0) & (used > 0), quotient(paid * units, used), np.nan)

    told = {}
    for unit, (use, units) in PRICES.items():
        if f"{use}_mean_1m" in found:
            told[f"revenue_per_{unit}_{recent}m"] = price(use, units, f"mean_{recent}m")
            if recent > 1:
                rise = quotient(price(use, units, "mean_1m"), price(use, units, f"before_{recent}m")) - 1
                told[f"revenue_per_{unit}_rise_{recent}m"] = rise
    return told


def lifecycle_stage(found: pd.DataFrame) -> np.ndarray:
    """``acquire`` for three months; ``keep`` near or after an end; ``care`` in the first year, then ``develop``."""
    tenure = found["tenure_months"]
    ending = np.zeros(len(found), bool)
    for name in ENDS:
        if name in found:
            ending |= (found[name] <= 90).to_numpy()
    if "contract_ended_days" in found:
        ending |= found["contract_ended_days"].notna().to_numpy()
    return np.select([tenure < 3, ending, tenure < 12], ["acquire", "keep", "care"], "develop")
