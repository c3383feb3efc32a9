"""Faults, really injected: whatever happens, readers see whole nights, and the same command again ends as if nothing had been."""

from __future__ import annotations

import importlib
import os
import random
import re
import shutil
import signal
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from threading import Timer

import pyarrow.parquet as pq
import pytest
from ibis.backends.duckdb import Backend
from mlflow import MlflowClient

from custvalue import publish
from custvalue.engines import connect, fetch, within_memory
from custvalue.errors import DataError, TryAgainError
from custvalue.lists import xlsx
from custvalue.pipeline import assembling, making, night
from custvalue.pipeline.scoring import Scored
from custvalue.publish import durable, prometheus, read_published, shards
from custvalue.publish.database import NightDatabase
from custvalue.publish.shards import Work
from custvalue.tiers import TierPolicy, rating_store
from custvalue.tiers.rating_store import RatingStore
from custvalue.tracking import Store, ratings

from .faults import (
    DECADE,
    FIRST,
    NEXT,
    Filter,
    Operator,
    Point,
    can_mount,
    digests,
    ended,
    fill,
    forked,
    killed_after,
    killed_at,
    move_the_clock,
    remount,
    several_parts,
    small_disk,
)

pytestmark = pytest.mark.long

nights = importlib.import_module("custvalue.publish.nights")  # whose name a function of the package has taken


@pytest.fixture(scope="module")
def operator(tmp_path_factory) -> Iterator[Operator]:
    """One operator for all tests here; each puts back the state that it starts from."""
    with pytest.MonkeyPatch.context() as patch, several_parts():
        patch.setenv("CUSTVALUE_TOKEN_KEY", "k" * 64)  # part of the run id
        yield Operator(tmp_path_factory.mktemp("faults") / "operator")


def at(*endings: str) -> Filter:
    """Calls with a path that ends so."""
    return lambda *arguments, **_: any(str(each).endswith(endings) for each in arguments if isinstance(each, str | Path))


def of_part(number: int, ending: str = "") -> Filter:
    """Calls with a path of a part, which is written beside its place."""
    own = f"part-{number:05d}"
    return lambda *arguments, **_: any(
        own in str(each) and str(each).endswith(ending) for each in arguments if isinstance(each, str | Path)
    )


def staged(*arguments: object, **_: object) -> bool:
    return any("staging" in str(each) for each in arguments if isinstance(each, str | Path))


def second(_: object, number: int, make: object) -> bool:
    return number == 1


# Each chain is one night that is killed again and again, and gets a little further each time.
WHILE_IT_IS_SCORED = (
    Point("the lock is taken", night, "load_wording"),
    Point("the tables are checked", night, "check", after=True),
    Point("an empty staging folder", publish, "stage", after=True),
    Point("a part's empty folder", Scored, "save"),
    Point("half a file of a part", pq, "write_table", where=of_part(0, "/reasons.parquet"), torn=True),
    Point("a part's files, not flushed", Scored, "save", where=of_part(1), after=True),
    Point("a part flushed, without its checksums", shards, "replace_json", where=of_part(1, "/done.json")),
    Point("a part's checksums under another name", durable, "_write_beside", where=of_part(1, "/done.json"), after=True),
    Point("two parts of three", Work, "part", where=second, after=True),
    Point("all parts", making, "choose_lists"),
)
WHILE_IT_IS_PUBLISHED = (
    Point("half a file of scores", pq, "write_table", where=staged, torn=True),
    Point("scores of a part without its reasons", assembling, "link_or_copy", call=2),
    Point("scores and reasons, no list", making, "write_scores", after=True),
    Point("a workbook under another name", xlsx.Path, "replace", where=staged),
    Point("some workbooks of several", xlsx, "replace_file", call=3),
    Point("all files, not sealed", nights, "seal"),
    Point("sealed, not moved", nights, "move"),
    Point("moved, not announced", nights, "move", after=True),
    Point("the manifest under another name", durable.os, "link", where=at("/1.json")),
)
WHILE_ITS_RATING_IS_KEPT = (
    Point("the rating not kept", night, "keep"),
    Point("the policy's cuts kept", TierPolicy, "save", after=True),
    Point("the rating under another name", rating_store, "sync"),
    Point("the rating without its manifest", RatingStore, "_write_table", after=True),
    Point("the rating kept, the night not announced", night, "keep", after=True),
)
AFTER_ITS_ANNOUNCEMENT = (
    Point("the manifest's other name still there", durable.os, "link", where=at("/1.json"), after=True),
    Point("an old refusal still noted", nights, "announce", after=True),
    Point("some of the parts removed", shards.shutil.os, "unlink", call=3, within=(Work, "clear")),
    Point("the metrics not written", prometheus, "replace_text"),
)
CHAINS = {"scored": WHILE_IT_IS_SCORED, "published": WHILE_IT_IS_PUBLISHED}
ALONE = [
    pytest.param((point,), marks=pytest.mark.slow, id=f"alone: {point.name}") for point in (*WHILE_IT_IS_SCORED, *WHILE_IT_IS_PUBLISHED)
]


