"""Files become typed contract tables: the same from Parquet, CSV and CSV.gz, with ids as they were written."""

import hashlib
from datetime import date, datetime
from decimal import Decimal

import pyarrow as pa
import pytest

from custvalue.errors import DataError


@pytest.mark.parametrize("suffix", [".parquet", ".csv", ".csv.gz"])
def test_each_kind_of_file_gives_the_same_rows(operator, good, rows_of, suffix):
    tables = operator(good, suffix=suffix)
    assert rows_of(tables, "billing")[0] == {"customer_id": "0001234", "month": date(2021, 11, 1), "revenue": Decimal("29.5000")}
    assert rows_of(tables, "usage")[0] == {
        "customer_id": "0001234",
        "month": date(2021, 11, 1),
        "data_mb": Decimal("512.2500"),
        "sms_count": 4,
    }
    assert tables.rows == {"customers": 3, "billing": 6, "usage": 6, "departures": 0}


def test_numeric_ids_become_text(operator, good, rows_of):
    for name in ("customers", "billing", "usage"):
        good[name] = [row | {"customer_id": int(row["customer_id"])} for row in good[name]]
    assert {row["customer_id"] for row in rows_of(operator(good), "customers")} == {"1234", "5678", "9012"}


def test_an_empty_field_is_null_and_nothing_else_is(operator, good, rows_of, tmp_path):
    operator(good, suffix=".csv")
    text = "customer_id,valid_from,joined_on,plan,region\n0001234,2021-01-01,2021-01-01,,NA\n0005678,2021-01-01,2021-01-01,null,None\n"
    (tmp_path / "data" / "customers.csv").write_text(text, encoding="utf-8")
    assert [(row["plan"], row["region"]) for row in rows_of(operator(), "customers")] == [(None, "NA"), ("null", "None")]


def test_a_byte_order_mark_and_windows_line_ends_are_read_over(operator, good, rows_of, tmp_path):
    operator(good, suffix=".csv")
    path = tmp_path / "data" / "customers.csv"
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n").replace(b"\r\r\n", b"\r\n"))
    assert [row["customer_id"] for row in rows_of(operator(), "customers")] == ["0001234", "0005678", "0009012"]


def test_quotes_that_come_late_in_a_large_csv_are_still_quotes(operator, good, tmp_path):
    operator(good, suffix=".csv")
    plain = "".join(f"{i:07d},2021-01-01,2021-01-01,M\n" for i in range(60_000))
    text = "customer_id,valid_from,joined_on,plan\n" + plain + '"0070000",2021-01-01,2021-01-01,"M, ""large"""\n'
    (tmp_path / "data" / "customers.csv").write_text(text, encoding="utf-8")
    customers = operator().con.table("customers", database="contract")
    last = customers.filter(customers.customer_id.endswith("70000") | customers.customer_id.contains('"')).to_pyarrow().to_pylist()
    assert [(row["customer_id"], row["plan"]) for row in last] == [("0070000", 'M, "large"')]


def test_a_number_sign_starts_no_comment(operator, good, rows_of, tmp_path):
    operator(good, suffix=".csv")
    rows = "0001234,2021-01-01,2021-01-01,M\n#1,2021-01-01,2021-01-01,M\n0005678,2021-01-01,2021-01-01,M #4\n"
    text = "# exported on Monday\ncustomer_id,valid_from,joined_on,plan\n" + rows
    (tmp_path / "data" / "customers.csv").write_text(text, encoding="utf-8")
    customers = rows_of(operator(), "customers")
    assert [(row["customer_id"], row["plan"]) for row in customers] == [("#1", "M"), ("0001234", "M"), ("0005678", "M #4")]


def test_a_csv_with_a_header_alone_is_an_empty_table(operator, good):
    assert operator(good, suffix=".csv").rows["departures"] == 0


def test_times_with_a_zone_are_stored_as_utc(operator, good, rows_of):
    paid_at = pa.array([datetime(2021, 12, 31, 23, 30)], pa.timestamp("us")).cast(pa.timestamp("us", "America/New_York"))
    columns = {"payment_id": ["P1"], "customer_id": ["0001234"], "paid_at": paid_at, "amount": [5.0]}
    tables = operator(good | {"payments": pa.table(columns)})
    assert rows_of(tables, "payments")[0]["paid_at"] == datetime(2021, 12, 31, 23, 30)


def test_columns_outside_the_contract_are_left_out(operator, good, rows_of):
    good["customers"] = [row | {"shoe_size": 43} for row in good["customers"]]
    assert set(rows_of(operator(good), "customers")[0]) == {"customer_id", "valid_from", "segment", "joined_on"}


def test_absent_optional_tables_are_logged_in_one_line(operator, good):
    lines = []
    del good["usage"]
    operator(good, log=lines.append)
    switched_off = [line for line in lines if "switched off" in line]
    assert len(switched_off) == 1
    assert "usage" in switched_off[0]
    assert "billing" not in switched_off[0]


def test_columns_that_are_not_mapped_are_logged_in_one_line(operator, good):
    lines = []
    operator(good, log=lines.append)
    (line,) = [line for line in lines if line.startswith("columns not mapped")]
    assert "customers (account_id, household_id, region," in line
    assert "usage (voice_minutes, roaming_days, active_days, distinct_peers, off_net_share)" in line
    assert "departures" not in line


def test_digests_are_those_of_the_files(operator, good, tmp_path):
    tables = operator(good)
    for path in (tmp_path / "data").iterdir():
        assert tables.digests[path.name] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert len(tables.digests) == 4


def test_a_folder_name_with_wildcards_is_a_plain_name(operator, good):
    assert operator(good, folder="data[2021]*").rows["billing"] == 6


def test_restricted_tables_are_out_of_reach_of_the_model(operator, good):
    good["directory"] = [{"customer_id": "0001234", "crm_id": "A-1", "name": "Li Wei", "msisdn": "13800001234"}]
    tables = operator(good)
    assert "directory" not in tables.known(date(2022, 1, 1))
    assert tables.restricted("directory").count().to_pyarrow().as_py() == 1
    assert operator({k: v for k, v in good.items() if k != "directory"}, folder="other").restricted("directory") is None


def test_a_table_without_any_row_opens(operator, good):
    good["billing"] = pa.table(
        {"customer_id": pa.array([], pa.string()), "month": pa.array([], pa.date32()), "revenue": pa.array([], pa.float64())}
    )
    assert operator(good).rows["billing"] == 0


def test_two_files_for_one_table_are_refused(operator, good):
    operator(good)
    with pytest.raises(DataError) as refused:
        operator({"billing": good["billing"]}, suffix=".csv")
    assert "table billing: found billing.parquet, billing.csv" in str(refused.value)
    assert "Keep one of them" in str(refused.value)
    assert refused.value.exit_code == 3
