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
from custvalue.lists import Edition, check_labels, safe_name, write_formats
from custvalue.lists.layout import KEYS
from custvalue.wording import Catalogue

HEADER, FIRST = 6, 7
"""Rows of the headers and of the first customer, counted from one."""
Write = Callable[..., Path]
MakeRows = Callable[..., pd.DataFrame]
HEADERS = {
    "en": "#|Tier|Name|Customer|Phone|Lines|Signal|Facts behind the warning|Care|Offer|What to say|Bill a month|Risk|Worth of call|Call by"
    "|Outcome|Reason|Called on|Note|Change|Chance|At stake|Focus|Months with us|Contract days left|Last contact|On the list|Consent|Order",
    "zh": "序号|等级|姓名|客户编号|号码|号码数|预警信号|预警原因|关怀提示|推荐方案|沟通要点|月均消费|离网风险|预计净收益|联系期限"
    "|联系结果|结果原因|联系日期|备注|消费变化|离网概率|流失损失|关注方向|在网月数|合约剩余天数|上次联系|入单情况|营销授权|工单号",
}
SHEETS = {"en": ["Today", "Columns"], "zh": ["今日名单", "列说明"]}
OUTCOMES = {
    "en": "reached,unreachable,offer accepted,refused,deferred,do-not-contact,wrong target",
    "zh": "已接通,未接通,接受优惠,拒绝优惠,稍后再联系,要求勿扰,目标有误",
}
REASONS = {
    "en": "price,network quality,service,competitor's offer,moving away,no need,other,settled without an offer,wrong person"
    ",has left already",
    "zh": "价格因素,网络质量,服务问题,竞争对手优惠,搬迁,无此需求,其他,已解决无需优惠,非本人,已离网",
}


def today(path: Path) -> Worksheet:
    return openpyxl.load_workbook(path).worksheets[0]


def column(sheet: Worksheet, header: str) -> list[Cell]:
    found = [cell.column for cell in sheet[HEADER] if cell.value == header]
    assert len(found) == 1
    return [sheet.cell(row, found[0]) for row in range(HEADER + 1, sheet.max_row + 1)]


def values(sheet: Worksheet, header: str) -> list[Any]:
    return [cell.value for cell in column(sheet, header)]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_sheets_title_and_headers(make_rows: MakeRows, write: Write, language: str):
    path = write(make_rows(language), language=language)
    book = openpyxl.load_workbook(path)
    assert book.sheetnames == SHEETS[language]
    sheet = book.worksheets[0]
    assert "|".join(cell.value for cell in sheet[HEADER]) == HEADERS[language]
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
    assert values(sheet, "Last contact") == ["2025-11-03 · refused", None, None]
    assert values(sheet, "On the list") == ["new", "since 2025-12-28", "since 2025-12-28"]
    assert values(sheet, "Consent") == ["given"] * 3
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
def test_what_happened_is_chosen_from_lists(make_rows: MakeRows, write: Write, language: str):
    sheet = today(write(make_rows(language), language=language))
    rules = {str(rule.sqref): rule for rule in sheet.data_validations.dataValidation}
    headers = {"en": ("Outcome", "Reason", "Called on"), "zh": ("联系结果", "结果原因", "联系日期")}[language]
    letters = [openpyxl.utils.get_column_letter(HEADERS[language].split("|").index(header) + 1) for header in headers]
    outcome, reason, day = (rules.pop(f"{letter}7:{letter}9") for letter in letters)
    assert not rules
    assert (outcome.type, outcome.formula1) == ("list", f'"{OUTCOMES[language]}"')
    assert (reason.type, reason.formula1) == ("list", f'"{REASONS[language]}"')
    assert (day.type, day.formula1) == ("date", "46023")  # 2026-01-01: no call before the list's day
    (done,) = sheet.conditional_formatting
    assert done.rules[0].formula == [f'${letters[0]}7<>""']


def test_it_is_ready_for_screen_and_paper(make_rows: MakeRows, write: Write):
    sheet = today(write(make_rows()))
    assert sheet.freeze_panes == "E7"
    assert sheet.auto_filter.ref == "A6:AC9"
    assert (sheet.page_setup.orientation, sheet.page_setup.paperSize) == ("landscape", 9)
    assert (sheet.page_setup.fitToWidth or 1, sheet.page_setup.fitToHeight) == (1, 0)  # a width of 1 is the format's default
    assert sheet.sheet_properties.pageSetUpPr.fitToPage
    assert sheet.print_title_rows == "$4:$6"
    assert sheet.print_area == "'Today'!$A$1:$S$9"
    assert "&P" in sheet.oddFooter.center.text
    assert "Calls for 2026-01-01" in sheet.oddFooter.left.text


