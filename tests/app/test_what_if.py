"""The comparison of two tier policies says the same on the terminal, on the page and in the workbook, in both languages."""

from __future__ import annotations

import io
import re
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from html.parser import HTMLParser
from pathlib import Path

import openpyxl
import pytest
import yaml

from custvalue.app.cli import run
from custvalue.app.what_if import find_policy, show
from custvalue.app.what_if.words import Words
from custvalue.config import load_config
from custvalue.errors import ConfigError
from custvalue.pipeline.what_if import what_if
from custvalue.tiers import TierPolicy

REPOSITORY = Path(__file__).parents[2]
TIERS = REPOSITORY / "configs" / "tiers"
POINTS = {
    "components": {
        "bill": {"metric": "revenue_mean_3m", "points_per_unit": 1.0},
        "tenure": {"metric": "tenure_months", "points_per_unit": 0.25, "cap": 30},
    },
    "cuts": {"kind": "thresholds", "at_least": {"diamond": 140, "gold": 88, "silver": 50}},
}
IN_FORCE = {
    "name": "value",
    "version": 1,
    "source": "made for these tests",
    "tiers": ["diamond", "gold", "silver", "basic"],
    "eligibility": {"min_tenure_months": 6},
    "rules": {"points": POINTS},
    "stability": {"validity_months": 6, "months_before_downgrade": 3},
    "service": {"diamond": {"answer_within_hours": 12}, "gold": {"answer_within_hours": 24}, "silver": {"channel": "message"}},
}


class Silent:
    def start(self, step):
        pass

    def note(self, text):
        pass

    def done(self, step, text, **facts):
        pass


class Tables(HTMLParser):
    """Rows of every table of a page, cell by cell, under the heading above it."""

    def __init__(self, html):
        super().__init__()
        self.tables, self._title, self._inside = {}, "", None
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        if tag == "table":
            self._rows = self.tables.setdefault(self._title, [])
        elif tag == "tr":
            self._rows.append([])
        elif tag in ("td", "th"):
            self._rows[-1].append(("", "number" in (dict(attributes).get("class") or "")))
            self._inside = "cell"
        elif tag == "h2":
            self._title, self._inside = "", "title"

    def handle_endtag(self, tag):
        if tag in ("td", "th", "h2"):
            self._inside = None

    def handle_data(self, data):
        if self._inside == "cell":
            text, number = self._rows[-1][-1]
            self._rows[-1][-1] = (text + data, number)
        elif self._inside == "title":
            self._title += data


