"""How calm tiers are from rating to rating: who moves, who moves back, and whether a complaint ever cost a tier."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import ibis
import ibis.expr.types as ir
import pandas as pd

from custvalue.config import UNRATED


@dataclass(frozen=True)
class FlipFlops:
    """Customers whose tier was changed and then changed back.

    Attributes
    ----------
    customers : int
        Customers rated on at least two ratings in a row.
    flipped : int
        Those with a change that goes against their change before it, not too long ago.
    """

    customers: int
    flipped: int

    @property
    def rate(self) -> float:
        """Share of the customers; NaN where there are none."""
        return self.flipped / self.customers if self.customers else float("nan")


def rating_steps(ratings: ir.Table, order: Sequence[str]) -> ir.Table:
    """Give every step of a rated customer from one rating to the next.

    A step begins with a tier: a first rating out of `unrated` is none. It may end `unrated`, which ranks below the last tier. A customer
    whom the rating before did not know makes no step.

    Parameters
    ----------
    ratings : ibis.Table
        ``customer_id, tier, care_priority`` of every rating, and ``place``: the rating's number, one after another.
    order : sequence of str
        The policy's tiers, highest first.

    Returns
    -------
    ibis.Table
        customer_id, place (of the rating that ends the step), move (1 up, -1 down, 0 stays), care_priority.
    """
    ranks = [(ratings.tier == tier, rank) for rank, tier in enumerate((*order, UNRATED))]
    ranked = ratings.select("customer_id", "place", "care_priority", rank=ibis.cases(*ranks, else_=ibis.null("int64")).cast("int64"))
    row = ibis.window(group_by="customer_id", order_by="place")
    stepped = ranked.mutate(rank_before=ranked.rank.lag().over(row), place_before=ranked.place.lag().over(row))
    steps = stepped.filter((stepped.place_before == stepped.place - 1) & (stepped.rank_before < len(order)))
    return steps.select("customer_id", "place", "care_priority", move=(steps.rank_before - steps.rank).sign().cast("int64"))


def change_table(steps: ir.Table) -> pd.DataFrame:
    """Count the steps of every rating.

    Parameters
    ----------
    steps : ibis.Table
        As `rating_steps` gives.

    Returns
    -------
    DataFrame
        place; customers (who made a step); up; down; protected_down (fell although a complaint was open or justified lately), ascending.
    """
    fell = steps.move < 0
    grouped = steps.group_by("place").aggregate(
        customers=steps.count(),
        up=(steps.move > 0).sum(),
        down=fell.sum(),
        protected_down=(fell & (steps.care_priority > 0)).sum(),
    )
    frame: pd.DataFrame = grouped.order_by("place").to_pyarrow().to_pandas()
    return frame.fillna(0).astype("int64")


def flip_flops(steps: ir.Table, *, months: int = 12) -> FlipFlops:
    """Count customers with a change that goes against the one before it.

    Parameters
    ----------
    steps : ibis.Table
        As `rating_steps` gives; the ratings are a month apart.
    months : int
        At most so many months lie between the two changes.
    """
    changes = steps.filter(steps.move != 0)
    row = ibis.window(group_by="customer_id", order_by="place")
    paired = changes.mutate(move_before=changes.move.lag().over(row), place_before=changes.place.lag().over(row))
    back = paired.filter((paired.move == -paired.move_before) & (paired.place - paired.place_before <= months))
    customers, flipped = (table.customer_id.nunique().to_pyarrow().as_py() for table in (steps, back))
    return FlipFlops(int(customers), int(flipped))
