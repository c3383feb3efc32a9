"""Managers' workbooks read back: however they were moved about, every row is understood or told with its cell."""

from __future__ import annotations

import io
import zipfile
from datetime import date, datetime

import openpyxl
import pytest
from openpyxl.styles import Protection

from custvalue.errors import DataError
from custvalue.lists.feedback import read_feedback
from custvalue.lists.layout import HEADER_ROW, KEYS, KEYS_ROW
from custvalue.lists.rejected import write_rejected

from .conftest import AS_OF

TODAY = date(2026, 1, 5)
A, B, C = (f"20260101-C-00000000{letters}" for letters in ("aa", "bb", "cc"))
FIRST = HEADER_ROW + 2  # one-based, below the headers
LETTER = {key: openpyxl.utils.get_column_letter(KEYS.index(key) + 1) for key in KEYS}


@pytest.fixture
def fill_in(make_rows, write):
    """Write a list of three, let the test change it as Excel would, and save it."""

    def fill(change=None, *, language="en", suffix=".xlsx", **cells):
        path = write(make_rows(language), language=language)
        book = openpyxl.load_workbook(path)
        sheet = book.worksheets[0]
        for cell, value in cells.items():
            sheet[cell] = value
        if change:
            change(sheet)
        book.save(path.with_suffix(suffix))
        return path.with_suffix(suffix)

    return fill


@pytest.fixture
def read(catalogue):
    return lambda path: read_feedback(path, catalogue, today=TODAY)


def at(key, row=0):
    return f"{LETTER[key]}{FIRST + row}"


def told(found):
    return [(fault.cell, fault.told) for fault in found.faults]


def contents(found):
    return {row.order_id: (row.outcome, row.reason, row.on, row.note) for row in found.rows}


def test_an_untouched_list_says_nothing(fill_in, read):
    found = read(fill_in())
    assert (found.rows, found.faults, found.night, found.manager) == ([], [], AS_OF, "M-014")


@pytest.mark.parametrize(
    ("language", "outcome", "reason"),
    [
        ("en", "refused", "network quality"),
        ("zh", "拒绝优惠", "网络质量"),
        ("en", "  REFUSED ", "Network  Quality"),
        ("zh", "refused", "network"),
    ],
)
def test_what_was_chosen_is_understood_in_either_language(fill_in, read, language, outcome, reason):
    cells = {at("outcome"): outcome, at("close_reason"): reason, at("contacted_on"): datetime(2026, 1, 2), at("note"): " slow at home "}
    found = read(fill_in(language=language, **cells))
    assert found.faults == []
    assert contents(found) == {A: ("refused", "network", date(2026, 1, 2), "slow at home")}


def test_a_note_alone_is_not_lost(fill_in, read):
    assert contents(read(fill_in(**{at("note", 1): "asks for a call in spring"}))) == {B: (None, None, None, "asks for a call in spring")}


@pytest.mark.parametrize("text", ["2026-01-02", "2026/1/2", "2026.01.02", "2026年1月2日", " 2026-1-2 "])
def test_a_day_that_was_typed_as_text_is_read_where_it_can_mean_but_one(fill_in, read, text):
    assert contents(read(fill_in(**{at("outcome"): "reached", at("contacted_on"): text})))[A][2] == date(2026, 1, 2)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("contacted_on", "02/01/2026", "'02/01/2026' cannot be read as a day; write it as 2026-01-05"),
        ("contacted_on", "2026-02-30", "'2026-02-30' cannot be read as a day"),
        ("contacted_on", True, "'True' cannot be read as a day"),
        ("contacted_on", datetime(2026, 1, 6), "2026-01-06 is still to come"),
        ("contacted_on", datetime(2025, 12, 31), "2025-12-31 is before the list's own day, 2026-01-01"),
        ("outcome", "maybe", "'maybe' is no outcome; choose one from the list: reached · unreachable · offer accepted"),
        ("outcome", "=A1", "the cell holds a formula; write the value itself"),
        ("outcome", "#N/A", "the cell holds the error #N/A"),
        ("note", "=1+1", "the cell holds a formula"),
        ("order", "=A1", "the cell holds a formula"),
        ("order", None, "the row has no order number"),
        ("close_reason", "weather", "'weather' is no reason; choose one from the list: offer taken · price"),
        ("close_reason", "138123412345", "'13***45' is no reason"),
    ],
)
def test_a_cell_that_is_wrong_is_told_with_its_place_and_the_other_rows_are_taken(fill_in, read, key, value, message):
    found = read(fill_in(**{at("outcome"): "reached", at("outcome", 2): "reached", at(key): value}))
    ((cell, fault),) = told(found)
    assert cell == f"Today!{at(key)}"
    assert message in fault
    assert list(contents(found)) == [C]


