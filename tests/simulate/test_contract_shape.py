"""The simulated tables are contract tables, to the type."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from custvalue.sources.contract import CONTRACT

SIMULATED = tuple(CONTRACT)
REVISED = ("complaints", "surveys", "contracts")
"""Tables whose rows come again when more is known."""
ARROW = {
    "VARCHAR": pa.string(),
    "DATE": pa.date32(),
    "TIMESTAMP": pa.timestamp("us"),
    "BIGINT": pa.int64(),
    "DOUBLE": pa.float64(),
    "BOOLEAN": pa.bool_(),
    "DECIMAL(18,4)": pa.decimal128(18, 4),
}


def test_the_folder_holds_these_tables_and_the_truth_apart(folder: Path) -> None:
    found = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert found == {*(f"{name}.parquet" for name in SIMULATED), "truth/states.parquet", "truth/drivers.parquet", "simulation.json"}


@pytest.mark.parametrize("name", SIMULATED)
def test_columns_and_types_are_the_contracts(folder: Path, name: str) -> None:
    expected = {column.name: ARROW[column.dtype] for column in CONTRACT[name].columns}
    if name not in ("managers", "directory"):
        expected["available_at"] = pa.timestamp("us")
    schema = pq.read_schema(folder / f"{name}.parquet")
    assert dict(zip(schema.names, schema.types, strict=True)) == expected


@pytest.mark.parametrize("name", SIMULATED)
def test_values_keep_the_contract(folder: Path, name: str) -> None:
    table = pq.read_table(folder / f"{name}.parquet")
    assert table.num_rows > 0
    for column in CONTRACT[name].columns:
        values = table[column.name]
        if not column.nullable:
            assert values.null_count == 0, column.name
        if column.allowed:
            assert set(pc.unique(values).to_pylist()) <= set(column.allowed)
        if column.minimum is not None and len(values) > values.null_count:
            assert float(pc.min(values).as_py()) >= column.minimum


@pytest.mark.parametrize("name", SIMULATED)
def test_a_key_comes_again_only_with_a_later_available_at(tables: dict[str, pd.DataFrame], name: str) -> None:
    frame, key = tables[name], list(CONTRACT[name].key)
    if "available_at" in frame:
        assert not frame.duplicated([*key, "available_at"]).any()
    assert frame.duplicated(key).any() == (name in REVISED)


def test_texts_that_join_tables_meet(tables: dict[str, pd.DataFrame]) -> None:
    customers = set(tables["customers"]["customer_id"])
    assert set(tables["directory"]["customer_id"]) == customers
    for name in (name for name in tables if "customer_id" in tables[name]):
        assert set(tables[name]["customer_id"]) <= customers
    assert set(tables["customers"]["manager_id"]) <= set(tables["managers"]["manager_id"])
    assert set(tables["managers"]["lead_id"]) <= set(tables["managers"]["manager_id"])
    assert set(tables["complaints"]["repeat_of"].dropna()) <= set(tables["complaints"]["complaint_id"])


def test_managers_serve_their_own_region(tables: dict[str, pd.DataFrame]) -> None:
    both = tables["customers"].merge(tables["managers"], on="manager_id")
    assert (both["region_x"] == both["region_y"]).all()
    served = tables["customers"].groupby("manager_id")["customer_id"].nunique()
    assert len(served) >= 2
    assert 250 <= served.mean() <= 900


def test_directory_is_visibly_invented(tables: dict[str, pd.DataFrame]) -> None:
    directory = tables["directory"]
    assert directory["msisdn"].str.fullmatch(r"199\d{8}").all()
    assert directory["crm_id"].is_unique
    assert directory["name"].str.startswith("Customer").all()
