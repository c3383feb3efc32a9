"""Checked tables on another engine: the same rows, read where they lie only where every engine finds the very same there."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from custvalue.config import load_config
from custvalue.engines import connect
from custvalue.sources import open_tables
from custvalue.sources.sharing import share_tables

MONEY = pa.decimal128(18, 4)


def bills(**changed):
    """Six bills in the contract's types, each with the moment it was known."""
    rows = [
        {"customer_id": i, "month": date(2021, m, 1), "available_at": datetime(2021 + m // 12, m % 12 + 1, 2)} | changed
        for i in ("0001234", "0005678", "0009012")
        for m in (11, 12)
    ]
    kinds = {"customer_id": pa.string(), "month": pa.date32(), "available_at": pa.timestamp("us")}
    table = pa.Table.from_pylist(rows, pa.schema(kinds))
    return table.append_column("revenue", pa.array([29.5] * 6).cast(MONEY))


@pytest.fixture
def shared(operator, good, tmp_path):
    """Open an operator's files as views, and give what was checked, the same on another engine, and what was written for it."""

    def opened(tables, *, suffix=".parquet"):
        operator(good)
        for name in tables:
            (tmp_path / "data" / f"{name}.parquet").unlink()
        operator(tables, suffix=suffix)
        config = load_config(tmp_path / "operator.yaml")
        checked = open_tables(config, copy_below=0)
        other = share_tables(checked, config, connect(), tmp_path / "written")
        return checked, other, {path.stem for path in (tmp_path / "written").iterdir()}

    return opened


def rows(table):
    return sorted(table.to_pyarrow().to_pylist(), key=str)


def assert_same(checked, other):
    assert set(other) == set(checked.rows)
    for name, table in other.items():
        assert table.schema() == checked.con.table(name, database="contract").schema()
        assert rows(table) == rows(checked.con.table(name, database="contract"))


def test_large_files_that_say_when_they_were_known_are_read_where_they_lie(shared):
    checked, other, written = shared({"billing": bills()})
    assert_same(checked, other)
    assert "billing" not in written
    assert "usage" in written  # its volumes are doubles, and nothing says when it was known


def test_what_was_worked_out_is_written_out(shared):
    some_known = bills()
    known = some_known["available_at"].to_pylist()
    gaps = some_known.set_column(2, "available_at", pa.array([None, *known[1:]], pa.timestamp("us")))
    checked, other, written = shared({"billing": gaps})
    assert_same(checked, other)
    assert "billing" in written


def test_what_was_set_right_is_written_out(shared):
    early = bills().to_pylist()
    early[0]["available_at"] = datetime(2021, 11, 3)
    checked, other, written = shared({"billing": pa.Table.from_pylist(early, bills().schema)})
    assert min(row["available_at"] for row in rows(other["billing"])) >= datetime(2021, 11, 30)
    assert_same(checked, other)
    assert "billing" in written


@pytest.mark.parametrize("odd", ["text", "nanoseconds"])
def test_what_engines_read_differently_is_written_out(shared, odd):
    if odd == "text":
        checked, other, written = shared({"billing": bills()}, suffix=".csv")
    else:
        nanoseconds = bills().set_column(2, "available_at", bills()["available_at"].cast(pa.timestamp("ns")))
        checked, other, written = shared({"billing": nanoseconds})
    assert_same(checked, other)
    assert "billing" in written


@pytest.mark.parametrize("stray", [None, "README.txt", "_SUCCESS"])
def test_a_folder_of_parts_is_read_where_it_lies_if_it_holds_nothing_else(operator, good, tmp_path: Path, stray):
    operator(good)
    folder = tmp_path / "data" / "billing.parquet"
    folder.unlink()
    folder.mkdir()
    for part in range(2):
        pq.write_table(bills().slice(3 * part, 3), folder / f"part-{part}.parquet")
    if stray:
        (folder / stray).write_text("no rows")
    config = load_config(tmp_path / "operator.yaml")
    checked = open_tables(config, copy_below=0)
    other = share_tables(checked, config, connect(), tmp_path / "written")
    assert (tmp_path / "written" / "billing.parquet").exists() == (stray == "README.txt")
    assert_same(checked, other)
