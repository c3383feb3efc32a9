"""What `custvalue check` shows and writes: every table, every finding, no identifier."""

from __future__ import annotations

import re
from datetime import date

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from custvalue.app.cli import run
from custvalue.sources import add_months

PEOPLE = [f"1380000{i:04d}" for i in range(120)]
MONTHS = [add_months(date(2024, 1, 1), i) for i in range(6)]
DEPARTURES = pa.schema({"customer_id": pa.string(), "left_on": pa.date32(), "kind": pa.string()})


@pytest.fixture
def operator(tmp_path):
    """Write a small operator whose file of bills may be changed, and give the config's path."""

    def written(change=lambda row: row, **settings):
        data = tmp_path / "data"
        data.mkdir(exist_ok=True)
        customers = [{"customer_id": who, "valid_from": date(2023, 1, 1), "joined_on": date(2023, 1, 1)} for who in PEOPLE]
        rows = [{"customer_id": who, "month": month, "revenue": 30.0 + place % 9} for month in MONTHS for place, who in enumerate(PEOPLE)]
        pq.write_table(pa.Table.from_pylist(customers), data / "customers.parquet")
        pq.write_table(pa.Table.from_pylist([change(row) for row in rows]), data / "billing.parquet")
        pq.write_table(DEPARTURES.empty_table(), data / "departures.parquet")
        path = tmp_path / "op.yaml"
        path.write_text(yaml.safe_dump({"sources": {"folder": "data"}, "tier_policy": "t", "retention_policy": "r"} | settings))
        return path

    return written


def test_a_table_that_holds_is_shown_with_what_was_looked_at(operator, capsys):
    assert run(["check", "-c", str(operator()), "--as-of", "2024-07-01"]) == 0
    line = next(line for line in capsys.readouterr().out.splitlines() if line.strip().startswith("billing"))
    assert re.search(r"billing\s+720\s+2024-06-01\s+2024-06\s+(\d+) / \1", line)


def test_a_refused_table_is_shown_and_written_before_the_command_ends(operator, tmp_path, capsys):
    config = operator(lambda row: row | {"revenue": row["revenue"] * 100} if row["month"] == MONTHS[5] else row)
    page = tmp_path / "out" / "check.html"
    assert run(["check", "-c", str(config), "--html", str(page)]) == 3
    told = capsys.readouterr()
    html = page.read_text(encoding="utf-8")
    for text in (told.out, told.err, html):
        assert "100.0 times what it was" in " ".join(text.split())
    assert "Refused" in html
    assert not [who for who in PEOPLE if who in html + told.out + told.err]


def test_the_page_needs_nothing_from_elsewhere_and_writes_text_as_text(operator, tmp_path):
    config = operator(lambda row: row | {"customer_id": f"<script>{row['customer_id']}"}, name="a.b")
    page = tmp_path / "check.html"
    assert run(["check", "-c", str(config), "--html", str(page)]) == 3
    html = page.read_text(encoding="utf-8")
    assert "<script" not in html
    assert not re.search(r"(?:src|href)=|https?://|@import|url\(", html)


def test_a_file_that_cannot_be_read_is_on_the_page_too(operator, tmp_path):
    config = operator()
    (tmp_path / "data" / "billing.parquet").write_bytes(b"")
    page = tmp_path / "check.html"
    assert run(["check", "-c", str(config), "--html", str(page)]) == 3
    assert "table billing: cannot be read" in page.read_text(encoding="utf-8")


def test_a_late_feed_is_a_finding_of_its_table(operator, tmp_path):
    page = tmp_path / "check.html"
    assert run(["check", "-c", str(operator()), "--as-of", "2024-09-01", "--html", str(page)]) == 3
    assert "newest month 2024-06, expected 2024-08" in page.read_text(encoding="utf-8")
