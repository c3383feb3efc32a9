"""Contracts, bundles, discounts and trials."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from pandas_features.grouping import ByCustomer, days
from pandas_features.looking import Look

COLUMNS = ("contract_id", "kind", "product", "starts_on", "ends_on", "monthly_fee", "penalty")


def build(look: Look) -> dict[str, pd.Series | np.ndarray]:
    """Features of the agreements that have started; one is in force up to and with its last day."""
    day = look.base.known.day
    rows = look.base.rows("contracts", COLUMNS)
    rows = rows[rows["starts_on"] <= day].sort_values(["starts_on", "contract_id"]).reset_index(drop=True)
    by = ByCustomer(rows["customer"].to_numpy(), look.size)
    running = np.ones(len(rows), bool)
    found: dict[str, pd.Series | np.ndarray] = {}
    if "ends_on" in rows:
        running = (rows["ends_on"].isna() | (rows["ends_on"] >= day)).to_numpy()
        found |= _ends(rows, running, by, day)
    if "product" in rows:
        found |= _held(rows, running, by, look)
    found["agreement_count"] = by.count(running)
    for name, column in (("contract_fee", "monthly_fee"), ("contract_penalty", "penalty")):
        if column in rows:
            told = running & rows[column].notna().to_numpy()
            found[name] = np.where(by.count(told) > 0, by.sum(rows[column].to_numpy(), told), np.nan)
    return found


def _ends(rows: pd.DataFrame, running: np.ndarray, by: ByCustomer, day: pd.Timestamp) -> dict[str, np.ndarray]:
    own = {kind: (rows["kind"] == kind).to_numpy() for kind in ("contract", "bundle", "discount", "trial")}
    found = {}
    for kind, rows_of_kind in own.items():
        end = (by.least if kind == "trial" else by.greatest)(rows["ends_on"], rows_of_kind & running)
        found[f"{kind}_days_to_end"] = days(end - day)
    for kind in ("contract", "discount"):
        ended = days(day - by.greatest(rows["ends_on"], own[kind] & ~running))
        found[f"{kind}_ended_days"] = np.where(by.count(own[kind] & running) > 0, np.nan, ended)
    return found


def _held(rows: pd.DataFrame, running: np.ndarray, by: ByCustomer, look: Look) -> dict[str, pd.Series | np.ndarray]:
    contract = rows[running & (rows["kind"] == "contract").to_numpy()].drop_duplicates("customer", keep="last")
    held = running & rows["kind"].isin(("bundle", "trial")).to_numpy()
    distinct = held & rows["product"].notna().to_numpy()
    distinct[distinct] = ~rows.loc[distinct, ["customer", "product"]].duplicated().to_numpy()
    found: dict[str, pd.Series | np.ndarray] = {
        "contract_product": contract.set_index("customer")["product"].reindex(range(look.size)),
        "product_count": by.count(distinct),
    }
    for name in look.settings.products:
        column = re.sub(r"\W+", "_", name.lower()).strip("_")
        found[f"product_{column}"] = np.where(by.there, by.count(held & (rows["product"] == name).to_numpy()) > 0, np.nan)
    return found
