"""Which days a comparison rates, and what is carried between two ratings."""

from datetime import date

import ibis
import pandas as pd
import pytest

from custvalue.config import TierPolicyConfig
from custvalue.pipeline.tier_replay import RatingChain, plan_replay, warm_up_months
from custvalue.sources import Moment
from custvalue.tiers import TierPolicy

POLICY = {
    "name": "by-bill",
    "version": 1,
    "source": "made for these tests",
    "tiers": ["gold", "silver", "basic"],
    "rules": {
        "points": {
            "components": {"arpu": {"metric": "revenue_mean_3m", "points_per_unit": 1.0}},
            "cuts": {"kind": "thresholds", "at_least": {"gold": 100, "silver": 50}},
        }
    },
}


def policy(**parts):
    return TierPolicy(TierPolicyConfig.model_validate(POLICY | parts))


def plan(**given):
    return plan_replay(
        Moment(date(2025, 7, 1)), **{"months": 3, "warm_up": 2, "first_month": date(2024, 1, 1), "window": 3, "delay_days": 0} | given
    )


def test_warm_up_comes_before_the_months_measured():
    found = plan()
    assert (found.days[0], found.days[-1], len(found.days)) == (date(2025, 2, 1), date(2025, 7, 1), 6)
    assert (found.warm_up, found.months) == (2, 3)


def test_no_day_is_rated_on_which_the_window_is_not_full():
    found = plan(first_month=date(2025, 2, 1))  # five months known on the day, three needed
    assert found.days == (date(2025, 5, 1), date(2025, 6, 1), date(2025, 7, 1))
    assert (found.warm_up, found.months) == (0, 2)


@pytest.mark.parametrize(("first", "delay"), [(date(2025, 5, 1), 0), (date(2025, 4, 1), 3)])
def test_without_history_only_the_day_itself_is_rated(first, delay):
    found = plan(first_month=first, delay_days=delay)
    assert found.days == (date(2025, 7, 1),)
    assert found.months == 0


def test_a_month_s_last_day_stays_its_last_day():
    found = plan_replay(Moment(date(2025, 3, 31)), months=2, warm_up=0, first_month=date(2024, 1, 1), window=1)
    assert found.days == (date(2025, 1, 31), date(2025, 2, 28), date(2025, 3, 31))


def test_warm_up_is_as_long_as_the_longest_fall_takes():
    rules = {"validity_months": 6, "months_before_downgrade": 3, "grace_months": 1}
    assert warm_up_months(policy(stability=rules).config) == 9
    assert warm_up_months(policy().config) == 0


@pytest.fixture
def con():
    return ibis.duckdb.connect()


def rated(con, chain, day, **bills):
    frame = pd.DataFrame({"customer_id": list(bills), "revenue_mean_3m": list(bills.values())})
    chain.rate(con.create_table("facts", frame, temp=True, overwrite=True), day)
    return dict(chain.state.select("customer_id", "tier").execute().itertuples(index=False))


def test_a_quarterly_policy_is_carried_between_its_ratings(con):
    chain = RatingChain(con, "chain", policy(rating={"every_months": 3, "day": 1}).fit(_facts(a=120.0), as_of=date(2025, 1, 1)))
    assert rated(con, chain, date(2025, 2, 1), a=120.0, b=20.0) == {"a": "gold", "b": "basic"}  # the first is always rated
    assert rated(con, chain, date(2025, 3, 1), a=10.0, c=200.0) == {"a": "gold", "c": "unrated"}
    assert rated(con, chain, date(2025, 4, 1), a=10.0, c=200.0) == {"a": "basic", "c": "gold"}
    found = chain.ratings.order_by("place", "customer_id").execute()
    assert found[["customer_id", "place", "tier"]].to_numpy().tolist() == [
        ["a", 0, "gold"],
        ["b", 0, "basic"],
        ["a", 1, "gold"],
        ["c", 1, "unrated"],
        ["a", 2, "basic"],
        ["c", 2, "gold"],
    ]


def test_every_rating_starts_from_the_one_before(con):
    chain = RatingChain(con, "chain", policy(stability={"validity_months": 2}).fit(_facts(a=120.0), as_of=date(2025, 1, 1)))
    tiers = [rated(con, chain, date(2025, month, 1), a=bill)["a"] for month, bill in ((1, 120.0), (2, 10.0), (3, 10.0), (4, 60.0))]
    assert tiers == ["gold", "gold", "basic", "silver"]


def _facts(**bills):
    return ibis.memtable(pd.DataFrame({"customer_id": list(bills), "revenue_mean_3m": list(bills.values())}))
