"""Tables behind an Ibis backend are read through the mapping as files are."""

import sqlite3
from datetime import date
from decimal import Decimal

import duckdb
import pytest

from custvalue.errors import DataError

ROWS = [("0007", "2021-11-01", 12.25), ("0007", "2021-12-01", 11.0), ("0042", "2021-12-01", -3.5)]


@pytest.fixture
def sqlite(tmp_path):
    path = tmp_path / "warehouse.db"
    with sqlite3.connect(path) as con:
        con.execute("CREATE TABLE bills (id TEXT, month TEXT, amount REAL)")
        con.executemany("INSERT INTO bills VALUES (?, ?, ?)", ROWS)
    return path


@pytest.fixture
def warehouse(tmp_path):
    path = tmp_path / "warehouse.duckdb"
    with duckdb.connect(path) as con:
        con.execute("CREATE TABLE bills (id VARCHAR, month DATE, amount DECIMAL(12,2))")
        con.executemany("INSERT INTO bills VALUES (?, ?, ?)", ROWS)
    return path


@pytest.fixture
def opened(operator):
    def open_backend(url, table="bills"):
        customers = "SELECT DISTINCT id AS customer_id, DATE '2020-01-01' AS valid_from, DATE '2020-01-01' AS joined_on FROM bills"
        departures = "SELECT '' AS customer_id, DATE '2020-01-01' AS left_on, 'silence' AS kind WHERE false"
        mapping = {
            "inputs": {"bills": {"backend": url, "table": table}},
            "tables": {
                "customers": {"sql": customers},
                "billing": {"from": "bills", "rename": {"customer_id": "id", "month": "month", "revenue": "amount"}},
                "departures": {"sql": departures},
            },
        }
        return operator(mapping=mapping)

    return open_backend


EXPECTED = [
    {"customer_id": "0007", "month": date(2021, 11, 1), "revenue": Decimal("12.25")},
    {"customer_id": "0007", "month": date(2021, 12, 1), "revenue": Decimal(11)},
    {"customer_id": "0042", "month": date(2021, 12, 1), "revenue": Decimal("-3.5")},
]


def test_sqlite(opened, sqlite, rows_of):
    assert rows_of(opened(f"sqlite://{sqlite}"), "billing") == EXPECTED


def test_a_duckdb_file(opened, warehouse, rows_of):
    assert rows_of(opened(f"duckdb://{warehouse}"), "billing") == EXPECTED


def test_a_changed_row_changes_the_digests_and_a_second_look_does_not(opened, sqlite):
    before = opened(f"sqlite://{sqlite}").digests
    assert opened(f"sqlite://{sqlite}").digests == before
    with sqlite3.connect(sqlite) as con:
        con.execute("UPDATE bills SET amount = 11.01 WHERE amount = 11")
    assert opened(f"sqlite://{sqlite}").digests != before


def test_the_order_of_rows_does_not_change_the_digests(opened, sqlite):
    before = opened(f"sqlite://{sqlite}").digests
    with sqlite3.connect(sqlite) as con:
        con.execute("DELETE FROM bills")
        con.executemany("INSERT INTO bills VALUES (?, ?, ?)", ROWS[::-1])
    assert opened(f"sqlite://{sqlite}").digests == before


def test_a_table_that_is_not_there(opened, sqlite):
    with pytest.raises(DataError, match=r"mapping\.yaml: input bills: table invoices of the backend cannot be read") as refused:
        opened(f"sqlite://{sqlite}", "invoices")
    assert refused.value.exit_code == 3


@pytest.mark.parametrize("scheme", ["sqlite", "duckdb"])
def test_a_database_file_that_is_not_there_is_told_and_not_made(opened, tmp_path, scheme):
    path = tmp_path / "absent.db"
    with pytest.raises(DataError) as refused:
        opened(f"{scheme}://{path}")
    assert f"mapping.yaml: input bills: no file {path}. Put it there, or mend `backend`." in str(refused.value)
    assert not path.exists()


def test_a_backend_that_nobody_knows(opened):
    with pytest.raises(DataError, match="input bills: table bills of the backend cannot be read"):
        opened("cardbox://x")


def test_a_password_in_the_address_is_not_shown(opened):
    with pytest.raises(DataError) as refused:
        opened("cardbox://reader:s3cret@host/db")
    assert "s3cret" not in str(refused.value)
