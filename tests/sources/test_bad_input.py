"""Bad tables stop a run with exit code 3, and the message says where, what, how many, an example and the way out."""

from datetime import date, datetime

import pytest

from custvalue.errors import DataError


@pytest.fixture
def refusal(operator):
    """Open tables that cannot be opened, and give the message."""

    def told(*args, **settings):
        with pytest.raises(DataError) as refused:
            operator(*args, **settings)
        assert refused.value.exit_code == 3
        return str(refused.value)

    return told


def test_a_required_table_is_missing(refusal, good, tmp_path):
    del good["departures"]
    told = refusal(good)
    assert "required table(s) missing: departures. Found billing, customers, usage" in told
    assert str(tmp_path / "data") in told
    assert "Add the file(s) or map them with `sources.mapping`" in told


def test_every_required_table_is_missing(refusal):
    assert "required table(s) missing: customers, billing, departures. Found none" in refusal()


def test_the_folder_is_missing(refusal, tmp_path):
    told = refusal(sources={"folder": "nowhere"})
    assert f"data folder {tmp_path / 'nowhere'} does not exist. Check `sources.folder`" in told


def test_required_columns_are_missing(refusal, good):
    good["billing"] = [{"customer_id": row["customer_id"], "amount": 1.0} for row in good["billing"]]
    assert "table billing: required column(s) missing: month, revenue. It has customer_id, amount." in refusal(good)


@pytest.mark.parametrize("suffix", [".parquet", ".csv"])
def test_texts_where_numbers_should_be(refusal, good, suffix):
    bad = ["n/a", "12,5", "x", "¥3"]
    good["billing"] = [row | {"revenue": bad[i] if i < 4 else "29.5"} for i, row in enumerate(good["billing"])]
    told = refusal(good, suffix=suffix)
    assert "table billing, column revenue: 4 value(s) are not DECIMAL(18,4): '12,5', 'n/a', 'x', …" not in told
    assert "table billing, column revenue: 4 value(s) are not DECIMAL(18,4): '12,5', 'n/a', 'x'" in told
    assert "Mend the file, or convert the column in the mapping" in told


def test_counts_that_are_not_whole(refusal, good):
    good["usage"][0]["sms_count"] = 4.5
    good["usage"] = [row | {"sms_count": float(row["sms_count"])} for row in good["usage"]]
    assert "table usage, column sms_count: 1 value(s) are not BIGINT: 4.5" in refusal(good)


def test_whole_counts_stored_as_doubles_are_fine(operator, good, rows_of):
    good["usage"] = [row | {"sms_count": float(row["sms_count"])} for row in good["usage"]]
    assert rows_of(operator(good), "usage")[0]["sms_count"] == 4


def test_dates_that_are_none(refusal, good):
    good["customers"][0]["joined_on"] = "13/02/2021"
    good["customers"][1]["joined_on"] = "2021-02-30"
    good["customers"][2]["joined_on"] = "2021-02-03"
    told = refusal(good)
    assert "table customers, column joined_on: 2 value(s) are not dates (YYYY-MM-DD): '13/02/2021', '2021-02-30'" in told


def test_times_that_are_none(refusal, good):
    good["payments"] = [{"payment_id": "P1", "customer_id": "0001234", "paid_at": "yesterday", "amount": 1}]
    assert "table payments, column paid_at: 1 value(s) are not times (YYYY-MM-DD HH:MM:SS): 'yesterday'" in refusal(good)


def test_an_available_at_that_is_no_time(refusal, good):
    good["usage"] = [row | {"available_at": "late"} for row in good["usage"]]
    assert "table usage, column available_at: 6 value(s) are not times" in refusal(good)


def test_flags_that_are_none(refusal, good):
    good["customers"][0]["marketing_consent"] = "maybe"
    assert "table customers, column marketing_consent: 1 value(s) are not BOOLEAN: 'maybe'" in refusal(good, suffix=".csv")


def test_a_key_comes_twice(refusal, good):
    good["billing"] += [good["billing"][0], good["billing"][0], good["billing"][3]]
    told = refusal(good)
    assert "the data break the contract:" in told
    assert "billing.customer_id+month: key comes twice in 5 row(s), for example 00***34, 00***78" in told
    assert "0001234" not in told
    assert "Keep one row, or give the newer one a later available_at" in told


@pytest.mark.parametrize("customer", ["7", "123", "1000", "12345"])
def test_a_short_id_is_not_told_whole_either(refusal, good, customer):
    good["billing"] = [{"customer_id": customer, "month": date(2021, 12, 1), "revenue": 1.0}] * 2
    told = refusal(good)
    shown = told.partition("for example ")[2].partition(". Keep")[0]
    assert "key comes twice in 2 row(s)" in told
    assert len([char for char in shown if char.isdigit()]) <= len(customer) / 2


def test_a_key_comes_twice_with_one_available_at(refusal, good):
    row = good["billing"][0] | {"available_at": datetime(2022, 1, 2)}
    good["billing"] = [row, row | {"revenue": 31.0}]
    assert "billing.customer_id+month: key comes twice in 2 row(s)" in refusal(good)


def test_a_table_without_versions_may_not_repeat_its_key(refusal, good):
    good["directory"] = [{"customer_id": "0001234", "name": name} for name in ("Li", "Wang")]
    told = refusal(good)
    assert "directory.customer_id: key comes twice in 2 row(s), for example 00***34" in told
    assert "Wang" not in told


