"""The night's workbooks: what openpyxl reads is what the night holds, and LibreOffice shows the same cells."""

from __future__ import annotations

import csv
import re
import shutil
import subprocess
from collections.abc import Callable
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import openpyxl
import pandas as pd
import pytest
import yaml
from openpyxl.cell import Cell
from openpyxl.worksheet.worksheet import Worksheet

from .conftest import AS_OF, Workspace

# Column of the list → column of lists.parquet
NUMBERS = {"priority": "priority", "arpu": "arpu", "at_stake": "value_at_stake", "net_value": "net_value", "tenure": "tenure_months"}
TEXTS = {"name": "name", "customer": "customer", "number": "number", "order": "order_id"}


@pytest.fixture(scope="module", params=["en", "zh"])
def language(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module")
def night(trained, good_night, language, tmp_path_factory) -> Path:
    """A published night in one language."""
    if language == "en":
        (folder,) = (good_night.output / "nights").iterdir()
        return folder
    workspace = Workspace(tmp_path_factory.mktemp("night") / "workspace")
    shutil.copytree(trained[0].folder, workspace.folder)
    workspace.change(language=language)
    told = workspace.nightly()
    assert told.code == 0, told.err
    return Path(told.out.strip())


@pytest.fixture(scope="module")
def rows(night) -> pd.DataFrame:
    return pd.read_parquet(night / "lists.parquet")


@pytest.fixture(scope="module")
def label(trained, language) -> Callable[[str], str]:
    labels = yaml.safe_load((trained[0].folder / "configs" / "wording" / "labels.yaml").read_text(encoding="utf-8"))

    def look_up(key: str) -> str:
        section, name = key.split(".")
        return labels[section][name][language]

    return look_up


@pytest.fixture(scope="module")
def sheets(night) -> dict[str, Worksheet]:
    """Today's sheet of each manager."""
    return {path.stem: openpyxl.load_workbook(path).worksheets[0] for path in sorted((night / "lists").glob("*.xlsx"))}


def customers_on(sheet: Worksheet, label: Callable[[str], str], columns: list[str]) -> list[dict[str, Cell]]:
    """Cells of each customer by the list's column, found by the words of the header."""
    (header,) = [row for row in sheet.iter_rows() if row[0].value == label("columns.priority")]
    places = {cell.value: place for place, cell in enumerate(header)}
    below = sheet.iter_rows(min_row=header[0].row + 1)
    return [{name: row[places[label(f"columns.{name}")]] for name in columns} for row in below]


def rounded(value: float) -> Decimal:
    return Decimal(repr(value)).quantize(Decimal("0.01"), ROUND_HALF_UP)


def test_there_is_one_workbook_a_manager_with_all_his_customers(night, sheets, rows, label):
    care = pd.read_parquet(night / "care_lists.parquet")
    assert sorted(sheets) == sorted({*rows.manager_id, *care.manager_id})
    for manager, sheet in sheets.items():
        shown = [cells["order"].value for cells in customers_on(sheet, label, ["order"])]
        assert shown == rows[rows.manager_id == manager].order_id.tolist()


def test_the_cells_equal_the_night(sheets, rows, label, language):
    by_order = rows.set_index("order_id")
    columns = [*NUMBERS, *TEXTS, "tier", "risk", "reasons", "probability", "due_by", "outcome", "note"]
    for sheet in sheets.values():
        for cells in customers_on(sheet, label, columns):
            row = by_order.loc[cells["order"].value].to_dict() | {"order_id": cells["order"].value}
            expected = [row[source] for source in NUMBERS.values()]
            # a spreadsheet keeps 15 digits
            assert [cells[name].value for name in NUMBERS] == pytest.approx(expected, rel=1e-14, abs=0)
            assert {name: cells[name].value for name in TEXTS} == {name: row[source] for name, source in TEXTS.items()}
            assert cells["tier"].value == label(f"tiers.{row['tier']}")
            assert cells["risk"].value == label(f"risk_bands.{row['risk_band']}")
            assert cells["reasons"].value == "\n".join(f"• {reason}" for reason in row[f"reasons_{language}"])
            assert Decimal(repr(cells["probability"].value)).quantize(Decimal("0.01")) == rounded(row["probability"])
            assert cells["due_by"].value == row["due_by"].to_pydatetime()
            assert cells["outcome"].value is cells["note"].value is None


def test_identifiers_are_text_and_numbers_are_masked(sheets, label):
    for sheet in sheets.values():
        for cells in customers_on(sheet, label, ["customer", "number", "order"]):
            assert {name: cell.data_type for name, cell in cells.items()} == dict.fromkeys(cells, "s")
            assert {cell.number_format for cell in cells.values()} == {"@"}
            assert re.fullmatch(r"\d{3}\*{4}\d{4}", cells["number"].value)


def test_nothing_but_a_title_stands_above_the_header_and_no_cell_is_a_formula(sheets):
    for manager, sheet in sheets.items():
        assert manager in sheet["A1"].value
        assert AS_OF.isoformat() in sheet["A1"].value
        assert all(cell.data_type != "f" for row in sheet.iter_rows() for cell in row)


@pytest.fixture(scope="module")
def converted(night, require_part, tmp_path_factory) -> Path:
    """Every sheet of every workbook as LibreOffice reads it, one CSV a sheet with plain values."""
    require_part("LibreOffice", shutil.which("soffice") is not None)
    out, profile = tmp_path_factory.mktemp("csv"), tmp_path_factory.mktemp("soffice")
    # UTF-8, comma, quotes; values, not as shown; every sheet into a file of its own
    to = "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,false,false,false,false,-1"
    command = ["soffice", f"-env:UserInstallation={profile.as_uri()}", "--headless", "--convert-to", to, "--outdir", str(out)]
    paths = sorted(str(path) for path in (night / "lists").glob("*.xlsx"))
    done = subprocess.run([*command, *paths], capture_output=True, text=True, timeout=180, check=False)
    assert done.returncode == 0, done.stderr
    return out


def as_text(value: object, shown: str) -> object:
    """The value that LibreOffice wrote, in the kind of the cell that openpyxl read."""
    if isinstance(value, datetime | date):
        return datetime.strptime(shown, "%m/%d/%Y %H:%M:%S") if "/" in shown else datetime.fromisoformat(shown)
    if not isinstance(value, int | float):
        return shown
    number = float(shown[:-1]) / 100 if shown.endswith("%") else float(shown)
    return pytest.approx(number, rel=1e-14, abs=0)


def test_libreoffice_reads_the_same_cells(night, converted):
    for path in sorted((night / "lists").glob("*.xlsx")):
        for sheet in openpyxl.load_workbook(path).worksheets:
            with (converted / f"{path.stem}-{sheet.title}.csv").open(encoding="utf-8", newline="") as file:
                shown = list(csv.reader(file))
            for row in sheet.iter_rows():
                for cell in row:
                    line = shown[cell.row - 1] if cell.row <= len(shown) else []
                    found = line[cell.column - 1] if cell.column <= len(line) else ""
                    if cell.value is None:
                        assert found == ""
                    else:
                        assert as_text(cell.value, found) == cell.value, f"{path.name} {sheet.title} {cell.coordinate}"
