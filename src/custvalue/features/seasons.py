"""How everyone's amounts moved: a short February or a holiday lowers the whole region, and is no sign of leaving."""

from __future__ import annotations

from collections.abc import Sequence

import ibis

from custvalue.features.blocks import View, number
from custvalue.features.population import current_customers

LEAST_CUSTOMERS = 100
"""A region with fewer known amounts in the newest month is measured by the whole base; a few customers make no season."""

_EVERYWHERE = ""


def movements(rows: ibis.Table, names: Sequence[str], view: View) -> tuple[ibis.Table, ibis.Table, ibis.Table]:
    """Give ``<amount>_season_<window>``: the mean of the newest month over that of the window's earlier months, of all customers.

    Means are of the known months of all customers who belong to a region at the moment, also of those who left, from exact sums. The
    whole base stands in for a region that is unknown or too small, and for all where regions are not mapped.

    Parameters
    ----------
    rows : ibis.Table
        Monthly rows with ``lag``.
    names : sequence of str
        Which amounts.
    view : View
        Where the block looks from; ``customers`` is among its tables.

    Returns
    -------
    tuple of ibis.Table
        One row of the whole base, with ``_whole`` after each name; one row a region; and each customer's ``region``.
    """
    customers = current_customers(view.tables["customers"], view.moment)
    region = customers.region if "region" in customers.columns else ibis.literal(_EVERYWHERE)
    lives = customers.select("customer_id", region=region)
    by_month = _by_month(rows.inner_join(lives, "customer_id"), names)
    regional, everyone = (_movements(moved, names, view) for moved in (by_month, by_month.mutate(region=ibis.literal(_EVERYWHERE))))
    return everyone.select(**{f"{name}_whole": everyone[name] for name in everyone.columns if name != "region"}), regional, lives


def _by_month(rows: ibis.Table, names: Sequence[str]) -> ibis.Table:
    """One row a region and month: exact sums and numbers of known amounts."""
    sums = {f"{name}_total": rows[name].sum() for name in names}
    counts = {f"{name}_known": rows[name].count() for name in names}
    return rows.group_by("region", "lag").agg(**sums, **counts)


def _movements(by_month: ibis.Table, names: Sequence[str], view: View) -> ibis.Table:
    """One row a region: each amount's movement, null where too few customers make it."""
    sums, moved = {}, {}
    newest, windows = by_month.lag == 0, view.windows[1:]
    for name, part in ((name, part) for name in names for part in ("total", "known")):
        value = by_month[f"{name}_{part}"]
        sums[f"{name}_{part}_now"] = number(value.sum(where=newest))
        for window in windows:
            sums[f"{name}_{part}_{window}"] = number(value.sum(where=(by_month.lag > 0) & (by_month.lag < window)))
    row = by_month.group_by("region").agg(**sums)
    for name in names:
        bills = row[f"{name}_known_now"]
        for window in windows:
            movement = (row[f"{name}_total_now"] * row[f"{name}_known_{window}"]) / (bills * row[f"{name}_total_{window}"]).nullif(0.0)
            moved[f"{name}_season_{window}"] = ibis.ifelse(bills >= LEAST_CUSTOMERS, movement, None)
    return row.select("region", **moved)
