"""The workbook as LibreOffice shows and prints it."""

from __future__ import annotations

import csv
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

Write = Callable[..., Path]
MakeRows = Callable[..., pd.DataFrame]


@pytest.fixture(scope="module")
def convert(require_part: Callable[[str, bool], None], tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path, str], Path]:
    require_part("LibreOffice", shutil.which("soffice") is not None)
    profile = tmp_path_factory.mktemp("soffice")

    def convert(path: Path, to: str) -> Path:
        out = tmp_path_factory.mktemp("converted")
        command = [
            "soffice",
            f"-env:UserInstallation={profile.as_uri()}",
            "--headless",
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


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        (
            "en",
            "1|diamond|王**|00012345678901|138****1234"
            "|• Bill last month ¥117, 41 % below the mean of the 2 months before (¥198)\n• Contract ends in 18 days\n• =1+1 is no formula"
            "|leaving|¥117|▼ 41 %|high|34 %|¥1,240|¥96|40|18|complaint open|2026-01-02|||20260101-C-00000000aa",
        ),
        (
            "zh",
            "1|钻石|王**|00012345678901|138****1234"
            "|• 上月消费117元，较前2个月月均198元下降41%\n• 合约18天后到期\n• =1+1不是公式"
            "|离网|117元|▼ 41%|高|34%|1,240元|96元|40|18|投诉未闭环|2026-01-02|||20260101-C-00000000aa",
        ),
    ],
)
def test_the_cells_show_what_the_sentences_say(
    make_rows: MakeRows, write: Write, convert: Callable[[Path, str], Path], language: str, expected: str
):
    shown = convert(write(make_rows(language), language=language), CSV)
    with shown.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    assert rows[4] == expected.split("|")
    assert rows[5][2:5] == ["=cmd|' /C calc'!A0", "13812341234", "138****1234"]
    assert rows[5][7:9] == (["¥7.50", "▲ 31 %"] if language == "en" else ["7.50元", "▲ 31%"])
    assert rows[6][8] == rows[6][14] == rows[6][15] == ""


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
