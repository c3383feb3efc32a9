"""The features of `custvalue.features` once more, in plain pandas: the peer of the benchmark, and an opinion of its own on each value.

Rows are read with the columns that count, each customer becomes a position, and features are arrays over positions: months side by side
in matrices, counts and sums by position, and groupby for the rest. Nothing loops over rows.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd

from custvalue.config import FeaturesConfig
from pandas_features import billing, complaints, contacts, contracts, daily, events, household, payments, profile, surveys, usage
from pandas_features.combined import lifecycle_stage, prices
from pandas_features.looking import Look
from pandas_features.population import Base
from pandas_features.reading import Known

BLOCKS: Mapping[str, tuple[str, Callable[[Look], Mapping[str, pd.Series | np.ndarray]]]] = {
    "profile": ("customers", profile.build),
    "billing": ("billing", billing.build),
    "usage": ("usage", usage.build),
    "payments": ("payments", payments.build),
    "complaints": ("complaints", complaints.build),
    "contracts": ("contracts", contracts.build),
    "daily": ("daily", daily.build),
    "surveys": ("surveys", surveys.build),
    "events": ("events", events.build),
    "contacts": ("contacts", contacts.build),
    "household": ("customers", household.build),
}
"""Block → the table that it wants, and its function."""

TRAFFIC = ("competitor_hotline", "call_forwarding", "distinct_peers", "off_net_share")
"""What only traffic data can show: told of nobody who does not consent, and not at all where consent is not known."""


def build(
    folder: Path,
    settings: FeaturesConfig,
    as_of: date,
    *,
    zone: str = "Asia/Shanghai",
    delay_days: Mapping[str, int] | None = None,
    revised: Collection[str] | None = None,
) -> pd.DataFrame:
    """Build the features of every customer in service.

    Parameters
    ----------
    folder : Path
        Contract tables as ``<table>.parquet``.
    settings : FeaturesConfig
        Windows, products and categories.
    as_of : date
        The day; its first instant is the moment.
    zone : str
        The operator's time zone.
    delay_days : mapping of str to int, optional
        Table → days until a row is known.
    revised : collection of str, optional
        Tables where a key may come again with a later ``available_at``. Without it every table is searched for such keys.

    Returns
    -------
    pandas.DataFrame
        ``customer_id`` and one column a feature: numbers as float64, categories as text.
    """
    look = Look(Base(Known(folder, as_of, zone, revised)), settings, delay_days or {})
    active = look.base.active
    columns: dict[str, pd.Series | np.ndarray | pd.Index] = {"customer_id": look.base.ids[active]}
    for table, block in BLOCKS.values():
        if look.base.known.columns(table):
            # taken at once, so that a block's matrices over everyone can go
            columns |= {name: _taken(values, active) for name, values in block(look).items()}
    _forget_traffic(columns, look, active)
    found = pd.DataFrame(columns)
    return found.assign(**prices(found, look.recent), lifecycle_stage=lifecycle_stage(found))


def _forget_traffic(columns: dict[str, pd.Series | np.ndarray | pd.Index], look: Look, active: np.ndarray) -> None:
    """Blank what is derived from traffic data of customers without consent."""
    consent = look.base.current.get("traffic_data_consent")
    for name in [name for name in columns if any(word in name for word in TRAFFIC)]:
        values = columns.pop(name) if consent is None else columns[name]
        if consent is not None:
            columns[name] = np.where(consent.to_numpy()[active] == 1, values, np.nan)


def _taken(values: pd.Series | np.ndarray, active: np.ndarray) -> np.ndarray | pd.Series:
    if isinstance(values, np.ndarray):
        return values[active].astype(float)
    taken = values.iloc[active].reset_index(drop=True)
    return taken if isinstance(taken.dtype, (pd.CategoricalDtype, pd.StringDtype)) else taken.to_numpy(dtype=float, na_value=np.nan)
