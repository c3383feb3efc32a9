"""Features computed part by part are those computed at once, wherever a customer's part ends, and leave nothing behind."""

from datetime import date
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from custvalue.config import FeaturesConfig, load_config, ready_configs
from custvalue.engines import within_memory
from custvalue.errors import TryAgainError
from custvalue.features import build_features, compute_features
from custvalue.simulate import simulate
from custvalue.sources import open_tables

DAY = date(2025, 6, 10)
SETTINGS = FeaturesConfig(windows=(1, 3), products=("TV",))


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("operator")
    simulate(folder, customers=400, months=18, seed=3, start=date(2024, 1, 1))
    return folder


def opened(folder, **sources):
    config = load_config(ready_configs() / "demo.yaml")
    return open_tables(
        config.model_copy(update={"sources": config.sources.model_copy(update={"folder": folder} | sources), "workspace": folder})
    )


@pytest.fixture(scope="module")
def tables(folder):
    return opened(folder)


def computed(tables, **options):
    return compute_features(
        tables.con, tables.known(DAY), tables.moment(DAY), SETTINGS, delay_days=tables.delay_days, revised=tables.revised, **options
    )


@pytest.fixture(scope="module")
def at_once(tables):
    built = build_features(tables.known(DAY), tables.moment(DAY), SETTINGS, delay_days=tables.delay_days)
    return built, built.table.to_pandas().set_index("customer_id").sort_index()


@pytest.mark.parametrize("size", [None, 1_000, 97])
def test_parts_of_any_size_give_what_one_statement_gives(tables, at_once, size):
    built, wanted = at_once
    found = computed(tables, at_once=size)
    assert (found.columns, found.spec_hash) == (built.columns, built.spec_hash)
    pd.testing.assert_frame_equal(found.table.to_pandas().set_index("customer_id").sort_index(), wanted)


def test_parts_may_be_files(tables, at_once, tmp_path):
    found = computed(tables, at_once=150, into=tmp_path / "features")
    assert len(list((tmp_path / "features").glob("part-*.parquet"))) == -(-len(at_once[1]) // 150) > 1
    pd.testing.assert_frame_equal(found.table.to_pandas().set_index("customer_id").sort_index(), at_once[1])


def test_another_day_replaces_the_features_and_nothing_else_stays(tables):
    first = computed(tables).table.count().execute()
    earlier = compute_features(tables.con, tables.known(date(2024, 9, 1)), tables.moment(date(2024, 9, 1)), SETTINGS)
    assert earlier.table.count().execute() != first
    left = [name for (name,) in tables.con.raw_sql("SELECT table_name FROM duckdb_tables() WHERE temporary").fetchall()]
    assert left == ["features"]


def test_nobody_in_service_gives_an_empty_table(tables):
    moment = tables.moment(date(2023, 1, 1))
    assert compute_features(tables.con, tables.known(date(2023, 1, 1)), moment, SETTINGS).table.count().execute() == 0


def test_too_little_memory_is_told_with_the_limit_the_step_and_what_to_do(folder, tmp_path):
    tables = opened(folder, memory_limit="200MB")
    tables.con.raw_sql(f"SET temp_directory = '{tmp_path}'")
    tables.con.raw_sql("SET max_temp_directory_size = '1MB'")
    tables.con.raw_sql("SET memory_limit = '40MB'")
    told = r"features: memory of 38\.1 MiB .*do not suffice.*Raise `sources\.memory_limit`, free disk"
    with pytest.raises(TryAgainError, match=told) as refused, within_memory(tables.con, "features"):
        computed(tables)
    assert refused.value.exit_code == 75
    tables.con.raw_sql("SET memory_limit = '2GB'")
    assert computed(tables).table.count().execute() > 300


def test_other_errors_pass_as_they_are(tables):
    with pytest.raises(duckdb.CatalogException), within_memory(tables.con, "features"):
        tables.con.raw_sql("SELECT * FROM absent")


def test_too_little_memory_to_check_is_told_too(folder):
    with pytest.raises(TryAgainError, match=r"check: memory of 976\.5 KiB .*Raise `sources\.memory_limit`"):
        opened(folder, memory_limit="1MB")