def test_a_reason_without_an_outcome_is_told(fill_in, read):
    assert told(read(fill_in(**{at("close_reason"): "price"}))) == [
        (f"Today!{at('outcome')}", "the outcome is missing; choose one from the list")
    ]


def test_columns_that_were_moved_and_renamed_are_found(fill_in, read):
    def change(sheet):
        sheet.move_range(f"{LETTER['outcome']}1:{LETTER['note']}{FIRST + 2}", cols=40)
        sheet[f"{LETTER['order']}{HEADER_ROW + 1}"] = "Ticket"
        sheet.delete_cols(KEYS.index("arpu") + 1)
        sheet.insert_rows(1, 2)

    found = read(fill_in(change, **{at("outcome", 1): "deferred", at("note", 1): "on Friday"}))
    assert contents(found) == {B: ("deferred", None, None, "on Friday")}


@pytest.mark.parametrize("language", ["en", "zh"])
def test_without_the_hidden_keys_the_headers_tell(fill_in, read, language):
    found = read(fill_in(lambda sheet: sheet.delete_rows(KEYS_ROW + 1), language=language, **{at("outcome"): "reached"}))
    assert contents(found) == {A: ("reached", None, None, "")}


def test_a_list_without_outcome_or_order_is_refused_by_name(fill_in, read):
    with pytest.raises(DataError, match="no sheet has a column Outcome/联系结果") as refused:
        read(fill_in(lambda sheet: sheet.delete_cols(KEYS.index("outcome") + 1)))
    assert refused.value.exit_code == 3


def test_a_column_that_stands_there_twice_is_refused(fill_in, read):
    with pytest.raises(DataError, match="a column stands there twice"):
        read(fill_in(**{f"{LETTER['tier']}{KEYS_ROW + 1}": "outcome"}))


def test_merged_cells_are_told_for_every_row_that_they_hide(fill_in, read):
    area = f"{at('outcome')}:{at('outcome', 1)}"
    found = read(fill_in(lambda sheet: sheet.merge_cells(area), **{at("outcome"): "reached", at("outcome", 2): "reached"}))
    assert [(fault.cell, fault.row) for fault in found.faults] == [(f"Today!{area}", FIRST), (f"Today!{area}", FIRST + 1)]
    assert "merged" in found.faults[0].told
    assert list(contents(found)) == [C]


def test_an_order_that_stands_twice_counts_once_if_both_rows_agree_and_not_at_all_if_they_do_not(fill_in, read):
    same = {at("outcome"): "reached", at("outcome", 1): "reached", at("order", 1): A}
    assert contents(read(fill_in(**same))) == {A: ("reached", None, None, "")}
    found = read(fill_in(**same | {at("outcome", 1): "refused", at("outcome", 2): "reached"}))
    assert [fault.cell for fault in found.faults] == [f"Today!{at('order')}", f"Today!{at('order', 1)}"]
    assert f"rows {FIRST}, {FIRST + 1} of Today with different contents" in found.faults[0].told
    assert A not in found.faults[0].told
    assert list(contents(found)) == [C]


