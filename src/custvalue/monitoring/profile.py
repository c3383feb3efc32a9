"""What a night's customers look like: whole numbers by column, so that parts of a base add up to exactly the whole."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from custvalue.errors import DataError
from custvalue.monitoring.bins import EXAMPLES
from custvalue.monitoring.scores import SCORE_BINS, Counts

_FORMAT = 1


@dataclass(frozen=True, eq=False)
class Profile:
    """Counts of some customers; ``a + b`` are those of both.

    Attributes
    ----------
    reference : str
        Id of the `Reference` whose bins were counted; empty where only scores were.
    rows : int
        Customers.
    columns : mapping
        Column → customers by bin, int64; the last is the missing ones.
    scores : (`SCORE_BINS`,) int64
        Customers by bin of their score; see `scores.score_bin`.
    examples : mapping
        Column → some levels that training never saw.
    """

    reference: str
    rows: int
    columns: Mapping[str, Counts]
    scores: Counts
    examples: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def __add__(self, other: Profile) -> Profile:
        """Add up two parts.

        Raises
        ------
        DataError
            The parts were counted by different references.
        """
        if self.reference != other.reference or self.columns.keys() != other.columns.keys():
            raise DataError("parts of a night were counted by different references. Make them all with one model.")
        examples = {
            name: tuple(sorted({*self.examples.get(name, ()), *other.examples.get(name, ())}))[:EXAMPLES]
            for name in sorted({*self.examples, *other.examples})
        }
        columns = {name: counts + other.columns[name] for name, counts in self.columns.items()}
        return Profile(self.reference, self.rows + other.rows, columns, self.scores + other.scores, examples)

    def missing(self, column: str) -> int:
        """Customers whose value is missing."""
        return int(self.columns[column][-1])

    def to_dict(self) -> dict[str, Any]:
        """Everything as JSON values, the same for the same counts."""
        occupied = np.flatnonzero(self.scores)
        return {
            "format": _FORMAT,
            "reference": self.reference,
            "rows": self.rows,
            "columns": {name: counts.tolist() for name, counts in self.columns.items()},
            "scores": {str(place): int(self.scores[place]) for place in occupied},
            "examples": {name: list(levels) for name, levels in self.examples.items()},
        }

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Profile:
        """Read what `to_dict` gave.

        Raises
        ------
        DataError
            It is not what `to_dict` gives.
        """
        try:
            if content["format"] != _FORMAT:
                raise ValueError(f"format {content['format']!r} is unknown")
            scores = np.zeros(SCORE_BINS, dtype=np.int64)
            for place, count in content["scores"].items():
                scores[int(place)] = count
            return cls(
                reference=str(content["reference"]),
                rows=int(content["rows"]),
                columns={str(name): np.asarray(counts, dtype=np.int64) for name, counts in content["columns"].items()},
                scores=scores,
                examples={str(name): tuple(map(str, levels)) for name, levels in content["examples"].items()},
            )
        except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
            raise DataError(f"a night's profile is damaged ({error!r}). Publish the night anew with --force.") from error
