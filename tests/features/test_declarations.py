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
from custvalue.features import BLOCKS, FeatureSet, build_features, describe
from custvalue.features.base import Base
from custvalue.features.blocks import View
from custvalue.sources import CONTRACT, Moment

MOMENT = Moment(date(2022, 1, 1))
WHOLE = FeaturesConfig(windows=(1, 3, 12), products=("Gold", "TV box", "宽带"))
UNITS = {"money", "months", "days", "count", "minutes", "MB", "share", "points", "deviations", "yes/no", "category"}


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


OPTIONAL = ("usage", "payments", "complaints", "contracts", "daily", "surveys", "events", "contacts")
READ_BY_OTHERS = {
    "usage": {"revenue_per_gb_3m", "revenue_per_gb_rise_3m", "revenue_per_minute_3m", "revenue_per_minute_rise_3m"},
    "complaints": {"household_complaints_3m", "account_complaints_3m"},
}
"""Columns of other blocks that go with a table."""


@pytest.mark.parametrize("absent", [*((table,) for table in OPTIONAL), OPTIONAL], ids="+".join)
def test_a_missing_table_switches_its_block_off_with_one_line(known, whole, absent):
    lines = []
    built = build_features({name: table for name, table in known.items() if name not in absent}, MOMENT, WHOLE, log=lines.append)
    assert sorted(lines) == sorted(f"features: block {name} is off, table {name} is not mapped" for name in absent)
    own = set().union(*({column.name for column in alone(name, known)} | READ_BY_OTHERS.get(name, set()) for name in absent))
    assert own
    assert [column.name for column in whole.columns if column.name not in own] == [column.name for column in built.columns]


def alone(name, known):
    """Give the columns of one block."""
    block = BLOCKS[name]
    base = Base.of(known, MOMENT)
    settings = {"complaint_categories": WHOLE.complaint_categories, "departing_categories": WHOLE.departing_categories}
    view = View(MOMENT, WHOLE.windows, base, base.active, products=WHOLE.products, **settings)
    return [feature.column for feature in block.define(view.rows(block.table), view)[1]]


_LEVEL = "(mean|before|drop)_.*"


@pytest.mark.parametrize(
    ("column", "pattern"),
    [
        ("customers.plan", "plan|months_since_plan_change|plan_changes_12m|plan_change_step"),
        ("customers.segment", "segment"),
        ("customers.region", "region"),
        ("customers.status", "nothing at all"),
        ("customers.household_id", "household_.*"),
        ("customers.account_id", "account_.*"),
        ("customers.traffic_data_consent", "(distinct_peers|off_net|competitor|call_forwarding|days_since_(competitor|call_f)).*"),
        ("billing.arrears", "arrears_.*"),
        ("billing.rent", f"rent_{_LEVEL}|overage_.*|plan_change_step"),
        ("billing.vas", "vas_share_3m"),
        ("billing.discount", f"discount_{_LEVEL}"),
        ("billing.data", f"data_{_LEVEL}|data_share_3m"),
        ("billing.roaming", f"roaming_{_LEVEL}|roaming_share_3m"),
        ("usage.voice_minutes", "voice_minutes_.*|revenue_per_minute_.*"),
        ("usage.data_mb", "data_mb_.*|revenue_per_gb_.*"),
        ("usage.sms_count", "sms_count_.*"),
        ("usage.roaming_days", "roaming_days_.*"),
        ("usage.active_days", f"active_days_{_LEVEL}"),
        ("usage.distinct_peers", "distinct_peers_.*"),
        ("usage.off_net_share", "off_net_share_.*"),
        ("payments.channel", "payment_channel"),
        ("payments.balance_after", "balance_last"),
        (
            "complaints.closed_at",
            "complaint_(open|open_days|repeat_open|close_days.*|first_contact.*)|days_since_justified_complaint",
        ),
        ("complaints.justified", "days_since_justified_complaint"),
        ("complaints.escalated", "complaint_escalated_.*|days_since_escalated_complaint"),
        ("complaints.repeat_of", "complaint_repeat_.*|complaint_first_contact.*"),
        ("complaints.category", "complaint_about_.*"),
        ("contracts.ends_on", "(contract|bundle|discount|trial)_days_to_end|(contract|discount)_ended_days"),
        ("contracts.product", "contract_product|product_.*"),
        ("contracts.monthly_fee", "contract_fee"),
        ("contracts.penalty", "contract_penalty"),
        ("daily.active", "nothing at all"),
        ("daily.balance", "balance_now|balance_lasts_days|short_balance_days_30d"),
        ("daily.voice_minutes", "voice_a_day_.*"),
        ("surveys.score", "survey_score_.*"),
        ("surveys.kind", "survey_score_complaint"),
        ("contacts.arm", "nothing at all"),
        ("contacts.reached", "contact_reached_.*"),
        ("contacts.outcome", "contact_(accepted|refused|stop).*"),
    ],
)
def test_a_missing_column_leaves_out_the_features_that_need_it_and_no_others(known, whole, column, pattern):
    table, name = column.split(".")
    built = build_features(known | {table: known[table].drop(name)}, MOMENT, WHOLE)
    assert list(built.table.columns) == [name for name in whole.table.columns if not re.fullmatch(pattern, name)]


def test_an_operator_with_the_required_columns_alone_has_features(open_warehouse):
    tables = (CONTRACT[name] for name in ("customers", "billing", "departures"))
    optional = tuple(f"{table.name}.{column.name}" for table in tables for column in table.columns if not column.required)
    built = open_warehouse(without=(*(name for name in CONTRACT if name in (*OPTIONAL, "tier_history")), *optional)).build(MOMENT, WHOLE)
    assert built.table.to_pyarrow().num_rows == 0
    assert {column.reason for column in built.columns} == {"tenure", "bill", "lifecycle"}


def test_a_table_of_declarations_to_read(whole):
    table = describe(whole.columns)
    assert table.name.tolist() == [column.name for column in whole.columns]
    assert {"en", "zh", "unit", "null", "sign", "reason", "consent"} <= set(table.columns)
    peers = table.set_index("name").loc["distinct_peers_mean_1m"]
    assert (peers.unit, peers.consent, peers.zh) == ("count", "traffic_data_consent", "通话对端数近1个月月均")


def test_nothing_sensitive_is_a_feature(known, whole):
    assert "birth_year" in known["customers"].columns
    assert not [column.name for column in whole.columns if re.search("birth|(^|_)age(_|$)|sex|gender|consent", column.name)]


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