def test_paper_is_not_much_wider_than_a_page_of_small_print(make_rows: MakeRows, write: Write):
    sheet = today(write(make_rows(trigger_words="complaint made again", urgency="red", lines=12).assign(name="王**")))
    printed = openpyxl.utils.column_index_from_string("S")
    spans = [span for span in sheet.column_dimensions.values() if not span.hidden]
    widths = [span.width for span in spans for place in range(span.min, span.max + 1) if place <= printed]
    # a lying A4 page is as wide as about 150 digits of eleven points; at 57 % text is as large as small print
    assert sum(widths) <= 270


def test_columns_are_found_again_when_they_were_moved(make_rows: MakeRows, write: Write):
    sheet = today(write(make_rows("zh"), language="zh"))
    assert sheet.row_dimensions[HEADER - 1].hidden
    assert [cell.value for cell in sheet[HEADER - 1]] == list(KEYS)
    assert {"order", "outcome", "close_reason", "contacted_on", "note"} <= set(KEYS)


def test_a_workbook_says_of_which_night_and_manager_it_is(make_rows: MakeRows, write: Write):
    book = openpyxl.load_workbook(write(make_rows("zh"), language="zh"), read_only=True)
    assert {each.name: each.value for each in book.custom_doc_props.props} == {
        "custvalue.night": "2026-01-01",
        "custvalue.manager": "M-014",
        "custvalue.language": "zh",
    }


def test_urgent_customers_come_first_and_are_told_by_colour_and_word(make_rows: MakeRows, write: Write):
    rows = make_rows()
    rows["urgency"] = ["red", None, "amber"]  # of the customers whose calls are worth least, most and second most
    rows["trigger_words"] = ["complaint made again", None, None]
    sheet = today(write(rows))
    assert [str(value)[-2:] for value in values(sheet, "Order")] == ["cc", "bb", "aa"]
    assert values(sheet, "#") == [1, 2, 3]
    assert values(sheet, "Signal") == ["complaint made again", "call soon", None]
    assert len({cell.fill.fgColor.rgb for cell in column(sheet, "Signal")}) == 3
    assert "1 urgent: call them first" in sheet["A2"].value


def test_a_sensitive_signal_is_shown_by_its_urgency_alone(make_rows: MakeRows, write: Write):
    rows = make_rows(urgency="red", trigger_words=None)
    assert values(today(write(rows)), "Signal") == ["call first", None, None]


def test_what_to_say_stands_before_what_not_to_say_and_rules_for_all_stand_once(make_rows: MakeRows, write: Write):
    path = write(make_rows())
    sheet = today(path)
    assert values(sheet, "Offer") == ["half a month off", None, None]
    told = "• Thank the customer\n• Ask what would fit better\n✗ Sell nothing while a complaint is open."
    assert values(sheet, "What to say") == [told, None, None]
    assert sheet["A3"].value == "Times to call: 09:00–21:00\nFor every call: Promise nothing else."
    (rich,) = [cell.value for cell in column(openpyxl.load_workbook(path, rich_text=True).worksheets[0], "What to say") if cell.value]
    assert [str(part) for part in rich][-1].startswith("✗ Sell nothing")
    assert len({getattr(getattr(part, "font", None), "color", None) and part.font.color.rgb for part in rich}) == 2


def test_a_time_of_day_is_shown_where_there_is_one(make_rows: MakeRows, write: Write):
    rows = make_rows(due_by=pd.Timestamp(2026, 1, 2, 9)).assign(due_by=lambda table: pd.to_datetime(table["due_by"]))
    cells = column(today(write(rows)), "Call by")
    assert [cell.value for cell in cells] == [datetime(2026, 1, 2, 9), datetime(2026, 1, 2), datetime(2026, 1, 2)]
    assert [cell.number_format for cell in cells] == ["mm-dd hh:mm", "yyyy-mm-dd", "yyyy-mm-dd"]


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
    rows = make_rows().assign(**empty).drop(columns=["talking_points", "do_not_say", "offer_words", "since", "consent", "last_contact"])
    sheet = today(write(rows))
    hidden = [cell.value for cell in sheet[HEADER] if sheet.column_dimensions[cell.column_letter].hidden]
    gone = "Name|Phone|Lines|Signal|Care|Offer|What to say|Focus|Contract days left|Last contact|On the list|Consent"
    assert hidden == gone.split("|")
    assert "|".join(cell.value for cell in sheet[HEADER]) == HEADERS["en"]


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
def test_the_last_sheet_explains_every_column_that_is_shown(make_rows: MakeRows, write: Write, language: str):
    sheet = openpyxl.load_workbook(write(make_rows(language), language=language)).worksheets[-1]
    explained = {row[0]: row[1] for row in sheet.iter_rows(min_row=3, values_only=True)}
    hidden = {"en": {"Lines", "Signal"}, "zh": {"号码数", "预警信号"}}[language]
    assert list(explained) == [header for header in HEADERS[language].split("|") if header not in hidden]
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


