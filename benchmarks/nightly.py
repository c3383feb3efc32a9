"""A whole night, from checked tables to published lists with reasons for everybody: seconds by step, memory, growth, and the naive way.

Run ``python benchmarks/nightly.py [--customers 20000 100000 1000000] [--months 24] [--memory 4GB]``; it prints Markdown tables. The
champion learns from 24 months of an operator of its own, 20,000 customers. Every night is a process of its own, `custvalue nightly` as an
operator starts it. The naive way: the same columns in pandas (``benchmarks/pandas_features``), `LGBMClassifier` as it comes,
`predict_proba`, and `shap.TreeExplainer` of some customers, multiplied up. Tables are simulated once a size into ``--folder`` and kept
there; see ``benchmarks/features.py``.
"""

from __future__ import annotations

import argparse
import json
import math
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import yaml

from custvalue.config import ready_configs
from features import AS_OF, MONTHS, config_of, peak_of_tree, simulated

LEARNT_FROM = 20_000
EXPLAINED = 2_000
"""Customers of the naive way whom `shap.TreeExplainer` explains, to be multiplied up."""
STEPS = ("check", "tiers", "features", "score", "lists", "nightly")
CUSTVALUE = [sys.executable, "-c", "from custvalue.app.cli import main; main()"]


def write_config(workspace: Path, tables: Path, memory: str | None) -> Path:
    """Write the config of one model over a folder of tables, with an output of its own."""
    demo = yaml.safe_load((ready_configs() / "demo.yaml").read_text(encoding="utf-8"))
    sources = demo["sources"] | {"folder": str(tables)} | ({"memory_limit": memory} if memory else {})
    path = workspace / "configs" / "bench.yaml"
    path.write_text(yaml.safe_dump(demo | {"sources": sources, "output": f"../output/{tables.name}"}), encoding="utf-8")
    return path


def run(*arguments: object) -> dict[str, object]:
    """Run a command and give seconds by step, seconds in all and peak memory in GB.

    Raises
    ------
    RuntimeError
        It failed.
    """
    with tempfile.TemporaryFile("w+") as log:
        began = time.perf_counter()
        process = subprocess.Popen([*CUSTVALUE, *map(str, arguments)], stdout=subprocess.DEVNULL, stderr=log, text=True)
        peak = peak_of_tree(process)
        seconds = time.perf_counter() - began
        log.seek(0)
        lines = log.read().splitlines()
    if process.returncode:
        raise RuntimeError(f"custvalue {arguments[0]} ended with {process.returncode}: {lines[-1:]}")
    events = [json.loads(line) for line in lines if line.startswith("{")]
    steps = {event["event"]: event["seconds"] for event in events if "seconds" in event}
    customers = next((event["customers"] for event in events if "customers" in event and event["event"] == "features"), 0)
    return {"steps": steps, "seconds": seconds, "peak": peak, "customers": customers}


def train(workspace: Path, tables: Path) -> None:
    """Train and promote a champion."""
    config = write_config(workspace, tables, None)
    run("train", "-c", config, "--as-of", AS_OF)
    run("promote", "-c", config)


def naive(tables: Path) -> dict[str, float]:
    """Make features, probabilities and Shapley values the naive way; what is made in a process of its own."""
    import numpy as np
    import pandas as pd
    import pandas_features
    import shap
    from lightgbm import LGBMClassifier

    began = time.perf_counter()
    frame = pandas_features.build(tables, config_of(tables).features, AS_OF).drop(columns="customer_id")
    for name in frame.columns[[not pd.api.types.is_numeric_dtype(kind) for kind in frame.dtypes]]:
        frame[name] = frame[name].astype("category")
    built = time.perf_counter()
    model = LGBMClassifier(verbosity=-1).fit(frame, np.random.default_rng(1).random(len(frame)) < 0.03)
    fitted = time.perf_counter()
    model.predict_proba(frame)
    predicted = time.perf_counter()
    own = frame.head(EXPLAINED)
    shap.TreeExplainer(model).shap_values(own)
    explained = (time.perf_counter() - predicted) * len(frame) / len(own)
    return {"features": built - began, "predict": predicted - fitted, "explain": explained, "customers": len(frame)}


