"""Small tier policies, ratings and comparisons to log."""

from datetime import UTC, date, datetime

import ibis
import pandas as pd
import pyarrow as pa
import yaml
from matplotlib.figure import Figure

from custvalue.tiers import TierPolicy
from custvalue.tracking import PolicyComparison, TierRating

NOW = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)
JANUARY, FEBRUARY, MARCH = (date(2026, month, 1) for month in (1, 2, 3))
SIGNED = {"by": "li.wei", "now": NOW}


def policy_text(*, version=1, gold=100.0, source="made up", note=""):
    return f"""{note}
name: consumer
version: {version}
source: {source}
tiers: [gold, silver, basic]
rules:
  points:
    components:
      arpu: {{metric: revenue_mean_3m, points_per_unit: 1.0}}
    cuts: {{kind: thresholds, at_least: {{gold: {gold}, silver: 50}}}}
"""


def fitted(folder, *, text=None, as_of=JANUARY, **content):
    text = text or policy_text(**content)
    path = folder / "policy.yaml"
    path.write_text(text, encoding="utf-8")
    features = ibis.memtable(pa.table({"customer_id": ["c1", "c2"], "revenue_mean_3m": [40.0, 120.0]}))
    return TierPolicy.from_yaml(path).fit(features, as_of=as_of), text


def share_policy(folder, bills, **content):
    """A policy whose cuts come from the base, so that one text gives other cuts on another base."""
    raw = yaml.safe_load(policy_text(**content))
    raw["rules"]["points"]["cuts"] = {"kind": "share_of_base", "shares": {"gold": 0.2, "silver": 0.4}}
    path = folder / "share.yaml"
    path.write_text(yaml.safe_dump(raw), encoding="utf-8")
    features = ibis.memtable(pa.table({"customer_id": [f"c{place}" for place in range(len(bills))], "revenue_mean_3m": bills}))
    return TierPolicy.from_yaml(path).fit(features, as_of=JANUARY), path.read_text()


def figure():
    made = Figure()
    made.subplots().plot([0, 1], [0, 1])
    return made


def rating(policy, *, day=JANUARY, digest="d" * 64, **changes):
    fit, text = policy
    by_tier = pd.DataFrame(
        {
            "tier": ["gold", "silver", "basic", "unrated"],
            "customers": [10, 30, 60, 0],
            "share": [0.1, 0.3, 0.6, 0.0],
            "revenue_share": [0.4, 0.4, 0.2, 0.0],
            "arpu": [160.0, 53.5, 13.25, float("nan")],
        }
    )
    return TierRating(policy=fit, yaml=text, day=day, digest=digest, by_tier=by_tier, **changes)


def comparison(ours, theirs, **changes):
    return PolicyComparison(
        policy=ours[0],
        against=theirs[0],
        policy_yaml=ours[1],
        against_yaml=theirs[1],
        **{
            "day": JANUARY,
            "months": 12,
            "metrics": {"change.up": 0.02, "change.down": float("nan")},
            "texts": {"migration.csv": "before,after,customers\ngold,silver,3\n"},
            "figures": {"migration": figure()},
            **changes,
        },
    )
