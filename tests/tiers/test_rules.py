"""Points, factors, matrices, several rules, floors and overrides, calculated by hand."""

import ibis
import pyarrow as pa
import pytest

from custvalue.config import TierPolicyConfig
from custvalue.tiers import Needed, TierPolicy, needed_columns

CUTS = {"kind": "thresholds", "at_least": {"gold": 100.0, "silver": 50.0}}
SPEND = {"metric": "spend", "points_per_unit": 1.0}


def policy(rules=None, **parts):
    base = {"name": "test", "version": 1, "source": "illustrative", "tiers": ["gold", "silver", "basic"]}
    return TierPolicyConfig.model_validate(base | {"rules": rules or {"points": {"components": {"spend": SPEND}, "cuts": CUTS}}} | parts)


def rate(config, as_of, **columns):
    """Score, tier and earned tier of customers given as columns; text columns are those that hold text."""
    count = len(next(iter(columns.values())))
    arrays = {"customer_id": pa.array([f"c{i}" for i in range(count)])}
    for name, values in columns.items():
        text = any(isinstance(value, str) for value in values)
        arrays[name] = pa.array(values, pa.string() if text else pa.float64())
    facts = ibis.memtable(pa.table(arrays))
    found = TierPolicy(config).fit(facts, as_of=as_of).assign(facts, as_of=as_of).order_by("customer_id").to_pyarrow()
    return found.column("score").to_pylist(), found.column("tier").to_pylist()


def points(component, as_of, **columns):
    return rate(policy({"points": {"components": {"x": component}, "cuts": CUTS}}), as_of, **columns)[0]


def test_bands_give_the_points_of_the_highest_one_reached(as_of):
    component = {"metric": "x", "bands": {10: 60, 50: 150}}
    assert points(component, as_of, x=[9.99, 10.0, 49.9, 50.0, 1e9, None, float("nan"), -5.0]) == [0, 60, 60, 150, 150, 0, 0, 0]


def test_a_band_from_zero_holds_known_values_only(as_of):
    assert points({"metric": "x", "bands": {0: 50, 10: 110}}, as_of, x=[0.0, -3.0, None]) == [50, 50, 0]


def test_negative_points_are_capped_from_below(as_of):
    rules = {"points": {"components": {"spend": SPEND, "late": {"metric": "late", "points_per_unit": -10, "cap": 30}}, "cuts": CUTS}}
    scores, _ = rate(policy(rules), as_of, spend=[100.0, 100.0, 10.0], late=[2.0, 9.0, 2.0])
    assert scores == [80, 70, -10]


def test_short_history_counts_in_proportion_of_the_months(as_of):
    component = {"metric": "x", "points_per_unit": 1.0, "full_after_months": 12}
    scores = points(component, as_of, x=[120.0] * 5, tenure_months=[3.0, 12.0, 40.0, 0.0, None])
    assert scores == [30, 120, 120, 0, 120]  # nothing is known to be missing where the tenure is not known


def test_factors_multiply_and_are_one_below_the_first_band_or_unknown(as_of):
    factor = {"metric": "tenure_months", "bands": {12: 1.1, 60: 1.5}}
    rules = {"points": {"components": {"spend": SPEND}, "factors": {"loyal": factor}, "cuts": CUTS}}
    assert rate(policy(rules), as_of, spend=[80.0] * 4, tenure_months=[11.0, 12.0, 60.0, None])[0] == [80, 88, 120, 80]


def test_score_of_several_rules_is_that_of_the_one_that_earns_and_of_the_first_on_a_tie(as_of):
    rules = {
        "spend": {"components": {"spend": SPEND}, "cuts": CUTS},
        "tenure": {"components": {"t": {"metric": "tenure_months", "points_per_unit": 2.0}}, "cuts": CUTS},
    }
    scores, tiers = rate(policy(rules), as_of, spend=[120.0, 20.0, 60.0], tenure_months=[1.0, 50.0, 30.0])
    assert (scores, tiers) == ([120, 100, 60], ["gold", "gold", "silver"])


def test_matrix_reads_the_cell_and_writes_the_columns_value(as_of):
    matrix = {
        "form": "matrix",
        "rows": {"metric": "lines", "at_least": {"large": 10}, "otherwise": "small"},
        "columns": {"metric": "spend", "at_least": {"high": 100, "middle": 40}, "otherwise": "low"},
        "cells": {
            "large": {"high": "gold", "middle": "gold", "low": "silver"},
            "small": {"high": "gold", "middle": "silver", "low": "basic"},
        },
    }
    scores, tiers = rate(policy({"m": matrix}), as_of, lines=[10.0, 9.0, 9.0, None, 12.0], spend=[40.0, 40.0, 100.0, 39.0, None])
    assert tiers == ["gold", "silver", "gold", "basic", "silver"]
    assert scores == [40, 40, 100, 39, None]


