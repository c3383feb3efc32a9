"""Random policies, bases and previous states, of every kind that the schema allows; drawn from a seed."""

import random
from datetime import timedelta

from pydantic import ValidationError

from custvalue.config import TierPolicyConfig

from .oracle import months_later

TIERS = ["diamond", "gold", "silver", "basic"]
METRICS = ["spend", "data", "arrears"]


def component(rng, metric):
    part = {"metric": metric, "roll_up": rng.choice(["sum", "sum", "mean", "max", "min"])}
    if rng.random() < 0.3:
        part["bands"] = {low: low * 2 for low in sorted(rng.sample([0, 10, 20, 50, 80], 3))}
    else:
        part["points_per_unit"] = rng.choice([0.5, 1.0, 1.0, 2.0])
    if rng.random() < 0.4:
        part["cap"] = rng.choice([60, 90, 150])
    if rng.random() < 0.2:
        part["full_after_months"] = rng.choice([6, 12])
    return part


def cuts(rng, kinds):
    kind = rng.choice(kinds)
    if kind == "thresholds":
        keep = rng.choice([{}, {"gold": 80}, {"diamond": 130, "gold": 70, "silver": 35}])
        return {"kind": kind, "at_least": {"diamond": 150, "gold": 90, "silver": 40}, "keep_at": keep}
    return {"kind": kind, "shares": {"diamond": 0.1, "gold": 0.2, "silver": 0.3}, "keep_share": rng.choice([1.0, 0.8])} | (
        {"of": "spend"} if kind == "share_of_revenue" else {}
    )


def points_rule(rng, kinds):
    components = {"spend": component(rng, "spend")}
    if rng.random() < 0.6:
        components["tenure"] = component(rng, "tenure_months")
    if rng.random() < 0.3:
        components["arrears"] = {"metric": "arrears", "points_per_unit": -10, "cap": 40}
    rule = {"components": components, "cuts": cuts(rng, kinds)}
    if rng.random() < 0.3:
        rule["factors"] = {"loyal": {"metric": "tenure_months", "bands": {12: 1.1, 36: 1.25}}}
    return rule


def matrix_rule(rng):
    return {
        "form": "matrix",
        "rows": {"metric": "data", "at_least": {"heavy": 50, "some": 10}, "otherwise": "light", "roll_up": rng.choice(["sum", "max"])},
        "columns": {"metric": "spend", "at_least": {"high": 100, "middle": 50}, "otherwise": "low"},
        "cells": {
            "heavy": {"high": "diamond", "middle": "gold", "low": "silver"},
            "some": {"high": "gold", "middle": "gold", "low": "basic"},
            "light": {"high": "gold", "middle": "silver", "low": "basic"},
        },
    }


FLOOR = {"name": "long-standing", "when": [{"metric": "tenure_months", "at_least": 60}], "at_least": "silver"}
PROMOTED = {"name": "promoted", "when": [{"metric": "tenure_months", "at_least": 36}], "only_from": "gold", "exactly": "diamond"}
CEILING = {"name": "debtor", "when": [{"metric": "arrears", "at_least": 2}], "at_most": "silver"}
SERIOUS = {"name": "serious", "when": [{"metric": "arrears", "at_least": 3}], "at_most": "basic", "at_once": True}
NORTH = {
    "name": "north",
    "when": [{"metric": "region", "among": ["north"]}, {"metric": "data", "at_least": 5, "below": 60}],
    "exactly": "gold",
}
DEMOTED = {"name": "demoted", "when": [{"metric": "arrears", "at_least": 2}], "only_from": "gold", "exactly": "silver", "at_once": True}
ADJUSTMENTS = [FLOOR, PROMOTED, CEILING, SERIOUS, NORTH, DEMOTED]


def policy(seed, *, kinds=("thresholds",), level=None):
    """A policy as the YAML's dictionary; drawn again until it is one that the schema takes."""
    rng = random.Random(seed)  # noqa: S311
    while True:
        drawn = any_policy(rng, kinds, level)
        try:
            TierPolicyConfig.model_validate(drawn)
        except ValidationError:
            continue
        return drawn


