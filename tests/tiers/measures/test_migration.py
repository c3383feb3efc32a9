"""The migration matrix: every customer once, in the pair of tiers that two policies give him."""

import ibis
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from custvalue.errors import DataError
from custvalue.tiers.measures.migration import (
    check_same_customers,
    direction,
    held_table,
    joined_tiers,
    migration_table,
    move_examples,
    move_table,
)

# customer: before, after, why, earned, ARPU
BASE = {
    "a1": ("gold", "gold", "stays", "gold", 200.0),
    "a2": ("gold", "silver", "policy_change", "silver", 90.5),
    "a3": ("gold", "silver", "policy_change", "silver", 110.0),
    "a4": ("gold", "silver", "adjusted_arrears", "gold", 0.1),
    "a5": ("silver", "gold", "upgrade", "gold", 0.2),
    "a6": ("silver", "silver", "within_validity", "basic", None),
    "a7": ("unrated", "silver", "first_rating", "silver", None),
}


@pytest.fixture
def sides(engine, tmp_path):
    """The assignments of two policies and the facts, on each engine in turn."""
    names = ("before", "after", "reason_code", "earned", "revenue_mean_3m")
    rows = pa.Table.from_pylist([{"customer_id": who} | dict(zip(names, row, strict=True)) for who, row in BASE.items()])
    pq.write_table(rows, tmp_path / "both.parquet")
    both = engine.read_parquet(tmp_path / "both.parquet")
    before = both.select("customer_id", tier=both.before)
    after = both.select("customer_id", "reason_code", "earned", tier=both.after)
    return before, after, both.select("customer_id", "revenue_mean_3m")


@pytest.fixture
def joined(sides):
    return joined_tiers(*sides, metric="revenue_mean_3m")


def rows(frame):
    return [tuple(row) for row in frame.itertuples(index=False)]


def test_every_pair_of_tiers_has_its_customers_and_their_bills(joined):
    found = rows(migration_table(joined))
    assert found == [
        ("gold", "silver", 3, 3, 200.6),
        ("gold", "gold", 1, 1, 200.0),
        ("silver", "gold", 1, 1, 0.2),
        ("silver", "silver", 1, 0, 0.0),
        ("unrated", "silver", 1, 0, 0.0),
    ]


def test_moves_are_told_apart_by_their_reason(joined):
    assert rows(move_table(joined)) == [
        ("gold", "silver", "policy_change", 2, 2, 200.5),
        ("gold", "silver", "adjusted_arrears", 1, 1, 0.1),
        ("silver", "gold", "upgrade", 1, 1, 0.2),
        ("unrated", "silver", "first_rating", 1, 0, 0.0),
    ]


def test_who_holds_another_tier_than_the_score_gives_is_told_with_the_reason(joined):
    assert rows(held_table(joined)) == [
        ("silver", "basic", "within_validity", 1, 0, 0.0),
        ("silver", "gold", "adjusted_arrears", 1, 1, 0.1),
    ]


def test_examples_are_those_with_the_highest_bills(joined):
    found = move_examples(joined, count=2)
    assert rows(found[found.before == "gold"]) == [("gold", "silver", 0, "a3", 110.0), ("gold", "silver", 1, "a2", 90.5)]
    assert list(found[found.before == "unrated"].customer_id) == ["a7"]


def test_equal_bills_give_the_same_examples_whatever_the_order_of_rows(make_features):
    names = [f"c{i}" for i in range(9)]
    wanted = None
    for order in (names, names[::-1]):
        side = make_features(customer_id=order, revenue_mean_3m=[10.0] * 9).mutate(
            reason_code=ibis.literal("fell"), earned=ibis.literal("low")
        )
        tiers = [side.mutate(tier=ibis.literal(name)) for name in ("high", "low")]
        found = list(move_examples(joined_tiers(*tiers, side, metric="revenue_mean_3m")).customer_id)
        wanted = wanted or found
        assert found == wanted == ["c0", "c1", "c2"]


def test_the_same_customers_pass(sides):
    before, after, _ = sides
    check_same_customers(before, after)


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        (["a", "b"], ["a"], "1 stand only in the first"),
        (["a"], ["a", "c", "d"], "2 only in the second"),
        (["a", "a"], ["a"], "2 rows for 1"),
    ],
)
def test_other_customers_are_refused(make_features, before, after, told):
    with pytest.raises(DataError, match=told):
        check_same_customers(make_features(customer_id=before), make_features(customer_id=after))


@pytest.mark.parametrize(
    ("before", "after", "wanted"),
    [
        ("gold", "gold", "stays"),
        ("basic", "gold", "up"),
        ("unrated", "basic", "up"),
        ("gold", "unrated", "down"),
        ("vip", "gold", "renamed"),
    ],
)
def test_unrated_is_below_the_last_tier_and_an_unknown_tier_cannot_be_compared(before, after, wanted):
    assert direction(before, after, ("gold", "silver", "basic")) == wanted


def test_no_customer_is_lost_or_counted_twice(joined):
    table = migration_table(joined)
    assert table.customers.sum() == len(BASE)
    assert table.monthly_revenue.sum() == pytest.approx(sum(row[4] or 0 for row in BASE.values()), abs=1e-9)
    moved = table[table.before != table.after]
    assert move_table(joined).customers.sum() == moved.customers.sum()
    assert pd.Series(move_table(joined).monthly_revenue).sum() == pytest.approx(moved.monthly_revenue.sum())
