"""From NumPy to the Arrow types of the data contract."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from custvalue.simulate.catalogue import HOURS_AHEAD_OF_UTC
from custvalue.simulate.timeline import Dates, Flags, Ints

DECIMAL = pa.decimal128(18, 4)
TIME = pa.timestamp("us")
_A_SHARD, _SHARD_DIGITS = 10_000_000, 11
_AHEAD = np.timedelta64(HOURS_AHEAD_OF_UTC, "h")


def money(cents: Ints) -> pa.Array:
    """Cents as decimal(18, 4)."""
    return _decimals(cents.astype(np.int64) * 100)


def volume(hundredths: Ints) -> pa.Array:
    """Hundredths of a unit as decimal(18, 4)."""
    return _decimals(hundredths.astype(np.int64) * 100)


def times(values: Dates) -> pa.Array:
    """Moments on the operator's clock as UTC timestamps in microseconds; NaT becomes null."""
    return pa.array(values.astype("datetime64[us]") - _AHEAD, type=TIME)


def clock(moments: pa.ChunkedArray) -> Dates:
    """UTC timestamps as moments on the operator's clock, microseconds: what `times` was given."""
    values: Dates = moments.to_numpy() + _AHEAD
    return values


def dates(values: Dates) -> pa.Array:
    """Days as date32; NaT becomes null."""
    return pa.array(values.astype("datetime64[D]"), type=pa.date32())


def counts(values: Ints, *, missing: Flags | None = None) -> pa.Array:
    """Whole numbers as int64."""
    return pa.array(values.astype(np.int64), type=pa.int64(), mask=missing)


def names(catalogue: Sequence[str], positions: Ints) -> pa.Array:
    """Texts of a catalogue by position; −1 becomes null."""
    chosen = pa.array(positions.astype(np.int64), mask=np.asarray(positions) < 0)
    return pa.array(catalogue, type=pa.string()).take(chosen)


def codes(prefix: str, positions: Ints, digits: int) -> pa.Array:
    """Identifiers by position, ``C00000001`` for the first; −1 becomes null."""
    chosen = pa.array(positions.astype(np.int64) + 1, mask=np.asarray(positions) < 0)
    padded = pc.utf8_lpad(pc.cast(chosen, pa.string()), width=digits, padding="0")
    return pc.binary_join_element_wise(pa.scalar(prefix), padded, "")


def shard_codes(prefix: str, shard: int, positions: Ints) -> pa.Array:
    """Identifiers that no other shard has, ``T00000000001`` for the first of the first shard; −1 becomes null."""
    return codes(prefix, np.where(positions < 0, -1, shard * _A_SHARD + positions), _SHARD_DIGITS)


def _decimals(ten_thousandths: Ints) -> pa.Array:
    """Build 16-byte little-endian integers from 8-byte ones by extending the sign."""
    wide = np.empty((len(ten_thousandths), 2), dtype="<i8")
    wide[:, 0] = ten_thousandths
    wide[:, 1] = ten_thousandths >> 63
    return pa.Array.from_buffers(DECIMAL, len(wide), [None, pa.py_buffer(wide)])
