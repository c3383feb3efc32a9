"""Every step against a plain-Python reading of the rules, on random policies, bases and previous states."""

from datetime import date

import ibis
import pyarrow as pa
import pytest

from custvalue.config import TierPolicyConfig
from custvalue.tiers import TierPolicy

from . import drawing
from .oracle import Oracle, months_later

STATE = pa.schema(
    {
        "customer_id": pa.string(),
        "tier": pa.string(),
        "valid_from": pa.date32(),
        "valid_until": pa.date32(),
        "below_since": pa.date32(),
        "grace_until": pa.date32(),
        "policy_version": pa.string(),
        "reason_code": pa.string(),
    }
)
FACTS = pa.schema(
    {name: pa.string() if name.endswith("_id") or name in ("segment", "region") else pa.float64() for name in drawing.base(0, 1)[0]}
)
SEEDS = range(24)
DAYS = [date(2025, 3, 31), date(2025, 12, 1), date(2024, 2, 29), date(2025, 2, 28)]


def by_customer(table):
    return {row["customer_id"]: row for row in table.to_pylist()}


def differing(ours, oracles):
    assert ours.keys() == oracles.keys()
    close = {name: (ours[name]["score"], row["score"]) for name, row in oracles.items()}
    return {
        (who, name): (ours[who][name], value)
        for who, row in oracles.items()
        for name, value in row.items()
        if ours[who][name] != value and not (name == "score" and None not in close[who] and abs(close[who][0] - close[who][1]) < 2e-6)
    }


@pytest.fixture(scope="module")
def rate():
    """Rate a base through the package: the fitted policy, and customer → row."""

    def run(policy, rows, previous, day, *, fitted=None):
        facts = ibis.memtable(pa.Table.from_pylist(rows, schema=FACTS))
        fitted = fitted or TierPolicy(TierPolicyConfig.model_validate(policy)).fit(facts, as_of=day)
        before = None if previous is None else pa.Table.from_pylist(previous, schema=STATE)
        return fitted, by_customer(fitted.assign(facts, as_of=day, previous=before).to_pyarrow())

    return run


@pytest.mark.parametrize("seed", SEEDS)
def test_one_step_is_the_oracles(rate, seed):
    policy, rows, day = drawing.policy(seed), drawing.base(seed, 250), DAYS[seed % len(DAYS)]
    previous = drawing.previous(seed, rows, day)
    fitted, ours = rate(policy, rows, previous, day)
    assert differing(ours, Oracle(policy, fitted.cuts).rate(rows, previous, day)) == {}


def test_every_reason_occurs_in_these_steps():
    found = set()
    for seed in SEEDS:
        policy, rows, day = drawing.policy(seed), drawing.base(seed, 250), DAYS[seed % len(DAYS)]
        cuts = {name: rule["cuts"]["at_least"] for name, rule in policy["rules"].items() if "cuts" in rule}
        found |= {row["reason_code"] for row in Oracle(policy, cuts).rate(rows, drawing.previous(seed, rows, day), day).values()}
    assert {reason for reason in found if not reason.startswith("adjusted_")} == {
        "first_rating", "upgrade", "stays", "renewed", "downgrade", "policy_change",
        "protected_open_complaint", "protected_justified_complaint", "transition", "within_validity", "below_too_briefly", "grace",
        "unrated_short_tenure", "unrated_unknown_tenure", "unrated_other_segment",
    }  # fmt: skip
    assert {reason for reason in found if reason.startswith("adjusted_")} == {f"adjusted_{each['name']}" for each in drawing.ADJUSTMENTS}


@pytest.mark.parametrize("seed", range(100, 102))
def test_a_history_of_24_months_is_the_oracles(rate, seed):
    policy, rows, day = drawing.policy(seed), drawing.base(seed), date(2023, 12, 31)
    fitted, ours = rate(policy, rows, None, day)
    oracle = Oracle(policy, fitted.cuts)
    theirs = oracle.rate(rows, [], day)
    for month in range(1, 24):
        assert differing(ours, theirs) == {}
        rows, day = drawing.later(rows, seed * 1000 + month), months_later(date(2023, 12, 31), month)
        _, ours = rate(policy, rows, [{name: row[name] for name in STATE.names} for row in ours.values()], day, fitted=fitted)
        theirs = oracle.rate(rows, list(theirs.values()), day)
    assert differing(ours, theirs) == {}
