"""A night scored part by part: the same whatever the parts, and a killed one goes on where it was."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import pytest

from custvalue.features import parts as cutting
from custvalue.publish import published, read_published
from custvalue.publish.shards import Work

from .conftest import Workspace

pytestmark = pytest.mark.long

SEVERAL = 900


@pytest.fixture(scope="module", autouse=True)
def one_key() -> Iterator[None]:
    """One key of tokens for all copies: it is part of the run id."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CUSTVALUE_TOKEN_KEY", "k" * 64)
        yield


@pytest.fixture(scope="module")
def whole(trained, tmp_path_factory) -> Workspace:
    """A copy with one night published in one part."""
    workspace = Workspace(tmp_path_factory.mktemp("whole") / "workspace")
    shutil.copytree(trained[0].folder, workspace.folder)
    told = workspace.nightly()
    assert told.code == 0, told.err
    return workspace


def content(workspace: Workspace) -> dict[str, pd.DataFrame]:
    """All tables of the newest night."""
    folder = published(workspace.output).folder
    names = ("scores.parquet", "reasons.parquet", "lists.parquet", "reasons_by_group.parquet")
    return {name: pd.read_parquet(folder / name) for name in names}


def assert_equal(found: Workspace, wanted: Workspace) -> None:
    for name, rows in content(found).items():
        pd.testing.assert_frame_equal(rows, content(wanted)[name], rtol=1e-12, obj=name)


def test_parts_of_another_size_make_the_same_night(whole, workspace, monkeypatch):
    monkeypatch.setattr(cutting, "_LARGEST", SEVERAL)
    told = workspace.nightly()
    assert told.code == 0, told.err
    (scored,) = [event for event in told.events if event["event"] == "score"]
    assert scored["parts"] == -(-len(content(whole)["scores.parquet"]) // SEVERAL) > 1
    assert len(list((published(workspace.output).folder / "scores.parquet").iterdir())) == scored["parts"]
    assert_equal(workspace, whole)
    assert read_published(workspace.output).attrs["lineage"]["run_id"] == read_published(whole.output).attrs["lineage"]["run_id"]


def killed(workspace: Workspace, monkeypatch: pytest.MonkeyPatch, part: int) -> None:
    """Run the night in a child that is killed as soon as a part is there."""
    made = Work.part

    def then_die(work: Work, number: int, make: Callable[[Path], None]) -> tuple[Path, bool]:
        done = made(work, number, make)
        if number == part:
            os.kill(os.getpid(), signal.SIGKILL)
        return done

    child = os.fork()
    if not child:
        monkeypatch.setattr(Work, "part", then_die)
        workspace.nightly()
        os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL


def test_a_killed_night_goes_on_with_the_parts_that_are_whole(whole, workspace, monkeypatch):
    monkeypatch.setattr(cutting, "_LARGEST", SEVERAL)
    killed(workspace, monkeypatch, part=2)
    parts = sorted((workspace.output / "work").glob("*/part-*"))
    assert [path.name for path in parts] == ["part-00000", "part-00001", "part-00002"]
    assert not (workspace.output / "manifests").exists()
    (parts[1] / "rows.parquet").write_bytes(b"spoilt")
    told = workspace.nightly()
    assert told.code == 0, told.err
    (scored,) = [event for event in told.events if event["event"] == "score"]
    assert scored["found"] == 2
    assert f"2 of {scored['parts']} parts found from a run before" in scored["text"]
    assert_equal(workspace, whole)
    assert not (workspace.output / "work").exists()
