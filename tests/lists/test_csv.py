"""CSV files that Excel opens: nothing runs, no digit is lost, and what was written can be read back."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from custvalue.config.lists import ListsConfig
from custvalue.lists import Edition, write_formats
from custvalue.lists.csv import guarded, number, table, unguarded
from custvalue.wording import Catalogue

from .conftest import AS_OF

MakeRows = Callable[..., pd.DataFrame]


@pytest.fixture
def written(tmp_path: Path, catalogue: Catalogue) -> Callable[..., Path]:
    def write(rows: pd.DataFrame, language: str = "en") -> Path:
        settings = ListsConfig(formats=("csv",))
        edition = Edition(as_of=AS_OF, language=language, currency="CNY", time_zone="Asia/Shanghai", catalogue=catalogue, settings=settings)
        (path,) = write_formats(tmp_path / "lists", rows.assign(manager_id="M-014"), edition)
        return path

    return write


def test_it_begins_with_a_byte_order_mark_and_holds_what_the_workbook_shows(make_rows: MakeRows, written: Callable[..., Path]):
    path = written(make_rows("zh"), "zh")
    assert path.name == "M-014.csv"
    assert path.read_bytes()[:3] == b"\xef\xbb\xbf"
    first = pd.read_csv(path, dtype=str, keep_default_na=False).iloc[0]
    assert dict(first) == {
        "序号": "1", "等级": "钻石", "姓名": "王**", "客户编号": "'00012345678901", "号码": "138****1234", "号码数": "", "预警信号": "",
        "预警原因": "• 上月消费117元，较前2个月月均198元下降41%\n• 合约18天后到期\n• =1+1不是公式", "关怀提示": "投诉未闭环",
        "推荐方案": "减免半个月月费", "沟通要点": "• 感谢客户\n• 询问套餐是否合适\n✗ 投诉未闭环前请勿营销。", "月均消费": "117.25",
        "离网风险": "高", "预计净收益": "96.4", "联系期限": "2026-01-02", "联系结果": "", "结果原因": "", "联系日期": "", "备注": "",
        "消费变化": "-41%", "离网概率": "34%", "流失损失": "1240", "关注方向": "离网", "在网月数": "40", "合约剩余天数": "18",
        "上次联系": "2025-11-03 · 拒绝优惠", "入单情况": "新增", "营销授权": "已同意", "工单号": "20260101-C-00000000aa",
    }  # fmt: skip


def test_nothing_in_it_is_a_formula_and_no_number_is_one_that_was_not(make_rows: MakeRows, written: Callable[..., Path]):
    rows = make_rows(name="@SUM(A1)", number="\t=1", customer="12345678901234567890", offer_words="＝1+1")
    shown = pd.read_csv(written(rows), dtype=str, keep_default_na=False)
    assert shown["Customer"].tolist() == ["'12345678901234567890", "'13812341234", "'@SUM(1)"]
    assert shown["Name"].tolist() == ["'@SUM(A1)", "'=cmd|' /C calc'!A0", "'-2+3"]
    assert shown["Phone"].tolist() == ["'\t=1", "138****1234", "'+1234"]
    assert shown["Offer"][0] == "'＝1+1"
    texts = [text for _, column in shown.drop(columns=["Change"]).items() for text in column]
    assert not [text for text in texts if text[:1] in ("=", "+", "-", "@", "\t", "\r")]


@pytest.mark.parametrize(
    "text",
    ["=1", "+1", "-1", "@a", "\t=1", "\r=1", "\n=1", " =1", "\u200f=1", "＝1", "＠a", "'=1", "007", "13812341234", "1234567890123456789",
     "1e5", "12E3", "1-2", "3/4", "2026-01-01", "10:30", "5%", "1,000", "(5)", "12 345"],
)  # fmt: skip
def test_what_a_spreadsheet_would_take_for_something_else_is_marked(text: str):
    assert guarded(text) == f"'{text}"


@pytest.mark.parametrize("text", ["", "王**", "C-7f3a90c1d2", "20260101-C-7f3a90c1d2", "138****1234", "5A", "• =1", "a=1", "–"])
def test_other_text_is_left_alone(text: str):
    assert guarded(text) == text


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00")))
def test_the_mark_can_be_taken_away_and_the_cell_read_back(text: str):
    assert unguarded(guarded(text)) == text


@given(st.lists(st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00")), min_size=2, max_size=2)))
def test_cells_come_back_whatever_stands_in_them(rows: list[list[str]]):
    assert list(csv.reader(io.StringIO(table(rows, line_end="\r\n"), newline=""))) == rows


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0.0, "0"), (117.25, "117.25"), (96.4, "96.4"), (1e15, "1000000000000000"), (-0.001, "0"), (-30.5, "-30.5"), (40.0, "40")],
)
def test_numbers_have_no_exponent(value: float, shown: str):
    assert number(value) == shown
