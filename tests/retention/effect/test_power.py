"""How many customers an effect needs, and when nothing may be said."""

from __future__ import annotations

import numpy as np
import pytest

from custvalue.errors import ConfigError
from custvalue.retention.effect import Design, detectable_difference, intention_to_treat, judge, required_size


@pytest.mark.parametrize(("p0", "p1", "listed", "held_out"), [(0.08, 0.06, 14_104, 1_567), (0.02, 0.016, 94_258, 10_473)])
def test_the_sizes_are_those_published(p0, p1, listed, held_out):
    found = required_size(p0, p1, 0.1)
    assert abs(found.listed - listed) <= 1
    assert found.held_out == held_out


def test_the_power_that_was_asked_for_is_there():
    size = required_size(0.2, 0.15, 0.3, power=0.9)
    random = np.random.default_rng(1)
    listed, held_out = random.binomial(size.listed, 0.15, 4000) / size.listed, random.binomial(size.held_out, 0.2, 4000) / size.held_out
    error = np.sqrt(listed * (1 - listed) / size.listed + held_out * (1 - held_out) / size.held_out)
    seen = (np.abs(listed - held_out) > 1.96 * error).mean()
    assert seen == pytest.approx(0.9, abs=0.02)


@pytest.mark.parametrize("given", [(0.1, 0.1, 0.1), (0.0, 0.1, 0.1), (0.2, 0.1, 1.0), (0.2, float("nan"), 0.5)])
def test_sizes_that_mean_nothing_are_refused(given):
    with pytest.raises(ConfigError, match="required size"):
        required_size(*given)


def test_one_manager_sees_nothing_below_nine_points():
    # 540 listed and 60 held out, half of them leaving: the published ± 9.5 points are for a smaller rate
    listed, held_out = np.arange(540) % 14 == 0, np.arange(60) % 12 == 0
    design = Design.of(np.arange(600) < 540)
    effect = intention_to_treat(design, np.r_[listed, held_out].astype(float))
    assert 0.05 < detectable_difference(effect.error) < 0.12


def campaign(left_listed, left_held_out, listed=2000, held_out=1000):
    left = np.r_[np.arange(listed) < left_listed, np.arange(held_out) < left_held_out].astype(float)
    design = Design.of(np.arange(listed + held_out) < listed)
    return design, left, intention_to_treat(design, left)


@pytest.mark.parametrize(
    ("counts", "verdict"), [((100, 100), "works"), ((260, 90), "harms"), ((190, 100), "cannot_conclude"), ((0, 9), "cannot_conclude")]
)
def test_the_verdict_follows_the_interval_where_leavers_suffice(counts, verdict):
    # 0 of 2,000 against 9 of 1,000: the interval leaves zero out, but nine leavers make no interval to trust
    design, left, effect = campaign(*counts)
    assert judge(design, left, effect).verdict == verdict
    if counts == (0, 9):
        assert effect.high < 0


def test_what_is_needed_is_told_for_the_effect_that_was_planned():
    design, left, effect = campaign(190, 100)
    found = judge(design, left, effect, planned=-0.02)
    alone = required_size(0.1, 0.08, 1 / 3).customers
    assert found.has == 3000
    assert found.needs == pytest.approx(alone, rel=0.02)
    assert judge(design, left, effect).needs is None


def test_households_need_more_customers():
    order = np.random.default_rng(1).permutation(3000)
    household = np.empty(3000, dtype=int)
    listed = order < 2000
    household[listed], household[~listed] = np.arange(2000) // 4, 1000 + np.arange(1000) // 4
    alike = (np.random.default_rng(2).random(2000) < 0.1)[household].astype(float)
    clustered = Design.of(listed, unit=household)
    found = judge(clustered, alike, intention_to_treat(clustered, alike), planned=-0.02)
    single = Design.of(listed)
    assert found.needs > 2 * judge(single, alike, intention_to_treat(single, alike), planned=-0.02).needs
