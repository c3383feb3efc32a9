"""The workbook as LibreOffice shows and prints it."""

from __future__ import annotations

import csv
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pandas as pd
import pytest

from custvalue.config.lists import ListsConfig
from custvalue.lists import Edition, write_formats
from custvalue.lists.csv import unguarded
from custvalue.wording import Catalogue

from .conftest import AS_OF

Write = Callable[..., Path]
MakeRows = Callable[..., pd.DataFrame]


@pytest.fixture(scope="module")
def convert(require_part: Callable[[str, bool], None], tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path, str], Path]:
    require_part("LibreOffice", shutil.which("soffice") is not None)
    profile = tmp_path_factory.mktemp("soffice")

    def convert(path: Path, to: str, read_as: str | None = None) -> Path:
        out = tmp_path_factory.mktemp("converted")
        command = [
            "soffice",
            f"-env:UserInstallation={profile.as_uri()}",
            "--headless",
            *([] if read_as is None else [f"--infilter={read_as}"]),
            "--convert-to",
            to,
            "--outdir",
            str(out),
            str(path),
        ]
        done = subprocess.run(command, capture_output=True, text=True, timeout=180, check=False)
        made = list(out.iterdir())
        assert made, done.stderr
        return made[0]

    return convert


# UTF-8, comma, quotes, cells as shown on screen
CSV = "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true"

# comma, quotes, UTF-8: what the dialogue proposes for a file with a byte order mark, and nobody confirms without a screen
UTF_8 = "Text - txt - csv (StarCalc):44,34,76"

SHOWN = {
    "en": "1|diamond|王**|00012345678901|138****1234|12|call first"
    "|• Bill last month ¥117, 41 % below the mean of the 2 months before (¥198)\n• Contract ends in 18 days\n• =1+1 is no formula"
    "|complaint open|half a month off|• Thank the customer\n• Ask what would fit better\n✗ Sell nothing while a complaint is open."
    "|¥117|high|¥96|01-02 09:00|||||▼ 41 %|34 %|¥1,240|leaving|40|18|2025-11-03 · refused|new|given|20260101-C-00000000aa",
    "zh": "1|钻石|王**|00012345678901|138****1234|12|优先联系"
    "|• 上月消费117元，较前2个月月均198元下降41%\n• 合约18天后到期\n• =1+1不是公式"
    "|投诉未闭环|减免半个月月费|• 感谢客户\n• 询问套餐是否合适\n✗ 投诉未闭环前请勿营销。"
    "|117元|高|96元|01-02 09:00|||||▼ 41%|34%|1,240元|离网|40|18|2025-11-03 · 拒绝优惠|新增|已同意|20260101-C-00000000aa",
}
LONG = "客户🙂" * 12_000
ODD = {
    "customer": "00012345678901234567",
    "name": "=HYPERLINK(1)",
    "number": "+86 138\t0013",
    "reasons": ["\u200fשלום 🙂\nsecond line", "@SUM(A1)", LONG],
    "offer_words": "1e5",
}


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_cells_show_what_the_sentences_say(make_rows: MakeRows, write: Write, convert: Callable[[Path, str], Path], language: str):
    rows = make_rows(language, lines=12, urgency="red").assign(due_by=pd.Timestamp(2026, 1, 2, 9))
    shown = convert(write(rows, language=language), CSV)
    with shown.open(encoding="utf-8", newline="") as file:
        found = list(csv.reader(file))
    assert found[6] == SHOWN[language].split("|")
    assert found[7][2:5] == ["=cmd|' /C calc'!A0", "13812341234", "138****1234"]
    assert [found[7][11], found[7][19]] == (["¥7.50", "▲ 31 %"] if language == "en" else ["7.50元", "▲ 31%"])
    assert found[8][5] == found[8][19] == found[8][24] == ""


def test_odd_texts_come_back_from_a_workbook_as_they_are(make_rows: MakeRows, write: Write, convert: Callable[[Path, str], Path]):
    path = write(make_rows(**ODD))
    with convert(path, CSV).open(encoding="utf-8", newline="") as file:
        found = list(csv.reader(file))[6]
    table = pd.read_excel(path, header=5, dtype=str).iloc[0]
    sheet = openpyxl.load_workbook(path).worksheets[0]
    for texts in (found, list(table), [cell.value for cell in sheet[7]]):
        assert [texts[place] for place in (2, 3, 4, 9)] == ["=HYPERLINK(1)", "00012345678901234567", "+86 138\t0013", "1e5"]
        reasons = str(texts[7]).replace("🙂\n客", "🙂客")  # LibreOffice breaks a line of so many signs
        first, *others = reasons.split("\n• ")
        assert (first, others[0]) == ("• \u200fשלום 🙂\nsecond line", "@SUM(A1)")
        assert others[1].startswith("客户🙂客户🙂")
        assert others[1].endswith("… [cut here: longer than a cell can hold]")
        assert len(reasons.encode("utf-16-le")) // 2 in (32_766, 32_767)


def test_a_csv_file_opens_without_a_formula_and_without_a_changed_number(
    make_rows: MakeRows, tmp_path: Path, catalogue: Catalogue, convert: Callable[[Path, str], Path]
):
    settings = ListsConfig(formats=("csv",))
    edition = Edition(as_of=AS_OF, language="zh", currency="CNY", time_zone="Asia/Shanghai", catalogue=catalogue, settings=settings)
    (path,) = write_formats(tmp_path, make_rows(**ODD).assign(manager_id="M-1"), edition)
    sheet = openpyxl.load_workbook(convert(path, "xlsx", UTF_8)).worksheets[0]
    header, first, *_ = sheet.iter_rows()
    assert header[7].value == "预警原因"
    assert {cell.data_type for row in sheet.iter_rows() for cell in row} <= {"s", "n", "d"}
    assert [unguarded(first[place].value) for place in (2, 3, 4, 9)] == ["=HYPERLINK(1)", "00012345678901234567", "+86 138\t0013", "1e5"]
    assert first[11].value == 117.25
    assert len(first[7].value.encode("utf-16-le")) // 2 in (32_766, 32_767)


@pytest.mark.parametrize(("language", "header", "footer"), [("en", "Call by", "Page 2 of"), ("zh", "联系期限", "第2页")])
def test_it_prints_on_pages_one_wide_with_header_and_footer(
    make_rows: MakeRows,
    write: Write,
    convert: Callable[[Path, str], Path],
    require_part: Callable[[str, bool], None],
    language: str,
    header: str,
    footer: str,
):
    require_part("poppler-utils", shutil.which("pdftotext") is not None)
    many = pd.concat([make_rows(language).assign(order_id=lambda t, i=i: t.order_id + str(i)) for i in range(12)])
    many["priority"] = range(1, len(many) + 1)
    printed = convert(write(many, language=language), "pdf")
    text = subprocess.run(["pdftotext", "-layout", str(printed), "-"], capture_output=True, text=True, check=True).stdout
    *pages, legend, _ = text.split("\f")
    assert len(pages) >= 2
    assert all(header in page for page in pages)
    assert footer in pages[1]
    assert sum(page.count("138****1234") + page.count("+1234") for page in pages) == len(many)
    assert "20260101-C-" not in text  # the work order's number is for the way back, not for paper
    assert {"en": "What the columns mean", "zh": "各列含义"}[language] in legend
