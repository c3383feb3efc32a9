"""What scores foretell of themselves beside NannyML's CBPE, and beside what came true, on simulated scores.

Run ``python benchmarks/monitoring_estimate.py [--rows N] [--peer-python PYTHON]``. Twelve chunks of scores: as in the reference, with more
risky customers from the seventh on, and for the last three with outcomes that no longer follow the scores. Without a Python that has
NannyML (`--peer-python`) its column says so.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from custvalue import metrics
from custvalue.monitoring import estimated
from custvalue.monitoring.scores import count_scores

CHUNKS, RISKIER, CHANGED = 12, 6, 9
PEER = """
import sys, time
import nannyml, pandas as pd
reference, analysis = pd.read_csv(sys.argv[1]), pd.read_csv(sys.argv[2])
began = time.perf_counter()
peer = nannyml.CBPE(metrics=["roc_auc"], y_pred_proba="probability", y_pred="label", y_true="left", problem_type="classification_binary",
                    chunk_size=int(sys.argv[4]))
found = peer.fit(reference).estimate(analysis).filter(period="analysis").to_df()
seconds = time.perf_counter() - began
pd.DataFrame({"auc": found["roc_auc"]["value"].to_numpy(), "seconds": seconds}).to_csv(sys.argv[3], index=False)
"""


def chunk(number: int, rows: int) -> pd.DataFrame:
    """Draw scores, and outcomes that follow them unless behaviour has changed."""
    random = np.random.default_rng(number + 100)
    log_odds = random.normal(-3.2, 1.0, rows) + np.where(random.random(rows) < 0.3, 1.5, 0.0) * (number >= RISKIER)
    p = 1 / (1 + np.exp(-log_odds))
    true = p if number < CHANGED else np.full(rows, p.mean()) * 0.5 + p * 0.5
    return pd.DataFrame({"probability": p, "label": (p >= 0.5).astype(int), "left": (random.random(rows) < true).astype(int)})


def peer_estimates(python: str | None, parts: Sequence[pd.DataFrame], rows: int) -> pd.DataFrame | None:
    """Let NannyML estimate the chunks' AUC in its own Python; None where it has none."""
    if python is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / f"{name}.csv" for name in ("reference", "analysis", "found")]
        pd.concat([chunk(number, rows) for number in range(-6, 0)], ignore_index=True).to_csv(paths[0], index=False)
        pd.concat(parts, ignore_index=True).drop(columns="left").to_csv(paths[1], index=False)
        done = subprocess.run(
            [python, "-W", "ignore", "-c", PEER, *map(str, paths), str(rows)], check=False, capture_output=True, text=True
        )
        if done.returncode:
            print(done.stderr[-2000:], file=sys.stderr)
            return None
        return pd.read_csv(paths[2])


def main(arguments: Sequence[str] | None = None) -> int:
    """Read the command line, print the table, and give the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rows", type=int, default=20_000, help="customers of a chunk (default: %(default)s)")
    parser.add_argument("--peer-python", help="a Python with nannyml")
    chosen = parser.parse_args(arguments)
    parts = [chunk(number, chosen.rows) for number in range(CHUNKS)]
    peer = peer_estimates(chosen.peer_python, parts, chosen.rows)
    began = time.perf_counter()
    ours = [estimated(count_scores(part.probability))["auc"] for part in parts]
    seconds = time.perf_counter() - began
    print("| chunk | custvalue foretells | NannyML's CBPE | came true | inside |\n|---|---:|---:|---:|---|")
    for number, (part, told) in enumerate(zip(parts, ours, strict=True)):
        came = metrics.roc_auc(part.left, part.probability)
        kind = "behaviour changed" if number >= CHANGED else "riskier customers" if number >= RISKIER else "as in training"
        theirs = "not installed" if peer is None else f"{peer.auc[number]:.4f}"
        inside = "yes" if told.low <= came <= told.high else "no"
        print(f"| {number + 1}, {kind} | {told.value:.4f} [{told.low:.4f} to {told.high:.4f}] | {theirs} | {came:.4f} | {inside} |")
    if peer is not None:
        largest = np.abs(peer.auc.to_numpy() - [each.value for each in ours]).max()
        print(f"\nLargest difference {largest:.5f}. Seconds for all chunks: custvalue {seconds:.2f}, NannyML {peer.seconds[0]:.2f}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
