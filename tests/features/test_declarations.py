"""Each column is declared once, in both languages, with a reason that the word catalogue knows; blocks switch on with their tables."""

import ast
import re
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
import yaml

import custvalue.features
from custvalue.config import FeaturesConfig, load_config, ready_configs
from custvalue.errors import ConfigError
from custvalue.features import BLOCKS, FeatureSet, build_features
from custvalue.sources import Moment

MOMENT = Moment(date(2022, 1, 1))
WHOLE = FeaturesConfig(windows=(1, 3, 12), products=("Gold", "TV box", "宽带"))
UNITS = {"money", "months", "days", "count", "minutes", "MB", "share", "yes/no", "category"}


@pytest.fixture(scope="module")
def known(open_warehouse):
    return open_warehouse().tables.known(MOMENT.day)


@pytest.fixture(scope="module")
def whole(known):
    return build_features(known, MOMENT, WHOLE)


@pytest.fixture(scope="module")
def reasons():
    return set(yaml.safe_load((ready_configs() / "wording" / "reasons.yaml").read_text(encoding="utf-8"))["reasons"])


def test_the_table_has_the_declared_columns_in_order(whole):
    assert whole.table.columns == ("customer_id", *(column.name for column in whole.columns))


def test_names_are_unique_and_fit_for_files(whole):
    names = [column.name for column in whole.columns]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"\w+", name) and name == name.lower() for name in names)


def test_types_follow_the_kind(whole):
    schema = whole.table.schema()
    for column in whole.columns:
        assert schema[column.name].is_string() if column.kind == "category" else schema[column.name].is_float64(), column.name
        assert (column.unit == "category") == (column.kind == "category"), column.name


def test_every_declaration_is_whole(whole, reasons):
    for column in whole.columns:
        assert column.en[0].isupper(), column.name
        assert re.search(r"[\u4e00-\u9fff]", column.zh), column.name
        assert not re.search(r"[\u4e00-\u9fff]", column.en.replace("宽带", "")), column.name
        assert column.null, column.name
        assert column.unit in UNITS, column.name
        assert column.reason in reasons, column.name


def test_words_tell_columns_apart(whole):
    for language in ("en", "zh"):
        words = [getattr(column, language) for column in whole.columns]
        assert len(set(words)) == len(words)


def test_every_file_with_a_block_is_registered():
    folder = Path(custvalue.features.__file__).parent
    defining = {
        path.stem
        for path in folder.glob("*.py")
        if any(isinstance(node, ast.FunctionDef) and node.name == "define" for node in ast.parse(path.read_text(encoding="utf-8")).body)
    }
    assert defining == set(BLOCKS)
    assert all(block.define.__module__.endswith(f".{name}") for name, block in BLOCKS.items())


def test_the_hash_tells_sets_of_columns_apart(whole, known):
    assert build_features(known, MOMENT, WHOLE).spec_hash == whole.spec_hash
    assert re.fullmatch(r"[0-9a-f]{64}", whole.spec_hash)
    fewer = build_features(known, MOMENT, FeaturesConfig(windows=(1, 3, 12), products=("Gold",)))
    turned = FeatureSet(whole.table, whole.columns[::-1])
    in_hours = FeatureSet(whole.table, (*whole.columns[:-1], replace(whole.columns[-1], unit="minutes")))
    assert len({features.spec_hash for features in (whole, fewer, turned, in_hours)}) == 4


def test_words_and_reasons_may_change_without_a_new_model(whole):
    reworded = replace(whole.columns[-1], reason="bill", en="Something else", zh="别的")
    assert FeatureSet(whole.table, (*whole.columns[:-1], reworded)).spec_hash == whole.spec_hash


def test_the_hash_does_not_depend_on_the_day(whole, known):
    assert build_features(known, Moment(date(2023, 7, 9)), WHOLE).spec_hash == whole.spec_hash


OPTIONAL = ("usage", "payments", "complaints", "contracts")


REASONS = {
    "usage": {"voice_use", "data_use", "sms_use", "roaming", "activity"},
    "payments": {"payment", "balance"},
    "complaints": {"complaint"},
    "contracts": {"contract", "discount_end", "products"},
}


