"""What a segment is called: after the one or two sides of behaviour in which it differs most from all customers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from custvalue.wording import Catalogue

FAMILIES = "families"
MIXED = "mixed"

_DISTINCT, _SECOND, _FAMILY = 0.5, 0.6, 0.3
"""Deviations of the base that make a trait; share of the first trait's that makes a second; deviations that make families."""


@dataclass(frozen=True)
class Segment:
    """One segment.

    Attributes
    ----------
    code : str
        What stands in the data; made of the traits.
    traits : tuple of str
        What it is named after, see `traits.find_traits`.
    share : float
        Of the customers it was found in.
    centroid : tuple of float
        Its centre, in scaled values.
    """

    code: str
    traits: tuple[str, ...]
    share: float
    centroid: tuple[float, ...]


def name_segments(
    values: NDArray[np.float64],
    in_family: NDArray[np.float64] | None,
    centroids: NDArray[np.float64],
    segment: NDArray[np.int64],
    names: Sequence[str],
) -> tuple[Segment, ...]:
    """Describe each segment; the arguments are those of `find_traits`, and the centroids, one row a segment."""
    if len(centroids) == 1:
        return (Segment(MIXED, (), 1.0, tuple(map(float, centroids[0]))),)
    traits = find_traits(values, in_family, segment, names)
    codes = ["-".join(trait.removeprefix("more_") for trait in found) for found in traits]
    shares = np.bincount(segment, minlength=len(centroids)) / len(segment)
    return tuple(
        Segment(
            code if codes.count(code) == 1 else f"{code}-{codes[: place + 1].count(code)}",
            found,
            round(float(share), 6),
            tuple(map(float, centroid)),
        )
        for place, (code, found, share, centroid) in enumerate(zip(codes, traits, shares, centroids, strict=True))
    )


def find_traits(
    values: NDArray[np.float64], in_family: NDArray[np.float64] | None, segment: NDArray[np.int64], names: Sequence[str]
) -> list[tuple[str, ...]]:
    """Name each segment by its traits: ``more_roaming``, ``less_voice``, and ``families`` where it holds many.

    The difference of a segment is that of its mean from the base's, in standard deviations of the base. The largest one of at least half
    a deviation is a trait (the largest anyway, where none is), and the next if it is at least 0.6 of it. A segment whose share of
    household lines lies 0.3 deviations above the base's is one of families. Two segments of the same name take the next difference too.

    Parameters
    ----------
    values : (n, m) float64
        Scaled values, one row a customer.
    in_family : (n,) float64 or None
        1 for a line of a household with several lines, else 0; None where households are not known.
    segment : (n,) int64
        Segment of each row, from 0; every one occurs.
    names : sequence of str
        Of the columns of values.
    """
    ranked = [_by_difference(values, segment == place, names) for place in range(int(segment.max()) + 1)]
    lengths = [1 + (len(found) > 1 and found[1][1] >= max(_DISTINCT, _SECOND * found[0][1])) for found in ranked]
    families = [_of_families(in_family, segment == place) for place in range(len(ranked))]

    def called(place: int) -> tuple[str, ...]:
        traits = tuple(trait for trait, _ in ranked[place][: lengths[place]])
        return (*traits, FAMILIES) if families[place] else traits

    while len(shared := _shared([called(place) for place in range(len(ranked))])) > 0:
        if all(lengths[place] == len(names) for place in shared):
            break
        for place in shared:
            lengths[place] = min(lengths[place] + 1, len(names))
    return [called(place) for place in range(len(ranked))]


def trait_words(traits: Sequence[str], catalogue: Catalogue, language: str) -> str:
    """Say traits in words, for example "roaming families, little voice"."""
    more = [trait for trait in traits if trait.startswith("more_")]
    less = [trait for trait in traits if trait.startswith("less_")]
    if not more and not less:
        return catalogue.label(f"segments.{FAMILIES if FAMILIES in traits else MIXED}", language)

    def joined(names: Sequence[str], by: str) -> str:
        return catalogue.label(f"segments.{by}", language).join(catalogue.label(f"segments.{name}", language) for name in names)

    who = catalogue.label(f"segments.{FAMILIES if FAMILIES in traits else 'customers'}", language)
    parts = {"more": joined(more, "and"), "less": joined(less, "comma"), "who": who}
    kind = "both" if more and less else "more" if more else "less"
    wanted = {name: parts[name] for name in ("more", "less", "who") if name == "who" or name == kind or kind == "both"}
    return catalogue.label(f"segments.with_{kind}", language, **wanted)


def _by_difference(values: NDArray[np.float64], inside: NDArray[np.bool_], names: Sequence[str]) -> list[tuple[str, float]]:
    spread = values.std(axis=0)
    difference = (values[inside].mean(axis=0) - values.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    found = [(f"{'more' if size > 0 else 'less'}_{name}", round(abs(float(size)), 6)) for name, size in zip(names, difference, strict=True)]
    return sorted(found, key=lambda trait: -trait[1])


def _of_families(in_family: NDArray[np.float64] | None, inside: NDArray[np.bool_]) -> bool:
    if in_family is None or in_family.std() == 0:
        return False
    return bool((in_family[inside].mean() - in_family.mean()) / in_family.std() >= _FAMILY)


def _shared(names: Sequence[tuple[str, ...]]) -> list[int]:
    return [place for place, name in enumerate(names) if sum(set(name) == set(other) for other in names) > 1]
