"""What changed between two nights' lists: who is new, stays, moved to another manager, or left, and why."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from custvalue.retention.orders.taking import LEFT_BASE

CHANGES = ("new", "stays", "moved", "left")


def changes(before: pd.DataFrame, now: pd.DataFrame, decisions: Mapping[str, str]) -> pd.DataFrame:
    """Compare two lists.

    Parameters
    ----------
    before, now : DataFrame
        ``customer_id`` and ``manager_id``, one row a listed customer; further columns of either are kept, tonight's first.
    decisions : mapping
        customer_id → tonight's decision code. Who left and has none is no longer in the base.

    Returns
    -------
    DataFrame
        One row a customer of either list: the columns, ``manager_before`` (missing where he was not listed), ``change`` (one of `CHANGES`)
        and, for who left, ``reason`` (a decision code, or `LEFT_BASE`). Tonight's customers come first, in their order.
    """
    was = dict(zip(before.customer_id, before.manager_id, strict=True))
    gone = before[~before.customer_id.isin(now.customer_id)]
    both = pd.concat([now.assign(_listed=True), gone.assign(_listed=False)], ignore_index=True)
    both["manager_before"] = both.customer_id.map(was)
    listed, known = both.pop("_listed").astype(bool), both.manager_before.notna()
    moved = known & (both.manager_before != both.manager_id)
    both["change"] = "stays"
    both.loc[listed & ~known, "change"] = "new"
    both.loc[listed & moved, "change"] = "moved"
    both.loc[~listed, "change"] = "left"
    reasons = [decisions.get(customer, LEFT_BASE) for customer in both.customer_id]
    both["reason"] = pd.Series(reasons, index=both.index, dtype="object").where(~listed, None)
    return both
