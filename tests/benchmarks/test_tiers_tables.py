"""What the tiers' benchmark counts, worked out by hand on a handful of customers."""

import sys
from pathlib import Path

import pandas as pd
import pytest

FOLDER = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture(scope="module")
def tiers():
    sys.path.insert(0, str(FOLDER))
    import tiers

    yield tiers
    sys.path.remove(str(FOLDER))


def ranks(**customers):
    return pd.Series(customers)


def test_customers_are_cut_at_the_given_sizes_from_the_top(tiers):
    order = pd.Series({"a": 5.0, "b": 50.0, "c": 1.0, "d": 20.0})
    assert tiers.cut_at(order, [1, 2, 1]).to_dict() == {"b": 0, "d": 1, "a": 1, "c": 2}


def test_moves_flips_falls_and_captured_revenue(tiers):
    months = [ranks(a=0, b=1, c=2, d=3), ranks(a=1, b=1, c=2, d=3), ranks(a=0, b=2, c=2)]
    protected = [pd.Series({name: name == "b" for name in "abcd"})] * 3
    revenue = pd.Series({"a": 60.0, "b": 10.0, "c": 30.0})
    found = tiers.measured(months, protected, revenue)
    assert found.changes == pytest.approx(3 / 7)  # a falls, a rises, b falls; four and then three were seen twice
    assert found.flips == pytest.approx(1 / 3)  # a, down and up
    assert found.protected_falls == 1  # b
    assert found.captured == pytest.approx(0.6)  # a alone is in the top two
    assert found.correlation == pytest.approx(3**0.5 / 2)  # ranks 1, 2.5, 2.5 against 1, 3, 2


def test_the_policy_is_set_beside_each_of_the_others(tiers):
    def found(captured, changes):
        return [tiers.Found(0.5, captured, changes, 0.01, 0)]

    lines = tiers.validity_table({"policy": found(0.48, 0.01), "other": found(0.5, 0.04)})
    cells = [cell.strip() for cell in lines[-1].strip("|").split("|")]
    assert cells == ["other", "0.500", "50.0%", "96.0%", "4.00%", "0.25", "1.0%", "0"]
