"""Households, firms and communities: who belongs together, and who hears of a leaving."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from custvalue.simulate.catalogue import ENTERPRISE, HOUSEHOLD
from custvalue.simulate.drivers import Groups
from custvalue.simulate.neighbours import group_customers, have_lost_a_neighbour, settle
from custvalue.simulate.timeline import Streams

GROUPS = Groups()


def drawn(seed: int, n: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.integers(0, 3, n), rng.integers(0, 4, n)


@given(seed=st.integers(0, 1_000), n=st.integers(0, 300))
def test_groups_keep_to_their_region_kind_and_size(seed: int, n: int) -> None:
    segment, region = drawn(seed, n)
    found = group_customers(GROUPS, segment, region, Streams(seed, 0), -1)
    for group in (found.account, found.community):
        assert (region[group] == region).all()
        assert (group[group] == group).all()
    assert (segment[found.account] == segment).all()
    for kind, most in ((HOUSEHOLD, GROUPS.household_lines[1]), (ENTERPRISE, GROUPS.enterprise_lines[1])):
        sizes = np.bincount(found.account[segment == kind], minlength=1)
        assert sizes.max() <= most
    single = (segment != HOUSEHOLD) & (segment != ENTERPRISE)
    assert (found.account[single] == np.flatnonzero(single)).all()
    assert ((found.household >= 0) == (segment == HOUSEHOLD)).all()


@given(seed=st.integers(0, 1_000))
def test_households_stay_whole_in_a_community_of_a_few(seed: int) -> None:
    segment, region = drawn(seed, 400)
    found = group_customers(GROUPS, segment, region, Streams(seed, 0), -1)
    lives = found.household >= 0
    assert (found.community[lives] == found.community[found.household[lives]]).all()
    sizes = np.bincount(found.community)
    assert sizes.max() <= GROUPS.community[1] + GROUPS.household_lines[1] - 1
    assert 3 < sizes[sizes > 0].mean() < 8


@given(seed=st.integers(0, 1_000), n=st.integers(0, 60))
def test_joiners_move_in_with_neighbours_of_their_region(seed: int, n: int) -> None:
    segment, region = drawn(seed, 400)
    first = group_customers(GROUPS, segment, region, Streams(seed, 0), -1)
    kinds, regions = drawn(seed + 1, n)
    joiners = settle(group_customers(GROUPS, kinds, regions, Streams(seed, 0), 3), first, 400, Streams(seed, 0), 3)
    assert (region[joiners.community] == regions).all()
    assert (joiners.account >= 400).all()
    lives = joiners.household >= 0
    assert (joiners.community[lives] == joiners.community[joiners.household[lives] - 400]).all()


def test_who_has_lost_a_neighbour_by_hand() -> None:
    community = np.array([0, 0, 0, 3, 3, 5])
    left = np.array([False, True, False, False, False, True])
    assert have_lost_a_neighbour(community, left).tolist() == [True, True, True, False, False, True]
