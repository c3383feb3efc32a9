"""On which days a customer uses the network, and how a month's use falls on them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from custvalue.simulate.draws import normals, uniforms
from custvalue.simulate.recording import Days
from custvalue.simulate.timeline import Dates, Flags, Floats, Ints, Streams, Timeline, days_after


@dataclass(frozen=True)
class Presence:
    """When each customer can use the network.

    Attributes
    ----------
    joined_on : array of datetime64[D]
        First day.
    silent_from : array of datetime64[D]
        First day without any use: the day of leaving, or some days before it.
    """

    joined_on: Dates
    silent_from: Dates


def draw_presence(settings: Days, joined_on: Dates, left_on: Dates, willing: Flags, timeline: Timeline, streams: Streams) -> Presence:
    """Let some of those who leave by their own will fall silent days before, within the month of leaving.

    Parameters
    ----------
    left_on : array of datetime64[D]
        First day without service; NaT for those who stayed.
    willing : array of bool
        Whether who leaves does so by own will.
    """
    n = len(joined_on)
    fades, length = uniforms(streams, "silence before leaving", None, n, 2)
    days = np.where(willing & (fades < settings.fades), 1 + np.floor(-np.log(length) * (settings.fading_days - 1)), 0)
    end = np.where(np.isnat(left_on), timeline.first[-1], left_on)
    month_begins = timeline.first[np.clip(timeline.index(days_after(end, -1)), 0, timeline.months)]
    silent = np.where(np.isnat(left_on), end, np.maximum(days_after(end, -days.astype(np.int64)), month_begins))
    return Presence(joined_on=joined_on, silent_from=silent.astype("datetime64[D]"))


def active_flags(presence: Presence, chance: Floats, timeline: Timeline, streams: Streams, month: int) -> Flags:
    """Tell on which days of a month each customer is active, shape (days, customers); the same whenever it is asked."""
    days = int(timeline.days[month])
    luck = streams("active days", month).random((len(chance), 31), dtype=np.float32)[:, :days].T
    day = days_after(timeline.first[month], np.arange(days))[:, None]
    there = (day >= presence.joined_on) & (day < presence.silent_from)
    flags: Flags = there & (luck < chance)
    return flags


def day_weights(
    settings: Days, active: Flags, weekend_use: float, timeline: Timeline, streams: Streams, month: int, purpose: str
) -> Floats:
    """Give each day's share of the month's use, shape (days, customers); nothing on days without activity."""
    days, n = active.shape
    day = days_after(timeline.first[month], np.arange(days)).astype(np.int64)
    weekend = np.isin((day + 3) % 7, (5, 6))
    noise = np.exp(settings.noise * normals(streams, purpose, month, n, 31)[:days])
    weights = active * noise * np.where(weekend, weekend_use, 1.0)[:, None]
    total = weights.sum(axis=0)
    shares: Floats = weights / np.where(total > 0, total, 1.0)
    return shares


def split_exactly(total: Ints, shares: Floats) -> Ints:
    """Split whole numbers by shares, shape (parts, n), so that the parts add up exactly and a part without a share gets nothing."""
    edges = np.rint(np.cumsum(shares, axis=0) * total).astype(np.int64)
    # The last part with a share ends at the total, whatever rounding made of the sum of shares.
    reached = np.cumsum(shares, axis=0) >= np.cumsum(shares, axis=0)[-1]
    edges = np.where(reached & (shares.sum(axis=0) > 0), total, edges)
    parts: Ints = np.diff(edges, axis=0, prepend=np.zeros_like(edges[:1]))
    return parts
