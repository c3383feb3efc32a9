"""Nights that are in order but out of the ordinary: nobody worth a call, strange managers, a disk that says no."""

from __future__ import annotations

from pathlib import Path

import openpyxl
import pandas as pd
import pytest
import yaml

from custvalue.publish import read_published

from .conftest import AS_OF, Workspace, write_yaml

PARTS = "output/op/work"


def rename_managers(workspace: Workspace, names: dict[str, str]) -> None:
    for table in ("customers", "managers"):
        path = workspace.data / f"{table}.parquet"
        rows = pd.read_parquet(path)
        rows.assign(manager_id=rows.manager_id.replace(names)).to_parquet(path, index=False)


def night_of(workspace: Workspace) -> Path:
    (night,) = (workspace.output / "nights").iterdir()
    return night


def lists_of(workspace: Workspace) -> tuple[pd.DataFrame, dict[str, openpyxl.Workbook]]:
    (night,) = (workspace.output / "nights").iterdir()
    books = {path.name: openpyxl.load_workbook(path) for path in (night / "lists").glob("*")}
    return pd.read_parquet(night / "lists.parquet"), books


def test_a_night_on_which_no_contact_pays_is_published_with_no_list(workspace):
    path = workspace.folder / "configs" / "retention" / "keen.yaml"
    write_yaml(path, yaml.safe_load(path.read_text(encoding="utf-8")) | {"contact_cost": 1e6})
    told = workspace.nightly()
    assert told.code == 0, told.err
    scores = read_published(workspace.output)
    assert len(scores) > 3500
    assert "listed" not in set(scores.decision)
    rows, books = lists_of(workspace)
    assert len(rows) == 0
    # whom service is owed is on a sheet of his manager's, without anybody to call
    assert set(books) == {f"{manager}.xlsx" for manager in pd.read_parquet(night_of(workspace) / "care_lists.parquet").manager_id}
    assert not [
        cell for book in books.values() for row in book.worksheets[0].iter_rows() for cell in row if str(cell.value).startswith("2025")
    ]
    assert {"order_id", "customer", "reasons_en", "due_by"} <= set(rows.columns)
    shown = workspace.say("lists", "--as-of", AS_OF, "--dry-run")
    assert shown.code == 0, shown.err
    assert "expected net value  0 CNY" in shown.out


def test_managers_whose_names_differ_only_by_a_sign_have_a_workbook_each(workspace):
    rename_managers(workspace, {"M-001": "M/1", "M-002": "M_1", "M-003": "M 1"})
    assert workspace.nightly().code == 0
    rows, books = lists_of(workspace)
    assert {"M/1", "M_1", "M 1"} <= set(rows.manager_id)
    assert len(books) == rows.manager_id.nunique()
    orders = {name: {cell.value for row in book.worksheets[0].iter_rows() for cell in row} for name, book in books.items()}
    for _, own in rows.groupby("manager_id"):
        (name,) = [name for name, cells in orders.items() if set(own.order_id) <= cells]
        assert orders[name].isdisjoint(set(rows.order_id) - set(own.order_id))


def test_a_manager_s_id_leads_no_file_out_of_its_folder(workspace):
    rename_managers(workspace, {"M-001": "../../../escaped", "M-002": "客户经理/二"})
    before = set(workspace.folder.parent.rglob("*"))
    assert workspace.nightly().code == 0
    made = {path for path in workspace.folder.parent.rglob("*") if path.is_file()} - before
    (night,) = (workspace.output / "nights").iterdir()
    books = [path for path in made if path.suffix == ".xlsx"]
    assert {path.parent for path in books} == {night / "lists"}
    assert any("escaped" in path.name for path in books)
    assert any("客户经理" in path.name for path in books)
    shown = {openpyxl.load_workbook(path).worksheets[0]["A1"].value for path in books}
    assert any("../../../escaped" in title for title in shown)


@pytest.mark.parametrize("command", ["nightly", "lists"])
def test_a_file_that_cannot_be_written_leaves_nothing_half_done(workspace, command, monkeypatch):
    monkeypatch.setenv("CUSTVALUE_TOKEN_KEY", "k" * 64)
    workspace.say("promote")  # mends the copied store's paths
    rename_managers(workspace, {"M-009": "M" * 300})  # longer than a file's name can be
    before = workspace.listing()
    told = workspace.say(command, "--as-of", AS_OF)
    assert told.code == 75
    assert "File name too long" in told.refusal
    assert "run the command again" in told.refusal
    kept = (PARTS, "output/op/orders.db")  # the next run goes on with those
    after = {path: found for path, found in workspace.listing().items() if not path.startswith(kept)}
    assert after == before
    assert not list(workspace.output.glob("staging/*"))