@pytest.mark.parametrize("absent", [("usage",), ("payments",), ("complaints",), ("contracts",), OPTIONAL], ids="+".join)
def test_a_missing_table_switches_its_block_off_with_one_line(known, whole, absent):
    lines = []
    built = build_features({name: table for name, table in known.items() if name not in absent}, MOMENT, WHOLE, log=lines.append)
    assert sorted(lines) == sorted(f"features: block {name} is off, table {name} is not mapped" for name in absent)
    gone = [column for column in whole.columns if column not in built.columns]
    assert {column.reason for column in gone} == set().union(*(REASONS[name] for name in absent))
    assert [column for column in whole.columns if column not in gone] == list(built.columns)


@pytest.mark.parametrize(
    ("column", "pattern"),
    [
        ("customers.plan", "plan"),
        ("customers.segment", "segment"),
        ("customers.region", "region"),
        ("customers.status", "nothing at all"),
        ("billing.arrears", "arrears_.*"),
        ("billing.discount", "discount_(mean|before|drop)_.*"),
        ("billing.data", "data_(mean|before|drop)_.*"),
        ("billing.roaming", "roaming_(mean|before|drop)_.*"),
        ("usage.voice_minutes", "voice_minutes_.*"),
        ("usage.data_mb", "data_mb_.*"),
        ("usage.sms_count", "sms_count_.*"),
        ("usage.roaming_days", "roaming_days_.*"),
        ("usage.active_days", "active_days_.*"),
        ("payments.channel", "payment_channel"),
        ("payments.balance_after", "balance_last"),
        ("complaints.closed_at", "complaint_open|complaint_open_days|complaint_close_days_mean_12m|days_since_justified_complaint"),
        ("complaints.justified", "days_since_justified_complaint"),
        ("complaints.escalated", "complaint_escalated_.*"),
        ("complaints.repeat_of", "complaint_repeat_.*"),
        ("contracts.ends_on", "contract_days_to_end|bundle_days_to_end|discount_days_to_end|contract_ended_days"),
        ("contracts.product", "contract_product|product_.*"),
        ("contracts.monthly_fee", "contract_fee"),
    ],
)
def test_a_missing_column_leaves_out_the_features_that_need_it_and_no_others(known, whole, column, pattern):
    table, name = column.split(".")
    built = build_features(known | {table: known[table].drop(name)}, MOMENT, WHOLE)
    assert list(built.table.columns) == [name for name in whole.table.columns if not re.fullmatch(pattern, name)]


def test_an_operator_with_the_required_columns_alone_has_features(open_warehouse):
    optional = tuple(f"{table}.{column}" for table, columns in (("customers", ("segment", "region", "plan", "status")),
                     ("billing", ("data", "roaming", "discount", "arrears"))) for column in columns)  # fmt: skip
    built = open_warehouse(without=(*OPTIONAL, *optional)).build(MOMENT, WHOLE)
    assert built.table.to_pyarrow().num_rows == 0
    assert {column.reason for column in built.columns} == {"tenure", "bill"}


def test_windows_of_one_and_two_months_give_levels_and_falls_alone(known):
    built = build_features(known, MOMENT, FeaturesConfig(windows=(1, 2)))
    names = set(built.table.columns)
    assert {"revenue_mean_1m", "revenue_mean_2m", "revenue_before_2m", "revenue_drop_2m", "payment_count_2m", "arrears_months_2m"} <= names
    assert not any(re.search("trend|cv|_(3|6|12)m", name) for name in names)


@pytest.mark.parametrize("products", [("TV box", "TV-box"), ("Gold", "gold"), ("Count",), ("+++",)])
def test_products_that_would_share_a_column_are_refused(known, products):
    with pytest.raises(ConfigError) as refused:
        build_features(known, MOMENT, FeaturesConfig(windows=(1,), products=products))
    assert f"features.products: {', '.join(products)} give no column name of their own" in str(refused.value)
    assert refused.value.exit_code == 2


def test_the_windows_of_ready_configs_build(known):
    for path in sorted(ready_configs().glob("*.yaml")):
        settings = load_config(path).features
        assert f"revenue_mean_{settings.windows[-1]}m" in build_features(known, MOMENT, settings).table.columns
