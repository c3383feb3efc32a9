"""Who moved from one rating to the next, and what held the others."""

from __future__ import annotations

from collections.abc import Sequence

import ibis
import ibis.expr.types as ir
import pandas as pd

from custvalue.config import UNRATED

MOVES = ("up", "down", "held", "stays", "new", "gone")
"""What can become of a customer's tier from one rating to the next."""


def movement_table(before: ir.Table | None, now: ir.Table, order: Sequence[str]) -> pd.DataFrame:
    """Count the customers of a rating by what became of the tier they had.

    Parameters
    ----------
    before : ibis.Table, optional
        ``customer_id, tier`` of the rating before; None where there is none, so that everybody is new.
    now : ibis.Table
        What `TierPolicy.assign` gave.
    order : sequence of str
        The policy's tiers, highest first; `unrated` ranks below the last. A tier before that is none of these counts as new.

    Returns
    -------
    DataFrame
        move, reason, customers; every kind of move at least once, in the order of `MOVES`: ``up``, ``down``, ``held`` (keeps a tier better
        than the one that score, floors and overrides alone give; the reason tells by what), ``stays`` (the others), ``new`` (had no tier),
        ``gone`` (has none now; no reason). The largest first within a move.
    """
    held_rank, earned_rank = _rank(now.tier, order), _rank(now.earned, order)
    ranked = now.select(owner=now.customer_id, reason=now.reason_code, rank=held_rank, earned_rank=earned_rank)
    known = ibis.memtable({"customer_id": [], "tier": []}, schema={"customer_id": "string", "tier": "string"}) if before is None else before
    old = known.select("customer_id", rank_before=_rank(known.tier, order))
    both = old.outer_join(ranked, old.customer_id == ranked.owner)
    move = ibis.cases(
        (both.owner.isnull(), "gone"),
        (both.rank_before.isnull(), "new"),
        (both["rank"] < both.rank_before, "up"),
        (both["rank"] > both.rank_before, "down"),
        (both["rank"] < both.earned_rank, "held"),
        else_="stays",
    )
    moved = both.select(move=move, reason=both.reason)
    found: pd.DataFrame = moved.group_by("move", "reason").aggregate(customers=moved.count()).to_pyarrow().to_pandas()
    return _with_all(found)


def _with_all(found: pd.DataFrame) -> pd.DataFrame:
    absent = [move for move in MOVES if move not in set(found.move)]
    rows = pd.concat([found, pd.DataFrame({"move": absent, "reason": [None] * len(absent), "customers": [0] * len(absent)})])
    rows = rows.assign(place=rows.move.map(MOVES.index), customers=rows.customers.astype("int64"))
    return rows.sort_values(["place", "customers", "reason"], ascending=[True, False, True]).drop(columns="place").reset_index(drop=True)


def _rank(tier: ir.StringColumn, order: Sequence[str]) -> ir.IntegerColumn:
    ranks = [(tier == name, rank) for rank, name in enumerate((*order, UNRATED))]
    return ibis.cases(*ranks, else_=ibis.null("int64")).cast("int64")
