"""Operators of three customers: their tables are written as files and opened as a run would open them."""

import csv
import gzip
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from custvalue.config import load_config
from custvalue.sources import SourceTables, open_tables

DEPARTURES = pa.schema({"customer_id": pa.string(), "left_on": pa.date32(), "kind": pa.string()})
IDS = ("0001234", "0005678", "0009012")


def write_file(path: Path, rows: list[dict] | pa.Table) -> None:
    """Write rows as the file's name says; a CSV holds them as text, with nothing for null."""
    table = rows if isinstance(rows, pa.Table) else pa.Table.from_pylist(rows)
    if path.suffix == ".parquet":
        pq.write_table(table, path)
        return
    with (
        gzip.open(path, "wt", newline="", encoding="utf-8")
        if path.suffix == ".gz"
        else path.open("w", newline="", encoding="utf-8") as file
    ):
        writer = csv.writer(file)
        writer.writerow(table.column_names)
        writer.writerows([["" if value is None else value for value in row.values()] for row in table.to_pylist()])


@pytest.fixture
def good() -> dict[str, list[dict] | pa.Table]:
    """Tables that keep the contract: three customers, bills and use of the last two months of 2021, nobody left."""
    months = (date(2021, 11, 1), date(2021, 12, 1))
    return {
        "customers": [
            {"customer_id": i, "valid_from": date(2021, 1, 1), "joined_on": date(2021, 1, 1), "segment": "consumer"} for i in IDS
        ],
        "billing": [{"customer_id": i, "month": month, "revenue": 29.5} for i in IDS for month in months],
        "usage": [{"customer_id": i, "month": month, "data_mb": 512.25, "sms_count": 4} for i in IDS for month in months],
        "departures": DEPARTURES.empty_table(),
    }


@pytest.fixture
def operator(tmp_path: Path) -> Callable[..., SourceTables]:
    """Write tables into a folder and open them; keyword arguments are settings, ``mapping`` a mapping's content."""

    def opened(tables=(), *, suffix=".parquet", folder="data", mapping=None, log=lambda _: None, delay_days=None, **settings):
        place = tmp_path / folder
        place.mkdir(exist_ok=True)
        for name, rows in dict(tables).items():
            write_file(place / f"{name}{suffix}", rows)
        sources = {"folder": folder, "delay_days": delay_days or {}}
        if mapping is not None:
            (tmp_path / "mapping.yaml").write_text(yaml.safe_dump(mapping, sort_keys=False), encoding="utf-8")
            sources["mapping"] = "mapping.yaml"
        raw = {"sources": sources, "tier_policy": "t.yaml", "retention_policy": "r.yaml"} | settings
        (tmp_path / "operator.yaml").write_text(yaml.safe_dump(raw), encoding="utf-8")
        return open_tables(load_config(tmp_path / "operator.yaml"), log=log)

    return opened


@pytest.fixture
def rows_of() -> Callable[..., list[dict]]:
    """Give a typed contract table's rows in order, without ``available_at`` unless it is wanted."""

    def rows(tables: SourceTables, name: str, *, available_at: bool = False) -> list[dict]:
        found = tables.con.table(name, database="contract").to_pyarrow().to_pylist()
        if not available_at:
            found = [{key: value for key, value in row.items() if key != "available_at"} for row in found]
        return sorted(found, key=lambda row: [str(value) for value in row.values()])

    return rows
