"""A warehouse whose typed tables are lent rows: the features' SQL is compiled once and run on each lot of rows."""

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime, timedelta

import ibis
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from custvalue.config import FeaturesConfig, load_config
from custvalue.features import FeatureSet, build_features
from custvalue.sources import Moment, SourceTables, open_tables

TEXT, DAY, TIME, MONEY, COUNT, FLAG = pa.string(), pa.date32(), pa.timestamp("us"), pa.decimal128(18, 4), pa.int64(), pa.bool_()
SCHEMAS = {
    "customers": {"customer_id": TEXT, "valid_from": DAY, "joined_on": DAY, "segment": TEXT, "region": TEXT, "plan": TEXT, "status": TEXT},
    "billing": {"customer_id": TEXT, "month": DAY, "revenue": MONEY, "data": MONEY, "roaming": MONEY, "discount": MONEY, "arrears": MONEY},
    "usage": {
        "customer_id": TEXT, "month": DAY, "voice_minutes": MONEY, "sms_count": COUNT, "data_mb": MONEY, "roaming_days": COUNT,
        "active_days": COUNT,
    },
    "payments": {"payment_id": TEXT, "customer_id": TEXT, "paid_at": TIME, "amount": MONEY, "channel": TEXT, "balance_after": MONEY},
    "complaints": {
        "complaint_id": TEXT, "customer_id": TEXT, "opened_at": TIME, "closed_at": TIME, "escalated": FLAG, "justified": FLAG,
        "repeat_of": TEXT,
    },
    "contracts": {
        "contract_id": TEXT, "customer_id": TEXT, "kind": TEXT, "product": TEXT, "starts_on": DAY, "ends_on": DAY, "monthly_fee": MONEY,
    },
    "departures": {"customer_id": TEXT, "left_on": DAY, "kind": TEXT},
}  # fmt: skip
EVENTS = {"billing": "month", "usage": "month", "customers": "valid_from", "payments": "paid_at", "complaints": "opened_at",
          "contracts": "starts_on", "departures": "left_on"}  # fmt: skip

Rows = Mapping[str, list[dict]]


def known_at(table: str, row: dict) -> datetime:
    """When a row that says nothing else is known: at its event; a month when it is over."""
    event = row[EVENTS[table]]
    if EVENTS[table] == "month":
        event = (event + timedelta(days=32)).replace(day=1)
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
                arrow = pa.Table.from_pylist(whole, schema=pa.schema({**SCHEMAS[table], "available_at": TIME}))
                con.register("lent", arrow)
                con.execute(f"INSERT INTO contract.{table} BY NAME SELECT * FROM lent")  # noqa: S608
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
                pq.write_table(pa.schema({**kept, "available_at": TIME}).empty_table(), folder / f"{table}.parquet")
        raw = {"sources": {"folder": "."}, "tier_policy": "t.yaml", "retention_policy": "r.yaml", "time_zone": zone}
        (folder / "operator.yaml").write_text(yaml.safe_dump(raw))
        return Warehouse(open_tables(load_config(folder / "operator.yaml")))

    return opened


@pytest.fixture(scope="module")
def customers() -> Callable[..., list[dict]]:
    """Give the customers table of some ids, all in service since 2015."""
    return lambda ids: [{"customer_id": i, "valid_from": date(2015, 1, 1), "joined_on": date(2015, 1, 1)} for i in ids]
