"""A fault in the wording is told when it is loaded, with the file and the entry."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from custvalue.config import ready_configs
from custvalue.errors import ConfigError
from custvalue.wording import load_catalogue

GOOD = """
thresholds: {noticeable: 0.15}
reasons:
  bill:
    variants:
      drop:
        windows: [3]
        when: [revenue_drop_<w>m >= noticeable]
        en: "down {revenue_drop_<w>m:percent}"
        zh: "下降{revenue_drop_<w>m:percent}"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copy(ready_configs() / "wording" / "labels.yaml", tmp_path)
    (tmp_path / "reasons.yaml").write_text(GOOD, encoding="utf-8")
    return tmp_path


def test_the_unbroken_file_loads(folder: Path):
    facts = {"revenue_drop_3m": 0.41}
    assert load_catalogue(folder).phrase("bill", facts, language="zh", currency="CNY") == "下降41%"


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('        zh: "下降{revenue_drop_<w>m:percent}"\n', "", r"bill\.variants\.drop_3m\.zh: Field required"),
        ('zh: "下降{revenue_drop_<w>m:percent}"', 'zh: " "', r"bill\.variants\.drop_3m\.zh: the sentence is empty"),
        ('zh: "下降{revenue_drop_<w>m:percent}"', 'zh: "下降"', "en and zh show different facts: revenue_drop_3m"),
        ('m:percent}"\n        zh', 'm:furlongs}"\n        zh', r"drop_3m\.en: .*revenue_drop_3m:furlongs.*unknown format; use money"),
        ('"down {revenue_drop_<w>m:percent}"', '"down {revenue_drop_<w>m}"', r"must read \{fact:format\}"),
        ('"down {', '"down {{', "a brace without its partner"),
        (">= noticeable", "=> noticeable", r"drop_3m\.when\.0: .*unknown operator '=>'; use >="),
        (">= noticeable", ">= noticable", "'noticable' is neither a number, a quoted text, nor a threshold"),
        (">= noticeable", ">= 2 * ", r"a fact's name must follow the \*"),
        (">= noticeable", ">= nan", "'nan' is neither a number"),
        (">= noticeable", "is gone", "`is` takes `missing` or `present`"),
        ("[revenue_drop_<w>m >= ", "[0.15 >= ", "must begin with a fact's name"),
        ("[3]", "[1]", "windows must be a list of whole months above 1"),
        ("variants:", "sensitve: true\n    variants:", r"bill\.sensitve: Extra inputs"),
        ("      drop:", "      drop: {en: a, zh: b}\n      drop:", "'drop' stands twice"),
        ("reasons:", "reasons: [", "is not YAML"),
    ],
)
def test_a_fault_in_reasons(folder: Path, old: str, new: str, told: str):
    path = folder / "reasons.yaml"
    assert old in GOOD
    path.write_text(GOOD.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ConfigError, match=told) as caught:
        load_catalogue(folder)
    assert str(path) in str(caught.value)
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("{en: gold, zh: 金}", "{en: gold}", r"tiers\.gold\.zh: Field required"),
        ("{en: gold, zh: 金}", "{en: gold, zh: ''}", r"tiers\.gold\.zh: String should have at least 1"),
        ('zh: "共{count}位客户"', 'zh: "共若干位客户"', r"texts\.many: en and zh hold different values"),
        ('  gb: {en: "{} GB", zh: "{}GB"}\n', "", "no entry for gb"),
        ('CNY: {en: "¥{}", zh: "{}元"}', 'CNY: {en: "¥", zh: "元"}', r"currencies\.CNY: write \{\} once"),
        ("{en: refused, zh: 拒绝优惠}", '{en: "no, refused", zh: 拒绝优惠}', "outcomes must differ, hold no comma"),
        ("{en: refused, zh: 拒绝优惠}", "{en: reached, zh: 拒绝优惠}", "outcomes must differ"),
    ],
)
def test_a_fault_in_labels(folder: Path, old: str, new: str, told: str):
    path = folder / "labels.yaml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ConfigError, match=told) as caught:
        load_catalogue(folder)
    assert str(path) in str(caught.value)


def test_a_column_without_explanation(folder: Path):
    path = folder / "labels.yaml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("columns:\n", "columns:\n  bare: {en: Bare, zh: 无}\n", 1), encoding="utf-8")
    with pytest.raises(ConfigError, match="columns without a note: bare"):
        load_catalogue(folder)


@pytest.mark.parametrize("name", ["reasons.yaml", "labels.yaml"])
def test_a_missing_file(folder: Path, name: str):
    (folder / name).unlink()
    with pytest.raises(ConfigError, match=rf"{name}: cannot be read"):
        load_catalogue(folder)
