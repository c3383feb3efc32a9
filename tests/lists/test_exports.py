"""Exports into other systems: what their importers ask for, by mapping files that are checked."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from custvalue.config import ready_configs
from custvalue.config.lists import ListsConfig
from custvalue.errors import ConfigError
from custvalue.lists import Edition, check_formats, dynamics, list_rows, write_formats
from custvalue.lists.mapping import SOURCES, load_export
from custvalue.wording import Catalogue

from .conftest import AS_OF, EN
from .test_rows import LISTED
from .test_telling import POLICY, RULES

MakeRows = Callable[..., pd.DataFrame]
Export = Callable[..., list[Path]]
MAPPING = """\
version: 1
record: Order
external_id: Order_Id__c
columns:
  Order_Id__c: order_id
  Customer__c: customer
  Owner__c: manager_id
  Kind__c: {constant: retention}
  Checked__c: {constant: true}
  Name__c: name
  Tier__c: tier
  TierWords__c: {source: tier, format: words}
  Chance__c: probability
  ChanceFraction__c: {source: probability, format: fraction}
  Change__c: arpu_drop
  Stake__c: value_at_stake
  Open__c: open_complaint
  Reasons__c: reasons
  Last__c: last_contact
  Due__c: due_by
  DueDay__c: {source: due_by, format: date}
