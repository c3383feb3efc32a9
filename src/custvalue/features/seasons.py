"""How everyone's amounts moved: a short February or a holiday lowers the whole region, and is no sign of leaving."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import ibis

from custvalue.features.blocks import View, number
from custvalue.features.sums import add_up

LEAST_CUSTOMERS = 100
"""A region with fewer known amounts in the newest month is measured by the whole base; a few customers make no season."""

_EVERYWHERE = ""


def movements(rows: ibis.Table, weights: Mapping[str, Sequence[float]], view: View) -> ibis.Table:
    """Give ``<amount>_season_<window>`` by ``customer_id``: the mean of the newest month over that of the window's earlier ones, of all.

    Means are of the known months of all customers who belong to a region at the moment, also of those who left, from exact sums. The
    whole base stands in for a region that is unknown or too small, and for all where regions are not mapped.

    Parameters
    ----------
    rows : ibis.Table
        Everybody's monthly rows with ``lag``.
    weights : mapping of str to sequence of float
        Amount → what each month's is multiplied by, the newest first.
    view : View
        Where the block looks from.
    """
    people = view.base.people
    region = people.region.fill_null(_EVERYWHERE) if "region" in people.columns else ibis.literal(_EVERYWHERE)
    lives = people.select("customer_id", region=region)
    by_month = view.base.keep(_by_month(rows.inner_join(lives, "customer_id"), list(weights)))
    regional = _movements(by_month.filter(by_month.region != _EVERYWHERE), weights, view)
    whole = _movements(by_month.mutate(region=ibis.literal(_EVERYWHERE)), weights, view).drop("region")
    joined = lives.select("region").distinct().cross_join(whole).left_join(regional, "region", rname="{name}_of_region")
    moved = {name: ibis.coalesce(joined[f"{name}_of_region"], joined[name]) for name in whole.columns}
    by_region = view.base.keep(joined.select("region", **moved))
    return lives.semi_join(view.customers, "customer_id").inner_join(by_region, "region").drop("region")


def _by_month(rows: ibis.Table, names: Sequence[str]) -> ibis.Table:
    """One row a region and month: exact sums and numbers of known amounts."""
    sums = {f"{name}_total": rows[name].sum() for name in names}
    counts = {f"{name}_known": rows[name].count() for name in names}
    return rows.group_by("region", "lag").agg(**sums, **counts)


def _movements(by_month: ibis.Table, weights: Mapping[str, Sequence[float]], view: View) -> ibis.Table:
    """One row a region: each amount's movement, null where too few customers make it."""
    sums = {
        f"{name}_{part}_{lag}": number(by_month[f"{name}_{part}"].sum(where=by_month.lag == lag))
        for name in weights
        for part in ("total", "known")
        for lag in range(view.longest)
    }
    # each month's sum is exact, and months are added in a fixed order: the same on every engine
    row = by_month.group_by("region").agg(**sums)
    moved = {}
    for name, own in weights.items():
        totals = [row[f"{name}_total_{lag}"].fill_null(0.0) * weight for lag, weight in enumerate(own)]
        known = [row[f"{name}_known_{lag}"].fill_null(0.0) for lag in range(view.longest)]
        for window in view.windows[1:]:
            before, bills = add_up(totals[1:window]), add_up(known[1:window])
            movement = (totals[0] * bills) / (known[0] * before).nullif(0.0)
            moved[f"{name}_season_{window}"] = ibis.ifelse(known[0] >= LEAST_CUSTOMERS, movement, None)
    return row.select("region", **moved)