def assert_readers_see(operator: Operator, *, announced: bool | None = None) -> None:
    """Whoever reads between a fault and the next run reads a whole night: the last good one, or the new one once it is announced."""
    rows = read_published(operator.workspace.output)
    seen = rows.attrs["lineage"]["as_of"]
    assert seen in {None: (str(FIRST), str(NEXT)), True: (str(NEXT),), False: (str(FIRST),)}[announced]
    assert len(rows) > 900
    publish.verify_files(publish.published(operator.workspace.output))


def metric(operator: Operator, name: str) -> float:
    text = (operator.workspace.output / "metrics.prom").read_text(encoding="utf-8")
    return float(text.partition(f"\n{name} ")[2].partition("\n")[0])


def assert_rerun_ends_as_undisturbed(operator: Operator, on=NEXT) -> None:
    told = operator.workspace.nightly(as_of=on)
    assert told.code == 0, told.err
    assert digests(operator.workspace.output) == operator.wanted[on]


@pytest.mark.parametrize("points", [*(pytest.param(points, id=name) for name, points in CHAINS.items()), *ALONE])
def test_a_killed_night_is_invisible_and_the_next_run_ends_as_an_undisturbed_one(operator, points):
    operator.put_back(NEXT)
    for point in points:
        killed_at(point, lambda: operator.run(NEXT))
        assert_readers_see(operator, announced=False)
    assert_rerun_ends_as_undisturbed(operator)


@pytest.mark.parametrize("point", AFTER_ITS_ANNOUNCEMENT, ids=lambda point: point.name)
def test_a_night_killed_after_its_announcement_is_whole_and_the_next_run_tidies_up(operator, point):
    operator.put_back(NEXT)
    killed_at(point, lambda: operator.run(NEXT))
    assert_readers_see(operator, announced=True)
    assert_rerun_ends_as_undisturbed(operator)


def test_a_rating_is_kept_once_however_often_its_night_is_killed(operator):
    operator.put_back(FIRST)
    for point in WHILE_ITS_RATING_IS_KEPT:
        killed_at(point, lambda: operator.run(FIRST))
        assert publish.nights(operator.workspace.output) == []
    assert_rerun_ends_as_undisturbed(operator, FIRST)


def test_a_killed_log_of_a_rating_is_made_up_for_by_the_next_night_and_only_once(operator):
    operator.put_back(FIRST)
    killed_at(Point("logged, not noted", ratings, "_log_rating_run", after=True), lambda: operator.run(FIRST))
    assert_rerun_ends_as_undisturbed(operator, FIRST)
    told = operator.workspace.nightly(as_of=NEXT)
    assert told.code == 0, told.err
    assert "1 rating(s) in MLflow" in told.told("log")
    uri = f"sqlite:///{operator.workspace.models}/mlflow.db"
    client = MlflowClient(uri, uri)
    query = "attributes.status = 'FINISHED' AND tags.kind = 'rating'"
    runs = client.search_runs([client.get_experiment_by_name("op-tiers").experiment_id], query)
    assert [found.data.tags["as_of"] for found in runs] == [str(FIRST)]


TO_THE_DATABASE = {
    "some tables of several copied": Point("", NightDatabase, "_copy", call=2),
    "all copied, not committed": Point("", NightDatabase, "_announce", after=True),
    "committed": Point("", NightDatabase, "load", after=True),
}


@pytest.mark.parametrize("name", TO_THE_DATABASE)
def test_a_killed_delivery_leaves_the_database_whole_and_the_next_run_delivers(operator, postgres, name):
    schema = f"killed_{list(TO_THE_DATABASE).index(name)}"
    postgres.ask(f"CREATE SCHEMA {schema}")
    operator.put_back(NEXT)
    with operator.changed(publish={"database": {"url": postgres.url(), "schema": schema}}):
        killed_at(TO_THE_DATABASE[name], lambda: operator.run(NEXT))
        assert_readers_see(operator, announced=True)
        rows = {table: postgres.ask(f"SELECT count(*) FROM {schema}.{table}")[0][0] for table in ("custvalue_nights", "scores")}  # noqa: S608
        assert [count > 0 for count in rows.values()] == [name == "committed"] * 2
        assert_rerun_ends_as_undisturbed(operator)
    loaded = postgres.ask(f"SELECT as_of, run_id FROM {schema}.custvalue_nights")  # noqa: S608
    scores = read_published(operator.workspace.output)
    assert loaded == [(NEXT, scores.run_id[0])]
    assert postgres.ask(f"SELECT count(*) FROM {schema}.scores") == [(len(scores),)]  # noqa: S608


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(10))
def test_a_night_killed_at_any_time(operator, seed):
    """Killed three times, wherever it happens to be; the last one may find its night published."""
    operator.put_back(NEXT)
    dice = random.Random(seed)  # noqa: S311
    for _ in range(3):
        killed_after(dice.uniform(0, operator.seconds), lambda: operator.run(NEXT))
        assert_readers_see(operator)
    assert_rerun_ends_as_undisturbed(operator)


