"""A warehouse whose typed tables are lent rows: the features' SQL is compiled once and run on each lot of rows."""

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path

import ibis
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from ibis.backends import BaseBackend

from custvalue.config import FeaturesConfig, load_config
from custvalue.engines import read_tables
from custvalue.features import FeatureSet, build_features
from custvalue.sources import CONTRACT, Moment, SourceTables, cut, open_tables

_ARROW = {"VARCHAR": pa.string(), "DATE": pa.date32(), "TIMESTAMP": pa.timestamp("us"), "DECIMAL(18,4)": pa.decimal128(18, 4),
          "BIGINT": pa.int64(), "BOOLEAN": pa.bool_(), "DOUBLE": pa.float64()}  # fmt: skip
SCHEMAS = {name: {c.name: _ARROW[c.dtype] for c in table.columns} for name, table in CONTRACT.items() if table.event}
"""Arrow types of every dated table, ``available_at`` aside."""

Rows = Mapping[str, list[dict]]


def known_at(table: str, row: dict) -> datetime:
    """When a row that says nothing else is known: at its event; a month or a day when it is over."""
    event = row[CONTRACT[table].event]
    if CONTRACT[table].event == "month":
        event = (event + timedelta(days=32)).replace(day=1)
    elif CONTRACT[table].event == "day":
        event += timedelta(days=1)
    return event if isinstance(event, datetime) else datetime(event.year, event.month, event.day)


class Warehouse:
    """Empty contract tables, and features over whatever rows a test lends them."""

    def __init__(self, tables: SourceTables) -> None:
        # any table may be lent a second version of a row
        self.tables = replace(tables, revised=frozenset(tables.rows))

    @contextmanager
    def holding(self, rows: Rows) -> Iterator[None]:
        con = self.tables.con.con
        con.execute("BEGIN")
        try:
            for table, lent in rows.items():
                whole = [{"available_at": known_at(table, row)} | row for row in lent]
                arrow = pa.Table.from_pylist(whole, schema=pa.schema({**SCHEMAS[table], "available_at": _ARROW["TIMESTAMP"]}))
                con.register("lent", arrow)
                columns = ", ".join(self.tables.con.table(table, database="contract").columns)
                con.execute(f"INSERT INTO contract.{table} BY NAME SELECT {columns} FROM lent")  # noqa: S608
                con.unregister("lent")
            yield
        finally:
            con.execute("ROLLBACK")

    def build(self, moment: Moment, settings: FeaturesConfig, only: tuple[str, ...] = tuple(SCHEMAS), **options) -> FeatureSet:
        known = {name: table for name, table in self.tables.known(moment.day).items() if name in only}
        return build_features(known, moment, settings, **options)

    def built_uncut(self, moment: Moment, settings: FeaturesConfig) -> FeatureSet:
        """The features as they would be if nobody made the cut: for showing that the tests can tell."""
        whole = {name: self.tables.con.table(name, database="contract").drop("available_at") for name in SCHEMAS}
        return build_features(whole, moment, settings)

    def runner(self, features: FeatureSet) -> Callable[[Rows], dict[str, dict]]:
        """Compile features once; the function gives customer → feature → value, None where it is missing."""
        sql = ibis.to_sql(features.table, dialect="duckdb")
        con = self.tables.con.con

        def run(rows: Rows) -> dict[str, dict]:
            with self.holding(rows):
                result = con.execute(sql)
                names = [column[0] for column in result.description]
                found = [dict(zip(names, row, strict=True)) for row in result.fetchall()]
            by_customer = {row.pop("customer_id"): row for row in found}
            assert len(by_customer) == len(found), "a customer has two rows"
            assert not any(isinstance(value, float) and math.isnan(value) for row in found for value in row.values()), "missing is null"
            return by_customer

        return run


@pytest.fixture(scope="module")
def open_warehouse(tmp_path_factory) -> Callable[..., Warehouse]:
    """Open a warehouse; ``without`` names tables or ``table.column`` that the operator lacks."""

    def opened(*, zone: str = "UTC", without: tuple[str, ...] = ()) -> Warehouse:
        folder = tmp_path_factory.mktemp("warehouse")
        for table, columns in SCHEMAS.items():
            kept = {name: kind for name, kind in columns.items() if f"{table}.{name}" not in without}
            if table not in without:
                pq.write_table(pa.schema({**kept, "available_at": _ARROW["TIMESTAMP"]}).empty_table(), folder / f"{table}.parquet")
        raw = {"sources": {"folder": "."}, "tier_policy": "t.yaml", "retention_policy": "r.yaml", "time_zone": zone}
        (folder / "operator.yaml").write_text(yaml.safe_dump(raw))
        return Warehouse(open_tables(load_config(folder / "operator.yaml")))

    return opened


@pytest.fixture(scope="session")
def write_rows() -> Callable[[Path, Rows], Path]:
    return _write_rows


def _write_rows(folder: Path, rows: Rows) -> Path:
    """Write a folder of contract Parquet; every dated table is there, if only empty."""
    for table, columns in SCHEMAS.items():
        whole = [{"available_at": known_at(table, row)} | row for row in rows.get(table, [])]
        schema = pa.schema({**columns, "available_at": _ARROW["TIMESTAMP"]})
        pq.write_table(pa.Table.from_pylist(whole, schema=schema), folder / f"{table}.parquet")
    return folder


@pytest.fixture(scope="session")
def features_on() -> Callable[..., dict[str, dict]]:
    """Give the features of a folder of contract Parquet on one engine: customer → feature → value."""

    def run(con: BaseBackend, folder: Path, moment: Moment, settings: FeaturesConfig) -> dict[str, dict]:
        types = {name: {c.name: c.dtype for c in CONTRACT[name].columns} | {"available_at": "TIMESTAMP"} for name in SCHEMAS}
        tables = read_tables(con, folder, types)
        known = {name: cut(table, CONTRACT[name], moment, revised=True) for name, table in tables.items()}
        found = con.to_pyarrow(build_features(known, moment, settings).table).to_pylist()
        by_customer = {row.pop("customer_id"): row for row in found}
        assert len(by_customer) == len(found), "a customer has two rows"
        return by_customer

    return run


@pytest.fixture(scope="module")
def customers() -> Callable[..., list[dict]]:
    """Give the customers table of some ids, all in service since 2015."""
    return lambda ids: [{"customer_id": i, "valid_from": date(2015, 1, 1), "joined_on": date(2015, 1, 1)} for i in ids]
