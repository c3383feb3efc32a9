"""How often the 95 % intervals of `custvalue effect` hold the truth, beside the peers' and beside what a naive comparison would say.

Run ``python benchmarks/effect_coverage.py [--repetitions N]``. Campaigns are simulated with a known true effect (`effect_campaigns.py`);
the peer is scipy's Welch test over customers, which is what statistics packages give. Exit 1 where an interval covers less than 94 % or
more than 96 %, a range in which 2,000 repetitions of a true 95 % lie nineteen times in twenty.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from effect_campaigns import draw, draw_by_manager, naive
from scipy import stats

from custvalue.retention.effect import Design, Estimate, adjusted_difference, complier_effect, intention_to_treat

LOW, HIGH = 0.94, 0.96


@dataclass
class Tally:
    """Intervals of one kind, counted."""

    truth: list[float] = field(default_factory=list)
    found: list[float] = field(default_factory=list)
    ends: list[tuple[float, float]] = field(default_factory=list)

    def add(self, truth: float, value: float, low: float, high: float) -> None:
        """Count one interval."""
        self.truth.append(truth)
        self.found.append(value)
        self.ends.append((low, high))

    @property
    def coverage(self) -> float:
        """Share of the intervals that hold the truth."""
        return float(np.mean([low <= truth <= high for truth, (low, high) in zip(self.truth, self.ends, strict=True)]))

    @property
    def width(self) -> float:
        """Mean width."""
        return float(np.mean([high - low for low, high in self.ends]))

    @property
    def bias(self) -> float:
        """Mean of found minus true."""
        return float(np.mean(np.subtract(self.found, self.truth)))


def welch(values: pd.Series, listed: pd.Series) -> tuple[float, float, float]:
    """Give the peer's difference and interval."""
    own, others = values[listed], values[~listed]
    ends = stats.ttest_ind(own, others, equal_var=False).confidence_interval()
    return float(own.mean() - others.mean()), float(ends.low), float(ends.high)


def intervals(seed: int, households: int, resamples: int) -> Iterator[tuple[str, float, Estimate, tuple[float, float, float]]]:
    """Give each kind of interval of one repetition: name, truth, ours, the peer's."""
    for members, together, told in ((1, 0.0, "single customers"), (2, 0.5, "households")):
        campaign = draw(seed, households, members=members, together=together)
        rows = campaign.frame
        design = Design.of(rows["listed"], stratum=rows["stratum"], unit=rows["unit"])
        yield f"leaving, {told}", campaign.left, intention_to_treat(design, rows["left"]), welch(rows["left"], rows["listed"])
        reached = complier_effect(design, rows["left"], rows["reached"])
        yield f"leaving of those reached, {told}", campaign.reached, reached, welch(rows["left"], rows["reached"])
        revenue = adjusted_difference(design, rows["revenue"], rows["before"], resamples=resamples, seed=seed)
        yield f"revenue, {told}", campaign.revenue, revenue, welch(rows["revenue"], rows["listed"])
    campaign = draw_by_manager(seed, 60, 80)
    rows = campaign.frame
    design = Design.of(rows["listed"], unit=rows["unit"])
    yield "leaving, managers randomised", campaign.left, intention_to_treat(design, rows["left"]), welch(rows["left"], rows["listed"])


def count(repetitions: int, households: int, resamples: int) -> tuple[dict[str, Tally], dict[str, Tally]]:
    """Repeat, and give our tallies and the peer's by kind."""
    ours: dict[str, Tally] = {}
    peers: dict[str, Tally] = {}
    for seed in range(repetitions):
        for name, truth, own, peer in intervals(seed, households, resamples):
            ours.setdefault(name, Tally()).add(truth, own.value, own.low, own.high)
            peers.setdefault(name, Tally()).add(truth, *peer)
        if seed % 100 == 99:
            print(f"{seed + 1} of {repetitions}", file=sys.stderr)
    return ours, peers


def table(ours: dict[str, Tally], peers: dict[str, Tally]) -> list[str]:
    """Write the comparison."""
    lines = ["| interval | true effect | bias | coverage | width | Welch: bias | Welch: coverage | Welch: width |"]
    lines.append("|---|---:|---:|---:|---:|---:|---:|---:|")
    for name, own in ours.items():
        unit, digits = (1, 3) if name.startswith("revenue") else (100, 2)
        peer = peers[name]
        figures = [f"{unit * np.mean(own.truth):+.{digits}f}", f"{unit * own.bias:+.{digits}f}", f"{own.coverage:.1%}"]
        figures += [
            f"{unit * own.width:.{digits}f}",
            f"{unit * peer.bias:+.{digits}f}",
            f"{peer.coverage:.1%}",
            f"{unit * peer.width:.{digits}f}",
        ]
        lines.append(f"| {name} | {' | '.join(figures)} |")
    return lines


def naive_line(repetitions: int) -> str:
    """Say what comparing those called with everybody else would have found."""
    found = np.array([naive(seed, 20_000) for seed in range(min(repetitions, 200))])
    told, truth = 100 * found.mean(axis=0)
    return (
        f"Naive: the riskiest fifth is called. Those called leave {told:+.2f} points more than all others, so the calls seem to harm; "
        f"their true effect is {truth:+.2f} points (bias {told - truth:+.2f})."
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table; 1 where an interval of ours is not what it says."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repetitions", type=int, default=2000)
    parser.add_argument("--households", type=int, default=6000, help="randomised in each campaign, a tenth held out")
    parser.add_argument("--resamples", type=int, default=399)
    given = parser.parse_args(arguments)
    ours, peers = count(given.repetitions, given.households, given.resamples)
    print("\n".join([*table(ours, peers), "", naive_line(given.repetitions)]))
    missed = [f"{name} covers {own.coverage:.1%}" for name, own in ours.items() if not LOW <= own.coverage <= HIGH]
    print("\n" + (f"Missed: {'; '.join(missed)}." if missed else "Every interval covers between 94 and 96 %."))
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
