"""The same night again: nothing, a refusal, or a new generation, and never half of one."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from datetime import date

import pandas as pd
import pytest
import yaml

from custvalue.publish import read_published

from .conftest import AS_OF, Workspace, write_yaml


@pytest.fixture(scope="module")
def good_night(trained, tmp_path_factory) -> Workspace:
    workspace = Workspace(tmp_path_factory.mktemp("night") / "workspace")
    shutil.copytree(trained[0].folder, workspace.folder)
    told = workspace.nightly()
    assert told.code == 0, told.err
    return workspace


@pytest.fixture
def published(good_night, tmp_path) -> Workspace:
    """A copy with one night published."""
    workspace = Workspace(tmp_path / "workspace")
    shutil.copytree(good_night.folder, workspace.folder)
    workspace.say("promote")  # mends the copied store's paths
    return workspace


def change_policy(workspace: Workspace) -> None:
    path = workspace.folder / "configs" / "retention" / "keen.yaml"
    write_yaml(path, yaml.safe_load(path.read_text(encoding="utf-8")) | {"version": 2, "contact_cost": 1.0})


def changed(before: dict, after: dict) -> set[str]:
    return {path for path in before.keys() | after.keys() if before.get(path) != after.get(path)}


def test_the_same_night_again_changes_nothing(published):
    before, content = published.listing(), read_published(published.output)
    again = published.nightly()
    assert again.code == 0
    assert published.listing() == before
    assert again.out.strip() == str(published.output / "nights" / content.run_id[0])
    assert f"{AS_OF} was published before by the same run" in again.events[-1]["text"]
    assert published.nightly("--force").code == 0
    assert published.listing() == before


def test_another_run_for_the_night_is_refused_and_the_published_one_stays(published):
    before, first = published.listing(), read_published(published.output)
    change_policy(published)
    told = published.nightly()
    assert told.code == 5
    assert f"night {AS_OF}: run {first.run_id[0]} is already published (generation 1)" in told.refusal
    assert "they differ in retention_policy" in told.refusal
    assert "add generation 2 with --force" in told.refusal
    note = f"output/op/refused/as_of={AS_OF}.json"
    assert changed(before, published.listing()) == {"configs/retention/keen.yaml", "output/op/refused", note}
    pd.testing.assert_frame_equal(read_published(published.output), first)
    shown = published.say("nights").out
    assert "published" in shown
    assert "already published" in " ".join(shown.split())


def test_force_adds_a_generation_that_readers_then_see(published):
    first = read_published(published.output)
    before = published.listing()
    change_policy(published)
    assert published.nightly().code == 5
    told = published.nightly("--force")
    assert told.code == 0
    assert "generation 2" in told.events[-1]["text"]
    second = read_published(published.output)
    assert second.attrs["lineage"]["generation"] == 2
    assert set(second.retention_policy) == {"keen-v2"}
    assert second.customer_id.tolist() == first.customer_id.tolist()
    assert second.probability.tolist() == first.probability.tolist()
    after = published.listing()
    old = f"output/op/nights/{first.run_id[0]}"
    assert {path: after[path] for path in before if path.startswith(old)} == {p: s for p, s in before.items() if p.startswith(old)}
    assert not (published.output / "refused" / f"as_of={AS_OF}.json").exists()
    (line,) = [line.split() for line in published.say("nights").out.splitlines() if AS_OF.isoformat() in line]
    assert line == [AS_OF.isoformat(), "published", "2", second.run_id[0]]


def test_a_night_waits_for_nobody_who_holds_the_lock(published):
    before = published.listing()
    with (published.output / ".lock").open("r+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        told = published.nightly("--force")
        assert told.code == 5
        assert f"{published.output}: locked by process {os.getpid()}" in told.refusal
        assert "Wait for that run to end" in told.refusal
    assert published.listing() == before
    assert published.nightly().code == 0


def test_what_a_killed_run_left_is_cleared(published):
    left = published.output / "staging" / "0123456789abcdef.1"
    left.mkdir(parents=True)
    (left / "scores.parquet").write_bytes(b"half")
    change_policy(published)
    assert published.nightly("--force").code == 0
    assert list((published.output / "staging").iterdir()) == []


def test_the_next_night_starts_from_this_night_s_tiers(published):
    (published.data / "tier_history.parquet").unlink()  # an operator without a history of its own
    first = read_published(published.output).set_index("customer_id")
    told = published.nightly(as_of=date(2025, 1, 15))
    assert told.code == 0, told.err
    second = read_published(published.output).set_index("customer_id")
    both = first.index.intersection(second.index)
    assert len(both) > 3500
    kept = first.tier[both] == second.tier[both]
    # a tier that did not change keeps the day from which it is valid; the days are the two nights'
    assert (second.tier_valid_from[both][kept] == first.tier_valid_from[both][kept]).all()
    assert set(second.tier_valid_from[both][~kept].astype(str)) <= {"2025-01-15"}
    assert json.loads((published.output / "manifests" / "as_of=2025-01-15" / "1.json").read_text())["lineage"]["tiers_before"]
    shown = published.say("nights").out
    assert shown.index("2025-01-01") < shown.index("2025-01-15")
    assert read_published(published.output, AS_OF).run_id[0] == first.run_id.iloc[0]
