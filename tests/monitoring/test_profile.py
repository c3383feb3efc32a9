"""Counting: parts add up to the whole, whatever the parts; what is read back is what was written."""

from __future__ import annotations

import itertools
import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from custvalue.errors import DataError, ModelError
from custvalue.monitoring import Profile, Reference, count_part

COLUMNS = (("bill", "number"), ("calls", "number"), ("plan", "category"))


def customers(rows: int, seed: int) -> tuple[pd.DataFrame, np.ndarray]:
    random = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "customer_id": [f"C{row}" for row in range(rows)],
            "bill": np.where(random.random(rows) < 0.1, np.nan, random.lognormal(3, 1, rows)),
            "calls": random.integers(0, 4, rows).astype(float),
            "plan": pd.Series(random.choice(["S", "M", "L", None], rows), dtype=object),
        }
    )
    return frame, random.beta(1, 30, rows)


REFERENCE = Reference.of(customers(3_000, 1)[0], COLUMNS, customers(3_000, 1)[1])


def same(one: Profile, other: Profile) -> bool:
    return one.to_dict() == other.to_dict()


@given(st.lists(st.integers(0, 40), max_size=5), st.integers(0, 99))
def test_parts_add_up_to_the_whole(cuts: list[int], seed: int) -> None:
    frame, probability = customers(40, seed)
    edges = [0, *sorted(cuts), 40]
    parts = [count_part(frame[a:b], probability[a:b], REFERENCE) for a, b in itertools.pairwise(edges)]
    added = parts[0]
    for part in parts[1:]:
        added = added + part
    assert same(added, count_part(frame, probability, REFERENCE))


def test_counts_are_those_of_pandas() -> None:
    frame, probability = customers(5_000, 2)
    frame.loc[:49, "plan"] = "XL"
    frame.loc[50:59, "bill"] = np.inf
    found = count_part(frame, probability, REFERENCE)
    edges = REFERENCE.bins["bill"].edges
    assert len(edges) == 9
    binned = pd.cut(frame.bill, [-np.inf, *edges, np.inf], right=False)
    assert found.columns["bill"][:-2].tolist() == binned.value_counts(sort=False).tolist()[:-1]
    assert found.columns["bill"].sum() == 5_000  # an infinite bill is in the last bin
    assert found.missing("bill") == frame.bill.isna().sum()
    assert found.columns["calls"].tolist() == [*frame.calls.value_counts().sort_index(), 0]
    levels = REFERENCE.bins["plan"].levels
    assert set(levels) == {"S", "M", "L"}
    assert found.columns["plan"].tolist() == [*(int((frame.plan == level).sum()) for level in levels), 0, 50, frame.plan.isna().sum()]
    assert found.examples == {"plan": ("XL",)}
    assert found.scores.sum() == 5_000


@pytest.mark.parametrize("kind", ["category", "string", "object"])
def test_text_of_any_kind_is_counted_alike(kind: str) -> None:
    frame, probability = customers(300, 3)
    assert same(count_part(frame.astype({"plan": kind}), probability, REFERENCE), count_part(frame, probability, REFERENCE))


def test_rounding_to_single_precision_moves_nothing() -> None:
    """Prices such as 0.7 lie below themselves once they are rounded; edges lie between values, so they stay in their bin."""
    prices = pd.DataFrame({"price": np.random.default_rng(1).integers(1, 400, 4_000) / 10})
    reference = Reference.of(prices, [("price", "number")], np.full(4_000, 0.1))
    single = count_part(prices.astype("float32"), np.full(4_000, 0.1), reference)
    assert single.columns["price"].tolist() == reference.counts["price"].tolist()


def test_levels_that_the_model_learnt_are_not_unseen_though_the_test_rows_lack_them() -> None:
    frame, probability = customers(500, 4)
    reference = Reference.of(frame, COLUMNS, probability, vocabularies={"plan": ("XL", "S")})
    found = count_part(frame.assign(plan="XL"), probability, reference)
    assert found.columns["plan"][-2] == 0
    assert "plan" not in found.examples


def test_written_and_read_back() -> None:
    frame, probability = customers(200, 5)
    profile = count_part(frame.assign(plan="new"), probability, REFERENCE)
    assert same(Profile.from_dict(json.loads(json.dumps(profile.to_dict()))), profile)
    again = Reference.from_dict(json.loads(json.dumps(REFERENCE.to_dict())))
    assert again.id == REFERENCE.id
    assert same(count_part(frame, probability, again), count_part(frame, probability, REFERENCE))


def test_what_is_damaged_or_does_not_belong_together_is_refused() -> None:
    frame, probability = customers(200, 6)
    other = Reference.of(frame, COLUMNS, probability)
    with pytest.raises(DataError, match="different references"):
        count_part(frame, probability, REFERENCE) + count_part(frame, probability, other)
    damaged = REFERENCE.to_dict()
    damaged["columns"]["bill"]["counts"][0] += 1
    with pytest.raises(ModelError, match="damaged"):
        Reference.from_dict(damaged)
    with pytest.raises(DataError, match="damaged"):
        Profile.from_dict({"format": 1})
    with pytest.raises(ModelError, match="bill"):
        count_part(frame.drop(columns="bill"), probability, REFERENCE)
    with pytest.raises(ModelError, match="numbers"):
        count_part(frame.assign(bill="much"), probability, REFERENCE)
    with pytest.raises(ModelError, match="no probabilities"):
        count_part(frame, probability * 40, REFERENCE)


def test_examples_of_unseen_levels_show_no_long_number() -> None:
    frame, probability = customers(10, 7)
    found = count_part(frame.assign(plan="8613800001234"), probability, REFERENCE)
    assert found.examples == {"plan": ("86***34",)}
