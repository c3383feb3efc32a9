"""Who belongs together: accounts, households, and communities of neighbours who hear of each other's leaving."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from custvalue.simulate.catalogue import ENTERPRISE, HOUSEHOLD
from custvalue.simulate.draws import uniforms
from custvalue.simulate.drivers import Groups
from custvalue.simulate.timeline import Flags, Floats, Ints, Streams

_NOBODY = -1


@dataclass(frozen=True)
class Belonging:
    """Groups by the position of their first member; ``household`` is −1 outside households."""

    account: Ints
    household: Ints
    community: Ints
    region: Ints

    def moved_by(self, position: int) -> Belonging:
        """Let the positions begin at another one."""
        household = np.where(self.household == _NOBODY, _NOBODY, self.household + position)
        return Belonging(self.account + position, household, self.community + position, self.region)


def group_customers(groups: Groups, segment: Ints, region: Ints, streams: Streams, month: int) -> Belonging:
    """Make households and firms within a region, and communities of a few customers; households stay whole in theirs."""
    n = len(segment)
    size, order, cut = uniforms(streams, "groups", month, n, width=3)
    account = np.arange(n)
    for kind, (least, most) in ((HOUSEHOLD, groups.household_lines), (ENTERPRISE, groups.enterprise_lines)):
        members = np.flatnonzero(segment == kind)
        members = members[np.argsort(region[members], kind="stable")]
        account[members] = members[_runs(_sizes(size[members], least, most), region[members])]
    household = np.where(segment == HOUSEHOLD, account, _NOBODY)
    return Belonging(account, household, _communities(groups, account, household, region, order, cut), region)


def settle(joiners: Belonging, first: Belonging, position: int, streams: Streams, month: int) -> Belonging:
    """Let a month's joiners, from a position on, move in with communities of the first customers of their region; households together."""
    moved = joiners.moved_by(position)
    luck = uniforms(streams, "communities", month, len(joiners.region))[0]
    luck = np.where(joiners.household == _NOBODY, luck, luck[joiners.account])
    for region in np.unique(joiners.region):
        there, who = np.flatnonzero(first.region == region), joiners.region == region
        if len(there):
            moved.community[who] = first.community[there[(luck[who] * len(there)).astype(np.int64)]]
    return moved


def have_lost_a_neighbour(community: Ints, left: Flags) -> Flags:
    """Whether somebody of each customer's community is among those who left."""
    losses = np.bincount(community[left], minlength=len(community))
    lost: Flags = losses[community] > 0
    return lost


def _communities(groups: Groups, account: Ints, household: Ints, region: Ints, order: Floats, cut: Floats) -> Ints:
    """Put accounts in a row by chance within their region, and cut it into communities."""
    n = len(account)
    row = np.lexsort((np.arange(n), account, order[account], region))
    unit = np.where(household[row] == _NOBODY, row, household[row])
    opens = np.flatnonzero(np.diff(unit, prepend=_NOBODY) != 0)
    begin = np.repeat(opens, np.diff(opens, append=n))
    run = _runs(_sizes(cut, *groups.community), region[row])
    run_of, first_member = np.empty(n, dtype=np.int64), np.full(n, n)
    run_of[row] = run[begin]
    np.minimum.at(first_member, run_of, np.arange(n))
    return first_member[run_of]


def _runs(sizes: Ints, region: Ints) -> Ints:
    """Cut a row into runs of such sizes, and at each change of region; gives the place of each run's first element."""
    places = np.arange(len(sizes))
    cell = np.searchsorted(np.cumsum(sizes), places, side="right")
    opens = (np.diff(cell, prepend=-1) != 0) | (np.diff(region, prepend=-1) != 0)
    begins: Ints = np.maximum.accumulate(np.where(opens, places, 0))
    return begins


def _sizes(luck: Floats, least: int, most: int) -> Ints:
    """Sizes from least to most, small ones more often (uniform on a log scale)."""
    drawn = np.exp(np.log(least) + luck * (np.log(most + 1) - np.log(least)))
    sizes: Ints = np.clip(drawn.astype(np.int64), least, most)
    return sizes
