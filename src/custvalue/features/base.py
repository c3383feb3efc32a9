"""The whole customer base at a moment, behind the customers whose features are built."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import ibis
from ibis.expr.types import BooleanValue

from custvalue.features.population import everybody
from custvalue.sources import CONTRACT, Moment

Keep = Callable[[ibis.Table], ibis.Table]


def as_it_is(table: ibis.Table) -> ibis.Table:
    """Keep nothing: the expression is written out wherever it is used."""
    return table


@dataclass(frozen=True)
class Base:
    """Everybody's rows, and what is worth computing once.

    Attributes
    ----------
    tables : mapping of str to ibis.Table
        Contract tables as known at the moment, without rows from before a customer joined again.
    people : ibis.Table
        Everybody's current row; see `population.everybody`.
    keep : callable
        Computes a table once, for all that reads it; by default the expression itself is written out each time.
    """

    tables: Mapping[str, ibis.Table]
    people: ibis.Table
    keep: Keep = as_it_is

    @classmethod
    def of(cls, tables: Mapping[str, ibis.Table], moment: Moment, keep: Keep = as_it_is) -> Base:
        """Look at contract tables from a moment.

        Parameters
        ----------
        tables : mapping of str to ibis.Table
            As known at the moment (`SourceTables.known`), ``customers`` and ``departures`` among them.
        moment : Moment
            The as-of moment.
        keep : callable, optional
            As in the attributes.
        """
        people = keep(everybody(tables, moment))
        again = keep(people.filter(people.active & people.joined_again_on.notnull()).select("customer_id", "joined_again_on"))
        own = {name: _of_present_service(table, name, again, moment) for name, table in tables.items() if name in _READ}
        return cls(own, people, keep)

    @property
    def active(self) -> ibis.Table:
        """Current rows of the customers in service."""
        return self.people.filter(self.people.active)


_READ = {name for name, table in CONTRACT.items() if table.event is not None}


def _of_present_service(table: ibis.Table, name: str, again: ibis.Table, moment: Moment) -> ibis.Table:
    """Leave out the rows from before a customer joined again: a reused number brings its new owner nothing of the old one's.

    A monthly row belongs to the present service where any of its days does. A UTC time is read with the zone's offset at the moment: an
    hour more or less after a change of clocks decides nothing.
    """
    event, joined = table[str(CONTRACT[name].event)], again.joined_again_on
    before: BooleanValue
    if CONTRACT[name].monthly:
        before = event < joined.truncate("M")
    elif event.type().is_timestamp():
        ahead = datetime(moment.day.year, moment.day.month, moment.day.day, tzinfo=UTC) - moment.instant.replace(tzinfo=UTC)
        before = event + ibis.interval(seconds=round(ahead.total_seconds())) < joined.cast("timestamp")
    else:
        before = event < joined
    return table.anti_join(again, [table.customer_id == again.customer_id, before])
