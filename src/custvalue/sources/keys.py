"""Rows that come twice, under the same key or under another, found without holding all of them in memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import SpooledTemporaryFile

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from ibis.backends.duckdb import Backend

from custvalue.engines import batches, run, scalar
from custvalue.errors import mask
from custvalue.sources.declaration import Table
from custvalue.sources.findings import Finding, Severity
from custvalue.sources.history import ENOUGH
from custvalue.sources.profile import Profile, month_end
from custvalue.sources.sql import quoted

_AT_ONCE = 30_000_000
"""So many hashes are sorted at once: 240 MB. Those of larger tables wait on disk, eight bytes a row."""

_BY_CHANCE = 0.25
"""More of a month's rows than this are not the same by chance."""


def check_keys(con: Backend, declared: Table, rows: int) -> tuple[list[Finding], bool]:
    """Look for keys that come twice.

    One scan hashes the keys, and equal hashes are found by sorting; keys whose hash comes twice are then compared in full.

    Returns
    -------
    findings : list of Finding
        The same key with the same ``available_at``.
    revised : bool
        Whether some key comes again with a later ``available_at``.

    Raises
    ------
    EngineError
        The table cannot be read.
    OSError
        The disk is full.
    """
    key = ", ".join(map(quoted, declared.key))
    with _twice(con, declared, f"hash({key})", rows) as twice:
        if not twice:
            return [], False
        same = f"SELECT {quoted(declared.key[0])} AS k, count(*) AS n FROM {twice} GROUP BY {key}"
        version = ", available_at" if declared.event else ""
        count, examples = run(con, f"SELECT coalesce(sum(n), 0), list(k ORDER BY k)[1:3] FROM ({same}{version}) WHERE n > 1")[0]
        revised = bool(declared.event) and run(con, f"SELECT count(*) FROM ({same}) WHERE n > 1")[0][0] > 0
    if not count:
        return [], revised
    shown = tuple(mask(example) for example in examples)
    remedy = "Keep one row, or give the newer one a later available_at."
    return [Finding(declared.name, "+".join(declared.key), "key", Severity.ERROR, "key comes twice", int(count), shown, remedy)], revised


def check_repeats(con: Backend, declared: Table, present: Sequence[str], profile: Profile) -> Iterator[Finding]:
    """Look for months whose rows came again under other ids: every column but the id and ``available_at`` the same.

    Parameters
    ----------
    con : Backend
        The engine.
    declared : Table
        The table's declaration; one whose rows have no id of their own is passed over.
    present : sequence of str
        Columns that it has.
    profile : Profile
        Its months.

    Raises
    ------
    EngineError
        The table cannot be read.
    OSError
        The disk is full.
    """
    if not declared.event or len(declared.key) > 1:
        return
    content = f"hash({', '.join(quoted(name) for name in present if name not in (*declared.key, 'available_at'))})"
    with _twice(con, declared, content, profile.total("rows")) as twice:
        if not twice:
            return
        period = month_end(quoted(declared.event))
        counted = f"SELECT {period} AS p, count(*) - count(DISTINCT {content}) FROM {twice} GROUP BY p"
        again = {end.replace(day=1): int(rows) for end, rows in run(con, counted) if end is not None}
    for month, entry in zip(profile.months, profile.by_month, strict=True):
        repeated, rows = again.get(month, 0), entry["rows"]
        if rows >= ENOUGH and repeated > _BY_CHANCE * rows:
            fault = f"{repeated / rows:.0%} of the rows of {month:%Y-%m} repeat others under another id"
            remedy = "Load the month once, or allow `repeated` for this table in sources.checks with the reason."
            yield Finding(declared.name, declared.key[0], "repeated", Severity.ERROR, fault, repeated, (), remedy)


@contextmanager
def _twice(con: Backend, declared: Table, hashed: str, rows: int) -> Iterator[str]:
    """Give SQL of the rows whose hash comes more than once, empty where there are none."""
    relation = f"contract.{declared.name}"
    found = _repeated(con, f"SELECT {hashed} AS h FROM {relation}", rows)
    if not len(found):
        yield ""
        return
    con.create_table("twice", pa.table({"h": found}), temp=True, overwrite=True)
    yield f"{relation} WHERE {hashed} IN (SELECT h FROM twice)"
    run(con, "DROP TABLE twice")


def _repeated(con: Backend, hashes: str, rows: int) -> npt.NDArray[np.uint64]:
    """Give each hash that comes more than once; equal ones meet in one share of their range, which is sorted by itself."""
    shares = rows // _AT_ONCE + 1
    edges = np.array([share * 2**64 // shares for share in range(1, shares)], dtype=np.uint64)
    place = Path(scalar(con, "SELECT current_setting('temp_directory')")).absolute().parent
    found = []
    with ExitStack() as stack:  # nameless files, in memory up to a size: a killed run leaves none behind
        waiting = [stack.enter_context(SpooledTemporaryFile(8 * _AT_ONCE // shares, dir=str(place))) for _ in range(shares)]
        for batch in batches(con, hashes):
            ordered = np.sort(batch.column(0).to_numpy())
            for file, share in zip(waiting, np.split(ordered, np.searchsorted(ordered, edges)), strict=True):
                file.write(share.data)
        for file in waiting:
            file.seek(0)
            ordered = np.sort(np.frombuffer(file.read(), dtype=np.uint64))
            file.truncate(0)
            found.append(np.unique(ordered[1:][ordered[1:] == ordered[:-1]]))
    return np.concatenate(found)
