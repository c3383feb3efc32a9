"""What the parts of a tier policy must agree on: its tiers, cuts, cells, adjustments, steps and service standards."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise
from typing import TYPE_CHECKING

from custvalue.config.faults import Fault
from custvalue.config.tier_rules import MatrixRule, PointsRule, Rule, Thresholds

if TYPE_CHECKING:
    from custvalue.config.tiers import Adjustment


def tier_faults(tiers: Sequence[str], reserved: str) -> list[Fault]:
    """Tiers differ, have a name, and leave out the name of those who are not rated."""
    twice = sorted({tier for tier in tiers if list(tiers).count(tier) > 1})
    faults: list[Fault] = [(("tiers",), f"tiers must differ, but {', '.join(twice)} comes more than once")] if twice else []
    if reserved in tiers:
        told = f"none may be called {reserved!r}: that is who is not eligible, below the last tier. Rename it or leave it out"
        faults.append((("tiers", list(tiers).index(reserved)), told))
    return faults + [(("tiers", place), "a tier needs a name") for place, tier in enumerate(tiers) if not tier.strip()]


def rule_faults(rules: Mapping[str, Rule], tiers: Sequence[str]) -> list[Fault]:
    """Cuts name every tier but the last, in order; cells name known tiers, and more in a column never means less."""
    faults: list[Fault] = []
    for name, rule in rules.items():
        here = ("rules", name)
        if isinstance(rule, MatrixRule):
            faults += [((*here, *place), told) for place, told in _cell_faults(rule, tiers)]
        else:
            faults += [((*here, *place), told) for place, told in _cut_faults(rule, tiers)]
    return faults


def _cut_faults(rule: PointsRule, tiers: Sequence[str]) -> Iterator[Fault]:
    thresholds = isinstance(rule.cuts, Thresholds)
    key, given = ("at_least", rule.cuts.at_least) if isinstance(rule.cuts, Thresholds) else ("shares", rule.cuts.shares)
    *cut, last = tiers
    place = ("cuts", key)
    for tier in given:
        if tier == last:
            yield (*place, tier), f"{last!r}, the last tier, takes whoever reaches no cut: remove this line"
        elif tier not in cut:
            yield (*place, tier), f"no tier is called {tier!r}; there are {', '.join(tiers)}"
    missing = [tier for tier in cut if tier not in given]
    for tier in missing:
        told = f"no cut for {tier!r} leaves a gap" if thresholds else f"no share for {tier!r}"
        yield place, f"{told}: name {', '.join(cut)} in that order, every tier but the last"
    if not missing and [tier for tier in given if tier in cut] != cut:
        yield place, f"cuts must name {', '.join(cut)} in that order; they name {', '.join(given)}"


def _cell_faults(rule: MatrixRule, tiers: Sequence[str]) -> Iterator[Fault]:
    for row, cells in rule.cells.items():
        for band, tier in cells.items():
            if tier not in tiers:
                yield ("cells", row, band), f"no tier is called {tier!r}; there are {', '.join(tiers)}"
        known = [(band, cells[band]) for band in rule.columns.bands if cells.get(band) in tiers]
        for (high, better), (low, worse) in pairwise(known):
            if tiers.index(worse) < tiers.index(better):
                told = f"{low!r} gives {worse!r} but {high!r}, a higher band, gives {better!r}: who has more must not be graded lower"
                yield ("cells", row, high), told


def adjustment_faults(adjustments: Sequence[Adjustment], tiers: Sequence[str], scored: Mapping[str, str]) -> list[Fault]:
    """Adjustments differ in name, name known tiers, change something, form no cycle, and never punish who has more.

    Parameters
    ----------
    adjustments : sequence of Adjustment
        In the policy's order.
    tiers : sequence of str
        Highest first.
    scored : mapping
        Features of which more gives a better tier → where the policy scores them.
    """
    faults: list[Fault] = []
    for place, adjustment in enumerate(adjustments):
        here = ("adjustments", place)
        if any(adjustment.name == other.name for other in adjustments[:place]):
            faults.append(((*here, "name"), f"another adjustment is called {adjustment.name!r}: reason codes must tell them apart"))
        unknown = [
            ((*here, key), f"no tier is called {tier!r}; there are {', '.join(tiers)}")
            for key, tier in (("only_from", adjustment.only_from), (adjustment.effect, adjustment.target))
            if tier is not None and tier not in tiers
        ]
        faults += unknown
        if not unknown:
            faults += [((*here, *where), told) for where, told in _effect_faults(adjustment, tiers, scored)]
    return faults or _cycle_faults(adjustments)  # each alone first: what never changes a tier is no cycle


def _effect_faults(adjustment: Adjustment, tiers: Sequence[str], scored: Mapping[str, str]) -> Iterator[Fault]:
    effect, target = adjustment.effect, tiers.index(adjustment.target)
    origin = None if adjustment.only_from is None else tiers.index(adjustment.only_from)
    raises = effect != "at_most" and (origin is None or target < origin) and (effect == "exactly" or target < len(tiers) - 1)
    lowers = effect != "at_least" and (origin is None or target > origin) and (effect == "exactly" or target > 0)
    if not raises and not lowers:
        yield (
            (effect,),
            f"{effect} {adjustment.target!r} never changes a tier{_only(adjustment)}: name another tier, or remove the adjustment",
        )
    elif origin is not None and abs(target - origin) > 1:
        skipped = tiers[origin - 1] if target < origin else tiers[origin + 1]
        told = f"from {adjustment.only_from!r} it jumps over {skipped!r}, so that who earned more would end up with less"
        yield (effect,), f"{told}: remove `only_from`, or name {skipped!r}"
    for number, condition in enumerate(adjustment.when):
        place = ("when", number, "metric")
        if lowers and "complaint" in condition.metric:
            yield place, "complaints never cost a tier: test another feature; `protection` is where they belong"
        if condition.metric not in scored:
            continue
        where = f"{condition.metric!r} earns tiers in {scored[condition.metric]}"
        if lowers and condition.at_least is not None:
            yield place, f"{where}, yet having more of it would lower the tier: test another feature, or lower with `below`"
        elif raises and condition.below is not None:
            yield place, f"{where}, yet having less of it would raise the tier: test another feature, or raise with `at_least`"


def _only(adjustment: Adjustment) -> str:
    return "" if adjustment.only_from is None else f" that is {adjustment.only_from!r}"


def _cycle_faults(adjustments: Sequence[Adjustment]) -> list[Fault]:
    """Find tiers that overrides lead out of and back into, following ``only_from`` to the tier it becomes."""
    ways: TopologicalSorter[str] = TopologicalSorter()
    for adjustment in adjustments:
        if adjustment.only_from is not None:
            ways.add(adjustment.target, adjustment.only_from)
    try:
        ways.prepare()
    except CycleError as error:
        circle: list[str] = error.args[1]
        places = [place for place, adjustment in enumerate(adjustments) if adjustment.only_from in circle and adjustment.target in circle]
        told = f"a cycle of overrides: {' → '.join(circle)}. Remove one of them, or write it without `only_from`"
        return [(("adjustments", places[-1]), told)]
    return []


def step_faults(steps: Mapping[str, int | None], tiers: Sequence[str]) -> list[Fault]:
    """A largest step is smaller than the way from one end of the tiers to the other."""
    most = len(tiers) - 1
    return [
        (
            ("stability", key),
            f"{most + 1} tiers lie {most} steps apart at most, so {step} limits nothing: write {most} or less, or leave it out",
        )
        for key, step in steps.items()
        if step is not None and step > most
    ]


def service_faults(service: Mapping[str, object], tiers: Sequence[str]) -> list[Fault]:
    """Service standards are those of known tiers."""
    return [(("service", tier), f"no tier is called {tier!r}; there are {', '.join(tiers)}") for tier in service if tier not in tiers]
