"""A short month with a holiday lowers everybody's bill and use: the night of 1 March must not be full of alarms."""

from datetime import date
from decimal import Decimal

import ibis
import pandas as pd
import pyarrow as pa
import pytest

from custvalue.config import FeaturesConfig, TriggerRules, load_trigger_rules, ready_configs
from custvalue.features import build_features
from custvalue.retention import count_triggers, triggered
from custvalue.sources import Moment

MONEY = pa.decimal128(18, 4)
MONTHS = {date(2021, 12, 1): 31, date(2022, 1, 1): 31, date(2022, 2, 1): 28}
HOLIDAY = {"North": 0.4, "South": 0.95}
"""In the north nearly everybody travels home in February, and their phones rest."""
PEOPLE = [(f"{region}{number:03d}", region, number) for region in HOLIDAY for number in range(150)]
LOST = "South007"
FALLS = ("spend_halved", "voice_drop", "data_drop")


def amount_of(customer, region, number, month, days):
    if month != date(2022, 2, 1):
        return days * (2 + number % 5)
    own = 0.1 if customer == LOST else 1.0
    return days * (2 + number % 5) * HOLIDAY[region] * own


@pytest.fixture(scope="module")
def night():
    """Features of the night of 1 March 2022."""
    months = [
        {"customer_id": c, "month": month, "amount": Decimal(str(round(amount_of(c, region, n, month, days), 4)))}
        for c, region, n in PEOPLE
        for month, days in MONTHS.items()
    ]
    long = pa.Table.from_pylist(months, schema=pa.schema({"customer_id": pa.string(), "month": pa.date32(), "amount": MONEY}))
    con = ibis.duckdb.connect()
    con.create_table("months", long)
    joined = [
        {"customer_id": c, "valid_from": date(2015, 1, 1), "joined_on": date(2015, 1, 1), "region": region} for c, region, _ in PEOPLE
    ]
    left = pa.schema({"customer_id": pa.string(), "left_on": pa.date32(), "kind": pa.string()})
    rows = con.table("months")
    tables = {
        "customers": con.create_table("customers", pa.Table.from_pylist(joined)),
        "departures": con.create_table("departures", left.empty_table()),
        "billing": rows.select("customer_id", "month", revenue="amount"),
        "usage": rows.select("customer_id", "month", voice_minutes=rows.amount * 10, data_mb=rows.amount * 100),
    }
    features = build_features(tables, Moment(date(2022, 3, 1)), FeaturesConfig(windows=(1, 3, 6, 12))).table
    return pd.DataFrame(con.to_pyarrow(features).to_pandas()).assign(tier="gold")


@pytest.fixture(scope="module")
def shipped():
    return load_trigger_rules(ready_configs() / "triggers" / "default.yaml")


def test_only_who_fell_beyond_his_region_is_met(night, shipped):
    met = triggered(night, shipped).set_axis(night.customer_id).trigger.dropna()
    assert met.to_dict() == {LOST: "spend_halved"}
    assert [count_triggers(night, shipped)[code] for code in FALLS] == [1, 1, 1]


def test_the_same_rules_on_raw_falls_are_full_of_false_alarms(night, shipped):
    """The positive control: without the season the data do look like an alarm."""
    raw = shipped.model_dump()
    for code in FALLS:
        raw["triggers"][code]["when"] = [each["text"].replace("_season_drop_", "_drop_") for each in raw["triggers"][code]["when"]]
    rules = TriggerRules.model_validate(raw, context={"thresholds": shipped.thresholds})
    counts = count_triggers(night, rules)
    assert [counts[code] for code in FALLS] == [151, 151, 151]  # the whole north, and the one
