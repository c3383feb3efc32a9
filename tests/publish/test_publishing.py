import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from custvalue.errors import ConfigError, DataError, PublishError
from custvalue.publish import find_published, lock, nights, publish, published, read_published, record_refusal, stage
from custvalue.publish.nights import announce, move, seal

NIGHT = date(2026, 1, 1)


def put(output, run_id, *, as_of=NIGHT, score=0.5, force=False, lineage=None):
    with lock(output):
        staging = write(stage(output, run_id), score)
        return publish(output, as_of=as_of, run_id=run_id, staging=staging, lineage=lineage or {}, force=force)


def write(staging, score=0.5):
    pd.DataFrame({"customer_id": ["1", "2"], "probability": [score, 0.1]}).to_parquet(staging / "scores.parquet")
    (staging / "lists").mkdir()
    (staging / "lists" / "M-014.xlsx").write_bytes(b"workbook")
    return staging


def manifests(output):
    return sorted(path.relative_to(output).as_posix() for path in (output / "manifests").rglob("*") if path.is_file())


def test_a_published_night_is_read_whole(tmp_path):
    done = put(tmp_path, "run1", lineage={"model": "telco/3"})
    assert (done.generation, done.already, done.folder) == (1, False, tmp_path / "nights" / "run1")
    assert manifests(tmp_path) == ["manifests/as_of=2026-01-01/1.json"]
    frame = read_published(tmp_path)
    assert frame["probability"].tolist() == [0.5, 0.1]
    assert frame.attrs["lineage"] == {"as_of": "2026-01-01", "run_id": "run1", "generation": 1, "model": "telco/3"}
    assert not list((tmp_path / "staging").iterdir())


def test_the_same_run_again_changes_nothing(tmp_path):
    put(tmp_path, "run1", score=0.5)
    again = put(tmp_path, "run1", score=0.9)
    assert (again.already, again.generation) == (True, 1)
    assert manifests(tmp_path) == ["manifests/as_of=2026-01-01/1.json"]
    assert read_published(tmp_path)["probability"].tolist() == [0.5, 0.1]


def test_another_run_for_the_night_is_refused_and_told_what_differs(tmp_path):
    put(tmp_path, "run1", lineage={"model": "telco/3", "config": "abc"})
    with pytest.raises(PublishError, match=r"differ in model.*generation 2 with --force") as refused:
        put(tmp_path, "run2", lineage={"model": "telco/4", "config": "abc"})
    assert refused.value.exit_code == 5
    assert published(tmp_path).run_id == "run1"
    assert not (tmp_path / "nights" / "run2").exists()


def test_force_adds_generations_and_an_older_run_comes_back_from_its_own_folder(tmp_path):
    put(tmp_path, "run1", score=0.5)
    put(tmp_path, "run2", score=0.6, force=True)
    assert read_published(tmp_path)["probability"][0] == 0.6
    third = put(tmp_path, "run1", score=0.7, force=True)
    assert (third.generation, third.run_id) == (3, "run1")
    assert read_published(tmp_path)["probability"][0] == 0.5


def test_looking_first_saves_the_computation(tmp_path):
    assert find_published(tmp_path, as_of=NIGHT, run_id="run1") is None
    put(tmp_path, "run1")
    assert find_published(tmp_path, as_of=NIGHT, run_id="run1").already
    assert find_published(tmp_path, as_of=NIGHT, run_id="run2", force=True) is None
    with pytest.raises(PublishError):
        find_published(tmp_path, as_of=NIGHT, run_id="run2")


def test_a_run_cut_off_before_its_manifest_is_invisible_and_a_rerun_completes(tmp_path):
    with lock(tmp_path):
        staging = write(stage(tmp_path, "run1"), score=0.2)
        seal(staging)
        move(tmp_path, "run1", staging)
    assert (tmp_path / "nights" / "run1" / "scores.parquet").exists()
    assert nights(tmp_path) == []
    with pytest.raises(DataError):
        published(tmp_path, NIGHT)
    assert put(tmp_path, "run1", score=0.3).generation == 1
    assert read_published(tmp_path)["probability"][0] == 0.3


def test_runs_that_announce_at_the_same_time_never_share_a_generation(tmp_path):
    first = put(tmp_path, "run1")

    def attempt(number):
        try:
            return announce(tmp_path, replace(first, run_id=f"rival{number}"))
        except PublishError:
            return None

    with ThreadPoolExecutor(8) as pool:
        told = [night for night in pool.map(attempt, range(40)) if night]
    assert told
    stored = {json.loads((tmp_path / name).read_text())["generation"]: name for name in manifests(tmp_path)}
    assert sorted(stored) == [1, *sorted(night.generation for night in told)]
    for night in told:
        assert json.loads((tmp_path / stored[night.generation]).read_text())["run_id"] == night.run_id


def test_nothing_staged_is_not_published(tmp_path):
    with pytest.raises(PublishError, match="nothing was staged"), lock(tmp_path):
        publish(tmp_path, as_of=NIGHT, run_id="run1", staging=stage(tmp_path, "run1"), lineage={})
    assert nights(tmp_path) == []


def test_links_are_not_published(tmp_path):
    staging = stage(tmp_path, "run1")
    (staging / "scores.parquet").symlink_to(tmp_path)
    with pytest.raises(PublishError, match="not links"):
        publish(tmp_path, as_of=NIGHT, run_id="run1", staging=staging, lineage={})


@pytest.mark.parametrize("run_id", ["../out", "a/b", "", "a.b"])
def test_a_run_id_cannot_leave_its_folder(tmp_path, run_id):
    with pytest.raises(ConfigError):
        stage(tmp_path, run_id)


def test_publishing_a_refused_night_removes_the_refusal(tmp_path):
    record_refusal(tmp_path, NIGHT, exit_code=3, message="usage is 3 days late")
    refused = nights(tmp_path)[0]
    assert (refused.status, refused.exit_code, refused.message) == ("refused", 3, "usage is 3 days late")
    put(tmp_path, "run1")
    night = nights(tmp_path)[0]
    assert (night.status, night.generation, night.run_id, night.message) == ("published", 1, "run1", None)


@settings(max_examples=25, deadline=None)
@given(steps=st.lists(st.tuples(st.sampled_from("abc"), st.booleans()), max_size=6))
def test_generations_never_go_back_and_only_force_replaces(steps, tmp_path_factory):
    output = tmp_path_factory.mktemp("output")
    history = []
    for run_id, force in steps:
        if history and history[-1] != run_id and not force:
            with pytest.raises(PublishError):
                put(output, run_id, force=force)
        else:
            put(output, run_id, force=force)
            if history[-1:] != [run_id]:
                history.append(run_id)
    stored = [json.loads((output / name).read_text())["run_id"] for name in manifests(output)]
    assert stored == history
