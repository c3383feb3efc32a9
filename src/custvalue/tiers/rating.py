"""One day's rating as it is stored: its columns, its manifest, its bytes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from hashlib import sha256

import pyarrow as pa
import pyarrow.parquet as pq

SCHEMA = pa.schema(
    [
        ("rated_on", pa.date32()),
        ("customer_id", pa.string()),
        ("tier", pa.string()),
        ("score", pa.float64()),
        ("valid_from", pa.date32()),
        ("valid_until", pa.date32()),
        ("below_since", pa.date32()),
        ("grace_until", pa.date32()),
        ("reason_code", pa.string()),
        ("policy_version", pa.string()),
        ("care_priority", pa.int64()),
        ("earned", pa.string()),
    ]
)
"""Columns of a rating: the day, and what `TierPolicy.assign` gives."""


@dataclass(frozen=True)
class RatingManifest:
    """What one rating was made from.

    Attributes
    ----------
    day : date
        The rating's day.
    policy_version : str
        Label of the policy, for example ``consumer-v1``.
    policy_hash : str
        SHA-256 of the policy's content and cuts.
    inputs : str
        SHA-256 of all else that was read: tables, settings, code version.
    started_from : str
        Where the tiers before came from: ``rating``, ``tier_history`` or ``nothing``.
    previous, previous_version, previous_digest : date, str, str, optional
        The rating it started from: its day, policy version and digest.
    rows : int
        Customers rated.
    digest : str
        SHA-256 of the Parquet file as it was made. Later ratings, nights and the log name the rating by it, for good.
    forgotten : tuple of str
        SHA-256 of the file after each customer that was forgotten since.
    """

    day: date
    policy_version: str
    policy_hash: str
    inputs: str
    started_from: str = "nothing"
    previous: date | None = None
    previous_version: str | None = None
    previous_digest: str | None = None
    rows: int = 0
    digest: str = ""
    forgotten: tuple[str, ...] = ()

    @property
    def intact(self) -> tuple[str, ...]:
        """Digests that the file may have: the newest one, and the one before where a forgetting was killed between the two."""
        return (self.digest, *self.forgotten)[-2:]


def as_rating(table: pa.Table, day: date) -> pa.Table:
    """Bring what `TierPolicy.assign` gave into the stored form: the day, the columns of `SCHEMA`, sorted by customer_id."""
    columns = {name: table[name].cast(SCHEMA.field(name).type) for name in SCHEMA.names[1:]}
    rated_on = pa.repeat(pa.scalar(day, pa.date32()), table.num_rows)
    return pa.table({"rated_on": rated_on} | columns, schema=SCHEMA).sort_by("customer_id").combine_chunks()


def encode(rating: pa.Table) -> pa.Buffer:
    """Give a rating's Parquet bytes; the same rows give the same bytes."""
    sink = pa.BufferOutputStream()
    pq.write_table(rating, sink, compression="zstd", row_group_size=1 << 17)
    return sink.getvalue()


def digest(rating: pa.Table) -> str:
    """SHA-256 of a rating's Parquet bytes."""
    return sha256(encode(rating)).hexdigest()
