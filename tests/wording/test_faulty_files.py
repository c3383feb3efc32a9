"""A fault in the wording is told when it is loaded, with the file and the entry."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from custvalue.config import ready_configs
from custvalue.errors import ConfigError
from custvalue.explain import load_wording
from custvalue.wording import load_catalogue, phrase

GOOD = """
version: 1
thresholds: {noticeable: 0.15}
offers: {advice: {en: advice, zh: 建议}}
reasons:
  bill:
    name: {en: Bill, zh: 账单}
    actionable: yes
    offer: advice
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
    assert phrase(load_catalogue(folder), "bill", facts, language="zh", currency="CNY") == "下降41%"


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
        (">= noticeable", ">= 'much'", "text is compared with == or != only"),
        ("variants:", "sensitve: true\n    variants:", r"bill\.sensitve: unknown key; did you mean 'sensitive'"),
        ("variants:", "sensitive: true\n    variants:", r"reasons.yaml:6: reasons\.bill: sensitive, but without do_not_say"),
        ("offer: advice", "offer: advise", r"reasons.yaml:9: reasons\.bill\.offer: no offer is called 'advise'; there are advice"),
        ("    actionable: yes\n", "", r"bill\.actionable: Field required"),
        ("name: {en: Bill, zh: 账单}", "name: {en: Bill}", r"bill\.name\.zh: Field required"),
        ("version: 1\n", "", "version: Field required"),
        (
            "      drop:",
            "      drop: {en: a, zh: b}\n      drop:",
            "variants.*drop: stands here a second time|drop: stands here a second time",
        ),
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


SHIPPED = (ready_configs() / "wording" / "reasons.yaml").read_text(encoding="utf-8")


@pytest.fixture
def shipped(tmp_path: Path) -> Path:
    for name in ("reasons.yaml", "labels.yaml"):
        shutil.copy(ready_configs() / "wording" / name, tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("{tenure_months:months}", "{tenur_months:months}", r"'tenur_months'; did you mean 'tenure_months'"),
        ("{arrears_last:money} last", "{arrears_last:count} last", r"the unit of arrears_last is money; write it as money"),
        ("{complaint_open_days:days}", "{complaint_open_days:money}", r"complaint_open_days is days; write it as days or date"),
        ("{product_count:count} products", "{product_techsupport:count} products", "is yes/no; it can stand in a condition only"),
        ("[silent_days >= silent_week]", "[silent_dayz >= silent_week]", r"condition 'silent_dayz >= silent_week': no feature is called"),
        ("  region:\n", "  weather:\n", r"reasons: no entry 'region', which column region declares"),
        ("  region:\n", "  weather:\n", r"reasons\.weather: no feature declares this reason: remove it"),
        ("  overall:   #", "  overal:   #", r"reasons: must be there, not sensitive, with a context variant"),
        ("{revenue_drop_<w>m:percent} below", "{revenue_drop_<w>m:money} below", r"drop_12m\.en: .*revenue_drop_12m is share"),
    ],
)
def test_a_fault_that_only_the_features_tell(shipped: Path, old: str, new: str, told: str):
    path = shipped / "reasons.yaml"
    assert old in SHIPPED
    text = SHIPPED.replace(old, new, 1)
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=told) as caught:
        load_wording(shipped)
    lines = {int(found) for found in re.findall(r"reasons\.yaml:(\d+):", str(caught.value))}
    written = next(number for number, line in enumerate(text.splitlines(), start=1) if new.strip("\n").split("\n")[0] in line)
    assert any(abs(line - written) <= 1 for line in lines) or "reasons: " in str(caught.value)


def test_the_shipped_wording_fits_the_features(shipped: Path):
    assert load_wording(shipped).reasons.keys() == load_catalogue(shipped).reasons.keys()


def test_columns_called_after_something_of_the_operators_own_may_be_spoken_of(shipped: Path):
    path = shipped / "reasons.yaml"
    text = SHIPPED.replace("product_techsupport", "product_cloud_storage").replace("complaint_about_billing", "complaint_about_roaming")
    path.write_text(text.replace("[3, 6, 12]", "[4, 8, 24]"), encoding="utf-8")
    load_wording(shipped)


def test_a_label_that_the_nights_figure_needs_is_missed_when_the_wording_is_loaded(shipped: Path):
    path = shipped / "labels.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("  by_tier: {en: by tier", "  by_grade: {en: by tier", 1), encoding="utf-8")
    with pytest.raises(ConfigError, match=r"no entry for portfolio\.by_tier"):
        load_wording(shipped)
