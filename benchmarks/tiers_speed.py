"""One month's tiers and their history: custvalue on DuckDB beside the same in plain pandas.

Run ``python benchmarks/tiers_speed.py [--customers 1000000 5000000] [--ways custvalue pandas]``; it prints a Markdown table.

Both read the month's facts and twelve earlier ratings from Parquet, and write the new rating and the whole tier history as slowly changing
rows. Every run is a process of its own, the two take turns, and memory is the peak of the process.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from custvalue import TierPolicy
from custvalue.config import ready_configs
from custvalue.sources import add_months
from features import peak_of_tree

FIRST, RATINGS = date(2025, 1, 1), 13
WAYS = ("custvalue", "pandas")


def made(folder: Path, customers: int, policy: TierPolicy) -> Path:
    """Write facts of the newest month and a year of earlier ratings, where they are not there yet."""
    from custvalue.engines import duckdb

    out = folder / f"tiers-{customers}"
    if (out / "facts.parquet").exists():
        return out
    (out / "ratings").mkdir(parents=True, exist_ok=True)
    print(f"making {customers:,} customers in {out} …", file=sys.stderr, flush=True)
    con = duckdb.connect()
    facts = facts_by_month(customers)
    previous = None
    for month in range(RATINGS):
        day = add_months(FIRST, month)
        pq.write_table(next(facts), out / "facts.part")
        table = con.read_parquet(out / "facts.part")
        policy = policy if policy.cuts else policy.fit(table, as_of=day)
        if month == RATINGS - 1:
            break
        rating = out / "ratings" / f"{day}.parquet"
        con.to_parquet(policy.assign(table, as_of=day, previous=previous), rating)
        previous = con.read_parquet(rating)
    (out / "policy.json").write_text(policy.to_json())
    (out / "facts.part").rename(out / "facts.parquet")
    return out


def facts_by_month(customers: int) -> Iterator[pa.Table]:
    """Yield a base's facts month by month: lognormal bills that wander, a few complaints, nobody joining or leaving."""
    rng = np.random.default_rng(7)
    ids = pa.array([f"C{i:09d}" for i in range(customers)])
    level = rng.normal(np.log(36), 0.6, customers)
    tenure = np.floor(rng.exponential(60, customers))
    data, voice = rng.lognormal(np.log(8_000), 1.1, customers), rng.gamma(2.0, 110.0, customers)
    for month in range(RATINGS):
        level += rng.normal(0, 0.05, customers)
        complained = rng.random(customers) < 0.02
        yield pa.table(
            {
                "customer_id": ids,
                "revenue_mean_12m": np.exp(level + rng.normal(0, 0.12, customers)),
                "data_mb_mean_12m": data * rng.lognormal(0, 0.2, customers),
                "voice_minutes_mean_12m": voice * rng.lognormal(0, 0.2, customers),
                "tenure_months": tenure + month,
                "complaint_open": (complained & (rng.random(customers) < 0.3)).astype(float),
                "days_since_justified_complaint": pa.array(np.where(complained, rng.integers(0, 200, customers), np.nan), from_pandas=True),
            }
        )


def rate_with_custvalue(folder: Path, out: Path, memory: str | None) -> None:
    """Rate the newest month on DuckDB and write the history."""
    from custvalue.engines import duckdb
    from custvalue.tiers import tier_history

    con = duckdb.connect(memory_limit=memory)
    policy = TierPolicy.from_json((folder / "policy.json").read_text())
    ratings = sorted((folder / "ratings").glob("*.parquet"))
    day = add_months(FIRST, RATINGS - 1)
    new = out / f"{day}.parquet"
    con.to_parquet(policy.assign(con.read_parquet(folder / "facts.parquet"), as_of=day, previous=con.read_parquet(ratings[-1])), new)
    told = {date.fromisoformat(path.stem): con.read_parquet(path) for path in (*ratings, new)}
    con.to_parquet(tier_history(told), out / "history.parquet")


