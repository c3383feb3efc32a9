"""The tier report as page and workbook: every figure is the counted one, in both languages, and text stays text."""

from __future__ import annotations

import io
import re
from datetime import date
from decimal import Decimal

import ibis
import openpyxl
import pandas as pd
import pyarrow as pa
import pytest

from custvalue.app.tier_report import check_folder, report_page, report_workbook, write
from custvalue.app.tier_report.plots import WIDTH, report_plots
from custvalue.app.tier_report.tables import COLUMNS, report_tables
from custvalue.app.tier_report.words import ReportWords
from custvalue.config import load_config
from custvalue.errors import ConfigError
from custvalue.pipeline.tier_report import ReportNote, TierReport, Watch
from custvalue.tiers.measures.summary import summarise, with_rates
from custvalue.tiers.segments import SegmentModel
from custvalue.tiers.segments.clustering import Candidate
from custvalue.tiers.segments.signals import Signal
from custvalue.tiers.segments.traits import Segment

AS_OF = date(2025, 9, 1)
TIERS = ("gold", "basic", "unrated")
SEGMENTS = SegmentModel(
    "behaviour",
    1,
    AS_OF,
    200,
    7,
    (Signal("voice", "voice_minutes_mean_12m", "use"),),
    (Segment("roaming-families", ("more_roaming", "families"), 0.6, (1.0,)), Segment("less_voice", ("less_voice",), 0.4, (-1.0,))),
    (Candidate(2, 0.95, 0.9, 0.4, 0.5), Candidate(3, 0.7, 0.6, 0.1, 1.2)),
)
MONEY = pa.decimal128(19, 4)


def money(*values):
    return pa.array([Decimal(f"{value:.4f}") for value in values], MONEY)


def customers():
    """Fifty gold, one hundred basic, and four unrated in a region whose name is a formula and a tag."""
    tier = ["gold"] * 50 + ["basic"] * 100 + ["unrated"] * 4
    revenue = [100.0] * 50 + [20.0] * 100 + [7.0] * 4
    answers = [1] * 40 + [0] * 114
    return ibis.memtable(
        pa.table(
            {
                "customer_id": [f"customer-{place}" for place in range(154)],
                "tier": tier,
                "segment": ["consumer"] * 154,
                "behaviour": (["roaming-families", "less_voice"] * 77),
                "region": ["North"] * 150 + ["=1+1<script>"] * 4,
                "revenue_month": money(*revenue),
                "revenue_year": money(*(12 * value for value in revenue)),
                "profit_month": money(*(value / 2 for value in revenue)),
                "profit_year": money(*(6 * value for value in revenue)),
                "complaints": [1] * 10 + [0] * 144,
                "asked": [1] * 154,
                "answers": answers,
                "satisfied": [1] * 30 + [0] * 124,
                "very_satisfied": [1] * 10 + [0] * 144,
            }
        )
    )


def watched():
    return ibis.memtable(
        pa.table(
            {
                "tier": ["gold"] * 50 + ["basic"] * 100,
                "segment": ["consumer"] * 150,
                "behaviour": ["less_voice"] * 150,
                "region": ["North"] * 150,
                "left": [1] * 2 + [0] * 48 + [1] * 10 + [0] * 90,
            }
        )
    )


@pytest.fixture(scope="module")
def report():
    now, seen = customers(), watched()
    total = summarise(now, seen, ())
    single = [("tier",), ("segment",), ("behaviour",), ("region",)]
    by = {keys: with_rates(summarise(now, seen, keys), total=total) for keys in [*single, *(("tier", *keys) for keys in single[1:])]}
    by[("tier",)] = by[("tier",)].set_index("tier").loc[list(TIERS)].reset_index()
    return TierReport(
        as_of=AS_OF,
        month=date(2025, 8, 1),
        name="operator",
        currency="CNY",
        policy="consumer-v2",
        tiers=TIERS,
        total=with_rates(total, total=total),
        by=by,
        segments=SEGMENTS,
        watch=Watch(date(2025, 6, 1), date(2025, 7, 1), AS_OF, ("voluntary", "port_out"), "rating"),
        notes=(ReportNote("bills_without_cost", {"unknown": "3", "bills": "1,848"}),),
    )


