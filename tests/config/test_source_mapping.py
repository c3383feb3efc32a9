"""A mapping says one way for each input and table; anything else is refused with the place."""

import pytest
import yaml

from custvalue.config import load_mapping
from custvalue.errors import ConfigError


@pytest.fixture
def mapping_file(tmp_path):
    def write(inputs, tables):
        path = tmp_path / "mapping.yaml"
        path.write_text(yaml.safe_dump({"inputs": inputs, "tables": tables}, sort_keys=False), encoding="utf-8")
        return path

    return write


def test_an_input_may_be_a_bare_path(mapping_file):
    mapping = load_mapping(mapping_file({"panel": "panel.csv.gz"}, {"billing": {"from": "panel"}}))
    assert mapping.inputs["panel"].path == "panel.csv.gz"
    assert mapping.tables["billing"].from_ == "panel"


ONE_PLACE = "give one of `path`, `sql`, or `backend` with `table`"


@pytest.mark.parametrize(
    "source",
    [{}, {"path": "a.csv", "sql": "SELECT 1"}, {"backend": "sqlite:///a.db"}, {"table": "a"}, {"path": "a.csv", "table": "a"}],
)
def test_an_input_that_is_nowhere_or_in_two_places(mapping_file, source):
    with pytest.raises(ConfigError, match=r"inputs\.panel: give one of") as refused:
        load_mapping(mapping_file({"panel": source}, {}))
    assert ONE_PLACE in str(refused.value)


@pytest.mark.parametrize(
    ("table", "told"),
    [
        ({}, "tables.billing: give either `sql`, or `from`"),
        ({"from": "a", "sql": "SELECT 1"}, "tables.billing: give either `sql`, or `from`"),
        ({"sql": "SELECT 1", "rename": {"a": "b"}}, "tables.billing: `sql` stands alone"),
        ({"sql": "SELECT 1", "where": "a > 1"}, "tables.billing: `sql` stands alone"),
        ({"from": "a", "renames": {}}, "tables.billing.renames: "),
        ({"from": "a", "unpivot": {"months": {"2020-01-01": "1"}}}, "tables.billing.unpivot.columns: Field required"),
    ],
)
def test_a_table_that_is_made_in_no_way_or_in_two(mapping_file, table, told):
    with pytest.raises(ConfigError) as refused:
        load_mapping(mapping_file({"a": "a.csv"}, {"billing": table}))
    assert told in str(refused.value)
    assert "mapping.yaml" in str(refused.value)


def test_months_may_be_written_as_plain_yaml(tmp_path):
    path = tmp_path / "mapping.yaml"
    path.write_text("inputs: {a: a.csv}\ntables: {billing: {from: a, unpivot: {months: {2014-06-01: 6}, columns: {revenue: 'arpu_{}'}}}}\n")
    unpivot = load_mapping(path).tables["billing"].unpivot
    assert unpivot is not None
    assert unpivot.months == {"2014-06-01": "6"}
