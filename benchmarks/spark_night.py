"""A night on Spark beside the same night on DuckDB: seconds, CPU seconds, what a further customer costs, and what 100 million would.

Run ``python benchmarks/spark_night.py [--customers 10000 20000] [--master local[2]]``; it prints Markdown tables. Every night is a process
of its own, `custvalue nightly` as an operator starts it, with a champion that learned from the smallest size. CPU seconds are those of all
its processes, the JVM and Python workers of a master on this machine among them: they hardly depend on what else the machine does. What a
further customer costs is the difference of two sizes, so that the start of Spark and the planning of its statement, which no customer adds
to, are left out. Tables are simulated once a size into ``--folder`` and kept there; see ``benchmarks/features.py``.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml
from nightly import CUSTVALUE, train, write_config

from custvalue.config import ready_configs
from features import AS_OF, descendants, simulated

ENGINES = ("duckdb", "spark")
POLL_SECONDS = 0.2
TICKS = os.sysconf("SC_CLK_TCK")
BASE, CORES = 100_000_000, 400
"""Customers and cores that the cost is told for."""


@dataclass(frozen=True)
class Measured:
    """One night: customers scored, seconds from start to end, and CPU seconds of all its processes."""

    customers: int
    seconds: float
    cpu: float


def cpu_of_tree(process: subprocess.Popen[str]) -> float:
    """Watch a process and its children until it ends; give the CPU seconds of all of them."""
    spent: dict[int, float] = {}
    while process.poll() is None:
        for pid in (process.pid, *descendants(process.pid)):
            try:
                fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue  # ended meanwhile
            spent[pid] = (int(fields[11]) + int(fields[12])) / TICKS
        time.sleep(POLL_SECONDS)
    return sum(spent.values())


def night(config: Path) -> Measured:
    """Run a night and measure it.

    Raises
    ------
    RuntimeError
        It failed.
    """
    with tempfile.TemporaryFile("w+") as log:
        began = time.perf_counter()
        command = [*CUSTVALUE, "nightly", "-c", str(config), "--as-of", str(AS_OF)]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=log, text=True)
        cpu = cpu_of_tree(process)
        seconds = time.perf_counter() - began
        log.seek(0)
        events = [json.loads(line) for line in log if line.startswith("{")]
    if process.returncode:
        raise RuntimeError(f"the night ended with {process.returncode}: {events[-1:]}")
    customers = next(event["customers"] for event in events if event["event"] == "features")
    return Measured(customers, seconds, cpu)


def write_engine(config: Path, engine: str, master: str) -> None:
    """Put the engine into a config, with an output of its own."""
    raw = yaml.safe_load(config.read_text(encoding="utf-8"))
    raw |= {"engine": engine, "spark": {"master": master}, "output": f"{raw['output']}-{engine}"}
    config.write_text(yaml.safe_dump(raw), encoding="utf-8")


def measured_table(found: Mapping[str, Sequence[Measured]]) -> list[str]:
    """Write every night, and what a further thousand customers costs."""
    lines = ["| engine | customers | seconds | CPU s | CPU s for each further 1,000 customers |", "|---|---:|---:|---:|---:|"]
    for engine, nights in found.items():
        before: Measured | None = None
        for each in nights:
            slope = f"{further(before, each):.2f}" if before else ""
            lines.append(f"| {engine} | {each.customers:,} | {each.seconds:.0f} | {each.cpu:.0f} | {slope} |")
            before = each
    return lines


def further(small: Measured, large: Measured) -> float:
    """CPU seconds of each further thousand customers."""
    return 1000 * (large.cpu - small.cpu) / (large.customers - small.customers)


def main(arguments: Sequence[str] | None = None) -> int:
    """Read the command line, print the tables, and give the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--customers", type=int, nargs=2, default=[10_000, 20_000])
    parser.add_argument("--master", default="local[2]")
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "custvalue-benchmark")
    chosen = parser.parse_args(arguments)
    sizes = sorted(chosen.customers)
    found: dict[str, list[Measured]] = {engine: [] for engine in ENGINES}
    with tempfile.TemporaryDirectory(dir=chosen.folder if chosen.folder.exists() else None) as scratch:
        shutil.copytree(ready_configs(), Path(scratch) / "configs")
        train(Path(scratch), simulated(chosen.folder, sizes[0]))
        for size in sizes:
            for engine in ENGINES:
                config = write_config(Path(scratch), simulated(chosen.folder, size), None)
                write_engine(config, engine, chosen.master)
                found[engine].append(night(config))
                print(f"{size:,} on {engine}: {found[engine][-1]}", file=sys.stderr, flush=True)
    print("\n".join(measured_table(found)))
    core_hours = further(*found["spark"]) * BASE / 1000 / 3600
    print(f"\n{BASE:,} customers on Spark: {core_hours:,.0f} core hours, {core_hours / CORES:.1f} hours on {CORES} cores of this kind.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