@pytest.fixture(params=["en", "zh"])
def words(request, config, report):
    return ReportWords(load_config(config), report, request.param)


def test_the_page_needs_nothing_from_elsewhere_and_writes_text_as_text(report, words):
    html = report_page(report, words)
    assert "<script" not in html
    assert "=1+1&lt;script&gt;" in html
    assert not re.search(r"(?:src|href)=|https?://|@import|url\(", html)
    assert "customer-" not in html


def test_both_languages_say_everything(report, words):
    html = report_page(report, words)
    body = re.sub(r"<style>.*?</style>", "", html, flags=re.DOTALL)
    assert not re.findall(r"\{\w*\}", body)
    said = (
        ("漫游型家庭", "客户（语音少）", "未评级") if words.language == "zh" else ("roaming families", "customers: little voice", "unrated")
    )
    for text in said:
        assert text in body
    if words.language == "zh":
        plain = re.sub(r"<[^>]+>|&\w+;", " ", body)
        left = set(re.findall(r"[A-Za-z]{4,}", plain)) - {"operator", "consumer", "North", "script", "behaviour", "ARPU"}
        assert not left


def test_the_page_shows_what_was_counted(report, words):
    html = report_page(report, words)
    gold = next(row for row in re.findall(r"<tr.*?</tr>", html, re.DOTALL) if words.group("tier", "gold") in row and "60,000" in row)
    cells = re.findall(r"<td[^>]*>(.*?)</td>", gold)
    # customers, share, revenue, share of revenue, ARPU, profit, margin, churn, complaints, answers, answer rate, satisfaction
    assert cells[1:] == ["50", "32.5%", "60,000", "71.1%", "100", "30,000", "50.0%", "4.0%", "200.0", "40", "80.0%", "75.0%"]


def test_a_group_of_four_shows_its_size_alone(report, words):
    rows = next(table for table in report_tables(report, words, fewer=True) if table.sheet == "by_tier").rows
    unrated = [cell.shown for cell in rows[2]]
    assert unrated[1:3] == ["4", "2.6%"]
    assert set(unrated[3:]) == {"–"}


def test_tables_by_one_column_end_with_everybody(report, words):
    for table in report_tables(report, words, fewer=False):
        if table.left == 1 and table.sheet.startswith("by_"):
            counts = [row[1].number for row in table.rows]
            assert counts[-1] == sum(counts[:-1]) == 154


def test_the_workbook_holds_every_measure_as_a_number(report, words):
    book = openpyxl.load_workbook(io.BytesIO(report_workbook(report, words)))
    assert len(book.sheetnames) == 9
    sheet = book[words("sheet_by_tier_region")]
    rows = [[cell.value for cell in row] for row in sheet.iter_rows()]
    head = next(place for place, row in enumerate(rows) if row[0] == words("tier"))
    assert rows[head][2:] == [words(name) for name in COLUMNS if name in report.total.columns]
    gold = next(row for row in rows[head:] if row[0] == words.group("tier", "gold"))
    assert gold[rows[head].index(words("revenue_year"))] == 60_000
    odd = next(row for row in sheet.iter_rows() if row[1].value == "=1+1<script>")
    assert odd[1].data_type == "s"
    assert not [cell for tab in book for row in tab.iter_rows() for cell in row if cell.data_type == "f"]


def test_the_same_report_gives_the_same_bytes(config, report, tmp_path):
    first = [path.read_bytes() for path in write(load_config(config), report, tmp_path / "one", "zh")]
    again = [path.read_bytes() for path in write(load_config(config), report, tmp_path / "two", "zh")]
    assert first == again
    assert sorted(path.name for path in (tmp_path / "one").iterdir()) == ["tier-report-2025-09-01.html", "tier-report-2025-09-01.xlsx"]