CHANGES = pd.DataFrame(
    {
        "manager_id": ["M-014", "M-014", "M-014", "M-2"],
        "change": ["left", "new", "stays", "new"],
        "tier": ["gold", "diamond", "silver", "gold"],
        "name": ["=A**", "王**", "李*", "赵*"],
        "customer": ["007", "008", "009", "010"],
        "reason": ["port_authorised", None, None, None],
        "order_id": ["20251229-C-1", "20260101-C-2", "20260101-C-3", "20260101-C-4"],
    }
)
CARE = pd.DataFrame(
    {
        "manager_id": ["M-014", "M-3"],
        "due_on": [date(2026, 1, 2), date(2026, 1, 3)],
        "kind": ["complaint_callback", "bill_queried"],
        "by": "person",
        "customer": ["007", "011"],
        "name": ["=A**", "周*"],
        "number": ["138****1234", ""],
        "facts_en": ["Complaint closed on 2025-12-30", "Asked 3 months running"],
        "facts_zh": ["投诉已于2025-12-30办结", "已连续3个月查询"],
    }
)


def cells_of(sheet: Worksheet) -> list[list[Any]]:
    return [list(row) for row in sheet.iter_rows(values_only=True)]


def test_what_changed_names_who_came_and_went_and_counts_who_stays(make_rows: MakeRows, write: Write):
    sheet = openpyxl.load_workbook(write(make_rows("zh"), language="zh", changes=CHANGES.head(3))).worksheets[1]
    assert sheet.title == "名单变化"
    title, counts, header, *body = cells_of(sheet)
    assert (title[0], counts[0]) == ("与上期名单相比的变化", "新增 1 · 移出 1 · 保留 1")
    assert header == ["变化", "等级", "姓名", "客户编号", "原因", "工单号"]
    assert body == [["新增", "钻石", "王**", "008", None, "20260101-C-2"], ["移出", "金", "=A**", "007", "已授权携转", "20251229-C-1"]]


def test_service_that_is_due_stands_on_a_sheet_of_its_own(make_rows: MakeRows, write: Write):
    book = openpyxl.load_workbook(write(make_rows(), changes=CHANGES.head(0), care=CARE.head(1)))
    assert book.sheetnames == ["Today", "What changed", "Care", "Columns"]
    assert cells_of(book["What changed"])[2][0] == "Nothing changed since the last list."
    header, row = cells_of(book["Care"])[2:]
    assert dict(zip(header, row, strict=True)) == {
        "Due": datetime(2026, 1, 2), "What is due": "call-back after a complaint", "Tier": None, "Name": "=A**", "Customer": "007",
        "Phone": "138****1234", "How": "call", "Facts": "Complaint closed on 2025-12-30", "Owed since": None, "Note": None,
    }  # fmt: skip
    assert [book["Care"].column_dimensions[letter].hidden for letter in "CD"] == [True, False]


def test_each_manager_gets_his_own_and_also_who_has_service_to_give_alone(make_rows: MakeRows, tmp_path: Path, catalogue: Catalogue):
    edition = Edition(
        as_of=date(2026, 1, 1), language="en", currency="CNY", time_zone="UTC", catalogue=catalogue, changes=CHANGES, care=CARE
    )
    paths = write_formats(tmp_path, make_rows().assign(manager_id=["M-014", "M/2", "M-014"]), edition)
    books = {path.name: openpyxl.load_workbook(path) for path in paths}
    assert list(books) == ["M-014.xlsx", "M-3.xlsx", f"{safe_name('M/2')}.xlsx"]
    assert [len(cells_of(book["Care"])) - 3 for book in books.values()] == [1, 1, 0]
    assert [cells_of(book.worksheets[0])[1][0][:11] for book in books.values()] == ["2 customers", "No customer", "1 customer "]
    told = str([cells_of(sheet) for sheet in books["M-3.xlsx"].worksheets])
    assert "011" in told
    assert "007" not in told


@pytest.mark.parametrize("word", ["competitor's, offer", "x" * 300])
def test_words_that_a_drop_down_cannot_hold_are_told_before_the_run(catalogue: Catalogue, word: str):
    reasons = catalogue.labels["close_reasons"]
    labels = catalogue.labels | {"close_reasons": reasons | {"price": reasons["price"].model_copy(update={"en": word})}}
    with pytest.raises(ConfigError, match=r"close_reasons \(en\) must differ, hold no comma and stay under 255"):
        check_labels(catalogue.model_copy(update={"labels": labels}))
