"""Days as bits: a customer's days of one kind in a few whole numbers, so that runs of days need no window over rows."""

from __future__ import annotations

from dataclasses import dataclass

import ibis
from ibis.expr.types import BooleanValue, IntegerValue, Value

from custvalue.features.blocks import number

_CHUNK = 45
"""Days a number holds: whole float64 numbers below 2 ** 53 add up exactly, in whatever order."""


_engine_bit_count = ibis.udf.scalar.builtin(lambda bits: bits, name="bit_count", signature=(("int64",), "int64"))
"""Both engines have it under this name."""


def bit_count(bits: Value) -> Value:
    """Count the bits that are set."""
    return _engine_bit_count(bits)


def day_masks(name: str, flag: BooleanValue, age: IntegerValue, days: int) -> dict[str, Value]:
    """Aggregate a customer's days into ``<name>_<first age>``: bit n is set where the flag is true of the day of age ``first age + n``.

    Parameters
    ----------
    name : str
        What the flag says.
    flag : ibis.BooleanValue
        Of each day; where it is null no bit is set. A customer has at most one row a day.
    age : ibis.IntegerValue
        0 for the newest day, less than ``days`` for each row.
    days : int
        Number of days.
    """
    one = ibis.literal(1, "int8").cast("int64")  # a literal alone is a 32-bit number on Spark, whatever its type is here
    masks = {}
    for first in range(0, days, _CHUNK):
        inside = flag & (age >= first) if first else flag
        inside = inside & (age < first + _CHUNK) if first + _CHUNK < days else inside
        masks[f"{name}_{first}"] = ibis.ifelse(inside, number(one << (age - first)), 0.0).sum().cast("int64")
    return masks


@dataclass(frozen=True)
class DayBits:
    """The days of one kind.

    Attributes
    ----------
    chunks : tuple of ibis.IntegerValue
        As `day_masks` aggregates them, newest days first.
    """

    chunks: tuple[IntegerValue, ...]

    @classmethod
    def of(cls, row: ibis.Table, name: str, days: int) -> DayBits:
        """Read the columns of a row."""
        return cls(tuple(row[f"{name}_{first}"] for first in range(0, days, _CHUNK)))

    def newest(self, days: int) -> IntegerValue:
        """Bits of the newest days, no more than a number holds."""
        return self.chunks[0] & ((1 << days) - 1)

    def newest_age(self) -> Value:
        """Age of the newest day of this kind; null where there is none."""
        age: Value = ibis.null("int64")
        for first, bits in reversed(list(zip(range(0, _CHUNK * len(self.chunks), _CHUNK), self.chunks, strict=True))):
            age = ibis.ifelse(bits == 0, age, first + bit_count(_below_lowest(bits)))
        return age

    def count_before_first(self, other: DayBits) -> Value:
        """Count the days of this kind that are newer than the newest of another kind; all of them where that has none."""
        count: Value = ibis.literal(0, "int64")
        for own, others in reversed(list(zip(self.chunks, other.chunks, strict=True))):
            count = bit_count(own & _below_lowest(others)) + ibis.ifelse(others == 0, count, 0)
        return count


def longest_run(days: DayBits, breaks: DayBits, newest: int) -> Value:
    """Count the days of the longest run among the newest ones that no break interrupts; days of neither kind are passed over.

    A run starts at some age: for each one the days from there to the next break are counted, and the greatest count is the run's.
    """
    own, others = days.newest(newest), breaks.newest(newest)
    return ibis.greatest(*(bit_count((own >> age) & _below_lowest(others >> age)) for age in range(newest)))


def _below_lowest(bits: Value) -> Value:
    """Set all bits below the lowest one that is set; all there are where none is."""
    return (bits & -bits) - 1
