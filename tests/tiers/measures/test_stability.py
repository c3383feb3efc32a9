"""Changes from rating to rating, counted by hand and beside pandas."""

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from custvalue.tiers.measures.stability import change_table, flip_flops, rating_steps

ORDER = ("gold", "silver", "basic")
LETTERS = {"g": "gold", "s": "silver", "b": "basic", "u": "unrated"}


def ratings(**histories):
    """A letter a rating; ``.`` where the customer is not in the base, a capital where a complaint protects him."""
    rows = [
        {"customer_id": who, "place": place, "tier": LETTERS[letter.lower()], "care_priority": 2 if letter.isupper() else 0}
        for who, letters in histories.items()
        for place, letter in enumerate(letters)
        if letter != "."
    ]
    kinds = pa.schema([("customer_id", "string"), ("place", "int64"), ("tier", "string"), ("care_priority", "int64")])
    return pa.Table.from_pylist(rows, schema=kinds)


def changes(**histories):
    table = change_table(rating_steps(ibis.memtable(ratings(**histories)), ORDER))
    return [tuple(int(cell) for cell in row) for row in table.itertuples(index=False)]


def test_ups_and_downs_are_counted_a_rating():
    found = changes(x="ggsb", y="ssgg", z="bbbb")
    assert found == [(1, 3, 0, 0, 0), (2, 3, 1, 1, 0), (3, 3, 0, 1, 0)]


def test_a_first_rating_is_no_change_but_losing_the_tier_is():
    assert changes(x="uggu") == [(2, 1, 0, 0, 0), (3, 1, 0, 1, 0)]


def test_who_was_away_makes_no_step_over_the_gap():
    assert changes(x="g.bb") == [(3, 1, 0, 0, 0)]


def test_a_fall_during_a_complaint_is_counted_and_a_rise_is_not():
    assert changes(x="gS", y="gs", z="sG", w="gG") == [(1, 4, 1, 2, 1)]


@pytest.mark.parametrize(
    ("letters", "months", "flipped"),
    [
        ("gsg", 12, 1),
        ("gssssg", 12, 1),
        ("gssssg", 4, 1),
        ("gssssg", 3, 0),
        ("gsb", 12, 0),
        ("bsgsb", 12, 1),
        ("ggg", 12, 0),
        ("gug", 12, 0),  # back from unrated is a first rating
    ],
)
def test_a_change_that_goes_back_in_time_is_a_flip_flop(letters, months, flipped):
    steps = rating_steps(ibis.memtable(ratings(x=letters, calm="sssssss")), ORDER)
    found = flip_flops(steps, months=months)
    assert (found.customers, found.flipped, found.rate) == (2, flipped, flipped / 2)


def test_nobody_rated_twice_has_no_rate():
    found = flip_flops(rating_steps(ibis.memtable(ratings(x="u", y="g")), ORDER))
    assert found.customers == 0
    assert np.isnan(found.rate)


def plain_counts(histories, months):
    """Step by step in plain Python, from the definition."""
    ranks = {"g": 0, "s": 1, "b": 2, "u": 3}
    table, flipped, stepped = {}, 0, 0
    for letters in histories:
        last, flips, steps = None, False, 0
        for place in range(1, len(letters)):
            a, b = letters[place - 1], letters[place]
            if "." in (a, b) or a.lower() == "u":
                continue
            steps += 1
            move = ranks[a.lower()] - ranks[b.lower()]
            row = table.setdefault(place, [0, 0, 0, 0])
            row[0] += 1
            row[1] += move > 0
            row[2] += move < 0
            row[3] += move < 0 and b.isupper()
            if move:
                sign = 1 if move > 0 else -1
                flips |= last is not None and last[1] == -sign and place - last[0] <= months
                last = (place, sign)
        flipped += flips
        stepped += steps > 0
    return {place: tuple(row) for place, row in table.items()}, stepped, flipped


@given(st.lists(st.text("gsbuGSBU.", min_size=1, max_size=14), min_size=1, max_size=12), st.integers(1, 12))
def test_any_histories_count_as_by_hand(histories, months):
    given_ratings = ratings(**{f"c{i}": letters for i, letters in enumerate(histories)})
    steps = rating_steps(ibis.memtable(given_ratings), ORDER)
    wanted, stepped, flipped = plain_counts(histories, months)
    found = {int(row.place): tuple(int(cell) for cell in row[1:]) for row in change_table(steps).itertuples(index=False)}
    assert found == wanted
    counted = flip_flops(steps, months=months)
    assert (counted.customers, counted.flipped) == (stepped, flipped)


def test_both_engines_count_alike(engine, tmp_path):
    rng = np.random.default_rng(5)
    histories = {f"c{i:03d}": "".join(rng.choice(list("gsbuGSBU."), size=8)) for i in range(60)}
    pq.write_table(ratings(**histories), tmp_path / "ratings.parquet")
    steps = rating_steps(engine.read_parquet(tmp_path / "ratings.parquet"), ORDER)
    wanted, stepped, flipped = plain_counts(histories.values(), 3)
    columns = ["place", "customers", "up", "down", "protected_down"]
    pd.testing.assert_frame_equal(
        change_table(steps), pd.DataFrame([(place, *row) for place, row in sorted(wanted.items())], columns=columns)
    )
    counted = flip_flops(steps, months=3)
    assert (counted.customers, counted.flipped) == (stepped, flipped)
