"""Rows that come twice, under the same key or under another, found without holding all of them in memory."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import median

import ibis
from ibis.backends.duckdb import Backend

from custvalue.engines import run
from custvalue.engines.duckdb import records
from custvalue.errors import mask
from custvalue.sources.declaration import Table
from custvalue.sources.findings import Finding, Severity
from custvalue.sources.history import ENOUGH
from custvalue.sources.profile import CONTENT, PERIOD, Profile
from custvalue.sources.sql import quoted

_AT_ONCE = 5_000_000
"""So many keys are grouped at once: about 200 MB of the engine's memory."""

_SUSPECT = 0.85
"""The estimate of distinct rows may miss by a quarter; below this share it is worth counting them."""
_REPEATED = 0.75


def check_keys(con: Backend, declared: Table, rows: int) -> tuple[list[Finding], bool]:
    """Look for keys that come twice.

    Only hashes are grouped, a share of them at a time; keys whose hash comes twice are then compared in full.

    Returns
    -------
    findings : list of Finding
        The same key with the same ``available_at``.
    revised : bool
        Whether some key comes again with a later ``available_at``.
    """
    key = ", ".join(map(quoted, declared.key))
    relation = f"contract.{declared.name}"
    run(con, "CREATE OR REPLACE TEMP TABLE twice (h UBIGINT)")
    parts = rows // _AT_ONCE + 1
    for part in range(parts):
        run(con, f"INSERT INTO twice SELECT hash({key}) AS h FROM {relation} WHERE h % {parts} = {part} GROUP BY h HAVING count(*) > 1")
    version = ", available_at" if declared.event else ""
    same = f"SELECT {quoted(declared.key[0])} AS k, count(*) AS n FROM {relation} WHERE hash({key}) IN (SELECT h FROM twice) GROUP BY "
    doubles = f"SELECT coalesce(sum(n), 0), list(k ORDER BY k)[1:3] FROM ({same}{key}{version}) WHERE n > 1"
    count, examples = run(con, doubles)[0]
    revised = bool(declared.event) and run(con, f"SELECT count(*) FROM ({same}{key}) WHERE n > 1")[0][0] > 0
    run(con, "DROP TABLE twice")
    if not count:
        return [], revised
    shown = tuple(mask(example) for example in examples)
    remedy = "Keep one row, or give the newer one a later available_at."
    return [Finding(declared.name, "+".join(declared.key), "key", Severity.ERROR, "key comes twice", int(count), shown, remedy)], revised


def check_repeats(con: Backend, declared: Table, table: ibis.Table, profile: Profile) -> Iterator[Finding]:
    """Look for months whose rows came again under other ids: the profile's estimate says where to count.

    Parameters
    ----------
    con : Backend
        The engine.
    declared : Table
        The table's declaration.
    table : ibis.Table
        The table `with_helpers`.
    profile : Profile
        Its months.
    """
    shares = [entry["distinct"] / entry["rows"] for entry in profile.by_month if "distinct" in entry]
    for place, share in enumerate(shares):
        rows, month = profile.by_month[place]["rows"], profile.months[place]
        if rows < ENOUGH or share >= _SUSPECT * max(1.0, median(shares)):
            continue
        exact = records(con, table.filter(table[PERIOD] == month).agg(distinct=table[CONTENT].nunique()))[0]["distinct"]
        if exact < _REPEATED * rows:
            fault = f"{1 - exact / rows:.0%} of the rows of {month:%Y-%m} repeat others under another id"
            remedy = "Load the month once, or allow `repeated` for this table in sources.checks with the reason."
            yield Finding(declared.name, declared.key[0], "repeated", Severity.ERROR, fault, rows - exact, (), remedy)
