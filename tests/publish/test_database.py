"""Nights in PostgreSQL: whole or as before, whatever happens to the server, and never a password in what is told."""

from __future__ import annotations

import threading
from contextlib import suppress
from datetime import date
from types import SimpleNamespace
from zlib import crc32

import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from custvalue.config.publish import DatabaseConfig
from custvalue.errors import ConfigError, DataError, TryAgainError
from custvalue.publish import lock, publish, stage
from custvalue.publish.database import NightDatabase

NIGHT, NEXT = date(2026, 1, 1), date(2026, 1, 2)
ODD = ['comma, "quoted" \\ back', "line\nbreak", "", None, "\\N", "NULL", "{}", "汉字"]


def tables(rows=4, **more):
    """A night's tables: texts that a careless writer would spoil, missing values of every kind, lists of texts and numbers."""
    ids = [f"{place:07d}" for place in range(rows)]
    place = range(rows)
    scores = {
        "customer_id": ids,
        "probability": pa.array([None if i % 5 == 4 else i / max(rows, 1) for i in place], pa.float64()),
        "tier": pa.array([ODD[i % len(ODD)] for i in place]).dictionary_encode(),
        "held": pa.array([None if i % 3 == 2 else i % 2 == 0 for i in place], pa.bool_()),
        "tier_valid_from": pa.array([date(2025, 12, 1 + i % 20) for i in place]),
        "nothing": pa.nulls(rows),
        "as_of": pa.array(["overwritten"] * rows),
        **more,
    }
    reasons = {
        "customer_id": ids,
        "reasons_en": pa.array([ODD[: i % 9] for i in place], pa.list_(pa.string())),
        "reason_weights": pa.array([[0.5, -1.25] if i % 2 else None for i in place], pa.list_(pa.float64())),
    }
    lists = {"customer_id": ids[:1], "priority": pa.array([1])}
    return {"scores": pa.table(scores), "reasons": pa.table(reasons), "lists": pa.table(lists)}