def test_the_terminal_shows_the_tables_by_one_column(config, report, tmp_path, capsys):
    write(load_config(config), report, tmp_path, "en")
    told = capsys.readouterr().out
    assert "By tier" in told
    assert "By region" in told
    assert "By tier and region" not in told


def test_bars_are_as_long_as_what_they_stand_for(report, words):
    plots = {plot.name: plot for plot in report_plots(report, words)}
    gold, basic = (dict(plots["churn"].rows)[words.group("tier", name)][0] for name in ("gold", "basic"))
    assert basic.length / gold.length == pytest.approx(0.10 / 0.04)
    assert gold.interval[0] < gold.length < gold.interval[1]
    for _, bars in plots["mix"].rows:
        assert sum(bar.length for bar in bars) == pytest.approx(WIDTH)
    revenue = [bars[1].length for _, bars in plots["value"].rows[:2]]
    assert revenue[0] / revenue[1] == pytest.approx(60_000 / 24_000)


def test_a_report_without_departures_surveys_and_segments_is_whole(config, report):
    columns = [
        name for name in report.total.columns if name in ("customers", "share", "revenue_month", "revenue_year", "revenue_share", "arpu")
    ]
    by = {keys: frame[[*keys, *columns]] for keys, frame in report.by.items() if "behaviour" not in keys}
    one = SegmentModel("behaviour", 1, AS_OF, 20, 7, (), (Segment("mixed", (), 1.0, ()),), ())
    bare = TierReport(
        AS_OF, report.month, "operator", "CNY", "p-v1", TIERS, report.total[columns], by, one, None, (ReportNote("no_window"),)
    )
    words = ReportWords(load_config(config), bare, "en")
    assert "No outcome window is over" in report_page(bare, words)
    assert [plot.name for plot in report_plots(bare, words)] == ["value"]
    assert report_workbook(bare, words)[:2] == b"PK"


def test_every_word_is_there_in_both_languages(report, words):
    for name in COLUMNS:
        assert words(name)
    for code in (
        "no_window",
        "no_earlier_tiers",
        "operators_tiers",
        "no_cost",
        "bills_without_cost",
        "no_complaints",
        "no_surveys",
        "one_segment",
    ):
        values = dict.fromkeys(("day", "unknown", "bills", "customers"), "1")
        assert words(f"note_{code}", **values)
    for kind in ("voluntary", "port_out", "non_payment", "natural", "silence"):
        assert words(f"kind_{kind}")


def test_a_workspace_with_older_wording_takes_the_shipped_words(config, report, tmp_path):
    loaded = load_config(config)
    old = tmp_path / "wording"
    old.mkdir()
    for path in loaded.wording.glob("*.yaml"):
        text = path.read_text(encoding="utf-8")
        (old / path.name).write_text(re.sub(r"^(tier_report|segments):\n(?:  .*\n|\n)+", "", text, flags=re.MULTILINE), encoding="utf-8")
    assert "tier_report:" in (loaded.wording / "labels.yaml").read_text(encoding="utf-8")
    assert "tier_report:" not in (old / "labels.yaml").read_text(encoding="utf-8")
    words = ReportWords(loaded.model_copy(update={"wording": old}), report, "en")
    assert words("by_tier") == "By tier"


def test_a_file_in_the_folders_place_is_refused_before_the_work(tmp_path):
    (tmp_path / "report").write_text("x")
    with pytest.raises(ConfigError, match=r"report: is a file\. Name a folder"):
        check_folder(tmp_path / "report")
    check_folder(tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_missing_revenue_leaves_the_headline_out(report, words):
    frame = report.by[("tier",)].assign(revenue_share=float("nan"))
    changed = {**report.by, ("tier",): frame}
    bare = TierReport(**{name: getattr(report, name) for name in report.__dataclass_fields__} | {"by": changed})
    assert 'class="headline"' not in report_page(bare, words)
    assert 'class="headline"' in report_page(report, words)
    assert pd.isna(frame.revenue_share).all()