@pytest.fixture(scope="module")
def config(tables, tmp_path_factory):
    folder = tmp_path_factory.mktemp("what-if")
    content = {
        "name": "small",
        "currency": "CNY",
        "time_zone": "Asia/Shanghai",
        "sources": {"folder": str(tables)},
        "features": {"windows": [1, 3]},
        "tier_policy": "tiers/in-force.yaml",
        "retention_policy": str(REPOSITORY / "configs" / "retention" / "default.yaml"),
    }
    path = folder / "small.yaml"
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    stricter = {"version": 2, "transition": {"rule": "new"}, "stability": {}}
    cuts = {"kind": "thresholds", "at_least": {"diamond": 90, "gold": 65, "silver": 55}}
    for name, policy in {"in-force": IN_FORCE, "stricter": IN_FORCE | stricter | {"rules": {"points": POINTS | {"cuts": cuts}}}}.items():
        (folder / "tiers").mkdir(exist_ok=True)
        (folder / "tiers" / f"{name}.yaml").write_text(yaml.safe_dump(policy, sort_keys=False), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def last_day(tables):
    import pyarrow.parquet as pq

    newest = max(pq.read_table(tables / "billing.parquet", columns=["month"])["month"].to_pylist())
    return date(newest.year + newest.month // 12, newest.month % 12 + 1, 1)


@pytest.fixture(scope="module")
def found(config, last_day):
    policies = [TierPolicy.from_yaml(path) for path in (config.parent / "tiers" / f"{name}.yaml" for name in ("in-force", "stricter"))]
    return what_if(load_config(config), *policies, last_day, months=2, reporter=Silent())


@pytest.fixture(scope="module", params=["en", "zh"])
def shown(request, config, found, tmp_path_factory):
    """What stands on the terminal, on the page and in the workbook."""
    import contextlib

    folder, out = tmp_path_factory.mktemp(request.param), io.StringIO()
    with contextlib.redirect_stdout(out):
        show(load_config(config), found, language=request.param, html=folder / "w.html", xlsx=folder / "w.xlsx")
    return request.param, out.getvalue(), (folder / "w.html").read_text(encoding="utf-8"), folder / "w.xlsx"


def as_excel_shows(cell):
    """The number as a spreadsheet writes it under the cell's format, from the format alone."""
    share = cell.number_format.endswith("%")
    decimals = len(cell.number_format.rstrip("%").partition(".")[2])
    value = Decimal(f"{cell.value:.15g}") * (100 if share else 1)
    return f"{value.quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_UP):,f}{'%' if share else ''}"


def test_there_is_something_to_tell(found):
    ways = found.switch.table[found.switch.table.before != found.switch.table.after]
    assert ways.customers.sum() > 10
    assert len(found.stability["policy"].changes) == 2


def test_page_and_workbook_hold_the_same_cells(shown):
    _, _, html, xlsx = shown
    page = [[[text for text, _ in row] for row in table] for table in Tables(html).tables.values()]
    book = openpyxl.load_workbook(xlsx)
    assert len(book.sheetnames) == 5
    rows = [
        [cell.value if isinstance(cell.value, str) else as_excel_shows(cell) for cell in row if cell.value is not None]
        for sheet in book
        for row in sheet.iter_rows()
    ]
    assert len(page) >= 10
    missing = [row for table in page for row in table if row not in rows]
    assert missing == []


def test_the_terminal_s_numbers_are_those_of_the_page(shown):
    _, terminal, html, _ = shown
    told, unbroken = " ".join(terminal.split()), "".join(terminal.split())
    tables = {title: rows for title, rows in Tables(html).tables.items() if "".join(title.split()) in unbroken}
    assert len(tables) >= 8  # some are on the page alone
    lines = [" ".join(text for text, number in row if number) for rows in tables.values() for row in rows[1:]]
    assert len(lines) > 40
    assert [line for line in lines if line not in told] == []


def test_the_page_needs_nothing_from_elsewhere_and_names_nobody(shown, tables):
    import pyarrow.parquet as pq

    _, terminal, html, xlsx = shown
    assert not re.search(r'(?:src|href)="(?!#)|@import|url\((?!#)', html)
    assert html.count("<svg") == 3
    people = set(pq.read_table(tables / "customers.parquet", columns=["customer_id"])["customer_id"].to_pylist())
    texts = [str(cell.value) for sheet in openpyxl.load_workbook(xlsx) for row in sheet.iter_rows() for cell in row if cell.value]
    words = set(re.findall(r"[\w*]+", " ".join([terminal, html, *texts])))
    assert people & words == set()
    assert [word for word in words if "***" in word]  # examples are there, masked


def test_words_are_in_the_language_asked_for(shown):
    language, terminal, html, _ = shown
    for text in (terminal, html):
        assert ("若以value-v2取代" in text) == (language == "zh")
        assert ("took over from" in text) == (language == "en")
    if language == "zh":
        assert "钻石" in html
        english = set(re.findall(r"<t[dh][^>]*>([a-z ]{6,})</t", html))
        assert english <= {"points"}  # the policy's own name for its rule


def test_the_same_comparison_gives_the_same_files(found, config, tmp_path):
    for name in ("1", "2"):
        show(load_config(config), found, language="en", html=tmp_path / f"{name}.html", xlsx=tmp_path / f"{name}.xlsx")
    for suffix in ("html", "xlsx"):
        assert (tmp_path / f"1.{suffix}").read_bytes() == (tmp_path / f"2.{suffix}").read_bytes()


def test_the_command_compares_the_config_s_policy_with_one_by_name(config, last_day, tmp_path, capsys):
    page = tmp_path / "new" / "w.html"
    given = ["-c", str(config), "--against", "stricter", "--as-of", str(last_day), "--months", "1", "--lang", "zh"]
    assert run(["what-if", *given, "--html", str(page), "--no-log"]) == 0
    assert "若以value-v2取代" in capsys.readouterr().out
    assert page.is_file()
    assert not (config.parent / "models").exists()
    assert not (config.parent / "output").exists()


def test_policies_are_found_beside_the_config_first(config):
    assert find_policy("stricter", config) == config.parent.resolve() / "tiers" / "stricter.yaml"
    assert find_policy("consumer-share", config).is_file()
    (config.parent / "tiers" / "interconnect.yaml").write_text("a: 1", encoding="utf-8")
    assert find_policy("interconnect", config).parent == config.parent.resolve() / "tiers"
    assert find_policy(str(TIERS / "megaline.yaml"), config) == TIERS / "megaline.yaml"


@pytest.mark.parametrize("name", ["golden", "../tiers/stricter", ""])
def test_an_unknown_policy_is_told_with_those_that_are_there(config, name):
    with pytest.raises(ConfigError, match=r"consumer-share.*stricter"):
        find_policy(name, config)


def test_a_folder_in_place_of_a_file_is_told_before_anything_is_computed(config, last_day, tmp_path, capsys):
    assert run(["what-if", "-c", str(config), "--against", "stricter", "--as-of", str(last_day), "--html", str(tmp_path)]) == 2
    assert "is a folder" in capsys.readouterr().err


@pytest.mark.parametrize("missing", [None, float("nan")])
def test_a_tier_of_which_nobody_says_who_serves_it_has_no_channel(config, missing):
    words = Words(load_config(config), "en")
    assert (words.channel("manager"), words.channel(missing)) == ("account manager", "")
