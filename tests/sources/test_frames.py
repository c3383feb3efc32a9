"""Tables handed over from memory are typed, checked and cut as files are."""

from datetime import UTC, date, datetime

import duckdb
import pandas as pd
import pyarrow as pa
import pytest

from custvalue.config import load_config
from custvalue.errors import ConfigError, DataError
from custvalue.sources.frames import open_frames

CUSTOMERS = pd.DataFrame({"customer_id": ["A", "B"], "valid_from": date(2024, 1, 1), "joined_on": date(2024, 1, 1)})
BILLING = pd.DataFrame({"customer_id": ["A", "B"], "month": pd.to_datetime(["2024-05-01", "2024-05-01"]), "revenue": [10.0, 0.1]})
DEPARTURES = pd.DataFrame({"customer_id": ["B"], "left_on": [date(2024, 6, 3)], "kind": ["voluntary"]})
TABLES = {"customers": CUSTOMERS, "billing": BILLING, "departures": DEPARTURES}


@pytest.fixture
def config(tmp_path):
    sources = "{folder: ., mapping: unused.yaml, delay_days: {billing: 3}}"
    (tmp_path / "operator.yaml").write_text(f"{{sources: {sources}, time_zone: Asia/Shanghai, tier_policy: t, retention_policy: r}}")
    return load_config(tmp_path / "operator.yaml")


def bills(tables, as_of=date(2024, 7, 1)):
    rows = tables.known(as_of)["billing"].order_by("customer_id").to_pyarrow().to_pylist()
    return [(row["customer_id"], row["month"], float(row["revenue"])) for row in rows]


EXPECTED = [("A", date(2024, 5, 1), 10.0), ("B", date(2024, 5, 1), 0.1)]


@pytest.mark.parametrize(
    "billing",
    [
        BILLING,
        BILLING.set_index(["customer_id", "month"]),
        BILLING.assign(month=pd.PeriodIndex(["2024-05", "2024-05"], freq="M")),
        BILLING.assign(customer_id=pd.Categorical(["A", "B"])),
        BILLING.assign(month=["2024-05-01", "2024-05-01"], revenue=["10", "0.1"]),
        pa.Table.from_pandas(BILLING),
        pa.Table.from_pandas(BILLING).to_reader(),
    ],
    ids=["pandas", "index", "periods", "categories", "texts", "Arrow", "stream"],
)
def test_every_kind_of_table_becomes_the_contracts(config, billing):
    assert bills(open_frames(TABLES | {"billing": billing}, config)) == EXPECTED


def test_a_relation_of_an_engine_is_read_through_arrow(config):
    relation = duckdb.sql("SELECT 'A' AS customer_id, DATE '2024-05-01' AS month, 10.0 AS revenue")
    assert bills(open_frames(TABLES | {"billing": relation}, config)) == EXPECTED[:1]


def test_rows_are_known_as_the_config_says(config):
    """A bill of May is known three days into June, from midnight in Shanghai."""
    tables = open_frames(TABLES, config)
    assert bills(tables, date(2024, 6, 3)) == []
    assert bills(tables, date(2024, 6, 4)) == EXPECTED


def test_a_time_with_a_zone_is_read_as_that_moment(config):
    known = [datetime(2024, 6, 20, 15, tzinfo=UTC), datetime(2024, 6, 20, 17, tzinfo=UTC)]  # 23:00 and 01:00 in Shanghai
    tables = open_frames(TABLES | {"billing": BILLING.assign(available_at=known)}, config)
    assert [who for who, _, _ in bills(tables, date(2024, 6, 21))] == ["A"]
    assert [who for who, _, _ in bills(tables, date(2024, 6, 22))] == ["A", "B"]


def test_a_value_that_is_not_what_the_contract_says_is_refused(config):
    with pytest.raises(DataError, match="billing"):
        open_frames(TABLES | {"billing": BILLING.assign(revenue=["ten", "0.1"])}, config)


def test_other_things_are_refused_with_the_names_of_what_is_taken(config):
    with pytest.raises(ConfigError, match="table billing must be a pandas, Arrow or Ibis table; it is Series"):
        open_frames(TABLES | {"billing": BILLING.revenue}, config)
    with pytest.raises(ConfigError, match=r"'customer' is no contract table. Did you mean 'customers'\?"):
        open_frames({"customer": CUSTOMERS}, config)


def test_frames_have_digests_like_files(config):
    same, again = open_frames(TABLES, config).digests, open_frames(TABLES, config).digests
    other = open_frames(TABLES | {"billing": BILLING.assign(revenue=[10.0, 0.2])}, config).digests
    assert set(same) == {f"{name}.parquet" for name in TABLES}
    assert same == again
    assert [name for name in same if same[name] != other[name]] == ["billing.parquet"]
