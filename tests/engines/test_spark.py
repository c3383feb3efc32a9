"""The second engine: told what is missing, in UTC, reading the contract's types, and never turning an overflow into nothing."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from custvalue import engines
from custvalue.engines import ENGINES, EngineError, read_tables
from custvalue.engines import spark as spark_engine

pytestmark = pytest.mark.long

TYPES = {"payments": {"payment_id": "VARCHAR", "paid_at": "TIMESTAMP", "amount": "DECIMAL(18,4)"}, "absent": {"day": "DATE"}}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("parquet")
    times = pa.array([datetime(2024, 2, 29, 16, 0, 0, 1), None], pa.timestamp("us", "Asia/Shanghai"))
    amounts = pa.array([Decimal("1.50"), None], pa.decimal128(9, 2))
    whole = pa.table({"payment_id": ["P1", None], "paid_at": times, "amount": amounts, "note": ["left", "out"]})
    (folder / "payments.parquet").mkdir()
    for part in range(2):
        pq.write_table(whole.slice(part, 1), folder / "payments.parquet" / f"part-{part}.parquet")
    return folder


def test_every_engine_is_tested_on() -> None:
    assert set(ENGINES) == {"duckdb", "spark"}
    assert {path.stem for path in Path(engines.__file__).parent.glob("*.py")} == {"__init__", "parquet", *ENGINES}


def test_a_folder_of_parts_is_read_in_the_types_wanted(engine, folder: Path) -> None:
    tables = read_tables(engine, folder, TYPES)
    assert list(tables) == ["payments"]
    schema = tables["payments"].schema()
    assert list(schema) == ["payment_id", "paid_at", "amount"]
    assert (schema["amount"].precision, schema["amount"].scale) == (18, 4)
    rows = sorted(tables["payments"].to_pyarrow().to_pylist(), key=lambda row: row["payment_id"] is None)
    assert rows[0]["amount"] == Decimal("1.5000")
    assert rows[0]["paid_at"].replace(tzinfo=None) == datetime(2024, 2, 29, 16, 0, 0, 1)
    assert rows[1] == {"payment_id": None, "paid_at": None, "amount": None}


def test_the_session_works_in_utc_and_refuses_to_overflow(spark) -> None:
    session = spark._session
    assert session.conf.get("spark.sql.session.timeZone") == "UTC"
    assert session.conf.get("spark.ui.enabled") == "false"
    with pytest.raises(Exception, match=r"NUMERIC_VALUE_OUT_OF_RANGE|ARITHMETIC_OVERFLOW|CAST_OVERFLOW"):
        session.sql("SELECT CAST(99999999999 AS DECIMAL(11, 0)) * CAST(1e27 AS DECIMAL(38, 10))").collect()


@pytest.mark.parametrize("part", ["pyspark", "Java"])
def test_what_is_missing_is_named_with_the_way_to_get_it(monkeypatch: pytest.MonkeyPatch, part: str, tmp_path: Path) -> None:
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    if part == "pyspark":
        monkeypatch.setattr(spark_engine, "find_spec", lambda _: None)
    else:
        monkeypatch.setattr(spark_engine, "find_spec", lambda found: found)
    assert spark_engine.missing_part() == part
    with pytest.raises(EngineError, match=f"Spark needs {part}, which is not here.*custvalue\\[spark\\].*openjdk-17"):
        spark_engine.connect()


TOLD = pa.schema({"part": pa.int32(), "rows": pa.int64(), "names": pa.list_(pa.string()), "type": pa.string()})


@pytest.fixture
def people(spark, tmp_path: Path):
    names = [f"name {number:03d}" for number in range(100)]
    at = pa.array([datetime(2024, 1, 1)] * 100, pa.timestamp("us", "UTC"))
    pq.write_table(pa.table({"name": names, "at": at}), tmp_path / "people.parquet")
    return read_tables(spark, tmp_path, {"people": {"name": "VARCHAR", "at": "TIMESTAMP"}})["people"]


def mapped(con, rows, *, function=None):
    def tell(number, part):  # workers cannot import a test module, so that the function travels whole
        return {"part": number, "rows": part.num_rows, "names": part["name"].to_pylist(), "type": str(part.schema.field("at").type)}

    return spark_engine.map_parts(con, rows, function or tell, TOLD, key="name", count=4)


def test_every_row_is_in_one_part_by_key_in_the_types_of_the_expression(spark, people):
    told = mapped(spark, people)
    assert sum(row["rows"] for row in told) == 100
    assert sorted(name for row in told for name in row["names"]) == [f"name {number:03d}" for number in range(100)]
    assert all(row["names"] == sorted(row["names"]) for row in told)
    assert len(told) == 4
    assert {row["type"] for row in told} == {"timestamp[us]"}


def test_the_rows_of_some_parts_are_those_that_these_parts_get(spark, people):
    whole = {row["part"]: row["names"] for row in mapped(spark, people)}
    view = spark_engine.view_parts(spark, "some", people, key="name", count=4, numbers=[1, 3])
    assert {row["part"]: row["names"] for row in mapped(spark, view)} == {part: whole[part] for part in (1, 3)}


def test_what_the_function_raises_is_told_and_a_refused_statement_is_the_engines(spark, people):
    from pyspark.errors import PythonException

    def fail(number, rows):
        raise ZeroDivisionError("of the function")

    with pytest.raises(PythonException, match="of the function"):
        mapped(spark, people, function=fail)
    with pytest.raises(EngineError, match=r"CAST_INVALID_INPUT"):
        mapped(spark, people.mutate(number=people.name.cast("int64")))
