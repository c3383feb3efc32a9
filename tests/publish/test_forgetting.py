"""A customer leaves the published nights: readers see a night with him or without, also when the forgetting is killed at any moment."""

from __future__ import annotations

import os
import shutil
import signal
import sys
from datetime import date

import pandas as pd
import pytest

from custvalue.publish import find_published, lock, publish, published, read_published, stage, verify_files
from custvalue.publish.forgetting import forget_in_nights, parquet_files, remove_rows
from custvalue.publish.manifests import generations

FIRST, SECOND, THIRD = date(2026, 1, 1), date(2026, 1, 2), date(2026, 1, 3)
GONE, STAYS = "C-gone", "C-stays"


def put(output, as_of, run_id, customers, *, force=False):
    """Publish a night of two parts of scores, a list, a drawing of it, and a file that names nobody."""
    with lock(output):
        staging = stage(output, run_id)
        (staging / "scores.parquet").mkdir()
        (staging / "lists").mkdir()
        for part in range(2):
            own = pd.DataFrame({"customer_id": customers[part::2]})
            own.assign(probability=0.5, run_id=run_id).to_parquet(staging / "scores.parquet" / f"part-{part:05d}.parquet", index=False)
        listed = pd.DataFrame({"customer_id": customers, "manager_id": ["M1"] * len(customers)})
        listed.to_parquet(staging / "lists.parquet", index=False)
        (staging / "lists" / "M1.txt").write_text(" ".join(customers), encoding="utf-8")
        pd.DataFrame({"tier": ["gold"], "customers": [len(customers)]}).to_parquet(staging / "groups.parquet", index=False)
        return publish(output, as_of=as_of, run_id=run_id, staging=staging, lineage={"model": "m/1"}, force=force)


def redraw(night, folder, removed):
    if not removed.num_rows:
        return set()
    (folder / "lists").mkdir()
    left = pd.read_parquet(folder / "lists.parquet").customer_id
    (folder / "lists" / "M1.txt").write_text(" ".join(left), encoding="utf-8")
    return {"lists/M1.txt"}


def forget(output, customer=GONE):
    with lock(output):
        return forget_in_nights(output, customer, redo=redraw)


@pytest.fixture
def output(tmp_path):
    """Three nights: the first in two generations, the last without the customer."""
    folder = tmp_path / "output"
    put(folder, FIRST, "run1", [GONE, STAYS, "C-3"])
    put(folder, FIRST, "run2", [STAYS, GONE, "C-3"], force=True)
    put(folder, SECOND, "run3", [STAYS, "C-3", "C-4", GONE])
    put(folder, THIRD, "run4", [STAYS, "C-3"])
    return folder


def texts(output):
    """Everything below the folder that names the customer; Parquet is read, because its bytes are compressed."""
    found = [path for path in parquet_files(output) if GONE in pd.read_parquet(path).to_csv()]
    return found + [path for path in output.rglob("*") if path.is_file() and GONE in path.read_bytes().decode("utf-8", "ignore")]


def contents(output):
    """What a reader sees of every night, and every file below the folder."""
    seen = {}
    for as_of in (FIRST, SECOND, THIRD):
        night = published(output, as_of)
        verify_files(night)
        seen[as_of] = (night.run_id, sorted(read_published(output, as_of).customer_id))
    names = {path.relative_to(output).as_posix() for path in output.rglob("*") if path.is_file() and path.name != ".lock"}
    return seen, names


def test_he_is_gone_from_every_night_and_the_others_are_there(output):
    assert texts(output)
    before = contents(output)[0]
    done = forget(output)
    assert texts(output) == []
    assert (done.nights, done.rows, done.files) == (2, {"scores": 2, "lists": 2}, 2)
    after = contents(output)[0]
    assert after == {day: (run, [name for name in names if name != GONE]) for day, (run, names) in before.items()}
    night = published(output, SECOND)
    assert (night.folder / "lists" / "M1.txt").read_text(encoding="utf-8") == f"{STAYS} C-3 C-4"


def test_the_night_keeps_its_run_and_lineage_so_that_the_same_run_again_is_nothing(output):
    old = published(output, SECOND)
    forget(output)
    night = published(output, SECOND)
    assert (night.run_id, night.lineage, night.generation) == (old.run_id, old.lineage, 2)
    assert night.folder != old.folder
    again = find_published(output, as_of=SECOND, run_id="run3", force=True)
    assert again is not None
    assert again.already
    assert again.folder == night.folder


def test_older_generations_go_and_nights_without_him_stay_untouched(output):
    stays = published(output, THIRD)
    before = {path: path.stat().st_mtime_ns for path in stays.folder.rglob("*")}
    forget(output)
    assert generations(output, FIRST) == [3]
    assert published(output, THIRD) == stays
    assert {path: path.stat().st_mtime_ns for path in stays.folder.rglob("*")} == before
    assert len(list((output / "nights").iterdir())) == 3


def test_again_there_is_nothing_to_do(output):
    forget(output)
    before = contents(output)
    done = forget(output)
    assert (done.nights, done.rows, done.removed) == (0, {}, 0)
    assert contents(output) == before


def test_two_customers_one_after_the_other(output):
    forget(output)
    forget(output, "C-3")
    assert contents(output)[0] == {FIRST: ("run2", [STAYS]), SECOND: ("run3", ["C-4", STAYS]), THIRD: ("run4", [STAYS])}


def test_a_file_outside_the_nights_loses_only_his_rows(tmp_path):
    path = tmp_path / "scores.parquet"
    rows = pd.DataFrame({"customer_id": [GONE, STAYS, GONE, None], "tier": pd.Categorical(["a", "b", "b", None])})
    rows.to_parquet(path, index=False)
    assert remove_rows(path, GONE) == 2
    pd.testing.assert_frame_equal(pd.read_parquet(path), rows.iloc[[1, 3]].reset_index(drop=True))
    assert remove_rows(path, GONE) == 0


WRITES = {"os.rename", "os.link", "os.remove", "os.rmdir", "os.mkdir", "shutil.rmtree"}


def killed_after(output, count):
    """Forget in a child that is killed before its next change once it has made so many; tell whether it was."""
    child = os.fork()
    if child == 0:
        left = [count]

        def watch(event, arguments):
            writes = event == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
            if event in WRITES or writes:
                left[0] -= 1
                if left[0] < 0:
                    os.kill(os.getpid(), signal.SIGKILL)

        try:
            sys.addaudithook(watch)
            forget(output)
        finally:
            os._exit(0)
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])


@pytest.mark.parametrize("step", [pytest.param(1, marks=pytest.mark.slow), 13])
def test_killed_at_any_change_of_the_disk_readers_see_whole_nights_and_the_next_call_ends_the_same(output, tmp_path, step):
    undisturbed = tmp_path / "undisturbed"
    shutil.copytree(output, undisturbed)
    forget(undisturbed)
    seen_before, expected = contents(output)[0], contents(undisturbed)
    count = 0
    while True:
        copy = tmp_path / "killed"
        shutil.copytree(output, copy)
        if not killed_after(copy, count):
            break
        seen = contents(copy)[0]
        assert all(seen[day] in (seen_before[day], expected[0][day]) for day in seen), count
        forget(copy)
        assert contents(copy)[0] == expected[0], count
        assert texts(copy) == [], count
        shutil.rmtree(copy)
        count += step
    assert count > 40
    assert contents(copy) == expected
