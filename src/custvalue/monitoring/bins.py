"""How the values of a column are counted: numbers between edges, categories by level, missing values apart."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from custvalue.errors import ModelError, hide_numbers
from custvalue.metrics import Floats
from custvalue.monitoring.scores import Counts

NUMBER_BINS = 10
LEVEL_BINS = 20
EXAMPLES = 3
"""Levels that training never saw are told with so many examples."""


@dataclass(frozen=True, eq=False)
class NumberBins:
    """Bins between edges.

    Attributes
    ----------
    edges : (k,) float64
        Ascending; a value belongs to the bin that begins with the largest edge not above it. Edges lie halfway between neighbouring
        values of the training, so that rounding to float32 moves nothing across.
    """

    edges: Floats

    @classmethod
    def of(cls, values: pd.Series) -> NumberBins:
        """Take at most `NUMBER_BINS` bins of about as many values each; few different values have a bin each."""
        known = values.to_numpy(dtype=np.float64, na_value=np.nan)
        known, rows = np.unique(known[np.isfinite(known)], return_counts=True)
        between = known[:-1] + (known[1:] - known[:-1]) / 2
        if known.size <= NUMBER_BINS:
            return cls(between)
        below = np.cumsum(rows)[:-1]
        wanted = np.arange(1, NUMBER_BINS) * rows.sum() / NUMBER_BINS
        after = np.searchsorted(below, wanted).clip(1, below.size - 1)
        nearer = after - (wanted - below[after - 1] < below[after] - wanted)
        return cls(between[np.unique(nearer)])

    @property
    def names(self) -> tuple[str, ...]:
        """Bins in words, the missing one last."""
        edges = [f"{edge:.6g}" for edge in self.edges]
        starts, ends = ["", *edges], [*edges, ""]
        return (*(f"{start}…{end}" for start, end in zip(starts, ends, strict=True)), "missing")

    def count(self, values: pd.Series) -> Counts:
        """Count values by bin, (k + 2,); the missing ones stand last."""
        known = values.to_numpy(na_value=np.nan) if values.dtype.kind == "f" else _floats(values)
        # one pass of comparisons an edge is several times as fast as a search for each value
        at_least = np.array([np.count_nonzero(known >= edge) for edge in self.edges], dtype=np.int64)
        missing = np.count_nonzero(known != known)  # NaN alone differs from itself
        return np.append(-np.diff(np.r_[known.size - missing, at_least, 0]), missing)

    def to_dict(self) -> dict[str, Any]:
        """Everything as JSON values."""
        return {"edges": self.edges.tolist()}


@dataclass(frozen=True, eq=False)
class CategoryBins:
    """Bins of levels.

    Attributes
    ----------
    levels : tuple of str
        All that training saw, the most frequent first. The first `LEVEL_BINS` have a bin each, the others share one.
    """

    levels: tuple[str, ...]

    @classmethod
    def of(cls, values: pd.Series, known: Iterable[str] = ()) -> CategoryBins:
        """Order the values' levels by frequency, then by name; `known` names further ones that training saw."""
        counts = values.dropna().astype(str).value_counts()
        ranked = [str(level) for level, _ in sorted(counts.items(), key=lambda item: (-item[1], str(item[0])))]
        return cls(tuple(dict.fromkeys([*ranked, *known])))

    @property
    def names(self) -> tuple[str, ...]:
        """Bins in words."""
        return (*self.levels[:LEVEL_BINS], "other", "unseen", "missing")

    @cached_property
    def _places(self) -> Mapping[str, int]:
        return {level: min(place, self._kept) for place, level in enumerate(self.levels)}

    @property
    def _kept(self) -> int:
        return min(len(self.levels), LEVEL_BINS)

    def count(self, values: pd.Series) -> Counts:
        """Count values by bin: kept levels, other ones, unseen ones, missing."""
        return self.count_and_show(values)[0]

    def count_and_show(self, values: pd.Series) -> tuple[Counts, tuple[str, ...]]:
        """Count as `count` does, and give some of the unseen levels, the first by name."""
        codes, found = pd.factorize(values)
        levels = [str(level) for level in found]
        unseen, missing = self._kept + 1, self._kept + 2
        places = np.array([*(self._places.get(level, unseen) for level in levels), missing], dtype=np.intp)  # code -1 is the last
        rows = np.r_[np.bincount(codes[codes >= 0], minlength=len(levels)), np.count_nonzero(codes < 0)]
        counts = np.zeros(missing + 1, dtype=np.int64)
        np.add.at(counts, places, rows)
        return counts, tuple(sorted({hide_numbers(level) for level in levels if level not in self._places}))[:EXAMPLES]

    def to_dict(self) -> dict[str, Any]:
        """Everything as JSON values."""
        return {"levels": list(self.levels)}


ColumnBins = NumberBins | CategoryBins


def bins_from_dict(content: Mapping[str, Any]) -> ColumnBins:
    """Read what `to_dict` of either kind gave."""
    if "levels" in content:
        return CategoryBins(tuple(str(level) for level in content["levels"]))
    return NumberBins(np.asarray(content["edges"], dtype=np.float64))


def _floats(values: pd.Series) -> NDArray[np.float64]:
    try:
        return values.to_numpy(dtype=np.float64, na_value=np.nan)
    except (TypeError, ValueError) as error:
        raise ModelError(f"feature column {values.name!r} must hold numbers; it holds {values.dtype}: {error}.") from error