"""


@pytest.fixture
def mapping(tmp_path: Path) -> Path:
    path = tmp_path / "mapping.yaml"
    path.write_text(MAPPING, encoding="utf-8")
    return path


@pytest.fixture
def export(tmp_path: Path, catalogue: Catalogue) -> Export:
    def export(rows: pd.DataFrame, settings: ListsConfig, language: str = "en") -> list[Path]:
        edition = Edition(as_of=AS_OF, language=language, currency="CNY", time_zone="Asia/Shanghai", catalogue=catalogue, settings=settings)
        return write_formats(tmp_path / "lists", rows.assign(manager_id=["M-2", "M-1", "M-1"][: len(rows)]), edition)

    return export


def cells(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def test_salesforce_takes_all_managers_customers_by_external_id(make_rows: MakeRows, export: Export, mapping: Path):
    due = pd.to_datetime(pd.Series([pd.Timestamp(2026, 1, 2, 9)] * 3))
    (path,) = export(make_rows().assign(due_by=due), ListsConfig(formats=("salesforce",), salesforce=mapping))
    content = path.read_bytes()
    assert not content.startswith(codecs.BOM_UTF8)
    assert b"\r" not in content
    header, first, *others = cells(content)
    assert header == list(load_export(mapping).columns)
    assert dict(zip(header, first, strict=True)) == {
        "Order_Id__c": "20260101-C-00000000aa", "Customer__c": "00012345678901", "Owner__c": "M-1", "Kind__c": "retention",
        "Checked__c": "true", "Name__c": "王**", "Tier__c": "diamond", "TierWords__c": "diamond", "Chance__c": "34",
        "ChanceFraction__c": "0.34", "Change__c": "41", "Stake__c": "1240", "Open__c": "true",
        "Reasons__c": "\n".join(EN),
        "Last__c": "2025-11-03", "Due__c": "2026-01-02T09:00:00.000+08:00", "DueDay__c": "2026-01-02",
    }  # fmt: skip
    assert len({row[0] for row in (first, *others)}) == 3
    assert [row[1] for row in others] == ["13812341234", "@SUM(1)"]  # what is joined on stays as it is
    assert [row[5] for row in others] == ["'=cmd|' /C calc'!A0", "'-2+3"]
    assert others[0][14] == ""


def test_dynamics_finds_its_columns_by_name(make_rows: MakeRows, export: Export):
    (path,) = export(make_rows("zh"), ListsConfig(formats=("dynamics",)), "zh")
    header, first, *_ = cells(path.read_bytes())
    assert header[:4] == ["Order number", "Name", "Status Reason", "Customer number"]
    shown = dict(zip(header, first, strict=True))
    assert (shown["Tier"], shown["Risk"], shown["Call by"], shown["Chance (%)"]) == ("钻石", "高", "2026-01-02", "34")
    assert not [name for name in header if re.search('[,"\n]', name)]


def test_files_too_large_to_import_are_parted(make_rows: MakeRows, export: Export, monkeypatch: pytest.MonkeyPatch):
    (whole,) = export(make_rows(), ListsConfig(formats=("dynamics",)))
    content = whole.read_bytes()
    header, *lines = cells(content)
    monkeypatch.setattr(dynamics, "LARGEST", len(content) - 1)
    parts = export(make_rows(), ListsConfig(formats=("dynamics",)))
    assert [path.name for path in parts] == ["dynamics.csv", "dynamics-2.csv"]
    read = [cells(path.read_bytes()) for path in parts]
    assert [part[0] for part in read] == [header, header]
    assert [line for part in read for line in part[1:]] == lines
    assert all(len(path.read_bytes()) < len(content) for path in parts)


@pytest.mark.parametrize("name", ["salesforce", "dynamics"])
def test_the_shipped_mappings_are_complete_and_reveal_no_trigger(name: str):
    found = load_export(ready_configs() / "exports" / f"{name}.yaml")
    sources = {target.source for target in found.columns.values()}
    assert {"order_id", "customer", "manager_id", "reasons", "due_by"} <= sources
    assert not {"trigger", "customer_id"} & set(SOURCES)


def test_every_source_is_a_column_of_the_lists(catalogue: Catalogue):
    rows = list_rows(
        LISTED, [[]] * 2, {}, as_of=date(2026, 1, 1), token_key=b"key", base_rate=0.05, catalogue=catalogue, policy=POLICY, rules=RULES
    )
    assert {name for name in SOURCES if name not in rows.columns and f"{name}_en" not in rows.columns} == set()


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("Name__c: name", "Name__c: nmae", r"mapping\.yaml:10: columns\.Name__c: lists hold no 'nmae'; did you mean 'name'\?"),
        ("Name__c: name", "Name__c: trigger", r"mapping\.yaml:10: .*lists hold no 'trigger'"),
        ("Name__c: name", "Name__c: customer_id", r"mapping\.yaml:10: .*lists hold no 'customer_id'"),
        ("Name__c: name", "Name__c: {source: name, constant: x}", r"mapping\.yaml:10: .*either a source or a constant"),
        ("Name__c: name", "Name__c: {}", r"mapping\.yaml:10: .*either a source or a constant"),
        ("Name__c: name", "Name__c: {source: name, format: words}", r"mapping\.yaml:10: .*format 'words' is for tier"),
        ("Name__c: name", "Name__c: {source: name, format: long}", r"mapping\.yaml:10: columns\.Name__c"),
        ("Name__c: name", "'Na,me': name", r"mapping\.yaml:10: .*no comma"),
        ("Name__c: name", "Tier__c: name", r"mapping\.yaml:11: .*stands here a second time"),
        (
            "external_id: Order_Id__c",
            "external_id: Customer__c",
            r"mapping\.yaml:3: external_id: must be the column whose source is order_id",
        ),
        ("external_id: Order_Id__c", "external_id: Id", r"mapping\.yaml:3: external_id: must be the column"),
        ("record: Order\n", "", r"mapping\.yaml:1: record: Field required"),
    ],
)
def test_a_faulty_mapping_is_refused_with_its_line_before_a_run(mapping: Path, old: str, new: str, told: str):
    settings = ListsConfig(formats=("salesforce",), salesforce=mapping)
    check_formats(settings)
    text = MAPPING.replace(old, new)
    assert text != MAPPING
    mapping.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=told):
        check_formats(settings)
    check_formats(ListsConfig(salesforce=mapping))  # nobody asked for the format


def test_an_empty_night_has_a_header_alone(make_rows: MakeRows, export: Export):
    paths = export(make_rows().head(0), ListsConfig(formats=("xlsx", "csv", "salesforce", "dynamics")))
    assert [path.name for path in paths] == ["salesforce.csv", "dynamics.csv"]
    assert [len(cells(path.read_bytes())) for path in paths] == [1, 1]
