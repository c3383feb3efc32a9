"""What the warehouse knew of customers before a late call kept them: the call must not change what was known before its day."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from custvalue.simulate.arrow import clock
from custvalue.simulate.shards import Shard
from custvalue.simulate.tables import built_tables
from custvalue.simulate.timeline import Dates, Flags, Ints
from custvalue.simulate.world import draw_world

_NUMBERS = ("event_id", "payment_id", "complaint_id", "contract_id", "survey_id", "contact_id")
"""Running numbers, which depend on what else there is."""
_REFERENCE = "repeat_of"
_MARK = "A"
"""Ends the running numbers of rows that only the month without the late calls has."""


@dataclass(frozen=True)
class KeptRows:
    """Customers of a shard whom late calls of one month kept from leaving in it.

    Attributes
    ----------
    before : Shard
        The same customers at the month's end, had nobody been called late.
    ids : pyarrow.Array
        Who was kept.
    first : datetime64[D]
        The month's first day.
    called_on : array of datetime64[D]
        Day of each one's call.
    """

    before: Shard
    ids: pa.Array
    first: np.datetime64
    called_on: Dates
    _rows: dict[str, pa.Table] = field(default_factory=dict, repr=False)

    def draw(self, names: Iterable[str]) -> None:
        """Draw the rows of tables as they would be without the calls; once for each table."""
        parts: dict[str, list[pa.Table]] = {}
        if missing := set(names) - set(self._rows):
            for name, table in built_tables(draw_world(self.before), first=False, only=missing):
                places = self._known_before(table, clock(table["available_at"]))
                parts.setdefault(name, []).append(table.take(pa.array(places)))
        self._rows.update({name: pa.concat_tables(tables) for name, tables in parts.items()})

    def replaced(self, name: str, table: pa.Table, known: Dates) -> tuple[Ints, list[pa.Table]]:
        """Give the positions of rows that a table must not tell, and what was known of the same days instead."""
        places, then = self._known_before(table, known), self._rows[name]
        own, told = table.take(pa.array(places)), [column for column in table.column_names if column not in (*_NUMBERS, _REFERENCE)]
        added = then.filter(_beyond(then.select(told), own.select(told)))
        for place, column in enumerate(added.column_names):
            if column in _NUMBERS:
                added = added.set_column(place, column, pc.binary_join_element_wise(added[column], _MARK, ""))
            elif column == _REFERENCE:
                added = added.set_column(place, column, pa.nulls(len(added), pa.string()))
        unchanged = own.filter(~_beyond(own.select(told), then.select(told)))
        return places, [unchanged, added]

    def _known_before(self, table: pa.Table, known: Dates) -> Ints:
        """Positions of rows that are about one of these customers, and became known in the month before the call."""
        then = np.flatnonzero((known > self.first) & (known <= self.called_on.max()))
        place = pc.index_in(table["customer_id"].take(pa.array(then)), value_set=self.ids)
        found: Ints = pc.fill_null(place, -1).to_numpy()
        own = found >= 0
        return then[own][known[then[own]] <= self.called_on[found[own]]]


def splice(tables: Mapping[str, pa.Table], kept: Sequence[KeptRows]) -> dict[str, pa.Table]:
    """Put into tables what was known of customers before late calls kept them, in place of what is told of those days now.

    A row became known in one month, so that what was kept in one month has no row of another's.
    """
    wanted = [name for name, table in tables.items() if "available_at" in table.column_names]
    for each in kept:
        each.draw(wanted)
    return {**tables, **{name: _spliced(name, tables[name], kept) for name in wanted}}


def _spliced(name: str, table: pa.Table, kept: Sequence[KeptRows]) -> pa.Table:
    known = clock(table["available_at"])
    found = [each.replaced(name, table, known) for each in kept]
    stays = np.ones(len(table), dtype=np.bool_)
    stays[np.concatenate([places for places, _ in found])] = False
    return pa.concat_tables([table.filter(stays), *(part for _, parts in found for part in parts)])


def _beyond(rows: pa.Table, others: pa.Table) -> Flags:
    """Which rows another table has not, or not so often."""
    left = Counter(zip(*(column.to_pylist() for column in others.columns), strict=True))
    found = np.zeros(len(rows), dtype=np.bool_)
    for place, row in enumerate(zip(*(column.to_pylist() for column in rows.columns), strict=True)):
        found[place] = left[row] <= 0
        left[row] -= 1
    return found
