"""The rules are pandera checks: what is counted in one scan is what pandera itself finds."""

from datetime import date

import ibis
import pytest
from pandera.errors import SchemaErrors

from custvalue.sources import CONTRACT
from custvalue.sources.rules import contract_schema, rules

ROWS = {
    "customer_id": ["A", None, "", "D", "E"],
    "month": [date(2021, 1, 1), date(2021, 1, 2), date(2021, 2, 1), None, date(2021, 3, 1)],
    "voice_minutes": [1, -1, None, 0, -2],
    "off_net_share": [0.5, 1.5, None, -0.1, 1.0],
    "active_days": [31, 32, None, 0, 1],
}


@pytest.fixture(scope="module")
def usage():
    con = ibis.duckdb.connect()
    con.raw_sql(
        "CREATE TABLE usage (customer_id VARCHAR, month DATE, voice_minutes DECIMAL(18,4), off_net_share DOUBLE, active_days BIGINT)"
    )
    con.con.executemany("INSERT INTO usage VALUES (?, ?, ?, ?, ?)", [list(row) for row in zip(*ROWS.values(), strict=True)])
    return con.table("usage")


def test_each_rule_counts_its_rows(usage):
    found = {
        (r.check, r.column, r.fault): usage.agg(n=r.broken.sum()).to_pyarrow()["n"][0].as_py() or 0 for r in rules(CONTRACT["usage"], usage)
    }
    assert found == {
        ("missing", "customer_id", "value missing"): 2,
        ("missing", "month", "value missing"): 1,
        ("month", "month", "not the first day of a month"): 1,
        ("range", "voice_minutes", "value below 0"): 2,
        ("range", "off_net_share", "value below 0"): 1,
        ("range", "off_net_share", "value above 1"): 1,
        ("range", "active_days", "value below 0"): 0,
        ("range", "active_days", "value above 31"): 1,
    }


def test_pandera_itself_finds_the_same_rules_broken(usage):
    with pytest.raises(SchemaErrors) as refused:
        contract_schema("usage").validate(usage, lazy=True)
    told = {(error.schema.name, error.check.title) for error in refused.value.schema_errors}
    ours = {(r.column, r.fault) for r in rules(CONTRACT["usage"], usage) if usage.agg(n=r.broken.sum()).to_pyarrow()["n"][0].as_py()}
    assert told == ours


@pytest.mark.parametrize("name", CONTRACT)
def test_every_table_has_a_schema_of_all_its_columns(name):
    assert list(contract_schema(name).columns) == list(CONTRACT[name].by_name)