def put(output, run_id, *, as_of=NIGHT, force=False, parts=2, content=None, **more):
    """Publish a night; the scores are a folder of parts."""
    with lock(output):
        staging = stage(output, run_id)
        made = content or tables(**more)
        for name in ("reasons", "lists"):
            pq.write_table(made[name], staging / f"{name}.parquet")
        (staging / "scores.parquet").mkdir()
        scores, size = made["scores"], -(-made["scores"].num_rows // parts)
        for part in range(parts):
            pq.write_table(scores.slice(part * size, size), staging / "scores.parquet" / f"part-{part:03d}.parquet")
        return publish(output, as_of=as_of, run_id=run_id, staging=staging, lineage={}, force=force)


@pytest.fixture
def place(postgres, request):
    """A schema of its own for each test, with a name that must be quoted, and SQL beside the code under test."""
    schema = "user" if request.node.name.endswith("twice_changes_nothing") else f"s_{crc32(request.node.name.encode())}"

    def ask(statement, *values):
        return postgres.ask(statement.replace("$", f'"{schema}"'), *values)

    ask("CREATE SCHEMA $")
    config = DatabaseConfig(url=postgres.url(), schema=schema)
    yield SimpleNamespace(ask=ask, schema=schema, config=config, database=NightDatabase(config))
    ask("DROP SCHEMA $ CASCADE")


def state(place):
    names = ("custvalue_nights", "scores", "reasons", "lists")
    return {name: sorted(place.ask(f"SELECT xmin::text, t::text FROM $.{name} AS t")) for name in names}  # noqa: S608


def test_a_night_is_read_back_as_it_was_written(tmp_path, place):
    put(tmp_path, "run1", rows=20)
    (loaded,) = place.database.load(tmp_path, NIGHT)
    assert loaded.run_id == "run1"
    columns = ["customer_id", "probability", "tier", "held", "tier_valid_from"]
    found = place.ask(f"SELECT {', '.join(columns)}, as_of, run_id, generation FROM $.scores ORDER BY customer_id")  # noqa: S608
    expected = tables(rows=20)
    rows = expected["scores"].select(columns).to_pylist()
    assert found == [(*row.values(), NIGHT, "run1", 1) for row in rows]
    found = place.ask("SELECT customer_id, reasons_en, reason_weights FROM $.reasons ORDER BY customer_id")
    assert found == [tuple(row.values()) for row in expected["reasons"].to_pylist()]
    assert place.ask("SELECT as_of, run_id, generation, tables FROM $.custvalue_nights") == [
        (NIGHT, "run1", 1, ["scores", "reasons", "lists"])
    ]


def test_loading_twice_changes_nothing(tmp_path, place):
    put(tmp_path, "run1")
    place.database.load(tmp_path, NIGHT)
    before = state(place)
    assert place.database.load(tmp_path, NIGHT) == []
    assert state(place) == before
    assert len(before["scores"]) == 4


def test_another_generation_takes_the_place_of_the_one_before(tmp_path, place):
    put(tmp_path, "run1", rows=6)
    place.database.load(tmp_path, NIGHT)
    put(tmp_path, "run2", rows=3, force=True)
    place.database.load(tmp_path, NIGHT)
    assert set(place.ask("SELECT run_id, generation, count(*) FROM $.scores GROUP BY ALL".replace("ALL", "run_id, generation"))) == {
        ("run2", 2, 3)
    }
    assert place.ask("SELECT run_id FROM $.custvalue_nights") == [("run2",)]


def test_the_views_show_the_newest_night_also_after_an_older_one_is_loaded(tmp_path, place):
    put(tmp_path, "run2", as_of=NEXT, rows=3)
    place.database.load(tmp_path, NEXT)
    put(tmp_path, "run1", as_of=NIGHT, rows=5)
    place.database.load(tmp_path, NIGHT)
    assert place.ask("SELECT DISTINCT as_of FROM $.current_scores") == [(NEXT,)]
    assert place.ask("SELECT count(*) FROM $.scores") == [(8,)]


def test_nights_that_a_database_was_away_for_are_loaded_with_the_next_one(tmp_path, place):
    first, second, third = (date(2026, 1, day) for day in (1, 2, 3))
    put(tmp_path, "run1", as_of=first)
    place.database.load(tmp_path, first)
    for day, run in ((second, "run2"), (third, "run3")):
        put(tmp_path, run, as_of=day)
    assert [night.as_of for night in place.database.load(tmp_path, third)] == [second, third]


def test_a_first_load_does_not_bring_the_whole_past(tmp_path, place):
    put(tmp_path, "run1", as_of=NIGHT)
    put(tmp_path, "run2", as_of=NEXT)
    assert [night.as_of for night in place.database.load(tmp_path, NEXT)] == [NEXT]


def test_columns_of_a_newer_release_are_added_and_shown_by_the_view(tmp_path, place):
    put(tmp_path, "run1")
    place.database.load(tmp_path, NIGHT)
    put(tmp_path, "run2", as_of=NEXT, content=tables(urgency=pa.array([1.5] * 4)))
    place.database.load(tmp_path, NEXT)
    assert place.ask("SELECT DISTINCT urgency FROM $.current_scores") == [(1.5,)]
    assert place.ask("SELECT DISTINCT urgency FROM $.scores WHERE as_of = %s", NIGHT) == [(None,)]


def test_whole_numbers_with_gaps_still_fit_their_column(tmp_path, place):
    put(tmp_path, "run1", content=tables(count=pa.array([1, 2, 3, 4])))
    place.database.load(tmp_path, NIGHT)
    put(tmp_path, "run2", as_of=NEXT, content=tables(count=pa.array([1.0, None, 3.0, 4.0])))
    place.database.load(tmp_path, NEXT)
    assert place.ask("SELECT count FROM $.current_scores ORDER BY customer_id") == [(1,), (None,), (3,), (4,)]
    put(tmp_path, "run3", as_of=date(2026, 1, 3), content=tables(count=pa.array([1.5, None, 3.0, 4.0])))
    with pytest.raises(TryAgainError, match="not loaded into it"):
        place.database.load(tmp_path, date(2026, 1, 3))
    assert place.ask("SELECT DISTINCT as_of FROM $.current_scores") == [(NEXT,)]


def test_a_server_that_is_restarted_mid_write_keeps_the_night_before_and_takes_the_next_one_afterwards(tmp_path, place, postgres):
    put(tmp_path, "run1", rows=5)
    place.database.load(tmp_path, NIGHT)
    before = state(place)
    put(tmp_path, "run2", as_of=NEXT, rows=500)
    stopper = threading.Thread(target=_stop_when_half_is_written, args=(postgres, place.schema))
    stopper.start()
    with pytest.raises(TryAgainError, match="published, but not loaded into it") as told:
        place.database.load(tmp_path, NEXT)
    stopper.join()
    assert told.value.exit_code == 75
    assert "run the same command again" in str(told.value)
    postgres.start()
    assert state(place) == before
    assert [night.run_id for night in place.database.load(tmp_path, NEXT)] == ["run2"]
    assert place.ask("SELECT count(*) FROM $.current_scores") == [(500,)]


def _stop_when_half_is_written(postgres, schema):
    """Hold the last table, so that the loader waits for it with the others written, and stop the server then."""
    with (
        suppress(psycopg.OperationalError),
        psycopg.connect(postgres.url(), autocommit=True) as watcher,
        psycopg.connect(postgres.url()) as holder,
    ):
        holder.execute(f'LOCK TABLE "{schema}".lists')
        while not watcher.execute(
            "SELECT 1 FROM pg_stat_activity WHERE application_name = 'custvalue' AND wait_event_type = 'Lock'"
        ).fetchall():
            pass
        assert watcher.execute("SELECT 1 FROM pg_locks WHERE NOT granted").fetchall()
        postgres.stop("immediate")


def test_readers_see_the_night_before_until_the_next_one_is_whole(tmp_path, place):
    put(tmp_path, "run1", rows=50)
    place.database.load(tmp_path, NIGHT)
    put(tmp_path, "run2", rows=20_000, force=True)
    seen, done = set(), threading.Event()

    def read():
        while not done.is_set():
            seen.add(tuple(place.ask("SELECT count(*), min(run_id), max(run_id) FROM $.current_scores")))

    reader = threading.Thread(target=read)
    reader.start()
    place.database.load(tmp_path, NIGHT)
    done.set()
    reader.join()
    assert {rows for (rows,) in seen} <= {(50, "run1", "run1"), (20_000, "run2", "run2")}
    assert ((50, "run1", "run1"),) in seen


def test_two_loaders_at_once_give_one_night(tmp_path, place):
    put(tmp_path, "run1", rows=5000)
    faults = []

    def load():
        try:
            NightDatabase(place.config).load(tmp_path, NIGHT)
        except TryAgainError as error:  # the tables themselves may be made at the same moment
            faults.append(str(error))

    threads = [threading.Thread(target=load) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(faults) < 3
    assert place.ask("SELECT count(*), count(DISTINCT customer_id) FROM $.scores") == [(5000, 5000)]


def test_a_wrong_password_is_told_without_the_right_or_the_wrong_one(tmp_path, place, postgres):
    put(tmp_path, "run1")
    database = NightDatabase(DatabaseConfig(url=postgres.url(word="hunter2hunter2"), schema=place.schema))
    with pytest.raises(TryAgainError, match="password authentication failed") as told:
        database.load(tmp_path, NIGHT)
    assert "hunter2" not in str(told.value)
    assert f"database postgres on {postgres.folder}" in str(told.value)
    assert "hunter2" not in repr(database._engine) + repr(DatabaseConfig(url=postgres.url(word="hunter2hunter2")))


def test_a_missing_schema_is_told_with_what_makes_it(tmp_path, place, postgres):
    put(tmp_path, "run1")
    with pytest.raises(TryAgainError, match="CREATE SCHEMA not_there AUTHORIZATION"):
        NightDatabase(DatabaseConfig(url=postgres.url(), schema="not_there")).load(tmp_path, NIGHT)


def test_an_address_that_is_none_is_told_without_its_password():
    for url in ("postgresql://u:hunter2@host:port/db", "mysql://u:hunter2@host/db", "hunter2"):
        with pytest.raises(ConfigError, match="postgresql://") as told:
            NightDatabase(DatabaseConfig(url=url))
        assert "hunter2" not in str(told.value)


@pytest.mark.parametrize("schema", ['a"; DROP SCHEMA public; --', "", "Upper", "a" * 64, "1st"])
def test_a_schema_with_another_name_than_plain_letters_is_refused(schema):
    with pytest.raises(ValueError, match="schema"):
        DatabaseConfig(url="postgresql://localhost/db", schema=schema)


def test_a_column_named_to_do_harm_is_only_a_name(tmp_path, place):
    column = 'x" TEXT); DROP TABLE lists; --'
    put(tmp_path, "run1", content=tables(**{column: pa.array([1.0] * 4)}))
    place.database.load(tmp_path, NIGHT)
    assert place.ask("SELECT count(*) FROM $.lists") == [(1,)]
    assert place.ask('SELECT "x"" TEXT); DROP TABLE lists; --" FROM $.scores LIMIT 1') == [(1.0,)]


def test_a_damaged_night_is_not_loaded(tmp_path, place):
    night = put(tmp_path, "run1")
    (night.folder / "lists.parquet").write_bytes(b"other")
    with pytest.raises(DataError, match="differ from the manifest"):
        place.database.load(tmp_path, NIGHT)
    assert place.ask("SELECT count(*) FROM $.custvalue_nights") == [(0,)]


def test_a_forgotten_customer_is_gone_from_every_night(tmp_path, place):
    for day, run in ((NIGHT, "run1"), (NEXT, "run2")):
        put(tmp_path, run, as_of=day)
        place.database.load(tmp_path, day)
    assert place.database.forget("0000000") == {"scores": 2, "reasons": 2, "lists": 2}
    assert place.ask("SELECT count(*) FROM $.scores WHERE customer_id = '0000000'") == [(0,)]
    assert place.database.forget("0000000") == {"scores": 0, "reasons": 0, "lists": 0}
    assert place.database.load(tmp_path, NEXT) == []


def test_the_right_password_was_what_let_the_others_in(postgres):
    assert postgres.word in postgres.url()
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(postgres.url(word="other"))