@pytest.fixture
def disk(require_part, tmp_path) -> Iterator[Path]:
    """A small file system of its own, for the output."""
    require_part("the right to mount a file system (root)", can_mount())
    with small_disk(tmp_path / "disk", megabytes=16) as folder:
        yield folder


def test_a_full_disk_asks_to_try_again_wherever_it_strikes_and_the_night_is_made_once_there_is_room(operator, disk):
    operator.put_back(NEXT)
    with operator.moved_output(disk / "op"):
        needed = sum(path.stat().st_size for path in (disk / "op").rglob("*"))
        steps = []

        def nightly_with_room_for(share: float) -> None:
            ballast = fill(disk, leave=int(needed * share))
            told = operator.workspace.nightly(as_of=NEXT)
            assert told.code == 75, (share, told.err)
            assert "the disk or quota is full. Free some room and run the command again." in told.refusal
            steps.append([event["step"] for event in told.events if "step" in event][-1])
            assert_readers_see(operator, announced=steps[-1] == "orders")
            ballast.unlink()

        nightly_with_room_for(0)
        nightly_with_room_for(0.1)
        with pytest.MonkeyPatch.context() as patch:
            Point("", nights, "announce").arm(patch, lambda: fill(disk, leave=0))
            assert operator.workspace.nightly(as_of=NEXT).code == 75
        assert_readers_see(operator, announced=False)
        (disk / "ballast").unlink()
        nightly_with_room_for(0.2)
        assert_rerun_ends_as_undisturbed(operator)
    assert steps[0] == "features"  # no part could be written
    assert steps[1] == "lists"  # all could, and found their place; the staged files could not
    assert steps[2] == "orders"  # the night stands; its orders wait for the next run


def sorted_on_disk(con: Backend) -> int:
    """Sort more than the engine's memory holds; give the number of rows."""
    rows = "SELECT hash(i) AS h, repeat('x', 50) || i AS t FROM range(300000) AS r(i)"
    with within_memory(con, "features"):
        return fetch(con, f"SELECT max(n) FROM (SELECT row_number() OVER (ORDER BY h, t) AS n FROM ({rows}))")[0][0].as_py()  # noqa: S608


@pytest.mark.parametrize("limit", ["as it is found", "1GB"])  # the engine counts on the room that it found when it began
def test_a_full_disk_under_the_engine_s_spill_asks_to_try_again(disk, limit):
    ballast = fill(disk, leave=2**20)
    for is_full in (True, False):
        con = connect(memory_limit="60MB", spill=disk / "spill")
        if limit != "as it is found":
            con.raw_sql(f"SET max_temp_directory_size = '{limit}'")
        try:
            if is_full:
                with pytest.raises(TryAgainError, match=r"features: memory of .* and what may be written to disk .* do not suffice"):
                    sorted_on_disk(con)
                ballast.unlink()
            else:
                assert sorted_on_disk(con) == 300_000
        finally:
            con.disconnect()


@pytest.mark.parametrize("memory", ["14MB", "45MB"])
def test_too_little_memory_asks_to_try_again_at_whichever_step(operator, memory):
    operator.put_back(NEXT)
    with operator.changed(sources={"folder": str(operator.workspace.data), "memory_limit": memory}):
        told = operator.workspace.nightly(as_of=NEXT)
    assert told.code == 75, told.err
    assert re.search("(check|tiers|features): memory of .* do not suffice for the engine. Raise `sources.memory_limit`", told.refusal)
    assert_readers_see(operator, announced=False)


def test_an_output_that_became_read_only_is_told_and_stays_readable(operator, disk):
    operator.put_back(NEXT)
    with operator.moved_output(disk / "op"):
        before = digests(disk / "op")
        remount(disk, "ro")
        told = operator.workspace.nightly(as_of=NEXT)
        assert told.code == 75
        assert "Read-only file system. Mend it and run the command again." in told.refusal
        assert_readers_see(operator, announced=False)
        assert operator.workspace.say("nights").code == 0
        assert digests(disk / "op") == before
        remount(disk, "rw")
        assert_rerun_ends_as_undisturbed(operator)


