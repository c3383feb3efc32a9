"""An operator's checked tables, and the cut at a moment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import PurePath

import ibis
from ibis.backends.duckdb import Backend

from custvalue.config.sources import ChecksConfig
from custvalue.errors import TryAgainError, some
from custvalue.sources.contract import CONTRACT, RESTRICTED
from custvalue.sources.declaration import Table
from custvalue.sources.files import Marks, changed_files
from custvalue.sources.findings import TableReport
from custvalue.sources.moment import Moment


@dataclass(frozen=True)
class SourceTables:
    """All tables of one operator, as the contract wants them.

    Attributes
    ----------
    con : Backend
        The engine that holds them, in schema ``contract``.
    rows : mapping
        Table → number of rows.
    revised : frozenset
        Tables where a key comes again with a later ``available_at``.
    delay_days : mapping
        Table → days until a row is known, as configured.
    digests : mapping
        File, relative to the data folder → SHA-256 of its bytes; foreign table → of its rows.
    caveats : tuple of str
        What the mapping's author wants every reader of a report to know.
    zone : str
        The operator's time zone.
    reports : tuple of TableReport
        What the checks found, one a table.
    checks : ChecksConfig
        Limits and allowances, for the checks that know the moment.
    files : mapping
        Files that are read where they lie, and what they looked like when they were checked.
    """

    con: Backend
    rows: Mapping[str, int]
    revised: frozenset[str]
    delay_days: Mapping[str, int]
    digests: Mapping[str, str]
    caveats: tuple[str, ...]
    zone: str
    reports: tuple[TableReport, ...] = ()
    checks: ChecksConfig = field(default_factory=ChecksConfig)
    files: Marks = field(default_factory=dict, repr=False)
    _known: dict[date, dict[str, ibis.Table]] = field(default_factory=dict, init=False, repr=False, compare=False)

    @property
    def training_digests(self) -> dict[str, str]:
        """Digests of what a model may have been trained on: all but files named after a restricted table."""
        return {name: digest for name, digest in self.digests.items() if PurePath(name).name.split(".")[0] not in RESTRICTED}

    def moment(self, as_of: date) -> Moment:
        """Midnight of a day in the operator's zone."""
        return Moment(as_of, self.zone)

    def known(self, as_of: date) -> dict[str, ibis.Table]:
        """Every unrestricted table as the warehouse knew it at ``as_of`` 00:00; see `cut`.

        Raises
        ------
        TryAgainError
            A file was replaced since it was checked; see `refuse_changed_files`.
        """
        self.refuse_changed_files()
        if as_of not in self._known:  # many ask for the same day, and each cut of a dozen tables takes a while to write
            moment = self.moment(as_of)
            self._known[as_of] = {
                name: cut(self.con.table(name, database="contract"), CONTRACT[name], moment, revised=name in self.revised)
                for name in self.rows
                if name not in RESTRICTED
            }
        return dict(self._known[as_of])

    def refuse_changed_files(self) -> None:
        """Stop if a file that is read where it lies is no longer the one that was checked: a result of both would belong to neither.

        Raises
        ------
        TryAgainError
            With the files' names.
        """
        if changed := changed_files(self.files):
            raise TryAgainError(f"{some(path.name for path in changed)} changed while the run was reading. Run the command again.")

    def restricted(self, name: str) -> ibis.Table | None:
        """Return a restricted table, for lists and page alone; None where it is not mapped."""
        return self.con.table(name, database="contract") if name in self.rows else None


def cut(table: ibis.Table, declared: Table, moment: Moment, *, revised: bool) -> ibis.Table:
    """Keep what was known at a moment: rows, their latest version, and no value that only the future held.

    Parameters
    ----------
    table : ibis.Table
        A contract table with ``available_at`` (UTC), or a reference table without one.
    declared : Table
        Its declaration.
    moment : Moment
        The as-of moment.
    revised : bool
        Whether a key may come again; only then is the latest version looked for.

    Returns
    -------
    ibis.Table
        The same columns without ``available_at``, and without those whose moment of becoming known is not mapped.
    """
    if declared.event is None:
        return table
    instant = ibis.literal(moment.instant).cast("timestamp(6)")
    seen = table.filter(table.available_at <= instant)
    if revised:
        newest = ibis.row_number().over(group_by=declared.key, order_by=ibis.desc("available_at"))
        seen = seen.mutate(version=newest).filter(lambda t: t.version == 0).drop("version")
    later = {column.name: column.hidden_until for column in declared.columns if column.hidden_until and column.name in seen.columns}
    hidden = {
        name: ibis.ifelse(seen[until] <= instant, seen[name], ibis.null(seen[name].type()))
        for name, until in later.items()
        if until in seen.columns
    }
    return seen.mutate(**hidden).drop("available_at", *(name for name in later if name not in hidden))
