"""Large Parquet files are read where they lie, with the same result as a copy; parts of a table are one table."""

from datetime import date, datetime

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from custvalue.config import load_config
from custvalue.errors import DataError, TryAgainError
from custvalue.sources import open_tables

MONEY = pa.decimal128(18, 4)
BILLING = pa.schema({"customer_id": pa.string(), "month": pa.date32(), "revenue": MONEY, "available_at": pa.timestamp("us")})


def bills(months=(11, 12)):
    rows = [
        {"customer_id": i, "month": date(2021, m, 1), "revenue": 29.5, "available_at": datetime(2021 + m // 12, m % 12 + 1, 2)}
        for i in ("0001234", "0005678", "0009012")
        for m in months
    ]
    return pa.Table.from_pylist([row | {"revenue": None} for row in rows], BILLING).set_column(
        2, "revenue", pa.array([row["revenue"] for row in rows]).cast(MONEY)
    )


@pytest.fixture
def both(operator, good, tmp_path):
    """Open the same files as views and as copies."""

    def opened(tables):
        operator(good | tables)
        config = load_config(tmp_path / "operator.yaml")
        return open_tables(config, copy_below=0), open_tables(config, copy_below=2**30)

    return opened


def kinds(tables):
    return dict(
        tables.con.raw_sql("SELECT table_name, table_type FROM information_schema.tables WHERE table_schema = 'contract'").fetchall()
    )


def test_files_of_the_contracts_types_are_views_and_others_are_converted_once(both):
    views, copies = both({"billing": bills()})
    assert kinds(views)["billing"] == "VIEW"
    assert kinds(views)["usage"] == "BASE TABLE"  # its volumes are doubles
    assert set(kinds(copies).values()) == {"BASE TABLE"}


def test_a_view_gives_what_a_copy_gives(both):
    views, copies = both({"billing": bills()})
    day = date(2022, 1, 3)
    for name in ("customers", "billing"):
        assert sorted(map(str, views.known(day)[name].to_pyarrow().to_pylist())) == sorted(
            map(str, copies.known(day)[name].to_pyarrow().to_pylist())
        )
    assert views.rows == copies.rows
    assert views.digests == copies.digests


def test_a_repair_holds_for_a_view_too(both):
    early = bills().to_pylist()
    early[0]["available_at"] = datetime(2021, 11, 3)
    views, copies = both({"billing": pa.Table.from_pylist(early, BILLING)})
    for tables in (views, copies):
        assert tables.known(date(2021, 11, 30))["billing"].count().execute() == 0
        assert tables.known(date(2021, 12, 1))["billing"].count().execute() == 1


def test_a_file_replaced_while_it_is_read_stops_the_run(both, tmp_path):
    views, copies = both({"billing": bills()})
    path = tmp_path / "data" / "billing.parquet"
    pq.write_table(bills((12,)), path.with_name("new"))
    path.with_name("new").replace(path)
    with pytest.raises(TryAgainError, match=r"billing\.parquet changed while the run was reading\. Run the command again") as refused:
        views.known(date(2022, 1, 3))
    assert refused.value.exit_code == 75
    assert copies.known(date(2022, 1, 3))["billing"].count().execute() == 6


@pytest.mark.parametrize("folder", ["billing", "billing.parquet"])
def test_a_folder_of_parts_is_one_table(operator, good, tmp_path, folder):
    operator(good)
    data = tmp_path / "data"
    (data / "billing.parquet").unlink()
    for month in (11, 12):
        part = data / folder / f"year=2021/part-{month}.parquet"
        part.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(bills((month,)), part)
    (data / folder / "_SUCCESS").touch()
    tables = open_tables(load_config(tmp_path / "operator.yaml"))
    assert tables.rows["billing"] == 6
    assert f"{folder}/year=2021/part-11.parquet" in tables.digests


def test_a_folder_without_parts_is_told(operator, good, tmp_path):
    operator(good)
    (tmp_path / "data" / "payments").mkdir()
    with pytest.raises(DataError, match=r"table payments: folder payments holds no \.parquet file"):
        open_tables(load_config(tmp_path / "operator.yaml"))


@pytest.mark.parametrize("kept", [0, 7, -20])
def test_a_part_that_breaks_off_is_refused(operator, good, tmp_path, kept):
    operator(good)
    data = tmp_path / "data"
    (data / "billing.parquet").unlink()
    (data / "billing").mkdir()
    for month in (11, 12):
        pq.write_table(bills((month,)), data / "billing" / f"{month}.parquet")
    broken = data / "billing" / "12.parquet"
    broken.write_bytes(broken.read_bytes()[:kept])
    with pytest.raises(DataError, match="table billing: cannot be read"):
        open_tables(load_config(tmp_path / "operator.yaml"))


def test_pages_that_are_garbage_are_found_although_nothing_was_copied(both, operator, good, tmp_path):
    both({"billing": bills()})
    path = tmp_path / "data" / "billing.parquet"
    content = bytearray(path.read_bytes())
    content[4:120] = b"\xff" * 116
    path.write_bytes(content)
    with pytest.raises(DataError, match="table billing: cannot be read"):
        open_tables(load_config(tmp_path / "operator.yaml"), copy_below=0)


def test_a_text_with_an_offset_is_stored_as_utc(operator, good, rows_of):
    payment = {"payment_id": "P1", "customer_id": "0001234", "paid_at": "2021-12-31T23:30:00+08:00", "amount": "5"}
    assert rows_of(operator(good | {"payments": [payment]}, suffix=".csv"), "payments")[0]["paid_at"] == datetime(2021, 12, 31, 15, 30)
