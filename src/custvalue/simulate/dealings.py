"""Tables of what passes between customer and operator now and then: complaints and agreements."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from custvalue.simulate.arrow import DECIMAL, codes, counts, dates, money, names, times
from custvalue.simulate.behaviour import plan_fees
from custvalue.simulate.catalogue import BUNDLE, COMPLAINT_CATEGORIES, CONTRACT, DISCOUNT, KINDS, PRODUCTS
from custvalue.simulate.complaints import handle
from custvalue.simulate.monthly import customer_ids, next_midnight
from custvalue.simulate.timeline import Dates, Flags, days_after
from custvalue.simulate.world import World

_PENALTY_MONTHS, _BUNDLE_PENALTY = 3, 10_000


def complaints_table(world: World) -> pa.Table:
    """A row when a complaint is recorded, and a later one with the outcome once it is closed.

    How a complaint ended is thus unknown before it ended; complaints of those who leave first stay open.
    """
    raised = world.history.complaints
    handled = handle(raised, world.streams("complaint handling"))
    rng, n = world.streams("late complaints"), len(raised.customer)
    late = np.where(rng.random(n) < world.scenario.late_complaints, rng.integers(2, 10, n), 0)
    recorded = days_after(next_midnight(raised.opened_at), late)
    left = world.history.left_on[raised.customer]
    end = np.where(np.isnat(left), world.timeline.first[-1], left)
    closes: Flags = handled.closed_at < end
    settled = np.maximum(next_midnight(handled.closed_at), recorded)
    first = ~closes | (settled > recorded)
    which = np.concatenate([np.flatnonzero(first), np.flatnonzero(closes)])
    closing = np.repeat([False, True], [first.sum(), closes.sum()])
    known = np.where(closing, settled[which], recorded[which])
    order = np.lexsort((closing, which))
    which, closing, known = which[order], closing[order], known[order]
    answered = handled.first_response_at[which]
    answered_known = closing | (answered < np.minimum(known, end[which]))
    return pa.table(
        {
            "complaint_id": codes("T", which, 8),
            "customer_id": customer_ids(raised.customer[which]),
            "opened_at": times(raised.opened_at[which]),
            "first_response_at": times(_where(answered_known, answered)),
            "closed_at": times(_where(closing, handled.closed_at[which])),
            "category": names(COMPLAINT_CATEGORIES, handled.category[which]),
            "level": counts(handled.level[which]),
            "escalated": pa.array(handled.escalated[which] & closing),
            "justified": pa.array(handled.justified[which], mask=~closing),
            "repeat_of": codes("T", raised.repeat_of[which], 8),
            "available_at": times(known),
        }
    )


def contracts_table(world: World) -> pa.Table:
    """One row an agreement; ``monthly_fee`` and ``penalty`` follow the plan in force when it was signed."""
    timeline, history = world.timeline, world.history
    left = history.left_on[history.agreements.customer]
    end = np.where(np.isnat(left), timeline.first[-1], left)
    signed = history.agreements.take(history.agreements.starts_on < end)
    month = np.maximum(timeline.index(signed.starts_on), 0)
    fee = plan_fees(world.scenario, timeline.months)[month, history.plan[month, signed.customer]]
    penalty = np.select([signed.kind == CONTRACT, signed.kind == BUNDLE], [_PENALTY_MONTHS * fee, _BUNDLE_PENALTY], 0)
    product = np.full(len(fee), -1)
    for position, (kind, months) in enumerate(PRODUCTS):
        product[(signed.kind == kind) & (signed.months == months)] = position
    without = signed.kind == DISCOUNT
    nothing = pa.scalar(None, DECIMAL)
    binding = pa.array(~without)
    return pa.table(
        {
            "contract_id": codes("K", np.arange(len(fee)), 8),
            "customer_id": customer_ids(signed.customer),
            "kind": names(KINDS, signed.kind),
            "product": names(tuple(PRODUCTS.values()), product),
            "starts_on": dates(signed.starts_on),
            "ends_on": dates(signed.ends_on),
            "penalty": pc.if_else(binding, money(penalty), nothing),
            "monthly_fee": pc.if_else(binding, money(fee), nothing),
            "available_at": times(np.maximum(next_midnight(signed.starts_on), timeline.first[0])),
        }
    )


def _where(known: Flags, moments: Dates) -> Dates:
    """Keep known moments; the others become NaT."""
    return np.where(known, moments, np.datetime64("NaT"))
