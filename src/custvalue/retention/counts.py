"""How many customers got which decision, and how many each manager has."""

from __future__ import annotations

import pandas as pd

from custvalue.retention.decisions import DECISIONS


def customers_by_manager(own: pd.Series) -> dict[str, int]:
    """Count customers by their own manager."""
    return {str(manager): int(count) for manager, count in own.value_counts().items()}


def count_decisions(decisions: pd.Series) -> dict[str, int]:
    """Count customers by decision, all of `DECISIONS`."""
    occurring = decisions.value_counts()
    return {code: int(occurring.get(code, 0)) for code in DECISIONS}


def told_counts(counts: dict[str, int]) -> str:
    """Say how many customers got which decision; those that nobody got are left out."""
    told = ", ".join(f"{code} {count}" for code, count in counts.items() if count)
    return f"{sum(counts.values())} customers considered: {told or 'none'}"
