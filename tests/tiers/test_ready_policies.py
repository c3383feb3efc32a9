"""The policies that ship: sound, sourced, worked by hand, and as calm and as large as they promise."""

from datetime import date
from pathlib import Path

import ibis
import numpy as np
import pandas as pd
import pytest
import yaml

from custvalue.config import UNRATED, load_tier_policy, ready_configs
from custvalue.tiers import TierPolicy, needed_columns, tier_table

FOLDER = ready_configs() / "tiers"
FILES = sorted(FOLDER.glob("*.yaml"))
EXAMPLES = yaml.safe_load(Path(__file__).with_name("worked_examples.yaml").read_text(encoding="utf-8"))
AS_OF = date(2025, 12, 1)
EXPECTED = ("score", "tier", "reason")
TEXT = ("customer_id", "household_id", "account_id", "segment")


def facts_of(example):
    """The customers of an example as a table; those of the same day in the file's order."""
    rows = [
        {"customer_id": f"c{i:02d}"} | example["usual"] | {key: value for key, value in customer.items() if key not in EXPECTED}
        for i, customer in enumerate(example["customers"])
    ]
    frame = pd.DataFrame(rows).assign(complaint_open=0.0, days_since_justified_complaint=np.nan)
    return frame.astype({name: "str" if name in TEXT else "float64" for name in frame.columns})


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_ready_policy_is_named_after_its_file_and_says_where_it_is_from(path):
    policy = load_tier_policy(path)
    assert policy.name == path.stem
    assert "illustrative" in policy.source


def test_every_ready_policy_has_a_worked_example():
    assert sorted(EXAMPLES) == sorted(path.stem for path in FILES)


@pytest.mark.parametrize("name", EXAMPLES)
def test_worked_example(name):
    example = EXAMPLES[name]
    facts = facts_of(example)
    policy = TierPolicy.from_yaml(FOLDER / f"{name}.yaml").fit(facts, as_of=AS_OF)
    rated = policy.assign(facts, as_of=AS_OF)
    expected = pd.DataFrame(example["customers"])
    assert rated["tier"].tolist() == expected["tier"].tolist()
    np.testing.assert_allclose(rated["score"], expected["score"].astype("float64"), rtol=0, atol=1e-9)
    if "reason" in expected:
        given = expected["reason"].notna()
        assert rated.loc[given, "reason_code"].tolist() == expected.loc[given, "reason"].tolist()


@pytest.mark.parametrize("name", EXAMPLES)
def test_worked_examples_show_several_tiers_and_name_all_that_the_policy_reads(name):
    policy = load_tier_policy(FOLDER / f"{name}.yaml")
    customers = EXAMPLES[name]["customers"]
    reached = {customer["tier"] for customer in customers} - {UNRATED}
    assert len(reached) >= min(3, len(policy.tiers))
    needed = needed_columns(policy)
    assert {*needed.features, *needed.ids} <= set(facts_of(EXAMPLES[name]).columns)


def test_service_standards_of_the_consumer_tiers_are_complete_and_never_better_below():
    policy = load_tier_policy(FOLDER / "consumer.yaml")
    assert set(policy.service) == {*policy.tiers, UNRATED}
    hours = [policy.service[tier].answer_within_hours for tier in policy.tiers]
    assert hours == sorted(hours)
    assert max(hours) <= 72  # every handled complaint is called back within three days
    assert all(standard.care for standard in policy.service.values())


@pytest.mark.parametrize("name", ["consumer", "consumer-share"])
def test_consumer_tiers_are_near_5_15_30_50_percent_of_an_ordinary_base(name):
    rng = np.random.default_rng(5)
    count = 20_000
    bills = rng.lognormal(np.log(36), 0.72, count)
    bills[: count // 20] *= 0.05  # second SIMs that are hardly used
    features = pd.DataFrame(
        {
            "customer_id": [f"c{i:05d}" for i in range(count)],
            "revenue_mean_12m": bills,
            "data_mb_mean_12m": rng.lognormal(np.log(8_000), 1.12, count),
            "voice_minutes_mean_12m": rng.gamma(2.0, 117.0, count),
            "tenure_months": np.floor(rng.exponential(60, count)).clip(0, 240),
        }
    )
    table = ibis.memtable(features)
    policy = TierPolicy.from_yaml(FOLDER / f"{name}.yaml").fit(table, as_of=AS_OF)
    sizes = tier_table(policy.assign(table, as_of=AS_OF), table, order=policy.tiers, metric="revenue_mean_12m").set_index("tier")
    rated = sizes["customers"].drop("unrated")
    np.testing.assert_allclose(rated / rated.sum(), [0.05, 0.15, 0.30, 0.50], atol=0.04)
    assert sizes["arpu"].drop("unrated").is_monotonic_decreasing
