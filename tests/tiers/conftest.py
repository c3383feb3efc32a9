from datetime import date

import ibis
import pandas as pd
import pytest

from custvalue.config import TierPolicyConfig
from custvalue.tiers import TierPolicy

POINTS = {
    "arpu": {"metric": "revenue_mean_3m", "points_per_unit": 1.0},
    "data": {"metric": "data_mb_mean_3m", "points_per_unit": 0.001, "cap": 10},
    "tenure": {"metric": "tenure_months", "points_per_unit": 0.5, "cap": 30},
}
CUTS = {"kind": "thresholds", "at_least": {"gold": 100.0, "silver": 50.0}}
SHARES = {"kind": "share_of_base", "shares": {"gold": 0.1, "silver": 0.3}}


@pytest.fixture(scope="session")
def as_of():
    return date(2025, 12, 1)


@pytest.fixture(scope="session")
def make_policy():
    """A three-tier policy: gold, silver, basic; keyword arguments replace its parts, or those of its one rule."""

    def make(**parts):
        rule = {"components": POINTS, "cuts": CUTS}
        rule |= {name: parts.pop(name) for name in ("components", "factors", "cuts") if name in parts}
        given = {
            "name": "test",
            "version": 1,
            "source": "illustrative",
            "tiers": ("gold", "silver", "basic"),
            "eligibility": {"min_tenure_months": 6},
            "rules": {"points": rule},
        }
        return TierPolicy(TierPolicyConfig.model_validate(given | parts))

    return make


@pytest.fixture(scope="session")
def shares():
    return SHARES


@pytest.fixture(scope="session")
def make_features():
    """A feature table in DuckDB from lists; columns not given are those of an ordinary customer."""

    def make(**columns):
        rows = len(next(iter(columns.values())))
        usual = {
            "customer_id": [f"c{i:04d}" for i in range(rows)],
            "revenue_mean_3m": [30.0] * rows,
            "data_mb_mean_3m": [0.0] * rows,
            "tenure_months": [12.0] * rows,
            "complaint_open": [0.0] * rows,
            "days_since_justified_complaint": [None] * rows,
        }
        frame = pd.DataFrame(usual | columns)
        numbers = frame.columns.drop("customer_id")
        return ibis.memtable(frame.astype(dict.fromkeys(numbers, "float64")))

    return make


@pytest.fixture(scope="session")
def assigned(as_of):
    """Fit, assign and read back by customer."""

    def run(policy, features, **options):
        fitted = policy.fit(features, as_of=as_of)
        return fitted.assign(features, as_of=as_of, **options).execute().set_index("customer_id").sort_index()

    return run