def test_another_sheet_may_come_first(fill_in, read):
    def change(sheet):
        sheet.parent.create_sheet("Mine", 0)["A1"] = "what I have to do"

    assert list(contents(read(fill_in(change, **{at("outcome"): "reached"})))) == [A]


def test_a_sheet_that_is_protected_is_read_like_any_other(fill_in, read):
    def change(sheet):
        sheet.protection.sheet = True
        sheet[at("outcome")].protection = Protection(locked=False)

    assert list(contents(read(fill_in(change, **{at("outcome"): "reached"})))) == [A]


def test_a_workbook_with_macros_is_read_and_they_are_not_run(fill_in, read, tmp_path):
    plain = fill_in(**{at("outcome"): "reached"})
    packed, path = io.BytesIO(), tmp_path / "M-014.xlsm"
    with zipfile.ZipFile(plain) as old, zipfile.ZipFile(packed, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            if name == "[Content_Types].xml":
                content = content.replace(b"openxmlformats-officedocument.spreadsheetml.sheet.main", b"ms-excel.sheet.macroEnabled.main")
            new.writestr(name, content)
        new.writestr("xl/vbaProject.bin", b"Sub Auto_Open(): Kill: End Sub")
    path.write_bytes(packed.getvalue())
    assert list(contents(read(path))) == [A]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.xls", b"\xd0\xcf\x11\xe0", "save it as one"),
        ("a.xlsx", b"\xd0\xcf\x11\xe0 encrypted", "a password would be one cause"),
        ("a.xlsx", b"", "no workbook that can be read"),
        ("a.csv", b"order,outcome\n", "read from .xlsx workbooks"),
    ],
)
def test_a_file_that_is_no_workbook_is_told(read, tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=message):
        read(tmp_path / name)


def test_a_file_that_is_not_there_is_told(read, tmp_path):
    with pytest.raises(DataError, match="there is no such file"):
        read(tmp_path / "none.xlsx")


def test_a_workbook_of_something_else_is_told(read, tmp_path):
    book = openpyxl.Workbook()
    book.active["A1"] = "order"
    book.save(tmp_path / "budget.xlsx")
    with pytest.raises(DataError, match="no sheet has a column Outcome/联系结果"):
        read(tmp_path / "budget.xlsx")


def test_a_workbook_that_unpacks_to_a_flood_is_refused_before_it_is_unpacked(read, tmp_path):
    with zipfile.ZipFile(tmp_path / "bomb.xlsx", "w", zipfile.ZIP_DEFLATED) as bomb:
        bomb.writestr("xl/workbook.xml", bytes(201 * 2**20))
    assert (tmp_path / "bomb.xlsx").stat().st_size < 2**20
    with pytest.raises(DataError, match="201 MB, which no list has"):
        read(tmp_path / "bomb.xlsx")


def test_what_was_rejected_can_be_corrected_and_read_again(fill_in, read, catalogue, tmp_path):
    cells = {at("outcome"): "maybe", at("contacted_on"): datetime(2026, 1, 2), at("note"): "=2*3", at("outcome", 1): "reached"}
    found = read(fill_in(**cells))
    path = tmp_path / "M-014.rejected.xlsx"
    write_rejected(path, found, catalogue, language="en")
    book = openpyxl.load_workbook(path)
    sheet = book.worksheets[0]
    rows = list(sheet.iter_rows(min_row=FIRST, values_only=True))
    assert len(rows) == 1
    assert rows[0][1:3] == (A, "00012345678901")
    assert rows[0][5] == datetime(2026, 1, 2)
    assert sheet.cell(FIRST, 7).data_type == "s"  # shown, not computed
    assert f"Today!{at('note')}" in rows[0][0] or f"Today!{at('outcome')}" in rows[0][0]
    sheet.cell(FIRST, 4).value = "reached"
    sheet.cell(FIRST, 7).value = "six"
    book.save(path)
    again = read(path)
    assert (again.night, again.manager, contents(again)) == (AS_OF, "M-014", {A: ("reached", None, date(2026, 1, 2), "six")})
