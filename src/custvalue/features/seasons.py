"""How everyone's amounts moved: a short February or a holiday lowers the whole region, and is no sign of leaving."""

from __future__ import annotations

from collections.abc import Sequence

import ibis

from custvalue.features.blocks import View, number

LEAST_CUSTOMERS = 100
"""A region with fewer known amounts in the newest month is measured by the whole base; a few customers make no season."""

_EVERYWHERE = ""


def movements(rows: ibis.Table, names: Sequence[str], view: View) -> ibis.Table:
    """Give ``<amount>_season_<window>`` by ``customer_id``: the mean of the newest month over that of the window's earlier ones, of all.

    Means are of the known months of all customers who belong to a region at the moment, also of those who left, from exact sums. The
    whole base stands in for a region that is unknown or too small, and for all where regions are not mapped.

    Parameters
    ----------
    rows : ibis.Table
        Everybody's monthly rows with ``lag``.
    names : sequence of str
        Which amounts.
    view : View
        Where the block looks from.
    """
    people = view.base.people
    region = people.region.fill_null(_EVERYWHERE) if "region" in people.columns else ibis.literal(_EVERYWHERE)
    lives = people.select("customer_id", region=region)
    by_month = view.base.keep(_by_month(rows.inner_join(lives, "customer_id"), names))
    regional = _movements(by_month.filter(by_month.region != _EVERYWHERE), names, view)
    whole = _movements(by_month.mutate(region=ibis.literal(_EVERYWHERE)), names, view).drop("region")
    joined = lives.select("region").distinct().cross_join(whole).left_join(regional, "region", rname="{name}_of_region")
    moved = {name: ibis.coalesce(joined[f"{name}_of_region"], joined[name]) for name in whole.columns}
    by_region = view.base.keep(joined.select("region", **moved))
    return lives.semi_join(view.customers, "customer_id").inner_join(by_region, "region").drop("region")


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
