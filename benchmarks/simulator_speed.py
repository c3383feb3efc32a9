"""How fast the simulator writes, and how much memory it takes, as the number of customers grows.

Run ``python benchmarks/simulator_speed.py [--customers N ...] [--months M] [--scenario NAME]``. Each size runs in a process of its own, so
that its peak memory is its own. The growth exponent is the slope of log CPU time over log customers: 1 is linear. CPU time is taken for it
because it depends less than wall time on what else the machine does.
"""

from __future__ import annotations

import argparse
import json
import math
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

SIZES = (10_000, 100_000, 1_000_000)
ONE_RUN = """
import json, resource, sys, time
from pathlib import Path
from custvalue.simulate import simulate
out, customers, months, scenario = sys.argv[1:]
began = time.perf_counter()
rows = simulate(Path(out), customers=int(customers), months=int(months), seed=7, scenario=scenario)
seconds, cpu = time.perf_counter() - began, time.process_time()
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
print(json.dumps({"customers": int(customers), "seconds": seconds, "cpu": cpu, "rows": sum(rows.values()), "peak_gb": peak}))
"""


def measure(customers: int, months: int, scenario: str) -> dict[str, float]:
    """Simulate one operator in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-c", ONE_RUN, str(Path(folder) / "out"), str(customers), str(months), scenario]
        run = subprocess.run(command, check=True, capture_output=True, text=True)
    found: dict[str, float] = json.loads(run.stdout)
    return found


def growth_exponent(runs: Sequence[dict[str, float]]) -> float:
    """Least-squares slope of log CPU seconds over log customers."""
    x = [math.log(run["customers"]) for run in runs]
    y = [math.log(run["cpu"]) for run in runs]
    middle, level = sum(x) / len(x), sum(y) / len(y)
    return sum((a - middle) * (b - level) for a, b in zip(x, y, strict=True)) / sum((a - middle) ** 2 for a in x)


def speed_table(runs: Sequence[dict[str, float]], months: int) -> list[str]:
    """Write a line a size."""
    lines = [
        f"| customers, {months} months | rows | seconds | CPU seconds | rows a CPU second | peak memory |",
        "|---:|---:|---:|---:|---:|---:|",
    ]
    for run in runs:
        times = f"{run['seconds']:.1f} | {run['cpu']:.1f} | {run['rows'] / run['cpu']:,.0f}"
        lines.append(f"| {run['customers']:,} | {run['rows']:,} | {times} | {run['peak_gb']:.2f} GB |")
    if len(runs) > 1:
        lines += ["", f"CPU time grows with the number of customers to the power of {growth_exponent(runs):.2f}."]
    return lines


def main(arguments: Sequence[str] | None = None) -> int:
    """Read the command line, print the table, and give the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--customers", type=int, nargs="+", default=list(SIZES), help="sizes (default: %(default)s)")
    parser.add_argument("--months", type=int, default=24, help="months (default: %(default)s)")
    parser.add_argument("--scenario", default="postpaid", help="which operator (default: %(default)s)")
    given = parser.parse_args(arguments)
    runs = []
    for customers in sorted(given.customers):
        runs.append(measure(customers, given.months, given.scenario))
        print(f"{customers:,} customers: {runs[-1]['seconds']:.1f} s", file=sys.stderr, flush=True)
    print("\n".join(speed_table(runs, given.months)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
