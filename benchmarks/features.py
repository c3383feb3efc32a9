"""Features of a whole base: custvalue on DuckDB beside the same features in plain pandas and on Spark.

Run ``python benchmarks/features.py [--customers 100000 1000000] [--engines duckdb pandas spark]``; it prints a Markdown table.

Tables are simulated once a size into a folder and kept there. Every run is a process of its own, which reads Parquet and writes one Parquet
file of features; runs of different engines take turns, so that a busy machine slows them alike. Memory is the peak of the process and of
what it started (Spark's Java). More than a million customers are a million written several times, each time with ids of its own.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from datetime import date
from functools import partial
from pathlib import Path

import ibis

from custvalue.config import Config, load_config, ready_configs
from custvalue.engines import connect, write_parquet
from custvalue.sources import CONTRACT, add_months

AS_OF, MONTHS, SEED = date(2026, 1, 1), 24, 7
POLL_SECONDS = 0.05
LARGEST = 1_000_000
"""Most customers to simulate."""
ROW_GROUP = 500_000
"""Rows of a row group where tables are multiplied, about as many as the simulator writes."""
REVISED = ("complaints", "contracts", "surveys")
"""Simulated tables in which a row comes again once more is known of it."""
_KEYS = {table.key[0] for table in CONTRACT.values() if table.name != "managers"}
IDS = _KEYS | {"account_id", "household_id", "manager_id", "repeat_of"}


def config_of(folder: Path, memory: str | None = None) -> Config:
    """Give the demonstration's config over another folder of tables, with ``sources.memory_limit``."""
    config = load_config(ready_configs() / "demo.yaml")
    sources = config.sources.model_copy(update={"folder": folder, "memory_limit": memory})
    return config.model_copy(update={"sources": sources, "workspace": folder})


def build_on_duckdb(folder: Path, out: Path, memory: str | None = None) -> dict[str, float]:
    """Open and check the tables, then build all features and write them; beyond the memory given DuckDB spills to disk."""
    from custvalue.features import compute_features
    from custvalue.sources import open_tables

    config = config_of(folder, memory)
    began = time.perf_counter()
    tables = open_tables(config, copy_below=0)  # every engine reads its files while the clock runs
    opened = time.perf_counter()
    known, moment, delays = tables.known(AS_OF), tables.moment(AS_OF), tables.delay_days
    built = compute_features(tables.con, known, moment, config.features, delay_days=delays, revised=tables.revised, into=out)
    return {"check": opened - began, "seconds": time.perf_counter() - opened, "columns": len(built.columns)}


def build_in_pandas(folder: Path, out: Path) -> dict[str, float]:
    """Build the same features in plain pandas and write them."""
    sys.path.insert(0, str(Path(__file__).parent))
    import pandas_features

    began = time.perf_counter()
    frame = pandas_features.build(folder, config_of(folder).features, AS_OF, revised=REVISED)  # as the other engines are told
    frame.to_parquet(out, index=False)
    return {"seconds": time.perf_counter() - began, "columns": frame.shape[1] - 1}


def build_on_spark(folder: Path, out: Path) -> dict[str, float]:
    """Build the same features on Spark, local[2], and write them; starting the session is not counted."""
    from custvalue.engines import read_tables, spark
    from custvalue.features import build_features
    from custvalue.sources import Moment, cut

    config = config_of(folder)
    con = spark.connect(settings={"spark.driver.memory": "8g"})
    began = time.perf_counter()
    moment = Moment(AS_OF, config.time_zone)
    dated = {name: table for name, table in CONTRACT.items() if table.event is not None}
    types = {name: {c.name: c.dtype for c in table.columns} | {"available_at": "TIMESTAMP"} for name, table in dated.items()}
    tables = read_tables(con, folder, types)
    known = {name: cut(table, CONTRACT[name], moment, revised=name in REVISED) for name, table in tables.items()}
    built = build_features(known, moment, config.features)
    con.to_parquet(built.table, out)
    return {"seconds": time.perf_counter() - began, "columns": len(built.columns)}


BUILD = {
    "duckdb": build_on_duckdb,
    "duckdb-2GB": partial(build_on_duckdb, memory="2GB"),
    "duckdb-4GB": partial(build_on_duckdb, memory="4GB"),
    "pandas": build_in_pandas,
    "spark": build_on_spark,
}
"""Ways to build, by the name that ``--engines`` takes; a size stands for ``sources.memory_limit``."""


def peak_of_tree(process: subprocess.Popen[str]) -> float:
    """Watch a process and its children until it ends; give the highest sum of their resident memory, GB."""
    peak, done = 0, threading.Event()
    while not done.is_set():
        peak = max(peak, sum(resident(pid) for pid in (process.pid, *descendants(process.pid))))
        if process.poll() is not None:
            break
        done.wait(POLL_SECONDS)
    return peak / 2**30