def test_a_model_store_that_is_locked_gone_or_slow_refuses_the_night_until_it_is_back(operator, tmp_path, monkeypatch):
    operator.put_back(NEXT)
    models, away = operator.workspace.models, tmp_path / "away"
    for gone, sentence in ((models, "holds no model store"), (models / "artifacts", "the files of version 1 of 'op' cannot be found at ")):
        gone.rename(away)
        told = operator.workspace.nightly(as_of=NEXT)
        assert told.code == 4
        assert sentence in told.refusal
        assert_readers_see(operator, announced=False)
        shutil.rmtree(gone, ignore_errors=True)
        away.rename(gone)
    monkeypatch.setitem(Store.open.__func__.__kwdefaults__, "patience", 3.0)  # in place of 20 seconds
    with closing(sqlite3.connect(models / "mlflow.db", isolation_level=None, check_same_thread=False)) as other:
        other.execute("BEGIN EXCLUSIVE")
        told = operator.workspace.nightly(as_of=NEXT)
        assert told.code == 75
        assert "the model store is busy, full or out of reach" in told.refusal
        assert_readers_see(operator, announced=False)
        Timer(1.5, lambda: other.execute("ROLLBACK")).start()  # a slow one is waited for
        assert_rerun_ends_as_undisturbed(operator)


def test_a_model_store_that_goes_away_in_mid_run_costs_only_the_log(operator, monkeypatch):
    operator.put_back(FIRST)
    models = operator.workspace.models
    Point("", making, "choose_lists").arm(monkeypatch, lambda: models.rename(models.with_name("away")))
    told = operator.workspace.nightly(as_of=FIRST)
    assert told.code == 0, told.err
    assert "1 rating(s) stand, but MLflow has no record of them yet" in told.told("log")
    found, wanted = (
        {name: digest for name, digest in files.items() if not name.startswith("monitoring/")}  # which names the models it can find
        for files in (digests(operator.workspace.output), operator.wanted[FIRST])
    )
    assert found == wanted


def test_of_two_nightlies_at_once_one_makes_the_night(operator):
    operator.put_back(NEXT)
    halfway = Point("", making, "choose_lists")
    child = forked(lambda: operator.run(NEXT), prepare=lambda patch: halfway.arm(patch, lambda: os.kill(os.getpid(), signal.SIGSTOP)))
    assert os.WIFSTOPPED(os.waitpid(child, os.WUNTRACED)[1])
    told = operator.workspace.nightly(as_of=NEXT)
    assert told.code == 5
    assert f"locked by process {child}" in told.refusal
    assert_readers_see(operator, announced=False)
    os.kill(child, signal.SIGCONT)
    assert ended(child) == 0
    assert digests(operator.workspace.output) == operator.wanted[NEXT]


def test_a_clock_that_jumped_changes_nothing(operator):
    """Years later, in another zone, with files from the future and from the past: the same bytes."""
    operator.put_back(NEXT)
    for place, path in enumerate(path for path in operator.workspace.folder.rglob("*") if path.is_file()):
        os.utime(path, (2.2e9, 2.2e9) if place % 2 else (1e9, 1e9))

    assert ended(forked(lambda: operator.run(NEXT), prepare=move_the_clock)) == 0
    assert metric(operator, "custvalue_written_at_seconds") > time.time() + DECADE / 2  # it did believe so
    assert digests(operator.workspace.output) == operator.wanted[NEXT]


def test_a_table_cut_off_in_the_middle_is_named_and_nothing_is_published(operator):
    operator.put_back(NEXT)
    path = operator.workspace.data / "usage.parquet"
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    try:
        told = operator.workspace.nightly(as_of=NEXT)
    finally:
        path.write_bytes(whole)
    assert told.code == 3
    assert "usage" in told.refusal
    assert "usage.parquet" in told.refusal
    assert_readers_see(operator, announced=False)


def test_a_published_file_cut_off_in_the_middle_is_never_read_and_force_mends_it(operator):
    operator.put_back(NEXT)
    output = operator.workspace.output
    path = publish.published(output).folder / "scores.parquet" / "part-00001.parquet"
    os.truncate(path, path.stat().st_size // 2)
    with pytest.raises(DataError, match=r"1 of 3 files differ .* scores.parquet/part-00001.parquet"):
        read_published(output)
    told = operator.workspace.nightly(as_of=FIRST)
    assert told.code == 3
    assert "publish the night anew with --force" in told.refusal
    assert metric(operator, "custvalue_last_exit_code") == 3
    assert operator.workspace.nightly("--force", as_of=FIRST).code == 0
    assert read_published(output).attrs["lineage"]["generation"] == 2
    assert_readers_see(operator, announced=False)