def night_table(found: Mapping[int, Mapping[str, object]]) -> list[str]:
    """Write seconds by step, memory and growth from one size to the next."""
    lines = [
        f"| customers | scored | {' | '.join(STEPS)} | all, with start | peak GB | growth exponent |",
        "|---:|" + "---:|" * (len(STEPS) + 4),
    ]
    before: tuple[int, float] | None = None
    for size, night in found.items():
        seconds = float(str(night["seconds"]))
        growth = f"{math.log(seconds / before[1]) / math.log(size / before[0]):.2f}" if before else ""
        before = (size, seconds)
        steps = night["steps"]
        cells = [f"{steps.get(name, 0.0):.1f}" for name in STEPS] if isinstance(steps, dict) else []
        lines.append(f"| {size:,} | {night['customers']:,} | {' | '.join(cells)} | {seconds:.1f} | {night['peak']:.2f} | {growth} |")
    return lines


def naive_table(size: int, found: Mapping[str, float], night: Mapping[str, object]) -> list[str]:
    """Write the naive way beside the same steps of a night."""
    steps = night["steps"] if isinstance(night["steps"], dict) else {}
    ours = {"features": steps["features"], "scores and reasons": steps["score"]}
    theirs = {"features": found["features"], "scores and reasons": found["predict"] + found["explain"]}
    lines = [f"| {size:,} customers | custvalue s | naive s | ratio |", "|---|---:|---:|---:|"]
    for name in (*ours, "both"):
        own, other = (sum(of.values()) if name == "both" else of[name] for of in (ours, theirs))
        lines.append(f"| {name} | {own:.1f} | {other:.1f} | {other / own:.1f} |")
    return lines


def main(arguments: Sequence[str] | None = None) -> int:
    """Read the command line, print the tables, and give the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--customers", type=int, nargs="+", default=[20_000, 100_000, 1_000_000])
    parser.add_argument("--months", type=int, default=MONTHS, help="months of tables (default: %(default)s)")
    parser.add_argument("--memory", help="sources.memory_limit, for example 4GB")
    parser.add_argument("--naive", type=int, default=100_000, help="size for the naive way, 0 for none (default: %(default)s)")
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "custvalue-benchmark")
    parser.add_argument("--one", type=Path, help=argparse.SUPPRESS)
    chosen = parser.parse_args(arguments)
    if chosen.one:
        print(json.dumps(naive(chosen.one)))
        return 0
    found: dict[int, dict[str, object]] = {}
    with tempfile.TemporaryDirectory(dir=chosen.folder if chosen.folder.exists() else None) as scratch:
        shutil.copytree(ready_configs(), Path(scratch) / "configs")
        train(Path(scratch), simulated(chosen.folder, LEARNT_FROM))
        for size in sorted(chosen.customers):
            config = write_config(Path(scratch), simulated(chosen.folder, size, chosen.months), chosen.memory)
            found[size] = run("nightly", "-c", config, "--as-of", AS_OF)
            print(f"{size:,}: {found[size]}", file=sys.stderr, flush=True)
    print(f"{chosen.months} months of tables, memory limit {chosen.memory or 'none'}; seconds by step.\n")
    print("\n".join(night_table(found)))
    if chosen.naive in found:
        tables = simulated(chosen.folder, chosen.naive, chosen.months)
        told = subprocess.run([sys.executable, __file__, "--one", tables], capture_output=True, text=True, check=True)
        print("\n" + "\n".join(naive_table(chosen.naive, json.loads(told.stdout.splitlines()[-1]), found[chosen.naive])))
    return 0


if __name__ == "__main__":
    sys.exit(main())
