"""How long ``custvalue --help`` takes beside an empty Python: medians of alternating runs.

Run ``python benchmarks/startup.py [--runs N]`` with the Python that custvalue is installed in.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

COMMANDS = {
    "python -c pass": [sys.executable, "-c", "pass"],
    "custvalue --help": [str(Path(sys.executable).with_name("custvalue")), "--help"],
}
"""What is shown → what is run; the first one is the measure of the others."""


def measure(commands: dict[str, list[str]], *, runs: int) -> dict[str, list[float]]:
    """Give each command's wall times, in seconds; the commands take turns, so that a busy machine slows them alike."""
    times: dict[str, list[float]] = {name: [] for name in commands}
    for turn in range(runs + 1):
        for name, command in commands.items():
            began = time.perf_counter()
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
            if turn:  # the first turn only warms the file cache
                times[name].append(time.perf_counter() - began)
    return times


def startup_table(times: dict[str, list[float]]) -> list[str]:
    """Write medians, the range, and each median as a multiple of the first command's."""
    peer = statistics.median(next(iter(times.values())))
    lines = ["| command | median | fastest to slowest | times the first |", "|---|---:|---:|---:|"]
    for name, taken in times.items():
        middle = statistics.median(taken)
        spread = f"{min(taken) * 1000:.0f} to {max(taken) * 1000:.0f} ms"
        lines.append(f"| `{name}` | {middle * 1000:.0f} ms | {spread} | {middle / peer:.1f} |")
    return lines


def main(arguments: Sequence[str] | None = None) -> int:
    """Read the command line, print the table, and give the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--runs", type=int, default=10, help="runs of each command (default: %(default)s)")
    runs = parser.parse_args(arguments).runs
    if runs < 1:
        parser.error("--runs must be at least 1")
    print("\n".join(startup_table(measure(COMMANDS, runs=runs))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
