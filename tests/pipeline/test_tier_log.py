"""What the log tells of a stored rating, counted by hand."""

from datetime import date

import pandas as pd
import pyarrow as pa
import pytest

from custvalue.engines.duckdb import connect
from custvalue.errors import DataError
from custvalue.pipeline.comparison import Migration, Stability, WhatIf
from custvalue.pipeline.tier_log import describe_comparison, describe_rating
from custvalue.pipeline.tier_replay import ReplayPlan
from custvalue.tiers import RatingManifest, RatingStore, TierPolicy
from custvalue.tiers.measures.concentration import Concentration
from custvalue.tiers.measures.stability import FlipFlops

JANUARY, FEBRUARY, MARCH = (date(2026, month, 1) for month in (1, 2, 3))
POLICY = """
name: p
version: 1
source: made up
tiers: [gold, silver, basic]
rules:
  points:
    components: {arpu: {metric: revenue_mean_3m, points_per_unit: 1.0}}
    cuts: {kind: thresholds, at_least: {gold: 100, silver: 50}}
"""


@pytest.fixture(scope="module")
def con():
    return connect()


@pytest.fixture
def policy(tmp_path):
    path = tmp_path / "p.yaml"
    path.write_text(POLICY)
    facts = pd.DataFrame({"customer_id": ["a"], "revenue_mean_3m": [60.0]})
    return TierPolicy.from_yaml(path).fit(facts, as_of=JANUARY)


@pytest.fixture
def ratings(tmp_path):
    return RatingStore(tmp_path / "tiers" / "p" / "ratings")


def store(ratings, day, tiers, before=None, *, earned=None, reasons=None, version="p-v1"):
    """Store customer → tier as a day's rating."""
    earned, reasons = earned or {}, reasons or {}
    rows = len(tiers)
    columns = {
        "customer_id": list(tiers),
        "tier": list(tiers.values()),
        "score": pa.nulls(rows, pa.float64()),
        "valid_from": [day] * rows,
        **{name: pa.nulls(rows, pa.date32()) for name in ("valid_until", "below_since", "grace_until")},
        "reason_code": [reasons.get(customer, "stays") for customer in tiers],
        "policy_version": [version] * rows,
        "care_priority": [0] * rows,
        "earned": [earned.get(customer, tier) for customer, tier in tiers.items()],
    }
    before = before and {"previous": before.day, "previous_version": before.policy_version, "previous_digest": before.digest}
    return ratings.write(day, pa.table(columns), RatingManifest(day, version, "hash", "inputs", **(before or {})))


def test_a_first_rating_has_sizes_alone(con, ratings, policy):
    manifest = store(ratings, JANUARY, {"a": "gold", "b": "basic", "c": "basic", "d": "unrated"})
    told = describe_rating(con, ratings, manifest, policy, POLICY)
    assert told.by_tier.to_dict("list") == {
        "tier": ["gold", "silver", "basic", "unrated"],
        "customers": [1, 0, 2, 1],
        "share": [0.25, 0.0, 0.5, 0.25],
    }
    assert (told.day, told.digest, told.previous, told.migration, told.flip_rate) == (JANUARY, manifest.digest, None, None, None)
    assert (dict(told.figures), dict(told.held)) == ({}, {})


def test_moves_are_counted_among_those_whom_both_ratings_know(con, ratings, policy):
    first = store(ratings, JANUARY, {"a": "gold", "b": "basic", "c": "basic", "left": "gold"})
    held = {"earned": {"a": "basic", "b": "gold"}, "reasons": {"a": "within_validity", "b": "upgrade"}}
    second = store(ratings, FEBRUARY, {"a": "gold", "b": "silver", "c": "basic", "new": "gold"}, first, **held)
    told = describe_rating(con, ratings, second, policy, POLICY)
    assert [tuple(row) for row in told.migration.itertuples(index=False)] == [
        ("basic", "basic", 1),
        ("basic", "silver", 1),
        ("gold", "gold", 1),
    ]
    assert told.held == {"within_validity": 1}
    assert list(told.figures) == ["migration"]
    assert told.previous == JANUARY


def test_the_rating_before_may_be_that_of_another_policy(con, tmp_path, ratings, policy):
    elsewhere = RatingStore(tmp_path / "tiers" / "old" / "ratings")
    first = store(elsewhere, JANUARY, {"a": "vip"}, version="old-v3")
    second = store(ratings, FEBRUARY, {"a": "gold"}, first)
    assert describe_rating(con, ratings, second, policy, POLICY).migration.to_dict("records") == [
        {"before": "vip", "after": "gold", "customers": 1}
    ]


