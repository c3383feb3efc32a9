"""Month by month through the store or in one pass in memory: the same ratings and history, from whatever month it is played again."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from custvalue.config import TierPolicyConfig
from custvalue.engines import connect
from custvalue.tiers import RatingManifest, RatingStore, TierPolicy, tier_history
from custvalue.tiers.rating import as_rating

MONTHS = [date(2025, month, 5) for month in range(1, 7)]
CUSTOMERS = "abcdefghijkl"


@pytest.fixture(scope="module")
def con():
    return connect()


@st.composite
def policies(draw) -> TierPolicyConfig:
    stability = {
        "validity_months": draw(st.integers(0, 4)),
        "months_before_downgrade": draw(st.integers(1, 3)),
        "grace_months": draw(st.integers(0, 2)),
        "largest_step_up": draw(st.none() | st.just(1)),
        "largest_step_down": draw(st.none() | st.just(1)),
    }
    content = {
        "name": "p",
        "version": 1,
        "source": "made up",
        "tiers": ["gold", "silver", "basic"],
        "eligibility": {"min_tenure_months": draw(st.sampled_from([0, 3]))},
        "rules": {
            "points": {
                "components": {"bill": {"metric": "bill", "points_per_unit": 1.0}},
                "cuts": {"kind": "thresholds", "at_least": {"gold": 100.0, "silver": 50.0}, "keep_at": {"gold": 90.0, "silver": 45.0}},
            }
        },
        "stability": stability,
    }
    return TierPolicyConfig.model_validate(content)


BILLS = st.sampled_from([20.0, 47.0, 50.0, 70.0, 95.0, 100.0, 120.0, None])
MEMBERS = st.lists(st.booleans(), min_size=len(CUSTOMERS), max_size=len(CUSTOMERS)).filter(any)


@st.composite
def bases(draw) -> list[pa.Table]:
    """What is known every month: who is there, for how long, what was billed, whose complaint is open."""
    months = []
    for number in range(draw(st.integers(2, len(MONTHS)))):
        there = [who for who, is_there in zip(CUSTOMERS, draw(MEMBERS), strict=True) if is_there]
        size = len(there)
        months.append(
            pa.table(
                {
                    "customer_id": there,
                    "bill": pa.array(draw(st.lists(BILLS, min_size=size, max_size=size)), pa.float64()),
                    "tenure_months": [float(number + place) for place in range(size)],
                    "complaint_open": pa.array(draw(st.lists(st.sampled_from([0.0, 0.0, 1.0]), min_size=size, max_size=size))),
                    "days_since_justified_complaint": pa.nulls(size, pa.float64()),
                }
            )
        )
    return months


def in_one_pass(con, policy: TierPolicy, months: list[pa.Table]) -> list[pa.Table]:
    ratings: list[pa.Table] = []
    for day, facts in zip(MONTHS, months, strict=False):
        given_facts = con.create_table("facts_of_the_month", facts, temp=True, overwrite=True)
        before = ratings[-1] if ratings else None
        ratings.append(as_rating(policy.assign(given_facts, as_of=day, previous=before).to_pyarrow(), day))
    return ratings


def through_the_store(con, store: RatingStore, policy: TierPolicy, months: list[pa.Table], *, since: int = 0, again: bool = False) -> None:
    """One rating at a time; nothing but the files is carried from one to the next."""
    for day, facts in list(zip(MONTHS, months, strict=False))[since:]:
        start = store.latest(before=day)
        given_facts = con.create_table("facts_of_the_month", facts, temp=True, overwrite=True)
        before = con.read_parquet(store.path(start.day)) if start else None
        manifest = RatingManifest(
            day, policy.label, "hash", "inputs", previous=start.day if start else None,
            previous_version=start.policy_version if start else None, previous_digest=start.digest if start else None,
        )  # fmt: skip
        store.write(day, policy.assign(given_facts, as_of=day, previous=before).to_pyarrow(), manifest, again=again)


def history(con, ratings: pa.Table) -> list[dict]:
    table = con.create_table("every_rating", ratings, temp=True, overwrite=True)
    days = ratings["rated_on"].unique().to_pylist()
    found = tier_history({day: table.filter(table.rated_on == day) for day in days})
    return found.order_by("customer_id", "valid_from").to_pyarrow().to_pylist()


@settings(max_examples=5)
@given(config=policies(), months=bases(), cut=st.integers(0, len(MONTHS) - 1))
def test_a_backfill_month_by_month_equals_one_pass(con, tmp_path_factory, config, months, cut):
    policy = TierPolicy(config, cuts={"points": {"gold": 100.0, "silver": 50.0}}, fitted_as_of=MONTHS[0], rated=12)
    store = RatingStore(Path(tmp_path_factory.mktemp("ratings")))
    through_the_store(con, store, policy, months)
    wanted = in_one_pass(con, policy, months)
    assert [store.read(day) for day in store.days()] == wanted
    stored = pa.concat_tables([store.read(day) for day in store.days()])
    assert history(con, stored) == history(con, pa.concat_tables(wanted))
    newest = {row["customer_id"]: row["tier"] for row in wanted[-1].to_pylist()}
    assert {row["customer_id"]: row["tier"] for row in history(con, stored) if row["valid_to"] is None} == newest

    before = {path.name: path.read_bytes() for path in store.folder.glob("2*")}
    through_the_store(con, store, policy, months, since=min(cut, len(months) - 1), again=True)
    assert {path.name: path.read_bytes() for path in store.folder.glob("2*")} == before
    store.check_links()


def test_a_rating_that_forgets_the_one_before_is_another(con, tmp_path):
    """What the comparison above would see: two months in, a tier is held by its validity alone."""
    content = {
        "name": "p",
        "version": 1,
        "source": "made up",
        "tiers": ["gold", "basic"],
        "rules": {
            "points": {
                "components": {"bill": {"metric": "bill", "points_per_unit": 1.0}},
                "cuts": {"kind": "thresholds", "at_least": {"gold": 100.0}},
            }
        },
        "stability": {"validity_months": 6},
    }
    policy = TierPolicy(TierPolicyConfig.model_validate(content), cuts={"points": {"gold": 100.0}}, fitted_as_of=MONTHS[0], rated=1)
    months = [pa.table({"customer_id": ["a"], "bill": [bill]}) for bill in (120.0, 60.0)]
    store = RatingStore(tmp_path)
    through_the_store(con, store, policy, months)
    forgetful = as_rating(policy.assign(con.create_table("facts_forgotten", months[1], temp=True), as_of=MONTHS[1]).to_pyarrow(), MONTHS[1])
    assert store.read(MONTHS[1])["tier"].to_pylist() == ["gold"]
    assert forgetful["tier"].to_pylist() == ["basic"]
