"""My list as a file: the scope's open orders and no others, harmless in a spreadsheet, and written down."""

from __future__ import annotations

import csv
import io
from datetime import date, datetime

import openpyxl
import pandas as pd
import pytest

from custvalue.lists.layout import HEADER_ROW, KEYS_ROW
from custvalue.retention.orders.store import OrderStore

from .conftest import audit_of, lists

NIGHT = date(2026, 1, 6)
EVIL = ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1+1", "＝1+1"]


@pytest.fixture
def app(make_site):
    return make_site()


def take(app, **columns: object) -> None:
    """A night whose lists say all that lists say."""
    rows = lists()
    told = {
        "name": "王**",
        "number": "138****1234",
        "arpu": 198.0,
        "arpu_drop": 0.41,
        "risk_band": "high",
        "probability": 0.31,
        "tenure_months": 30.0,
        "care_priority": False,
        "open_complaint": True,
        "reasons_en": [["bill fell 41 %"]] * len(rows),
        "reasons_zh": [["账单下降41%"]] * len(rows),
        "last_contact": pd.Timestamp("2025-12-20"),
        "last_outcome": "unreachable",
        "since": "stays",
        "first_listed_on": pd.Timestamp("2026-01-05"),
        "due_by": pd.Timestamp("2026-01-06 18:00"),
        "customer": EVIL,
    }
    told |= columns
    store = OrderStore.of(app.state.site.config)
    store.take_night(rows.assign(**told), NIGHT, "run2", decisions={}, now=datetime(2026, 1, 5, 18))


def workbook(content: bytes) -> tuple[list[str], list[dict[str, object]]]:
    sheet = openpyxl.load_workbook(io.BytesIO(content)).worksheets[0]
    rows = list(sheet.iter_rows(values_only=True))
    keys = [str(key) for key in rows[KEYS_ROW]]
    return [str(header) for header in rows[HEADER_ROW]], [dict(zip(keys, row, strict=True)) for row in rows[HEADER_ROW + 1 :]]


@pytest.mark.parametrize(("user", "mine"), [("ann", {0, 2, 4}), ("bob", {1, 3, 5}), ("lea", {0, 2, 4}), ("sue", {1, 3, 5})])
def test_the_file_holds_the_scope_alone(user, mine, app, browse):
    take(app)
    client = browse(user)
    _, rows = workbook(client.get("/list.xlsx").content)
    assert {str(row["order"]) for row in rows} == {f"20260105-C-K{number + 1}" for number in mine}
    lines = list(csv.reader(io.StringIO(client.get("/list.csv").content.decode("utf-8-sig"))))
    assert len(lines) == 1 + len(mine)
    assert audit_of(app)[-2:] == [(user, "export", f"list.{kind}, 3 orders") for kind in ("xlsx", "csv")]


def test_a_row_says_what_the_night_s_workbook_says(app, browse):
    take(app)
    row = workbook(browse("ann").get("/list.xlsx").content)[1][0]
    assert (row["priority"], row["tier"], row["name"], row["number"], row["reasons"]) == (
        1,
        "gold",
        "王**",
        "138****1234",
        "• bill fell 41 %",
    )
    assert (row["arpu"], row["probability"], row["net_value"], row["at_stake"]) == (198, 0.31, 96, 1240)
    # the first night gave until the end of 6 January; the second night gave less, and counts
    assert row["due_by"] == datetime(2026, 1, 6, 18)


def test_the_language_is_the_visitor_s(app, browse):
    take(app)
    ann = browse("ann")
    ann.get("/language/zh")
    headers, rows = workbook(ann.get("/list.xlsx").content)
    assert rows[0]["reasons"] == "• 账单下降41%"
    assert "等级" in "".join(headers)


def test_no_cell_is_a_formula(app, browse):
    take(app, arpu_drop=None, reasons_en=[['=HYPERLINK("http://x")']] * 6, name=EVIL, number=EVIL)
    found = []
    for user in ("ann", "bob"):
        client = browse(user)
        book = openpyxl.load_workbook(io.BytesIO(client.get("/list.xlsx").content))
        cells = [cell for sheet in book.worksheets for row in sheet.iter_rows() for cell in row]
        assert [cell.coordinate for cell in cells if cell.data_type == "f" or cell.hyperlink] == []
        found += [cell.value for cell in cells if cell.value in EVIL]
        lines = list(csv.reader(io.StringIO(client.get("/list.csv").content.decode("utf-8-sig"))))
        starts = {cell.lstrip()[:1] for line in lines for cell in line if cell}
        assert starts & set("=+-@＝") == set()
    assert set(found) >= {text for text in EVIL if text.strip() == text}  # shown as they are, as text


def test_what_is_done_is_not_on_the_file(app, browse):
    take(app)
    OrderStore.of(app.state.site.config).record_outcome("20260105-C-K1", "accepted", by="ann", now=datetime(2026, 1, 6), source="page")
    assert len(workbook(browse("ann").get("/list.xlsx").content)[1]) == 2


def test_an_order_of_which_the_night_told_little_is_there_all_the_same(app, browse):
    _, rows = workbook(browse("ann").get("/list.xlsx").content)  # the small night of all tests: no reasons, no names
    assert [row["customer"] for row in rows] == ["CRM-K1", "CRM-K3", "CRM-K5"]


def test_with_nothing_to_do_there_is_no_file_and_no_entry(app, browse):
    OrderStore.of(app.state.site.config).take_night(lists([]), NIGHT, "run2", decisions={}, now=datetime(2026, 1, 5, 18))
    ann = browse("ann")
    assert ann.get("/list.xlsx").headers["location"] == "/today"
    assert audit_of(app)[-1] == ("ann", "login", "")


def test_the_file_s_name_is_harmless(app, browse):
    assert browse("lea").get("/list.csv").headers["content-disposition"] == 'attachment; filename="north-2026-01-05.csv"'
    for path in ("/list.exe", "/list.", "/list.xlsx%2F..%2Forders.db"):
        assert browse("ann").get(path).status_code in (404, 422)


@pytest.mark.parametrize("user", ["ana", "adm"])
def test_who_sees_no_customers_downloads_none(user, app, browse):
    assert browse(user).get("/list.xlsx").status_code == 403
    assert audit_of(app)[-1] == (user, "denied", "/list.xlsx")
