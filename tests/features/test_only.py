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