def resident(pid: int) -> int:
    """Resident memory of a process, bytes; 0 once it is gone."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096
    except (OSError, IndexError):
        return 0


def descendants(pid: int) -> list[int]:
    """Processes that a process has started, and theirs."""
    try:
        children = [int(child) for task in Path(f"/proc/{pid}/task").iterdir() for child in (task / "children").read_text().split()]
    except OSError:
        return []
    return [found for child in children for found in (child, *descendants(child))]


def run(engine: str, folder: Path) -> dict[str, float]:
    """Run one engine in a process of its own.

    Raises
    ------
    RuntimeError
        It failed, or ran out of memory.
    """
    with tempfile.TemporaryDirectory() as scratch:
        command = [sys.executable, __file__, "--one", engine, str(folder), str(Path(scratch) / "features.parquet")]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        peak = peak_of_tree(process)
        told = process.stdout.read() if process.stdout else ""
    if process.returncode:
        raise RuntimeError(f"{engine} on {folder.name} ended with exit code {process.returncode}")
    return {**json.loads(told.splitlines()[-1]), "gigabytes": peak}


def simulated(folder: Path, customers: int, months: int = MONTHS) -> Path:
    """Give the folder of so many customers' tables up to `AS_OF`, made where they are not there yet."""
    from custvalue.simulate import simulate

    out, copies = folder / (f"customers-{customers}" + ("" if months == MONTHS else f"-{months}m")), customers // LARGEST
    if (out / "simulation.json").exists():
        return out
    print(f"making {customers:,} customers in {out} …", file=sys.stderr, flush=True)
    if copies > 1:
        multiply(simulated(folder, LARGEST, months), out, copies)
    else:
        simulate(out, customers=customers, months=months, seed=SEED, start=add_months(AS_OF, -months))
    return out


def multiply(folder: Path, out: Path, copies: int) -> None:
    """Write a folder's tables several times over, each time with ids of its own."""
    con = connect()
    for path in sorted(folder.glob("*.parquet")):
        (out / path.name).mkdir(parents=True)
        for copy in range(copies):
            table = con.read_parquet(path)
            own = {name: ibis.literal(f"{copy}-") + table[name] for name in table.columns if name in IDS}
            write_parquet(con, str(con.compile(table.mutate(**own))), out / path.name / f"{copy}.parquet", row_group=ROW_GROUP)
    (out / "simulation.json").write_text((folder / "simulation.json").read_text())


def features_table(found: Mapping[int, Mapping[str, Sequence[Mapping[str, float]]]]) -> list[str]:
    """Write medians over runs, ratios to DuckDB of the same size, and the growth exponent from one size to the next."""
    lines = ["| customers | engine | features | seconds | times DuckDB | peak GB | times DuckDB | growth exponent |"]
    lines += ["|---:|---|---:|---:|---:|---:|---:|---:|"]
    before: dict[str, tuple[int, float]] = {}
    for customers, by_engine in found.items():
        middle = {name: {key: statistics.median(one[key] for one in runs) for key in runs[0]} for name, runs in by_engine.items()}
        base = next((figures for name, figures in middle.items() if name.startswith("duckdb")), None)
        for name, figures in middle.items():
            ratios = [f"{figures[key] / base[key]:.1f}" if base else "" for key in ("seconds", "gigabytes")]
            growth = ""
            if name in before:
                smaller, took = before[name]
                growth = f"{math.log(figures['seconds'] / took) / math.log(customers / smaller):.2f}"
            before[name] = (customers, figures["seconds"])
            cells = [f"{customers:,}", name, f"{figures['columns']:.0f}", f"{figures['seconds']:.1f}", ratios[0]]
            cells += [f"{figures['gigabytes']:.2f}", ratios[1], growth]
            lines.append(f"| {' | '.join(cells)} |")
        if base:
            lines.append(f"| {customers:,} | duckdb, opening and checking the contract first | | {base['check']:.1f} | | | | |")
    return lines


def main(arguments: Sequence[str] | None = None) -> int:
    """Read the command line, print the table, and give the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--customers", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--engines", nargs="+", choices=list(BUILD), default=["duckdb", "pandas", "spark"])
    parser.add_argument("--runs", type=int, default=3, help="runs of each engine and size (default: %(default)s)")
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "custvalue-benchmark")
    parser.add_argument("--one", nargs=3, metavar=("ENGINE", "TABLES", "OUT"), help=argparse.SUPPRESS)
    chosen = parser.parse_args(arguments)
    if chosen.one:
        engine, folder, out = chosen.one
        print(json.dumps(BUILD[engine](Path(folder), Path(out))))
        return 0
    found: dict[int, dict[str, list[dict[str, float]]]] = {}
    for customers in sorted(chosen.customers):
        folder = simulated(chosen.folder, customers)
        found[customers] = {engine: [] for engine in chosen.engines}
        for turn in range(chosen.runs):
            for engine in chosen.engines:
                figures = run(engine, folder)
                found[customers][engine].append(figures)
                told = f"{customers:,} {engine} {turn + 1}/{chosen.runs}: {figures['seconds']:.1f} s, {figures['gigabytes']:.2f} GB"
                print(told, file=sys.stderr, flush=True)
    print(f"{MONTHS} months, seed {SEED}, medians of {chosen.runs} run(s).\n")
    print("\n".join(features_table(found)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
