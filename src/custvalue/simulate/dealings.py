"""Complaints as tickets: what customers complain about, what announces a departure, and what follows it."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import pyarrow as pa

from custvalue.simulate.arrow import counts, names, shard_codes, times
from custvalue.simulate.catalogue import COMPLAINT_CATEGORIES, PORT_OUT, VOLUNTARY
from custvalue.simulate.complaints import HANDLING_LUCK, handle
from custvalue.simulate.draws import uniforms, uniforms_by_month
from custvalue.simulate.feeds import next_midnight
from custvalue.simulate.timeline import Dates, Flags, Floats, Ints, days_after
from custvalue.simulate.world import World

CATEGORIES = (*COMPLAINT_CATEGORIES, "cancellation", "win_back")
CANCELLATION, WIN_BACK = len(COMPLAINT_CATEGORIES), len(COMPLAINT_CATEGORIES) + 1
_NONE = -1
_MOST_DAYS_AHEAD, _LEAST_DAYS_AFTER, _MOST_DAYS_AFTER = 14, 3, 30
_LEAST_LATE, _MOST_LATE = 2, 10
_OPENS, _OPEN_SECONDS = 9 * 3600, 9 * 3600


@dataclass(frozen=True)
class Tickets:
    """Tickets in order of opening, one element each.

    Attributes
    ----------
    repeat_of : array of int
        Position of the first complaint, or −1.
    recorded : array of datetime64[D]
        Day on which the warehouse knows of it.
    closes : array of bool
        Whether it is closed within what is simulated, and while the customer is there.
    """

    customer: Ints
    category: Ints
    opened_at: Dates
    first_response_at: Dates
    closed_at: Dates
    level: Ints
    escalated: Flags
    justified: Flags
    repeat_of: Ints
    recorded: Dates
    closes: Flags


def complaints_table(world: World) -> pa.Table:
    """A row when a complaint is recorded, and a later one with the outcome once it is closed.

    How a complaint ended is thus unknown before it ended; complaints of those who leave first stay open. Cancellation tickets precede
    some departures by days, and win-back calls follow some: whoever counts them reads the outcome.
    """
    tickets = draw_tickets(world)
    settled = np.maximum(next_midnight(tickets.closed_at), tickets.recorded)
    first = ~tickets.closes | (settled > tickets.recorded)
    which = np.concatenate([np.flatnonzero(first), np.flatnonzero(tickets.closes)])
    closing = np.repeat([False, True], [first.sum(), tickets.closes.sum()])
    order = np.lexsort((closing, which))
    which, closing = which[order], closing[order]
    known = np.where(closing, settled[which], tickets.recorded[which])
    answered = tickets.first_response_at[which]
    left = world.history.left_on[tickets.customer[which]]
    answered_known = closing | (answered < np.fmin(known, left))
    return pa.table(
        {
            "complaint_id": shard_codes("T", world.shard, which),
            "customer_id": world.customer_ids(tickets.customer[which]),
            "opened_at": times(tickets.opened_at[which]),
            "first_response_at": times(_where(answered_known, answered)),
            "closed_at": times(_where(closing, tickets.closed_at[which])),
            "category": names(CATEGORIES, tickets.category[which]),
            "level": counts(tickets.level[which]),
            "escalated": pa.array(tickets.escalated[which] & closing),
            "justified": pa.array(tickets.justified[which], mask=~closing),
            "repeat_of": shard_codes("T", world.shard, tickets.repeat_of[which]),
            "available_at": times(known),
        }
    )


def draw_tickets(world: World) -> Tickets:
    """Put complaints and the tickets around departures in one order."""
    parts = [_complaints(world), *_around_departures(world)]
    joined = Tickets(*(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(Tickets)))
    order = np.lexsort((joined.category, joined.customer, joined.opened_at))
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    ordered = {field.name: getattr(joined, field.name)[order] for field in fields(Tickets)}
    repeat_of = ordered.pop("repeat_of")
    # Complaints stand first in what was joined, so their positions there are their own.
    return Tickets(**ordered, repeat_of=np.where(repeat_of == _NONE, _NONE, place[repeat_of]))


def _complaints(world: World) -> Tickets:
    raised, timeline = world.history.complaints, world.timeline
    luck = uniforms_by_month(world.streams, "complaint handling", timeline.index(raised.opened_at), HANDLING_LUCK + 2)
    handled = handle(raised, luck[:HANDLING_LUCK])
    late_days = _LEAST_LATE + (luck[-1] * (_MOST_LATE - _LEAST_LATE)).astype(np.int64)
    late = np.where(luck[-2] < world.scenario.late_complaints, late_days, 0)
    left = world.history.left_on[raised.customer]
    closes: Flags = handled.closed_at < np.where(np.isnat(left), timeline.first[-1], left)
    return Tickets(
        customer=raised.customer,
        category=handled.category,
        opened_at=raised.opened_at,
        first_response_at=handled.first_response_at,
        closed_at=handled.closed_at,
        level=handled.level,
        escalated=handled.escalated,
        justified=handled.justified,
        repeat_of=raised.repeat_of,
        recorded=days_after(next_midnight(raised.opened_at), late),
        closes=closes,
    )


def _around_departures(world: World) -> list[Tickets]:
    """Cancellation tickets in the month of leaving, and win-back calls within a month after it."""
    history, timeline, settings = world.history, world.timeline, world.scenario.records.dealings
    leaves = ~np.isnat(history.left_on) & np.isin(history.kind, (VOLUNTARY, PORT_OUT))
    announced, days_ahead, called, days_later, second = uniforms(world.streams, "tickets around departures", None, len(world.population), 5)
    who = np.flatnonzero(leaves & (announced < settings.cancellation))
    left_on = history.left_on[who]
    ahead = days_after(left_on, -1 - (days_ahead[who] * _MOST_DAYS_AHEAD).astype(np.int64))
    month_begins = days_after(left_on, -1).astype("datetime64[M]").astype("datetime64[D]")
    earliest = np.maximum(month_begins, world.population.joined_on[who])
    cancelling = _tickets(who, np.maximum(ahead, earliest), second[who], CANCELLATION)
    who = np.flatnonzero(leaves & (called < settings.win_back))
    on = days_after(history.left_on[who], _LEAST_DAYS_AFTER + (days_later[who] * (_MOST_DAYS_AFTER - _LEAST_DAYS_AFTER)).astype(np.int64))
    within = on < timeline.first[-1]
    return [cancelling, _tickets(who[within], on[within], second[who[within]], WIN_BACK)]


def _tickets(who: Ints, on: Dates, luck: Floats, category: int) -> Tickets:
    """Tickets that are answered within the hour and closed in the evening."""
    opened = on.astype("datetime64[s]") + (_OPENS + (luck * _OPEN_SECONDS).astype(np.int64)).astype("timedelta64[s]")
    never = np.zeros(len(who), dtype=np.bool_)
    return Tickets(
        customer=who,
        category=np.full(len(who), category),
        opened_at=opened,
        first_response_at=opened + np.timedelta64(30, "m"),
        closed_at=opened + np.timedelta64(4, "h"),
        level=np.ones(len(who), dtype=np.int64),
        escalated=never,
        justified=never,
        repeat_of=np.full(len(who), _NONE),
        recorded=next_midnight(opened),
        closes=~never,
    )


def _where(known: Flags, moments: Dates) -> Dates:
    """Keep known moments; the others become NaT."""
    return np.where(known, moments, np.datetime64("NaT"))
