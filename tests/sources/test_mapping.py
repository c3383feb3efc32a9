"""A mapping turns an operator's own files into contract tables, and says where it cannot."""

from datetime import date, datetime
from decimal import Decimal

import pytest

from custvalue.errors import ConfigError, DataError

PANEL = [
    {"MSISDN_KEY": "0007", "start": "20200115", "arpu_6": "30.5", "arpu_7": "-2", "min_6": "10", "min_7": "0", "gone": ""},
    {"MSISDN_KEY": "0042", "start": "20190301", "arpu_6": "8", "arpu_7": "9", "min_6": "", "min_7": "3.5", "gone": "20210715"},
]
MAPPING = {
    "inputs": {"panel": "panel.csv.gz"},
    "tables": {
        "customers": {
            "from": "panel",
            "rename": {"customer_id": "MSISDN_KEY"},
            "columns": {
                "valid_from": "strptime(start, '%Y%m%d')",
                "joined_on": "strptime(start, '%Y%m%d')",
                "region": "'N-' || left(MSISDN_KEY, 2)",
            },
        },
        "billing": {
            "from": "panel",
            "rename": {"customer_id": "MSISDN_KEY"},
            "unpivot": {"months": {"2021-06-01": "6", "2021-07-01": "7"}, "columns": {"revenue": "arpu_{}"}},
        },
        "departures": {
            "sql": "SELECT MSISDN_KEY AS customer_id, strptime(gone, '%Y%m%d') AS left_on, 'port_out' AS kind FROM panel WHERE gone <> ''"
        },
    },
}


@pytest.fixture
def panel(operator):
    """Open the panel through a mapping; ``tables`` and ``inputs`` are added to it."""

    def opened(*, tables=None, inputs=None, **settings):
        mapping = {"inputs": MAPPING["inputs"] | (inputs or {}), "tables": MAPPING["tables"] | (tables or {})}
        return operator({"panel": PANEL}, suffix=".csv.gz", mapping=mapping, **settings)

    return opened


def test_columns_are_renamed_and_computed_and_ids_keep_their_zeros(panel, rows_of):
    assert rows_of(panel(), "customers") == [
        {"customer_id": "0007", "valid_from": date(2020, 1, 15), "joined_on": date(2020, 1, 15), "region": "N-00"},
        {"customer_id": "0042", "valid_from": date(2019, 3, 1), "joined_on": date(2019, 3, 1), "region": "N-00"},
    ]


def test_wide_months_become_rows(panel, rows_of):
    assert [tuple(row.values()) for row in rows_of(panel(), "billing")] == [
        ("0007", date(2021, 6, 1), Decimal("30.5")),
        ("0007", date(2021, 7, 1), Decimal("-2")),
        ("0042", date(2021, 6, 1), Decimal(8)),
        ("0042", date(2021, 7, 1), Decimal(9)),
    ]


def test_wide_months_become_dated_rows_of_a_table_without_months(panel, rows_of):
    payments = {
        "from": "panel",
        "rename": {"customer_id": "MSISDN_KEY"},
        "unpivot": {
            "months": {"2021-06-01": "6", "2021-07-01": "7"},
            "columns": {
                "payment_id": "MSISDN_KEY || '-{}'",
                "paid_at": "{month} + INTERVAL 3 DAY",
                "amount": "arpu_{}",
                "available_at": "{month} + INTERVAL 1 MONTH",
            },
        },
        "where": "CAST(amount AS DOUBLE) > 0 AND paid_at >= DATE '2021-07-01'",
    }
    rows = rows_of(panel(tables={"payments": payments}), "payments", available_at=True)
    assert rows == [
        {
            "payment_id": "0042-7",
            "customer_id": "0042",
            "paid_at": datetime(2021, 7, 4),
            "amount": Decimal(9),
            "available_at": datetime(2021, 8, 1),
        }
    ]


def test_a_whole_select_may_give_a_table(panel, rows_of):
    assert rows_of(panel(), "departures") == [{"customer_id": "0042", "left_on": date(2021, 7, 15), "kind": "port_out"}]


def test_an_input_may_be_a_select_over_earlier_inputs(panel, rows_of):
    inputs = {
        "used": {"sql": "SELECT MSISDN_KEY AS id, CAST(nullif(min_6, '') AS DOUBLE) AS m FROM panel"},
        "minutes": {"sql": "SELECT id, coalesce(m, 0) + 1 AS m FROM used"},
    }
    usage = {"from": "minutes", "rename": {"customer_id": "id", "voice_minutes": "m"}, "columns": {"month": "DATE '2021-06-01'"}}
    assert [row["voice_minutes"] for row in rows_of(panel(tables={"usage": usage}, inputs=inputs), "usage")] == [11, 1]


def test_a_cast_gives_later_expressions_a_type(panel, rows_of):
    inputs = {"panel": {"path": "panel.csv.gz", "cast": {"arpu_6": "DECIMAL(18,4)", "arpu_7": "DOUBLE"}}}
    billing = {
        "from": "panel",
        "rename": {"customer_id": "MSISDN_KEY"},
        "columns": {"month": "DATE '2021-06-01'", "revenue": "arpu_6 + arpu_7"},
    }
    assert [row["revenue"] for row in rows_of(panel(tables={"billing": billing}, inputs=inputs), "billing")] == [Decimal("28.5"), 17]


