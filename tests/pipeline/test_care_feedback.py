"""What managers note beside service contacts comes back: recorded once, told where it cannot be, and not owed again."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import openpyxl
import pandas as pd
import pytest
from sqlalchemy import select

from custvalue.config import load_config
from custvalue.lists import write_workbook
from custvalue.pipeline.feedback import forget_orders, take_feedback
from custvalue.retention.orders.engine import reading
from custvalue.retention.orders.schema import duties
from custvalue.retention.orders.store import OrderStore
from custvalue.wording import load_catalogue

from .test_orders import listed

NIGHT = date(2026, 1, 1)
NOW = datetime(2026, 1, 1, 4, tzinfo=UTC)
CARE_KEYS, CARE_HEADER, FIRST = 2, 3, 4
"""Rows of the sheet, one-based."""


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "operator.yaml"
    path.write_text("sources: {folder: data}\ntier_policy: tiers.yaml\nretention_policy: retention.yaml\ntime_zone: Asia/Shanghai\n")
    return load_config(path)


def owed(*names, manager="M1", since=NIGHT):
    rows = {"customer_id": [f"cust-{name}" for name in names], "customer": [f"00{name}" for name in names], "kind": "complaint_callback"}
    texts = {"manager_id": manager, "by": "person", "name": "", "number": "", "facts_en": "Complaint closed", "facts_zh": "投诉已办结"}
    return pd.DataFrame(rows).assign(**texts, since=since, due_on=NIGHT + timedelta(days=2))


@pytest.fixture
def store(config):
    """Three call-backs owed: two of M1, one of M2."""
    found = OrderStore.of(config)
    nobody = pd.DataFrame(columns=["order_id", "customer_id", "manager_id", "priority", "due_by"])
    care = pd.concat([owed("a", "b"), owed("c", manager="M2")])
    found.take_night(nobody, NIGHT, "run1", decisions={}, now=NOW, care=care)
    return found


@pytest.fixture
def workbook(config, tmp_path):
    def write(care, notes, *, language="zh", change=None, manager="M1"):
        """A manager's workbook with service alone, and notes by row."""
        path, catalogue = tmp_path / f"{manager}.xlsx", load_catalogue(config.wording)
        rows = listed("x").head(0)
        write_workbook(path, rows, manager=manager, as_of=NIGHT, language=language, currency="CNY", catalogue=catalogue, care=care)
        book = openpyxl.load_workbook(path)
        sheet = book.worksheets[1]
        place = [cell.value for cell in sheet[CARE_KEYS]].index("note") + 1
        for row, note in notes.items():
            sheet.cell(FIRST + row, place).value = note
        if change:
            change(sheet)
        book.save(path)
        return path

    return write


def feed(config, store, path, hours=2):
    (done,) = take_feedback(config, [path], store=store, now=NOW + timedelta(hours=hours))
    return done


def made(store):
    with reading(store._engine, store.place) as connection:
        return {row.customer: (row.done_by, row.note) for row in connection.execute(select(duties).where(duties.c.done_at.is_not(None)))}


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_note_says_that_the_contact_was_made_and_counts_once(config, store, workbook, language):
    path = workbook(owed("a", "b"), {1: "已致歉，问题已解决"}, language=language)
    done = feed(config, store, path)
    assert (done.applied, done.before, done.faults) == (1, 0, ())
    assert made(store) == {"00b": ("M1", "已致歉，问题已解决")}
    again = feed(config, store, path, hours=3)
    assert (again.applied, again.before, again.faults) == (0, 1, ())


def test_columns_are_found_by_their_headers_where_the_keys_are_gone(config, store, workbook):
    path = workbook(owed("a", "b"), {0: "settled"}, language="en", change=lambda sheet: sheet.delete_rows(CARE_KEYS))
    assert feed(config, store, path).applied == 1
    assert made(store) == {"00a": ("M1", "settled")}


def test_a_contact_that_was_made_is_not_owed_again(config, store, workbook):
    feed(config, store, workbook(owed("a", "b"), {0: "settled"}))
    found = store.standing(date(2026, 1, 3)).set_index("customer_id")
    assert found["last_reached_on"].to_dict() == {"cust-a": date(2026, 1, 1)}
    assert not found["open_order"].any()
    assert store.standing(NIGHT).empty  # a night before sees nothing of it


def test_what_is_not_owed_on_this_list_is_told_kept_and_taken_when_it_is_corrected(config, store, workbook):
    care = pd.concat([owed("a"), owed("c"), owed("b", since=date(2025, 12, 1))])
    done = feed(config, store, workbook(care, {0: "settled", 1: "not mine", 2: "long ago"}))
    assert done.applied == 1
    assert [fault.cell.partition("!")[2][1:] for fault in done.faults] == [str(FIRST + 1), str(FIRST + 2)]
    assert all(fault.told.startswith("no such service contact is owed on this list now") for fault in done.faults)
    book = openpyxl.load_workbook(done.rejected)
    sheet = book.worksheets[1]
    texts = [[cell.value for cell in row] for row in sheet.iter_rows(min_row=FIRST)]
    assert [row[-1] for row in texts] == ["not mine", "long ago"]
    place = [cell.value for cell in sheet[CARE_KEYS]].index("owed_since") + 1
    sheet.cell(FIRST + 1, place).value = datetime(2026, 1, 1)
    sheet.delete_rows(FIRST)
    book.save(done.rejected)
    again = feed(config, store, done.rejected, hours=4)
    assert (again.applied, again.faults) == (1, ())
    assert made(store)["00b"] == ("M1", "long ago")


def test_notes_that_cannot_be_read_are_told_with_their_cell(config, store, workbook):
    path = workbook(owed("a", "b"), {0: "=1+1", 1: "fine"}, change=lambda sheet: sheet.cell(FIRST + 1, 2, "whatever"))
    done = feed(config, store, path)
    assert done.applied == 0
    assert ["formula" in done.faults[0].told, "cannot be read" in done.faults[1].told] == [True, True]
    assert made(store) == {}


def test_a_forgotten_customers_rejected_note_goes_too(config, store, workbook):
    done = feed(config, store, workbook(owed("c"), {0: "not mine"}))
    assert done.rejected.exists()
    removed = forget_orders(config, "cust-c", store=store)
    assert (removed["rejected feedback"], removed["care_duties"]) == (1, 1)
    assert "not mine" not in str([[cell.value for cell in row] for row in openpyxl.load_workbook(done.rejected).worksheets[1].iter_rows()])