def rate_in_pandas(folder: Path, out: Path, _memory: str | None) -> None:
    """Do the same in plain pandas, which has no limit of memory."""
    import pandas_tiers

    policy = TierPolicy.from_json((folder / "policy.json").read_text())
    (cuts,) = (policy.cuts or {}).values()
    day = add_months(FIRST, RATINGS - 1)
    facts = pd.read_parquet(folder / "facts.parquet")
    paths = sorted((folder / "ratings").glob("*.parquet"))
    previous = pd.read_parquet(paths[-1], columns=["customer_id", *pandas_tiers.STATE])
    rating = pandas_tiers.assign(facts, policy.config, cuts, as_of=day, previous=previous)
    rating.to_parquet(out / f"{day}.parquet", index=False)
    del facts, previous
    columns = ["customer_id", "tier", "policy_version", "reason_code"]
    ratings = [(date.fromisoformat(path.stem), pd.read_parquet(path, columns=columns)) for path in paths]
    pandas_tiers.history([*ratings, (day, rating)]).to_parquet(out / "history.parquet", index=False)


RATE: dict[str, Callable[[Path, Path, str | None], None]] = {"custvalue": rate_with_custvalue, "pandas": rate_in_pandas}


def speed(folder: Path, sizes: Sequence[int], runs: int, ways: Sequence[str], memory: str | None) -> list[str]:
    """Time both ways in turns at every size; medians, ratios and growth."""
    policy = TierPolicy.from_yaml(ready_configs() / "tiers" / "consumer.yaml")
    lines = [
        "| customers | way | seconds | times custvalue | peak GB | times custvalue | growth exponent |",
        "|---:|---|---:|---:|---:|---:|---:|",
    ]
    before: dict[str, tuple[int, float]] = {}
    for customers in sorted(sizes):
        tables = made(folder, customers, policy)
        found: dict[str, list[tuple[float, float]]] = {way: [] for way in ways}
        for turn in range(runs):
            for way in ways:
                found[way].append(timed(way, tables, memory))
                print(
                    f"{customers:,} {way} {turn + 1}/{runs}: {found[way][-1][0]:.1f} s, {found[way][-1][1]:.2f} GB",
                    file=sys.stderr,
                    flush=True,
                )
        middle = {way: tuple(statistics.median(one[place] for one in each) for place in (0, 1)) for way, each in found.items()}
        base = middle.get("custvalue")
        for way, (seconds, gigabytes) in middle.items():
            growth = f"{math.log(seconds / before[way][1]) / math.log(customers / before[way][0]):.2f}" if way in before else ""
            before[way] = (customers, seconds)
            ratios = [f"{seconds / base[0]:.1f}", f"{gigabytes / base[1]:.1f}"] if base else ["", ""]
            lines.append(f"| {customers:,} | {way} | {seconds:.1f} | {ratios[0]} | {gigabytes:.2f} | {ratios[1]} | {growth} |")
    return lines


def timed(way: str, folder: Path, memory: str | None) -> tuple[float, float]:
    """Run one way in a process of its own; give the seconds from imports done to files written, and the process's peak, GB."""
    with tempfile.TemporaryDirectory() as out:
        command = [sys.executable, __file__, "--one", way, str(folder), out, *(["--memory", memory] if memory else [])]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        peak = peak_of_tree(process)
        told = process.stdout.read() if process.stdout else ""
    if process.returncode:
        raise RuntimeError(f"{way} on {folder.name} ended with exit code {process.returncode}")
    return float(json.loads(told.splitlines()[-1])), peak


def main(arguments: Sequence[str] | None = None) -> int:
    """Read the command line, print the table, and give the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--customers", type=int, nargs="+", default=[1_000_000])
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=WAYS)
    parser.add_argument("--runs", type=int, default=3, help="runs of each way and size (default: %(default)s)")
    parser.add_argument("--memory", help="DuckDB's memory limit, for example 1GB")
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "custvalue-benchmark")
    parser.add_argument("--one", nargs=3, metavar=("WAY", "TABLES", "OUT"), help=argparse.SUPPRESS)
    chosen = parser.parse_args(arguments)
    if chosen.one:
        way, tables, out = chosen.one
        began = time.perf_counter()
        RATE[way](Path(tables), Path(out), chosen.memory)
        print(json.dumps(time.perf_counter() - began))
        return 0
    lines = speed(chosen.folder, chosen.customers, chosen.runs, chosen.ways, chosen.memory)
    print(f"{RATINGS - 1} earlier ratings, medians of {chosen.runs} run(s).\n")
    print("\n".join(lines))
    return 0


if __name__ == "__main__":
    sys.exit(main())
