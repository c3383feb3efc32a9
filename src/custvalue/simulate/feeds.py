"""When rows reach the warehouse: at once, some days late, weeks late after an outage, or never."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from custvalue.simulate.behaviour import History
from custvalue.simulate.catalogue import REGIONS, SILENCE
from custvalue.simulate.draws import uniforms
from custvalue.simulate.scenarios import Scenario
from custvalue.simulate.timeline import Dates, Flags, Ints, Streams, Timeline, days_after

_MOST_DAYS_LATE = 10
_LOST = 0.4
_LEAST_WEEKS, _MORE_WEEKS = 3, 4


@dataclass(frozen=True)
class Outages:
    """What happened to the usage feed, shape (months, regions).

    Attributes
    ----------
    days_late : panel of int
        Days by which every row of the region and month is late.
    lost : panel of bool
        None of these rows ever comes.
    """

    days_late: Ints
    lost: Flags


def draw_outages(scenario: Scenario, timeline: Timeline, streams: Streams) -> Outages:
    """Let the feed of some region-months fail; ``streams`` are those that all shards share."""
    feeds, regions = scenario.feeds, len(REGIONS)
    days_late = np.zeros((timeline.months, regions), dtype=np.int64)
    lost = np.zeros((timeline.months, regions), dtype=np.bool_)
    for month in range(timeline.months):
        fails, never, weeks = uniforms(streams, "usage outages", month, regions, 3)
        down = fails < feeds.outages
        lost[month] = down & (never < _LOST)
        days_late[month] = np.where(down, 7 * (_LEAST_WEEKS + (weeks * _MORE_WEEKS).astype(np.int64)), 0)
        if month == feeds.late_usage_month:
            days_late[month] = np.maximum(days_late[month], feeds.late_usage_days)
        if month == feeds.missing_usage_month:
            lost[month, feeds.missing_usage_region] = True
    return Outages(days_late=days_late, lost=lost)


def month_known(timeline: Timeline, streams: Streams, purpose: str, late_share: float, rows: tuple[Ints, ...], n: int) -> Dates:
    """Day on which monthly rows are known: the next month's first, some days later for a few of them.

    Parameters
    ----------
    rows : (months, customers)
        Positions of the rows.
    n : int
        Customers of the shard.
    """
    days = np.zeros((timeline.months, n), dtype=np.int64)
    for month in range(timeline.months):
        late, delay = uniforms(streams, purpose, month, n, 2)
        days[month] = np.where(late < late_share, 1 + (delay * _MOST_DAYS_LATE).astype(np.int64), 0)
    return days_after(timeline.first[rows[0] + 1], days[rows])


def listed_until(scenario: Scenario, history: History, timeline: Timeline) -> Dates:
    """First day without rows in the feeds: the day of leaving, or for those who fell silent the day on which that counts as leaving."""
    known_after = scenario.records.days.silence_known_after
    silent = np.where(history.kind == SILENCE, known_after, 0)
    known: Dates = np.where(np.isnat(history.left_on), timeline.first[-1], days_after(history.left_on, silent))
    until: Dates = np.minimum(known, timeline.first[-1])
    return until


def next_midnight(moments: Dates) -> Dates:
    """First midnight after each moment: what happened on a day is known when the day is over."""
    return days_after(moments, 1)
