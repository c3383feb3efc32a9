"""An operator that can be played: month by month, under one's own choice of whom to call."""

from __future__ import annotations

import copy
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa

from custvalue.errors import ConfigError, some
from custvalue.simulate.arrow import dates, money, names
from custvalue.simulate.campaigns import NO_CALL, Effect, Plan
from custvalue.simulate.catalogue import CONTACT_OUTCOMES, DEPARTURES
from custvalue.simulate.kept_rows import KeptRows, splice
from custvalue.simulate.lived_month import Month
from custvalue.simulate.outcomes import effects_table
from custvalue.simulate.planned_calls import ids_of, plan_calls, without_late_calls
from custvalue.simulate.shards import Shard
from custvalue.simulate.simulation import describe, prepare
from custvalue.simulate.tables import TABLES, built_tables
from custvalue.simulate.timeline import days_after
from custvalue.simulate.world import World, draw_world
from custvalue.simulate.writing import refuse_foreign_folder, write_folder


class Operator:
    """A synthetic operator whose campaigns are up to the caller.

    All luck belongs to a customer and a month and is the same whatever calls are made: two operators with the same arguments differ only in
    what calls have changed. Who was called under neither of two policies lives the same life under both, unless a neighbour (somebody of
    the same household or community) left under one of them, which makes leaving likelier, as it does in life. All customers are kept in
    memory, about 5 kB each over two years.

    Parameters
    ----------
    scenario : str or Path
        A name in `SCENARIOS`, or a YAML file.
    customers : int
        Customers on the network at the start.
    months : int
        Most months that may be lived.
    seed : int
        Seed of every random stream.
    start : date
        First day of the first month.

    Raises
    ------
    ConfigError
        An argument is out of range; the scenario is unknown or faulty.
    """

    def __init__(
        self, scenario: str | Path = "postpaid", *, customers: int, months: int, seed: int, start: date = date(2024, 1, 1)
    ) -> None:
        self._facts = prepare(scenario, customers=customers, months=months, seed=seed, start=start)
        self._made: Callable[[int], dict[str, object]] = lambda lived: describe(
            scenario, customers=customers, months=lived, seed=seed, start=start
        )
        self._shards = [Shard(self._facts, number, size) for number, size in enumerate(self._facts.shard_sizes())]
        self._kept: list[KeptRows] = []

    @property
    def months_lived(self) -> int:
        """How many months are over."""
        return self._shards[0].months

    @property
    def month(self) -> date:
        """First day of the month to come."""
        day: date = self._facts.timeline.first[self.months_lived].astype(object)
        return day

    def run(self, months: int) -> None:
        """Live so many months under the operator's own campaigns: managers' picks, and some customers drawn by lot.

        Raises
        ------
        ConfigError
            More months than are left.
        """
        self._refuse_too_many(months)
        for shard in self._shards:
            for _ in range(months):
                shard.pass_month(shard.own_plan())

    def may_be_called(self) -> pa.Array:
        """Identifiers of who is in service on the first day of the month to come, and allows marketing."""
        return pa.concat_arrays([ids_of(shard, np.flatnonzero(shard.may_be_called())) for shard in self._shards])

    def copy(self) -> Operator:
        """Copy it, so that two courses of events can go on from it."""
        other = copy.copy(self)
        other._shards, other._kept = [shard.copy() for shard in self._shards], list(self._kept)
        return other

    def step(self, contacts: Iterable[str] | Mapping[str, str | None], *, days: Mapping[str, int] | None = None) -> Month:
        """Live one month in which exactly these customers are called.

        Parameters
        ----------
        contacts : iterable of str, or mapping
            Customer ids; or customer id → name of an offer of the scenario (None: the first one).
        days : mapping, optional
            Customer id → day of the month of his call, of those who are not called on the first. A copy that lives the month with the calls
            made so far shows what is known on a later day: whatever is called from that day on, it stays as it is.

        Raises
        ------
        ConfigError
            An id is unknown, comes twice, belongs to somebody who has left or does not allow marketing; an offer or a day is unknown; no
            month is left. Nothing has happened then.

        Notes
        -----
        A call after the first day acts on leaving from its day on. What else it changes, use and temper, shows from the next month on; the
        month's bill and use of somebody whom it keeps are those of a whole month.
        """
        self._refuse_too_many(1)
        plans = plan_calls(self._shards, contacts, days or {})
        month, lived = self.month, self.months_lived
        before = [without_late_calls(shard, plan) for shard, plan in zip(self._shards, plans, strict=True)]
        logs = [shard.pass_month(plan) for shard, plan in zip(self._shards, plans, strict=True)]
        for untouched, plan, log in zip(before, plans, logs, strict=True):
            if untouched is not None and log.kept.any():
                who, first = np.flatnonzero(log.kept), self._facts.timeline.first[lived]
                ids, called_on = ids_of(untouched, who), days_after(np.full(len(who), first), plan.day[who])
                self._kept.append(KeptRows(untouched, ids, first, called_on))
        called = [self._contacts(shard, plan, log.effect) for shard, plan, log in zip(self._shards, plans, logs, strict=True)]
        left = [self._departures(shard, lived) for shard in self._shards]
        return Month(month, pa.concat_tables(called), pa.concat_tables(left), lambda: self._revenue(lived))

    def tables(self, only: Collection[str] = tuple(TABLES)) -> dict[str, pa.Table]:
        """Build the contract tables of the months lived so far.

        Parameters
        ----------
        only : collection of str, optional
            Which tables are wanted; all by default.

        Raises
        ------
        ConfigError
            No month has been lived yet; a table is unknown.
        """
        if unknown := sorted(set(only) - set(TABLES)):
            raise ConfigError(f"unknown table(s) {some(unknown)}; there are: {', '.join(TABLES)}.")
        parts: dict[str, list[pa.Table]] = {}
        for name, table in self._built(only):
            parts.setdefault(name, []).append(table)
        return {name: pa.concat_tables(tables) for name, tables in parts.items()}

    def effects(self, month: int | None = None) -> pa.Table:
        """What a call would do, for one who knows the hidden state: no policy may read it that is not meant to know.

        Parameters
        ----------
        month : int, optional
            Calls on the first day of this month, counted from 0; of the month to come by default.

        Returns
        -------
        pyarrow.Table
            ``customer_id``; ``chance_if_called`` and ``chance_if_not_called`` of leaving by own will within three months.

        Raises
        ------
        ConfigError
            No month has been lived before that one.
        """
        lived = self.months_lived if month is None else month
        if not 0 < lived <= self.months_lived:
            raise ConfigError(f"month is {lived}: effects are known on the first days of months 1 to {self.months_lived}.")
        return pa.concat_tables([effects_table(world, lived - 1) for world in self._worlds()])

    def write(self, out: Path) -> dict[str, int]:
        """Write the months lived so far as `simulate` does, the truth included.

        Returns
        -------
        dict
            Contract table → rows.

        Raises
        ------
        ConfigError
            No month has been lived yet; the folder holds other things or cannot be written.
        TryAgainError
            The disk is full.
        """
        out = out.resolve()
        refuse_foreign_folder(out)
        rows = write_folder(out, self._built(), self._made(self.months_lived))
        return {name: rows[name] for name in TABLES if name in rows}

    def _built(self, only: Collection[str] | None = None) -> Iterator[tuple[str, pa.Table]]:
        for world in self._worlds():
            built = built_tables(world, first=world.shard == 0, only=only)
            kept = [each for each in self._kept if each.before.number == world.shard]
            yield from _spliced(built, kept) if kept else built

    def _worlds(self) -> list[World]:
        if not self.months_lived:
            raise ConfigError("no month has been lived yet, so there is nothing to record. Call `run` or `step` first.")
        return [draw_world(shard) for shard in self._shards]

    def _revenue(self, month: int) -> pa.Table:
        parts = []
        for world in self._worlds():
            who = np.flatnonzero((world.service_days[month] > 0) | (world.bills.revenue[month] != 0))
            parts.append(pa.table({"customer_id": world.customer_ids(who), "revenue": money(world.bills.revenue[month, who])}))
        return pa.concat_tables(parts)

    def _contacts(self, shard: Shard, plan: Plan, effect: Effect) -> pa.Table:
        who = np.flatnonzero(plan.offer != NO_CALL)
        outcome = names(CONTACT_OUTCOMES, effect.outcome[who])
        return pa.table({"customer_id": ids_of(shard, who), "reached": pa.array(effect.reached[who]), "outcome": outcome})

    def _departures(self, shard: Shard, month: int) -> pa.Table:
        who = np.flatnonzero(shard.state.left_month == month)
        kind, left_on = names(DEPARTURES, shard.state.kind[who]), dates(shard.state.left_on[who])
        return pa.table({"customer_id": ids_of(shard, who), "left_on": left_on, "kind": kind})

    def _refuse_too_many(self, months: int) -> None:
        left = self._facts.timeline.months - self.months_lived
        if not 0 <= months <= left:
            raise ConfigError(f"{months} month(s) asked for, and {left} are left. Make the operator with more `months`.")


def _spliced(built: Iterable[tuple[str, pa.Table]], kept: Sequence[KeptRows]) -> Iterator[tuple[str, pa.Table]]:
    """Put tables together, and put into them what was known before late calls."""
    parts: dict[str, list[pa.Table]] = {}
    for name, table in built:
        parts.setdefault(name, []).append(table)
    yield from splice({name: pa.concat_tables(tables) for name, tables in parts.items()}, kept).items()