@pytest.mark.parametrize(("suffix", "missing"), [(".parquet", None), (".parquet", ""), (".csv", None)])
def test_a_key_is_missing(refusal, good, suffix, missing):
    good["billing"][2]["customer_id"] = missing
    told = refusal(good, suffix=suffix)
    assert "billing.customer_id: value missing in 1 row(s)" in told
    assert "None" not in told
    assert "No***ne" not in told
    assert "Fill it, or leave the row out in the mapping" in told


def test_a_required_value_is_missing(refusal, good):
    good["billing"][2]["revenue"] = None
    assert "billing.revenue: value missing in 1 row(s), for example 00***78: nothing." in refusal(good)


def test_use_is_negative(refusal, good):
    good["usage"][1]["data_mb"] = -3.0
    good["usage"][4]["data_mb"] = -0.0001
    told = refusal(good)
    assert "usage.data_mb: value below 0 in 2 row(s), for example 00***34: -3.0000, 00***12: -0.0001. Mend the feed." in told
    assert "0001234" not in told


def test_a_bill_may_be_negative(operator, good, rows_of):
    good["billing"][0]["revenue"] = -3.0
    assert rows_of(operator(good), "billing")[0]["revenue"] == -3


def test_a_kind_of_departure_is_unknown(refusal, good):
    good["departures"] = [{"customer_id": "0001234", "left_on": date(2021, 12, 5), "kind": "bored"}]
    told = refusal(good)
    assert "departures.kind: unknown text in 1 row(s), for example 00***34: bored." in told
    assert "Map it to one of voluntary, port_out, non_payment, natural, silence" in told


def test_a_month_does_not_start_on_its_first_day(refusal, good):
    good["usage"][0]["month"] = date(2021, 11, 30)
    told = refusal(good)
    assert "usage.month: not the first day of a month in 1 row(s), for example 00***34: 2021-11-30" in told
    assert "date_trunc('month'" in told


def test_findings_of_all_tables_are_told_at_once(refusal, good):
    good["usage"][0]["data_mb"] = -1.0
    good["billing"].append(good["billing"][0])
    good["departures"] = [{"customer_id": "0001234", "left_on": date(2021, 12, 5), "kind": "bored"}]
    assert [line.split(":")[0].strip() for line in refusal(good).splitlines()[1:]] == [
        "billing.customer_id+month",
        "usage.data_mb",
        "departures.kind",
    ]


@pytest.mark.parametrize("kept", [0, 40, -60])
def test_a_corrupt_parquet_file(operator, refusal, good, tmp_path, kept):
    operator(good)
    path = tmp_path / "data" / "billing.parquet"
    path.write_bytes(path.read_bytes()[:kept])
    assert "table billing: cannot be read: " in refusal()


def test_a_parquet_file_whose_pages_are_garbage(operator, refusal, good, tmp_path):
    operator(good)
    path = tmp_path / "data" / "billing.parquet"
    content = bytearray(path.read_bytes())
    content[4:200] = b"\xff" * 196
    path.write_bytes(content)
    assert "table billing: cannot be read: " in refusal()


@pytest.mark.parametrize("suffix", [".csv", ".csv.gz"])
def test_an_empty_text_file(operator, refusal, good, tmp_path, suffix):
    operator(good, suffix=suffix)
    (tmp_path / "data" / f"billing{suffix}").write_bytes(b"")
    assert "table billing: " in refusal()


def test_a_gzip_file_that_breaks_off(operator, refusal, good, tmp_path):
    months = [date(1990 + i // 12, i % 12 + 1, 1) for i in range(360)]
    good["billing"] = [{"customer_id": "0001234", "month": month, "revenue": i / 7} for i, month in enumerate(months)]
    operator(good, suffix=".csv.gz")
    path = tmp_path / "data" / "billing.csv.gz"
    path.write_bytes(path.read_bytes()[:-400])
    assert "table billing: billing.csv.gz cannot be read: " in (told := refusal())
    assert "Copy the file again" in told


def test_a_text_file_in_another_encoding_says_so(operator, refusal, good, tmp_path):
    operator(good, suffix=".csv")
    text = "customer_id,valid_from,joined_on,region\n0001234,2021-01-01,2021-01-01,上海\n"
    (tmp_path / "data" / "customers.csv").write_bytes(text.encode("gbk"))
    told = refusal()
    assert "table customers: cannot be read: " in told
    assert "not utf-8" in told


def test_a_line_with_a_field_too_many_is_told_by_its_number_and_not_shown(operator, refusal, good, tmp_path):
    operator(good, suffix=".csv")
    lines = [f"{i:07d},2021-01-01,2021-01-01,M" for i in range(30_000)]
    lines[25_000] += ",extra"
    (tmp_path / "data" / "customers.csv").write_text("customer_id,valid_from,joined_on,plan\n" + "\n".join(lines) + "\n")
    told = refusal()
    assert "Line: 25002" in told
    assert "Expected Number of Columns: 4 Found: 5" in told
    assert "0025000" not in told


def test_a_table_whose_ids_are_written_in_another_way_is_refused(operator, good):
    strangers = [{"customer_id": f"{n}.0", "month": date(2021, 12, 1), "data_mb": 1.0} for n in range(100)]
    with pytest.raises(DataError, match=r"usage.customer_id: none of 100 row\(s\) is in customers, for example .*\*\*\*"):
        operator(good | {"usage": strangers})


def test_rows_of_unknown_customers_are_counted_and_told(operator, good):
    told = []
    rows = [*good["usage"], {"customer_id": "nobody", "month": date(2021, 12, 1), "data_mb": 1.0, "sms_count": 1}]
    operator(good | {"usage": rows}, log=told.append)
    (line,) = [line for line in told if "usage.customer_id" in line]
    assert line == "repair: usage.customer_id: customer is not in customers in 1 row(s), for example no***dy. They are left out."