def any_policy(rng, kinds, level):
    rules = {"points": points_rule(rng, kinds)}
    if rng.random() < 0.25:
        rules["matrix"] = matrix_rule(rng)
    if rng.random() < 0.25:
        rules["other"] = points_rule(rng, kinds)
    if rng.random() < 0.1:
        rules = {"matrix": matrix_rule(rng)}
    return {
        "name": "drawn",
        "version": 2,
        "source": "illustrative",
        "tiers": TIERS,
        "level": level or rng.choice(["line", "line", "account", "household"]),
        "eligibility": rng.choice([{}, {"min_tenure_months": 6}, {"min_tenure_months": 3, "segments": ["consumer"]}]),
        "rules": rules,
        "adjustments": [each for each in ADJUSTMENTS if rng.random() < 0.3],
        "stability": {
            "validity_months": rng.choice([0, 0, 3, 6, 12]),
            "months_before_downgrade": rng.choice([1, 1, 2, 3]),
            "grace_months": rng.choice([0, 0, 1, 2]),
            "largest_step_up": rng.choice([None, None, 1, 2]),
            "largest_step_down": rng.choice([None, None, 1, 2]),
        },
        "protection": {"open_complaint": rng.random() < 0.8, "justified_within_days": rng.choice([0, 30, 90])},
        "transition": {"rule": rng.choice(["higher", "renewal", "new"]), "months": rng.choice([1, 6])},
    }


def some_of(rng, share, value):
    return value if rng.random() >= share else None


def customer(rng, i):
    """One line, with values at and around the cuts, missing ones, and NaN."""
    spend = rng.choice([0.0, -20.0, 40.0, 90.0, 150.0, float("nan"), round(rng.uniform(0, 200), 2), round(rng.uniform(0, 200), 2)])
    return {
        "customer_id": f"c{i:03d}",
        "spend": some_of(rng, 0.1, spend),
        "data": some_of(rng, 0.1, rng.choice([0.0, 5.0, 10.0, 50.0, round(rng.uniform(0, 100), 3)])),
        "arrears": some_of(rng, 0.2, rng.choice([0.0, 0.0, 0.0, 1.0, 2.0, 3.0])),
        "tenure_months": some_of(rng, 0.1, float(rng.choice([0, 2, 3, 5, 6, 11, 12, 36, 59, 60, 100]))),
        "complaint_open": some_of(rng, 0.2, float(rng.random() < 0.15)),
        "days_since_justified_complaint": some_of(rng, 0.8, float(rng.choice([0, 30, 31, 90, 91]))),
        "segment": some_of(rng, 0.1, rng.choice(["consumer", "consumer", "enterprise"])),
        "region": some_of(rng, 0.2, rng.choice(["north", "south"])),
        "account_id": some_of(rng, 0.3, f"a{rng.randrange(8 + i // 4)}"),
        "household_id": some_of(rng, 0.3, f"h{rng.randrange(8 + i // 4)}"),
    }


def base(seed, count=60):
    rng = random.Random(seed)  # noqa: S311
    return [customer(rng, i) for i in range(count)]


def later(rows, seed):
    """The same customers a month on: most as they were, some changed, a few gone or new."""
    rng = random.Random(seed)  # noqa: S311
    fresh = base(seed, len(rows) + 2)
    kept = []
    for row, other in zip(rows, fresh, strict=False):
        if rng.random() < 0.03:
            continue
        changed = rng.random()
        volatile = ("spend", "data", "arrears", "complaint_open", "days_since_justified_complaint") if changed < 0.4 else ()
        months = row["tenure_months"]
        kept.append(row | {name: other[name] for name in volatile} | {"tenure_months": None if months is None else months + 1})
    return kept + [row | {"customer_id": f"n{seed}-{row['customer_id']}"} for row in fresh[len(rows) :]]


def previous(seed, rows, day):
    """Any state that a customer may come from, also such as no rating of this policy would leave."""
    rng = random.Random(seed)  # noqa: S311

    def around(chance):
        if rng.random() < chance:
            return None
        return months_later(day, rng.choice([-4, -2, -1, -1, 0, 1, 3])) + timedelta(days=rng.choice([-1, 0, 0, 1]))

    def state(row):
        since = months_later(day, -rng.randrange(1, 20))
        return {
            "customer_id": row["customer_id"],
            "tier": rng.choice([*TIERS, *TIERS, "unrated", "platinum"]),
            "valid_from": since,
            "valid_until": around(0.4),
            "below_since": (lambda found: None if found is None else min(found, day))(around(0.5)),
            "grace_until": around(0.6),
            "policy_version": rng.choice(["drawn-v2", "drawn-v2", "drawn-v1", None]),
            "reason_code": rng.choice(["stays", "transition", "within_validity", None]),
        }

    return [state(row) for row in rows if rng.random() < 0.9] + [state({"customer_id": "gone"})]
