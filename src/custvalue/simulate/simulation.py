"""From a scenario's name to a folder of tables."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import pyarrow as pa

from custvalue.errors import ConfigError
from custvalue.simulate.catalogue import TIME_ZONE
from custvalue.simulate.facts import OperatorFacts, gather_facts
from custvalue.simulate.scenarios import load_scenario
from custvalue.simulate.shards import Shard
from custvalue.simulate.tables import TABLES, built_tables
from custvalue.simulate.timeline import Timeline
from custvalue.simulate.world import draw_world
from custvalue.simulate.writing import refuse_foreign_folder, write_folder

_MOST_CUSTOMERS, _MOST_MONTHS = 5_000_000, 240


def simulate(
    out: Path,
    *,
    customers: int,
    months: int,
    seed: int,
    start: date = date(2024, 1, 1),
    scenario: str | Path = "postpaid",
    progress: Callable[[str], None] | None = None,
) -> dict[str, int]:
    """Write the tables of a synthetic operator; the same arguments give the same bytes.

    The operator's clock is Asia/Shanghai: days and months are cut there, times are stored as UTC. Customers are simulated in shards of
    25,000, so that memory does not grow with their number.

    Parameters
    ----------
    out : Path
        Folder for ``<table>.parquet``, ``truth/`` (which no pipeline may read) and ``simulation.json``. New, empty, or an
        earlier simulation, which is then replaced as a whole.
    customers : int
        Customers on the network at the start; about as many join each month as leave.
    months : int
        Months of history. The first day on which all of it can be known is ``start`` plus so many months.
    seed : int
        Seed of every random stream.
    start : date
        First day of the first month.
    scenario : str or Path
        A name in `SCENARIOS`, or a YAML file.
    progress : callable, optional
        Told in a few words what has been done.

    Returns
    -------
    dict
        Contract table → rows.

    Raises
    ------
    ConfigError
        An argument is out of range, the scenario is unknown or faulty, or the folder holds other things or cannot be written.
    TryAgainError
        The disk is full.
    """
    facts = prepare(scenario, customers=customers, months=months, seed=seed, start=start)
    out = out.resolve()
    refuse_foreign_folder(out)
    tell = progress or (lambda _: None)
    parameters = describe(scenario, customers=customers, months=months, seed=seed, start=start)
    rows = write_folder(out, _live_and_build(facts, tell), parameters)
    for name, count in rows.items():
        tell(f"{name}: {count:,} rows")
    return {name: rows[name] for name in TABLES if name in rows}


def prepare(scenario: str | Path, *, customers: int, months: int, seed: int, start: date) -> OperatorFacts:
    """Check what a simulation is asked for, and draw what all shards share.

    Raises
    ------
    ConfigError
        An argument is out of range; the scenario is unknown or faulty.
    """
    numbers = load_scenario(scenario)
    if not 1 <= customers <= _MOST_CUSTOMERS:
        raise ConfigError(f"customers is {customers:,}; give 1 to {_MOST_CUSTOMERS:,}.")
    if not 1 <= months <= _MOST_MONTHS:
        raise ConfigError(f"months is {months:,}; give 1 to {_MOST_MONTHS:,}.")
    if seed < 0:
        raise ConfigError(f"seed is {seed}; give 0 or more.")
    if start.day != 1:
        raise ConfigError(f"start is {start}; give the first day of a month.")
    return gather_facts(numbers, Timeline.starting(start, months), customers=customers, seed=seed)


def describe(scenario: str | Path, *, customers: int, months: int, seed: int, start: date) -> dict[str, object]:
    """Say how a folder was made, for its marker."""
    return {
        "scenario": str(scenario),
        "customers": customers,
        "months": months,
        "seed": seed,
        "start": start.isoformat(),
        "time_zone": TIME_ZONE,
    }


def _live_and_build(facts: OperatorFacts, tell: Callable[[str], None]) -> Iterator[tuple[str, pa.Table]]:
    """Live shard after shard, and build each one's tables before the next begins."""
    sizes = facts.shard_sizes()
    for number, size in enumerate(sizes):
        shard = Shard(facts, number, size)
        for _ in range(facts.timeline.months):
            shard.pass_month(shard.own_plan())
        tell(f"shard {number + 1} of {len(sizes)}: {len(shard.people):,} customers lived {shard.months} months")
        yield from built_tables(draw_world(shard), first=number == 0)
