"""Some features asked for by name are what they are among all of them, and nothing else is written."""

from datetime import date

import pytest

from custvalue import open_tables
from custvalue.config import FeaturesConfig
from custvalue.features import build_features
from custvalue.simulate import simulate

AS_OF = date(2025, 1, 1)
PLAIN = ("revenue_mean_3m", "complaint_open", "segment", "household_lines")
COMBINED = ("tenure_months", "revenue_per_gb_3m", "lifecycle_stage")


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    folder = tmp_path_factory.mktemp("operator")
    simulate(folder, customers=300, months=6, seed=7, start=date(2024, 7, 1))
    return open_tables(folder, {"time_zone": "Asia/Shanghai"})


@pytest.mark.parametrize(
    "names", [PLAIN, COMBINED, (), ("no_such_feature", "revenue_mean_1m")], ids=["plain", "combined", "none", "unknown"]
)
def test_named_features_are_those_among_all(tables, names):
    settings, known, moment = FeaturesConfig(windows=(1, 3)), tables.known(AS_OF), tables.moment(AS_OF)
    everything = build_features(known, moment, settings)
    some = build_features(known, moment, settings, only=names)
    wanted = [name for name in everything.table.columns if name == "customer_id" or name in names]
    assert list(some.table.columns) == wanted
    assert [column.name for column in some.columns] == wanted[1:]
    expected = everything.table.select(wanted).order_by("customer_id").to_pyarrow()
    assert some.table.order_by("customer_id").to_pyarrow().equals(expected)
    assert expected.num_rows > 0


def test_a_feature_made_of_others_brings_their_blocks_alone(tables):
    known, moment = tables.known(AS_OF), tables.moment(AS_OF)
    price = build_features(known, moment, FeaturesConfig(windows=(1, 3)), only=["revenue_per_gb_3m"])
    written = str(tables.con.compile(price.table))
    assert '"usage"' in written
    assert not [name for name in ("complaints", "payments", "daily", "contracts") if f'"{name}"' in written]
    stage = str(tables.con.compile(build_features(known, moment, FeaturesConfig(windows=(1, 3)), only=["lifecycle_stage"]).table))
    assert '"contracts"' in stage


def test_columns_tell_which_tables_they_read_and_no_other_table_moves_them(tables):
    settings, known, moment = FeaturesConfig(windows=(1, 3)), tables.known(AS_OF), tables.moment(AS_OF)
    whole = build_features(known, moment, settings)
    assert whole.reads.keys() == {column.name for column in whole.columns}
    assert whole.reads["revenue_per_gb_3m"] == {"billing", "usage"}
    expected = whole.table.order_by("customer_id").to_pandas()
    for table in ("complaints", "usage"):
        emptied = build_features(known | {table: known[table].limit(0)}, moment, settings).table.order_by("customer_id").to_pandas()
        moved = {name for name in whole.reads if not emptied[name].equals(expected[name])}
        assert moved
        assert moved <= {name for name, read in whole.reads.items() if table in read}