def test_adjustments_apply_in_order_to_what_the_one_before_left(as_of):
    adjustments = [
        {"name": "floor", "when": [{"metric": "tenure_months", "at_least": 60}], "at_least": "silver"},
        {"name": "promoted", "when": [{"metric": "tenure_months", "at_least": 120}], "only_from": "silver", "exactly": "gold"},
        {
            "name": "ceiling",
            "when": [{"metric": "region", "among": ["north"]}, {"metric": "tenure_months", "below": 130}],
            "at_most": "silver",
        },
    ]
    columns = {
        "spend": [10.0] * 4 + [200.0],
        "tenure_months": [59.0, 60.0, 120.0, 120.0, None],
        "region": ["south", "north", "south", "north", "north"],
    }
    assert rate(policy(adjustments=adjustments), as_of, **columns)[1] == ["basic", "silver", "gold", "silver", "gold"]


def test_accounts_are_graded_as_one_and_lines_without_one_alone(as_of):
    columns = {
        "spend": [60.0, 45.0, 60.0, 45.0, -10.0],
        "account_id": ["a", "a", None, None, "a"],
        "tenure_months": [3.0, 9.0, 9.0, 3.0, None],
    }
    scores, tiers = rate(policy(level="account", eligibility={"min_tenure_months": 6}), as_of, **columns)
    assert scores == [95, 95, 60, None, 95]
    assert tiers == ["silver", "silver", "silver", "unrated", "silver"]


def test_cents_of_many_lines_sum_exactly(as_of):
    scores, tiers = rate(policy(level="household"), as_of, spend=[0.1] * 1000, household_id=["h"] * 1000)
    assert set(scores) == {100.0}
    assert set(tiers) == {"gold"}


def test_share_of_revenue_takes_the_fewest_customers_that_hold_it_and_keeps_ties_together(as_of):
    cuts = {"kind": "share_of_revenue", "shares": {"gold": 0.5, "silver": 0.3}, "of": "bill"}
    rules = {"points": {"components": {"spend": SPEND}, "cuts": cuts}}
    # cumulated bills of 1,000: 400 | 600 | 700, 800 (equal scores) | 950 | 1,000; the credit note counts as zero
    columns = {"spend": [90.0, 80.0, 70.0, 70.0, 60.0, 50.0, 40.0], "bill": [400.0, 200.0, 100.0, 100.0, 150.0, 50.0, -500.0]}
    _, tiers = rate(policy(rules), as_of, **columns)
    assert tiers == ["gold", "gold", "silver", "silver", "basic", "basic", "basic"]


def test_a_tier_is_kept_down_to_its_share_of_the_cut(as_of):
    cuts = {"kind": "share_of_base", "shares": {"gold": 0.5, "silver": 0.25}, "keep_share": 0.8}
    config = policy({"points": {"components": {"spend": SPEND}, "cuts": cuts}})
    base = ibis.memtable(pa.table({"customer_id": ["a", "b", "c"], "spend": [100.0, 50.0, 0.0]}))
    fitted = TierPolicy(config).fit(base, as_of=as_of)
    assert fitted.cuts == {"points": {"gold": 50.0, "silver": 25.0}}
    now = ibis.memtable(pa.table({"customer_id": ["a", "b", "c"], "spend": [40.0, 39.0, 40.0]}))
    before = pa.table({"customer_id": ["a", "b"], "tier": ["gold", "gold"], "valid_from": [as_of, as_of]})
    assert fitted.assign(now, as_of=as_of, previous=before).order_by("customer_id").to_pyarrow().column("tier").to_pylist() == [
        "gold",
        "silver",
        "silver",
    ]


def test_needed_columns_are_those_of_all_policies_and_no_others():
    rule = {
        "components": {"a": SPEND | {"full_after_months": 3}, "b": {"metric": "data", "points_per_unit": 1}},
        "factors": {"f": {"metric": "age", "bands": {1: 2}}},
        "cuts": {"kind": "share_of_revenue", "shares": {"gold": 0.5, "silver": 0.3}, "of": "bill"},
    }
    one = policy({"points": rule}, level="household")
    other = policy(
        level="account",
        eligibility={"segments": ["consumer"]},
        adjustments=[{"name": "n", "when": [{"metric": "region", "among": ["north"]}], "exactly": "gold"}],
    )
    complaints = {"complaint_open", "days_since_justified_complaint"}
    assert needed_columns(one) == Needed(tuple(sorted({"spend", "data", "age", "bill", "tenure_months"} | complaints)), ("household_id",))
    both = {"spend", "data", "age", "bill", "tenure_months", "segment", "region"} | complaints
    assert needed_columns(one, other) == Needed(tuple(sorted(both)), ("account_id", "household_id"))


@pytest.mark.parametrize("level", ["account", "household"])
def test_a_table_of_needed_columns_is_enough(as_of, level):
    config = policy(level=level)
    needed = needed_columns(config)
    columns = {name: pa.array([1.0]) for name in needed.features} | {name: pa.array(["x"]) for name in needed.ids}
    facts = ibis.memtable(pa.table({"customer_id": ["c"]} | columns))
    assert TierPolicy(config).fit(facts, as_of=as_of).assign(facts, as_of=as_of).count().to_pyarrow().as_py() == 1
