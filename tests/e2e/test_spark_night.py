"""A whole night on Spark, on executors that are processes of their own, is the night on DuckDB, also when one of them is killed.

That both engines score alike, part by part, is tested faster in `tests/pipeline/test_two_engines_score.py`.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest

from custvalue.engines.spark import missing_part
from custvalue.publish import published

from .conftest import AS_OF, Workspace

TABLES = {
    "scores.parquet": ["customer_id"],
    "reasons.parquet": ["customer_id"],
    "lists.parquet": ["manager_id", "priority"],
    "would_be.parquet": ["customer_id"],
    "care.parquet": ["customer_id", "kind"],
    "reasons_by_group.parquet": ["dimension", "group", "reason"],
}
"""A night's tables and what orders their rows: parts are cut by ranges of customers on DuckDB, and by their hash on Spark."""

INTERPRETED = {
    "spark.sql.adaptive.enabled": False,
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    "spark.sql.codegen.wholeStage": False,
    "spark.sql.shuffle.partitions": 2,
}
"""As in the session that tests share: compiling hundreds of columns takes longer than a few thousand rows."""


def content(workspace: Workspace) -> dict[str, pd.DataFrame]:
    folder = published(workspace.output).folder
    found = {name: pd.read_parquet(folder / name) for name in TABLES}
    return {name: rows.sort_values([by for by in TABLES[name] if by in rows], ignore_index=True) for name, rows in found.items()}


def assert_equal(found: Workspace, wanted: Workspace) -> None:
    for name, rows in content(wanted).items():
        assert len(rows) or name == "would_be.parquet", name
        pd.testing.assert_frame_equal(content(found)[name], rows, rtol=1e-9, atol=1e-12, obj=name)
    assert profile(found) == profile(wanted)


def profile(workspace: Workspace) -> object:
    return json.loads((published(workspace.output).folder / "profile.json").read_text(encoding="utf-8"))


@pytest.fixture
def on_spark(workspace, good_night) -> Workspace:
    """A copy of the trained workspace, with the keys of the night on DuckDB: they draw who is held out, and are part of the run id."""
    for key in ("holdout.key", "token.key"):
        shutil.copyfile(good_night.output / key, workspace.output / key)
    return workspace


def executors(root: int) -> list[int]:
    """Processes below another one that are Spark's executors."""
    parents, found = {}, []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                status = (entry / "stat").read_text().rpartition(")")[2].split()
                parents[int(entry.name)] = int(status[1])
                if b"CoarseGrainedExecutorBackend" in (entry / "cmdline").read_bytes():
                    found.append(int(entry.name))
            except OSError:
                continue  # ended meanwhile

    def below(pid: int) -> bool:
        return pid == root or (pid in parents and below(parents[pid]))

    return [pid for pid in found if below(pid)]


@pytest.mark.slow
def test_a_killed_executor_changes_nothing_and_nothing_is_collected(require_part, on_spark, good_night):
    missing = missing_part()
    require_part(f"Spark ({missing})", missing is None)
    small = {"spark.driver.memory": "512m", "spark.driver.maxResultSize": "1m"}
    on_spark.change(engine="spark", spark={"master": "local-cluster[2,1,1024]", "settings": INTERPRETED | small})
    command = [sys.executable, "-c", "from custvalue.app.cli import main; main()", "nightly", "-c", str(on_spark.config)]
    log = on_spark.folder / "log"
    with log.open("w") as stderr:
        process = subprocess.Popen([*command, "--as-of", str(AS_OF)], stdout=subprocess.DEVNULL, stderr=stderr)
        try:
            while process.poll() is None and not list((on_spark.output / "work").glob("*/part-*")):
                time.sleep(0.05)
            there = executors(process.pid)
            assert len(there) == 2, log.read_text()
            os.kill(there[0], signal.SIGKILL)
            assert len(list((on_spark.output / "work").glob("*/part-*"))) < 8
            assert process.wait(timeout=1800) == 0, log.read_text()
        finally:
            process.kill()
    assert "Lost executor" in log.read_text()
    assert_equal(on_spark, good_night)
    assert published(on_spark.output).run_id == published(good_night.output).run_id
    assert not (on_spark.output / "work").exists()
