"""From a scenario's name to a folder of tables."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import pyarrow as pa

from custvalue.errors import ConfigError
from custvalue.simulate.catalogue import TIME_ZONE
from custvalue.simulate.scenarios import SCENARIOS
from custvalue.simulate.tables import TABLES, TRUTH
from custvalue.simulate.timeline import Timeline
from custvalue.simulate.world import World, draw_world
from custvalue.simulate.writing import refuse_foreign_folder, write_folder

_MOST_CUSTOMERS, _MOST_MONTHS = 5_000_000, 240


def simulate(
    out: Path,
    *,
    customers: int,
    months: int,
    seed: int,
    start: date = date(2024, 1, 1),
    scenario: str = "postpaid",
    progress: Callable[[str], None] | None = None,
) -> dict[str, int]:
    """Write the tables of a synthetic operator; the same arguments give the same bytes.

    The operator's clock is Asia/Shanghai: days and months are cut there, times are stored as UTC.

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
    scenario : str
        A name in `SCENARIOS`.
    progress : callable, optional
        Told in a few words what has been done.

    Returns
    -------
    dict
        Contract table → rows.

    Raises
    ------
    ConfigError
        An argument is out of range, the scenario is unknown, or the folder holds other things or cannot be written.
    TryAgainError
        The disk is full.
    """
    _refuse_bad_arguments(customers, months, seed, start, scenario)
    out = out.resolve()
    refuse_foreign_folder(out)
    tell = progress or (lambda _: None)
    timeline = Timeline.starting(start, months)
    world = draw_world(SCENARIOS[scenario], timeline, customers=customers, seed=seed, progress=tell)
    parameters = {
        "scenario": scenario,
        "customers": customers,
        "months": months,
        "seed": seed,
        "start": start.isoformat(),
        "time_zone": TIME_ZONE,
    }
    rows = write_folder(out, _built(world, tell), parameters)
    return {name: rows[name] for name in TABLES}


def _built(world: World, tell: Callable[[str], None]) -> Iterator[tuple[str, pa.Table]]:
    for name, build in {**TABLES, **{f"truth/{name}": build for name, build in TRUTH.items()}}.items():
        table = build(world)
        yield name, table
        tell(f"{name}: {table.num_rows:,} rows")


def _refuse_bad_arguments(customers: int, months: int, seed: int, start: date, scenario: str) -> None:
    if scenario not in SCENARIOS:
        raise ConfigError(f"unknown scenario {scenario!r}; there are: {', '.join(SCENARIOS)}.")
    if not 1 <= customers <= _MOST_CUSTOMERS:
        raise ConfigError(f"customers is {customers:,}; give 1 to {_MOST_CUSTOMERS:,}.")
    if not 1 <= months <= _MOST_MONTHS:
        raise ConfigError(f"months is {months:,}; give 1 to {_MOST_MONTHS:,}.")
    if seed < 0:
        raise ConfigError(f"seed is {seed}; give 0 or more.")
    if start.day != 1:
        raise ConfigError(f"start is {start}; give the first day of a month.")