def test_flips_are_those_of_the_last_year(con, ratings, policy):
    before = None
    for day, tiers in (
        (JANUARY, {"a": "gold", "b": "gold", "c": "basic", "d": "basic"}),
        (FEBRUARY, {"a": "silver", "b": "silver", "c": "basic", "d": "silver"}),
        (MARCH, {"a": "gold", "b": "basic", "c": "basic", "d": "silver"}),
    ):
        before = store(ratings, day, tiers, before)
    # only a went down and up again; b fell twice
    assert describe_rating(con, ratings, before, policy, POLICY).flip_rate == 0.25
    later = store(ratings, date(2027, 2, 1), {"a": "gold", "b": "basic", "c": "basic", "d": "silver"}, before)
    assert describe_rating(con, ratings, later, policy, POLICY).flip_rate == 0.0


def test_a_rating_changed_on_the_disk_is_not_logged(con, ratings, policy):
    manifest = store(ratings, JANUARY, {"a": "gold"})
    path = ratings.path(JANUARY)
    path.write_bytes(path.read_bytes() + b" ")
    with pytest.raises(DataError, match="SHA-256"):
        describe_rating(con, ratings, manifest, policy, POLICY)


@pytest.fixture
def compared(policy):
    counts = ["customers", "known", "monthly_revenue"]
    table = pd.DataFrame(
        [
            ("gold", "gold", 70, 70, 7000.0),
            ("gold", "silver", 20, 20, 1800.0),
            ("silver", "basic", 9, 9, 500.0),
            ("basic", "gold", 1, 1, 99.0),
        ],
        columns=["before", "after", *counts],
    )
    moves, held = (pd.DataFrame(columns=[*names, *counts]) for names in (["before", "after", "reason"], ["after", "earned", "reason"]))
    examples = pd.DataFrame([("gold", "silver", 0, "customer-4711", 90.0)], columns=["before", "after", "place", "customer_id", "arpu"])
    changes = pd.DataFrame({"day": [JANUARY, FEBRUARY], "customers": [100, 100], "up": [1, 2], "down": [3, 0], "protected_down": [0, 0]})
    migration = Migration(table, moves, held, examples, pd.DataFrame(), pd.DataFrame())
    stability = Stability(changes, FlipFlops(100, 4))
    return WhatIf(
        as_of=MARCH,
        currency="CNY",
        metric="revenue_mean_3m",
        policy=policy,
        against=policy,
        against_replayed=policy,
        plan=ReplayPlan((JANUARY, FEBRUARY, MARCH), 0, 2, 0),
        switch=migration,
        long_run=migration,
        tiers={"policy": pd.DataFrame({"tier": ["gold"], "customers": [90]})},
        stability={"policy": stability, "against": stability},
        concentration=Concentration(float("nan"), pd.DataFrame({"customer_share": [], "revenue_share": []})),
        contact_cost=8.0,
        notes=(),
    )


def test_a_comparison_is_told_in_counts_and_money(compared):
    told = describe_comparison(compared, "a: 1", "b: 2")
    assert (told.day, told.months, told.policy_yaml, told.against_yaml) == (MARCH, 2, "a: 1", "b: 2")
    switch = {name.removeprefix("switch."): value for name, value in told.metrics.items() if name.startswith("switch.")}
    assert {way: switch[way] for way in ("up", "down", "stays")} == {"up": 1, "down": 29, "stays": 70}
    assert {way: switch[f"{way}.monthly_revenue"] for way in ("up", "down", "stays")} == {"up": 99, "down": 2300, "stays": 7000}
    assert told.metrics["stability.policy.up"] == pytest.approx(3 / 200)
    assert told.metrics["stability.against.down"] == pytest.approx(3 / 200)
    assert told.metrics["stability.against.flip_rate"] == 0.04
    assert told.metrics["stability.policy.protected_down"] == 0
    assert set(told.figures) == {"switch_migration", "long_run_migration"}
    assert told.texts["switch_migration.csv"].splitlines()[2] == "gold,silver,20,20,1800.0"
    assert told.texts["stability_policy.csv"].splitlines()[1] == "2026-01-01,100,1,3,0"


def test_the_customers_shown_as_examples_are_not_logged(compared):
    assert len(compared.switch.examples) == 1
    assert "4711" not in str(describe_comparison(compared, "a: 1", "b: 2"))
