"""What the warehouse knew of customers before a late call kept them: the call must not change what was known before its day."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from custvalue.simulate.arrow import times
from custvalue.simulate.shards import Shard
from custvalue.simulate.tables import built_tables
from custvalue.simulate.timeline import Dates, Flags
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

    def splice(self, tables: dict[str, pa.Table]) -> dict[str, pa.Table]:
        """Put into tables what was known of these customers before their calls, in place of what is told of those days now."""
        wanted = [name for name, table in tables.items() if "available_at" in table.column_names]
        self._draw([name for name in wanted if name not in self._rows])
        return tables | {name: self._spliced(name, tables[name]) for name in wanted}

    def _draw(self, names: list[str]) -> None:
        if not names:
            return
        parts: dict[str, list[pa.Table]] = {}
        for name, table in built_tables(draw_world(self.before), first=False, only=names):
            parts.setdefault(name, []).append(table.filter(self._known_before(table)))
        self._rows.update({name: pa.concat_tables(tables) for name, tables in parts.items()})

    def _known_before(self, table: pa.Table) -> Flags:
        """Which rows are about one of these customers, and became known in the month before the call."""
        place = pc.index_in(table["customer_id"], value_set=self.ids)
        known, until = table["available_at"], times(self.called_on).take(place.combine_chunks())
        mask = pc.and_(pc.greater(known, times(np.array([self.first]))[0]), pc.less_equal(known, until))
        found: Flags = pc.fill_null(mask, False).to_numpy()
        return found

    def _spliced(self, name: str, table: pa.Table) -> pa.Table:
        mask, then = self._known_before(table), self._rows[name]
        own, told = table.filter(mask), [column for column in table.column_names if column not in (*_NUMBERS, _REFERENCE)]
        added = then.filter(_beyond(then.select(told), own.select(told)))
        for place, column in enumerate(added.column_names):
            if column in _NUMBERS:
                added = added.set_column(place, column, pc.binary_join_element_wise(added[column], _MARK, ""))
            elif column == _REFERENCE:
                added = added.set_column(place, column, pa.nulls(len(added), pa.string()))
        unchanged = own.filter(~_beyond(own.select(told), then.select(told)))
        return pa.concat_tables([table.filter(~mask), unchanged, added])


def _beyond(rows: pa.Table, others: pa.Table) -> Flags:
    """Which rows another table has not, or not so often."""
    left = Counter(zip(*(column.to_pylist() for column in others.columns), strict=True))
    found = np.zeros(len(rows), dtype=np.bool_)
    for place, row in enumerate(zip(*(column.to_pylist() for column in rows.columns), strict=True)):
        found[place] = left[row] <= 0
        left[row] -= 1
    return found
