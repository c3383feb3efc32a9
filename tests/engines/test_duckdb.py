"""The embedded engine keeps to its memory, and computes beside its caller."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path

import ibis
import pytest

from custvalue.engines import EngineError, connect, in_background, memory_limit, run, scalar, within_memory
from custvalue.errors import TryAgainError


def test_what_does_not_fit_into_memory_goes_to_disk_and_away_again(tmp_path: Path) -> None:
    spill = tmp_path / "spill"
    con = connect(memory_limit="100MB", spill=spill)
    run(con, "CREATE TABLE wide AS SELECT range AS n, md5(range::VARCHAR) AS text FROM range(4000000)")
    assert spill.is_dir()
    assert any(spill.iterdir()), "nothing was written: the limit was not met"
    assert scalar(con, "SELECT sum(n) FROM wide") == 4_000_000 * 3_999_999 // 2
    con.disconnect()
    assert not spill.exists() or not any(spill.iterdir())


def test_expressions_are_computed_in_the_background_in_the_session_s_zone() -> None:
    con = connect()
    con.raw_sql("CREATE TABLE numbers AS SELECT range AS n FROM range(1000)")
    numbers = con.table("numbers")
    with in_background(con) as compute:
        asked = [compute(numbers.filter(numbers.n % divisor == 0).agg(rows=numbers.n.count())) for divisor in (2, 5, 10)]
        zone = compute(con.sql("SELECT current_setting('TimeZone') AS zone"))
    assert [table.result()["rows"].to_pylist() for table in asked] == [[500], [200], [100]]
    assert zone.result()["zone"].to_pylist() == ["UTC"]


def test_a_failed_background_statement_tells_its_cause() -> None:
    con = connect()
    con.raw_sql("CREATE TABLE texts AS SELECT 'x' AS text")
    with in_background(con) as compute:
        failed = compute(con.table("texts").select(number=ibis._.text.cast("int64")))
        with pytest.raises(EngineError, match="Could not convert string 'x'"):
            failed.result()


def told() -> AbstractContextManager[object]:
    return pytest.raises(TryAgainError, match=r"snapshots: memory of 47\.\d MiB .* Raise `sources\.memory_limit`, free disk")


def test_memory_that_does_not_suffice_is_told_with_the_limit_and_what_to_do(tmp_path: Path) -> None:
    con = connect(memory_limit="50MB", spill=tmp_path / "spill")
    assert memory_limit(con) == pytest.approx(50e6, rel=0.01)
    con.raw_sql("CREATE VIEW lists AS SELECT list(range) AS numbers FROM range(20000000)")  # one value cannot be spilled
    with told(), within_memory(con, "snapshots"):
        run(con, "CREATE TABLE kept AS SELECT * FROM lists")
    with told(), in_background(con) as compute:
        compute(con.table("lists")).result()
    assert scalar(con, "SELECT 1") == 1
