import json
from datetime import date

import pandas as pd
import pytest

from custvalue.errors import DataError
from custvalue.publish import nights, publish, published, read_published, record_refusal, stage, verify_files


def put(output, day, run_id, *, force=False):
    staging = stage(output, run_id)
    shards = staging / "scores.parquet"
    shards.mkdir()
    for part, score in enumerate([0.1, 0.2, 0.3]):
        pd.DataFrame({"customer_id": [str(part)], "probability": [score]}).to_parquet(shards / f"part-{part}.parquet")
    return publish(output, as_of=date(2026, 1, day), run_id=run_id, staging=staging, lineage={"model": "telco/1"}, force=force)


@pytest.fixture
def output(tmp_path):
    for day in (1, 2):
        put(tmp_path, day, f"run{day}")
    return tmp_path


def test_the_newest_night_is_read_unless_one_is_named(output):
    assert published(output).run_id == "run2"
    assert read_published(output, date(2026, 1, 1)).attrs["lineage"]["run_id"] == "run1"


def test_shards_are_read_in_order_as_one_frame(output):
    assert read_published(output)["probability"].tolist() == [0.1, 0.2, 0.3]


def test_a_night_that_is_not_there_names_the_newest(output):
    with pytest.raises(DataError, match="2026-01-05 is not published yet; the newest night is 2026-01-02") as absent:
        published(output, date(2026, 1, 5))
    assert absent.value.exit_code == 3


def test_an_empty_output_says_what_to_run(tmp_path):
    with pytest.raises(DataError, match="custvalue nightly"):
        read_published(tmp_path / "absent")
    assert nights(tmp_path / "absent") == []


def corrupt(night):
    path = night.folder / "scores.parquet" / "part-1.parquet"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)


def test_a_corrupted_shard_is_named(output):
    night = published(output)
    verify_files(night)
    corrupt(night)
    with pytest.raises(DataError, match=r"1 of 3 files differ.*part-1\.parquet"):
        read_published(output)
    with pytest.raises(DataError, match=r"part-1\.parquet"):
        verify_files(night)


def test_force_mends_a_corrupted_night_by_a_new_generation(output):
    corrupt(published(output))
    assert put(output, 2, "run2", force=True).generation == 2
    assert read_published(output)["probability"].tolist() == [0.1, 0.2, 0.3]


def test_a_missing_shard_is_never_read_around(output):
    (published(output).folder / "scores.parquet" / "part-2.parquet").unlink()
    with pytest.raises(DataError, match="1 of the night's 3 files are gone"):
        published(output)
    assert [night.status for night in nights(output)] == ["published", "damaged"]


@pytest.mark.parametrize("content", ["", "{", '{"as_of": "2026-01-02"}', "[]"])
def test_a_damaged_manifest_is_refused_not_skipped(output, content):
    (output / "manifests" / "as_of=2026-01-02" / "1.json").write_text(content)
    with pytest.raises(DataError, match="manifest is damaged"):
        published(output)


def test_a_manifest_of_another_night_is_refused(output):
    folder = output / "manifests"
    first = json.loads((folder / "as_of=2026-01-01" / "1.json").read_text())
    (folder / "as_of=2026-01-02" / "1.json").write_text(json.dumps(first))
    with pytest.raises(DataError, match="another night"):
        published(output)


def test_what_a_killed_writer_left_beside_the_manifests_is_ignored(output):
    (output / "manifests" / "as_of=2026-01-02" / ".2.json.4711").write_text("{")
    (output / "manifests" / "as_of=2026-01-03").mkdir()
    assert published(output).generation == 1
    assert [night.as_of.day for night in nights(output)] == [1, 2]


def test_a_refused_rerun_stands_beside_what_is_published(output):
    record_refusal(output, date(2026, 1, 2), exit_code=5, message="another run")
    record_refusal(output, date(2026, 1, 3), exit_code=3, message="late")
    shown = [(night.as_of.day, night.status, night.exit_code) for night in nights(output)]
    assert shown == [(1, "published", None), (2, "published", 5), (3, "refused", 3)]
