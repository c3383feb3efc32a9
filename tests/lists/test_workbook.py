"""The workbook, read back by openpyxl."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pytest
from openpyxl.cell import Cell
from openpyxl.worksheet.worksheet import Worksheet

from custvalue.errors import ConfigError, DataError
from custvalue.lists import check_labels
from custvalue.wording import Catalogue

Write = Callable[..., Path]
MakeRows = Callable[..., pd.DataFrame]
HEADERS = {
    "en": "#|Tier|Name|Customer|Phone|Facts behind the warning|Focus|Bill a month|Change|Risk|Chance|At stake|Worth of call|Months with us"
    "|Contract days left|Care|Call by|Outcome|Note|Order",
    "zh": "序号|等级|姓名|客户编号|号码|预警原因|关注方向|月均消费|消费变化|离网风险|离网概率|流失损失|预计净收益"
    "|在网月数|合约剩余天数|关怀提示|联系期限|联系结果|备注|工单号",
}
SHEETS = {"en": ["Today", "Columns"], "zh": ["今日名单", "列说明"]}
OUTCOMES = {
    "en": "reached,unreachable,offer accepted,refused,deferred,do-not-contact,wrong target",
    "zh": "已接通,未接通,接受优惠,拒绝优惠,稍后再联系,要求勿扰,目标有误",
}


def today(path: Path) -> Worksheet:
    return openpyxl.load_workbook(path).worksheets[0]


def column(sheet: Worksheet, header: str) -> list[Cell]:
    found = [cell.column for cell in sheet[4] if cell.value == header]
    assert len(found) == 1
    return [sheet.cell(row, found[0]) for row in range(5, sheet.max_row + 1)]


def values(sheet: Worksheet, header: str) -> list[Any]:
    return [cell.value for cell in column(sheet, header)]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_sheets_title_and_headers(make_rows: MakeRows, write: Write, language: str):
    path = write(make_rows(language), language=language)
    book = openpyxl.load_workbook(path)
    assert book.sheetnames == SHEETS[language]
    sheet = book.worksheets[0]
    assert "|".join(cell.value for cell in sheet[4]) == HEADERS[language]
    assert sheet["A1"].value == {"en": "Calls for 2026-01-01 · M-014", "zh": "2026-01-01 客户保有名单 · M-014"}[language]
    summary = {
        "en": "3 customers · ¥3,720 at stake · the calls are expected to earn ¥103",
        "zh": "共3位客户 · 流失损失合计3,720元 · 预计净收益合计103元",
    }
    assert sheet["A2"].value == summary[language]  # 1240 * 3 and 96.4 + 3.14 + 3.14


def test_values_types_and_order(make_rows: MakeRows, write: Write):
    sheet = today(write(make_rows()))
    assert values(sheet, "#") == [1, 2, 3]
    assert values(sheet, "Tier") == ["diamond", "5A", "unrated"]
    assert values(sheet, "Bill a month") == [117.25, 7.5, 7.5]
    assert values(sheet, "Change") == [-0.41, 0.31, None]
    assert values(sheet, "Risk") == ["high", "medium", "low"]
    assert values(sheet, "Chance") == [0.34, 0.13, 0.02]
    assert values(sheet, "At stake") == [1240.0] * 3
    assert values(sheet, "Worth of call") == [96.4, 3.14, 3.14]
    assert values(sheet, "Months with us") == [40] * 3
    assert values(sheet, "Contract days left") == [18, None, None]
    assert values(sheet, "Care") == ["complaint open", "with care", None]
    assert values(sheet, "Call by") == [datetime(2026, 1, 2)] * 3
    assert values(sheet, "Outcome") == [None] * 3
    assert values(sheet, "Note") == [None] * 3
    assert values(sheet, "Order") == [f"20260101-C-00000000{end}" for end in ("aa", "bb", "cc")]


@pytest.mark.parametrize(("language", "header"), [("en", "Facts behind the warning"), ("zh", "预警原因")])
def test_reasons_stand_one_a_line_and_wrap(make_rows: MakeRows, write: Write, language: str, header: str):
    rows = make_rows(language)
    cells = column(today(write(rows, language=language)), header)
    lines = [str(cell.value).split("\n") for cell in cells]
    assert lines[0] == [f"• {reason}" for reason in rows["reasons"][1]]
    assert [len(each) for each in lines] == [3, 1, 1]
    assert all(cell.alignment.wrap_text for cell in cells)


def test_ids_and_numbers_stay_text(make_rows: MakeRows, write: Write):
    sheet = today(write(make_rows()))
    customers = column(sheet, "Customer")
    assert [cell.value for cell in customers] == ["00012345678901", "13812341234", "@SUM(1)"]
    for cell in customers + column(sheet, "Phone") + column(sheet, "Order"):
        assert cell.data_type == "s"
        assert cell.number_format == "@"


def test_nothing_is_a_formula_or_a_link(make_rows: MakeRows, write: Write):
    path = write(make_rows(customer="https://example.com", name="@SUM(A1)", number="+1-2"), manager="=HYPERLINK(1)")
    book = openpyxl.load_workbook(path)
    cells = [cell for sheet in book.worksheets for row in sheet.iter_rows() for cell in row]
    assert not [cell.coordinate for cell in cells if cell.data_type == "f" or cell.hyperlink]
    assert values(book.worksheets[0], "Name") == ["@SUM(A1)", "=cmd|' /C calc'!A0", "-2+3"]
    assert book.worksheets[0]["A1"].value == "Calls for 2026-01-01 · =HYPERLINK(1)"
    with zipfile.ZipFile(path) as parts:
        assert not [name for name in parts.namelist() if b"<f>" in parts.read(name)]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_outcomes_are_chosen_from_a_list(make_rows: MakeRows, write: Write, language: str):
    sheet = today(write(make_rows(language), language=language))
    (validation,) = sheet.data_validations.dataValidation
    assert validation.type == "list"
    assert validation.formula1 == f'"{OUTCOMES[language]}"'
    outcome = HEADERS[language].split("|").index({"en": "Outcome", "zh": "联系结果"}[language]) + 1
    letter = openpyxl.utils.get_column_letter(outcome)
    assert str(validation.sqref) == f"{letter}5:{letter}7"
    (done,) = sheet.conditional_formatting
    assert done.rules[0].formula == [f'${letter}5<>""']


def test_it_is_ready_for_screen_and_paper(make_rows: MakeRows, write: Write):
    sheet = today(write(make_rows()))
    assert sheet.freeze_panes == "E5"
    assert sheet.auto_filter.ref == "A4:T7"
    assert (sheet.page_setup.orientation, sheet.page_setup.paperSize) == ("landscape", 9)
    assert (sheet.page_setup.fitToWidth or 1, sheet.page_setup.fitToHeight) == (1, 0)  # a width of 1 is the format's default
    assert sheet.sheet_properties.pageSetUpPr.fitToPage
    assert sheet.print_title_rows == "$3:$4"
    assert sheet.print_area == "'Today'!$A$1:$S$7"
    assert "&P" in sheet.oddFooter.center.text
    assert "Calls for 2026-01-01" in sheet.oddFooter.left.text


def test_columns_are_wide_enough(make_rows: MakeRows, write: Write):
    sheet = today(write(make_rows()))
    for header in ("Customer", "Phone", "Order", "Call by", "Bill a month", "At stake"):
        cells = column(sheet, header)
        width = sheet.column_dimensions[cells[0].column_letter].width
        longest = max(len(str(cell.value.date() if isinstance(cell.value, datetime) else cell.value)) for cell in cells)
        assert width >= longest, header


@pytest.mark.parametrize(
    ("language", "currency", "large", "small"),
    [
        ("en", "CNY", '"¥"#,##0;-"¥"#,##0', '"¥"0.00;-"¥"0.00'),
        ("zh", "CNY", '#,##0"元";-#,##0"元"', '0.00"元";-0.00"元"'),
        ("en", "INR", '"₹"#,##0;-"₹"#,##0', '"₹"0.00;-"₹"0.00'),
        ("en", "KRW", '#,##0" KRW";-#,##0" KRW"', '0.00" KRW";-0.00" KRW"'),
    ],
)
def test_money_is_shown_in_its_currency(make_rows: MakeRows, write: Write, language: str, currency: str, large: str, small: str):
    sheet = today(write(make_rows(language), language=language, currency=currency))
    formats = [cell.number_format for cell in column(sheet, {"en": "Bill a month", "zh": "月均消费"}[language])]
    assert formats == [large, small, small]


def test_a_column_without_values_is_hidden_in_its_place(make_rows: MakeRows, write: Write):
    empty = {"name": "", "number": None, "days_to_expiry": float("nan"), "risk_kind": None, "open_complaint": None, "care_priority": False}
    rows = make_rows().assign(**empty)
    sheet = today(write(rows))
    hidden = [cell.value for cell in sheet[4] if sheet.column_dimensions[cell.column_letter].hidden]
    assert hidden == ["Name", "Phone", "Focus", "Contract days left", "Care"]
    assert "|".join(cell.value for cell in sheet[4]) == HEADERS["en"]


@pytest.mark.parametrize(("language", "header"), [("en", "Focus"), ("zh", "关注方向")])
def test_what_threatens_most_is_told_and_non_payment_only_as_care(make_rows: MakeRows, write: Write, language: str, header: str):
    path = write(make_rows(language), language=language)
    words = {"en": ["leaving", "billing care", "spending down"], "zh": ["离网", "账单关怀", "消费下滑"]}
    assert values(today(path), header) == words[language]
    with zipfile.ZipFile(path) as parts:
        written = " ".join(parts.read(name).decode(errors="ignore") for name in parts.namelist()).lower()
    assert words[language][2] in written  # what is written can be found so
    assert not [word for word in ("non_payment", "non-payment", "debt", "arrears", "欠费", "不缴费") if word in written]


@pytest.mark.parametrize(("language", "told"), [("en", "No customers to call today."), ("zh", "今日无需联系的客户。")])
def test_an_empty_list_says_so(make_rows: MakeRows, write: Write, language: str, told: str):
    book = openpyxl.load_workbook(write(make_rows().head(0), language=language))
    assert book.sheetnames == SHEETS[language]
    assert [cell.value for row in book.worksheets[0].iter_rows() for cell in row if cell.value][1:] == [told]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_second_sheet_explains_every_column(make_rows: MakeRows, write: Write, language: str):
    sheet = openpyxl.load_workbook(write(make_rows(language), language=language)).worksheets[1]
    explained = {row[0]: row[1] for row in sheet.iter_rows(min_row=3, values_only=True)}
    assert list(explained) == HEADERS[language].split("|")
    assert all(text and "\n" not in text for text in explained.values())


def test_the_same_rows_give_the_same_bytes(make_rows: MakeRows, write: Write):
    first = write(make_rows()).read_bytes()
    assert write(make_rows().iloc[::-1]).read_bytes() == first
    assert write(make_rows(), as_of=date(2026, 1, 2)).read_bytes() != first


def test_the_file_is_dated_by_the_night(make_rows: MakeRows, write: Write):
    assert openpyxl.load_workbook(write(make_rows())).properties.created == datetime(2026, 1, 1)


def test_nothing_is_left_behind_or_overwritten_by_a_fault(make_rows: MakeRows, write: Write, tmp_path: Path):
    before = write(make_rows()).read_bytes()
    with pytest.raises(DataError, match=r"needs the column\(s\) net_value; it was given order_id"):
        write(make_rows().drop(columns="net_value"))
    with pytest.raises(DataError, match=r"2 order id\(s\) stand more than once"):
        write(make_rows().assign(order_id="same"))
    with pytest.raises(ConfigError, match="language 'fr'"):
        write(make_rows(), language="fr")
    assert [path.name for path in tmp_path.iterdir()] == ["M-014.xlsx"]
    assert (tmp_path / "M-014.xlsx").read_bytes() == before


def test_a_missing_label_is_told_before_the_run(catalogue: Catalogue):
    check_labels(catalogue)
    columns = {key: label for key, label in catalogue.labels["columns"].items() if key != "due_by"}
    with pytest.raises(ConfigError, match=r"no entry 'columns\.due_by'"):
        check_labels(catalogue.model_copy(update={"labels": {**catalogue.labels, "columns": columns}}))