def test_a_pattern_reads_all_its_files(operator, rows_of):
    mapping = {"inputs": MAPPING["inputs"] | {"panel": "part-*.csv"}, "tables": MAPPING["tables"]}
    tables = operator({"part-1": PANEL[:1], "part-2": PANEL[1:]}, suffix=".csv", mapping=mapping)
    assert [row["customer_id"] for row in rows_of(tables, "customers")] == ["0007", "0042"]
    assert {"part-1.csv", "part-2.csv"} <= set(tables.digests)


def test_files_of_the_same_name_in_two_folders_both_count_in_the_digests(operator, tmp_path):
    mapping = {"inputs": {"panel": "*/panel.csv"}, "tables": MAPPING["tables"]}
    for part, rows in (("a", PANEL[:1]), ("b", PANEL[1:])):
        (tmp_path / "data" / part).mkdir(parents=True)
        header = ",".join(rows[0])
        (tmp_path / "data" / part / "panel.csv").write_text(f"{header}\n{','.join(rows[0].values())}\n", encoding="utf-8")
    before = operator(mapping=mapping)
    changed = (tmp_path / "data" / "a" / "panel.csv").read_text().replace("30.5", "31.5")
    (tmp_path / "data" / "a" / "panel.csv").write_text(changed)
    assert before.rows["customers"] == 2
    assert operator(mapping=mapping).digests != before.digests


def test_an_edited_mapping_changes_the_digests(panel):
    billing = MAPPING["tables"]["billing"] | {"where": "revenue IS NOT NULL"}
    assert panel().digests != panel(tables={"billing": billing}).digests


def test_caveats_are_handed_on(operator):
    tables = operator({"panel": PANEL}, suffix=".csv.gz", mapping=MAPPING | {"caveats": ["Plans are final-state."]})
    assert tables.caveats == ("Plans are final-state.",)


def refusal(kind, exit_code, opened):
    with pytest.raises(kind) as refused:
        opened()
    assert refused.value.exit_code == exit_code
    return str(refused.value)


def test_an_absent_file_is_named_with_its_input_and_folder(panel, tmp_path):
    told = refusal(DataError, 3, lambda: panel(inputs={"calls": "raw/calls.csv"}))
    assert "mapping.yaml: input calls: no file raw/calls.csv" in told
    assert str(tmp_path / "data") in told
    assert "Put the file there, or mend `path` or `sources.folder`" in told


def test_a_path_outside_the_data_folder_is_refused(panel, tmp_path):
    told = refusal(ConfigError, 2, lambda: panel(inputs={"calls": str(tmp_path / "data" / "panel.csv.gz")}))
    assert "mapping.yaml: input calls" in told
    assert "relative" in told


def test_an_unknown_table_is_named_with_those_that_are_known(panel):
    told = refusal(ConfigError, 2, lambda: panel(tables={"bills": {"from": "panel"}}))
    assert "bills is no contract table; these are: customers, billing" in told
    assert "mapping.yaml" in told


@pytest.mark.parametrize("way", ["rename", "columns"])
def test_an_unknown_contract_column_is_named_with_those_that_are_known(panel, way):
    billing = MAPPING["tables"]["billing"] | {way: {"customer_id": "MSISDN_KEY", "revenu": "arpu_6"}}
    told = refusal(ConfigError, 2, lambda: panel(tables={"billing": billing}))
    assert "mapping.yaml: table billing has no column revenu; the contract has customer_id, month, revenue" in told


def test_a_column_that_the_raw_file_lacks_is_named(panel):
    customers = MAPPING["tables"]["customers"] | {"rename": {"customer_id": "msisdn"}}
    told = refusal(DataError, 3, lambda: panel(tables={"customers": customers}))
    assert "table customers" in told
    assert '"msisdn" not found' in told


def test_an_unknown_input_is_named(panel):
    told = refusal(DataError, 3, lambda: panel(tables={"billing": {"from": "bills", "rename": {"customer_id": "id"}}}))
    assert "table billing" in told
    assert "bills" in told


def test_a_select_that_is_no_sql_is_named_with_its_table(panel):
    told = refusal(DataError, 3, lambda: panel(tables={"departures": {"sql": "SELEKT 1"}}))
    assert "table departures: cannot be read: Parser Error" in told


def test_a_failed_cast_counts_the_values_and_shows_some(panel):
    inputs = {"panel": {"path": "panel.csv.gz", "cast": {"start": "BIGINT", "min_6": "DECIMAL(18,4)", "arpu_6": "BIGINT"}}}
    told = refusal(DataError, 3, lambda: panel(inputs=inputs))
    assert "mapping.yaml: input panel, column arpu_6: 1 value(s) are not BIGINT: '30.5'" in told
    assert "Mend the file, or convert the column in the mapping" in told


def test_a_cast_of_a_column_that_is_not_there(panel):
    told = refusal(ConfigError, 2, lambda: panel(inputs={"panel": {"path": "panel.csv.gz", "cast": {"arpu_5": "DOUBLE"}}}))
    assert "mapping.yaml: input panel: cast names arpu_5, but the columns are MSISDN_KEY, start" in told
