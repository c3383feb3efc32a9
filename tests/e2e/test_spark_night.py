"""A night on Spark is the night on DuckDB, also when an attempt is given up half way or an executor is killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest

from custvalue.engines.spark import missing_part
from custvalue.errors import TryAgainError
from custvalue.pipeline import making
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
        assert len(rows) > 5, name
        pd.testing.assert_frame_equal(content(found)[name], rows, rtol=1e-9, atol=1e-12, obj=name)
    assert profile(found) == profile(wanted)


def profile(workspace: Workspace) -> object:
    return json.loads((published(workspace.output).folder / "profile.json").read_text(encoding="utf-8"))


def give_up(*args: object, **kwargs: object) -> None:
    raise TryAgainError("the store of orders is away")


def test_a_night_given_up_goes_on_with_its_parts_and_is_the_night_of_the_other_engine(spark, workspace, good_night, monkeypatch):
    workspace.change(engine="spark", spark={"master": "local[2]", "settings": INTERPRETED})
    with monkeypatch.context() as patch:
        patch.setattr(making, "choose_lists", give_up)
        assert workspace.nightly().code == TryAgainError.exit_code
    parts = sorted((workspace.output / "work").glob("*/part-*"))
    assert len(parts) == 8
    (parts[2] / "rows.parquet").write_bytes(b"spoilt")
    told = workspace.nightly()
    assert told.code == 0, told.err
    (scored,) = [event for event in told.events if event["event"] == "score"]
    assert (scored["parts"], scored["found"]) == (8, 7)
    assert_equal(workspace, good_night)
    assert published(workspace.output).run_id == published(good_night.output).run_id
    assert not (workspace.output / "work").exists()


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
def test_a_killed_executor_changes_nothing_and_nothing_is_collected(require_part, workspace, good_night):
    missing = missing_part()
    require_part(f"Spark ({missing})", missing is None)
    small = {"spark.driver.memory": "512m", "spark.driver.maxResultSize": "1m"}
    workspace.change(engine="spark", spark={"master": "local-cluster[2,1,1024]", "settings": INTERPRETED | small})
    command = [sys.executable, "-c", "from custvalue.app.cli import main; main()", "nightly", "-c", str(workspace.config)]
    log = workspace.folder / "log"
    with log.open("w") as stderr:
        process = subprocess.Popen([*command, "--as-of", str(AS_OF)], stdout=subprocess.DEVNULL, stderr=stderr)
        try:
            while process.poll() is None and not list((workspace.output / "work").glob("*/part-*")):
                time.sleep(0.05)
            there = executors(process.pid)
            assert len(there) == 2, log.read_text()
            os.kill(there[0], signal.SIGKILL)
            assert len(list((workspace.output / "work").glob("*/part-*"))) < 8
            assert process.wait(timeout=1800) == 0, log.read_text()
        finally:
            process.kill()
    assert "lost" in log.read_text().lower()
    assert_equal(workspace, good_night)
