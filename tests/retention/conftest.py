from datetime import date

import pandas as pd
import pytest

from custvalue.config import RetentionPolicyConfig
from custvalue.retention.deciding import decide
from custvalue.retention.managers import Duty


@pytest.fixture(scope="session")
def as_of():
    return date(2026, 1, 1)


@pytest.fixture(scope="session")
def make_policy():
    """Numbers easy to work with: V is 6 and d is 1 month of ARPU; keyword arguments replace parameters."""

    def make(**parameters):
        given = {
            "name": "test",
            "version": 1,
            "source": "illustrative",
            "reach": 0.5,
            "save": 0.4,
            "take_up": 0.25,
            "harm": 0.01,
            "offers": {"month_off": {"label": {"en": "a month off", "zh": "减免一个月"}, "cost_months": 1.0}},
            "contact_cost": 1.0,
            "value": {"margin": 0.5, "months": 12, "monthly_survival": 1.0, "monthly_discount": 0.0},
            "capacity_per_manager": 2,
            "channels": {"gold": "manager", "silver": "message", "basic": "self_service", "unrated": "message"},
        }
        return RetentionPolicyConfig.model_validate(given | parameters)

    return make


@pytest.fixture(scope="session")
def policy(make_policy):
    return make_policy()


@pytest.fixture(scope="session")
def decide_on(as_of):
    """Decide under a policy, with a made-up key and nobody away."""

    def decided(frame, policy, **options):
        given = {"duty": Duty.of(None, policy, as_of=as_of), "holdout_key": b"made up for these tests", "as_of": as_of}
        return decide(frame, policy=policy, **(given | options))

    return decided


@pytest.fixture(scope="session")
def make_scores():
    """Scores of gold customers worth a contact; keyword arguments replace columns."""

    def make(**columns):
        rows = len(next(iter(columns.values())))
        usual = {
            "customer_id": [f"c{i:04d}" for i in range(rows)],
            "probability": [0.5] * rows,
            "tier": ["gold"] * rows,
            "arpu": [100.0] * rows,
            "manager_id": ["M1"] * rows,
        }
        return pd.DataFrame(usual | columns)

    return make
