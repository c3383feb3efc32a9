"""What the lists take from ranking: the loss that threatens most, where there is more than one."""

from __future__ import annotations

from datetime import date

import pandas as pd

from custvalue.explain import Reason
from custvalue.lists import list_rows

LISTED = pd.DataFrame(
    {
        "customer_id": ["a", "b"],
        "manager_id": "M1",
        "priority": [1, 2],
        "tier": "gold",
        "care_priority": 0,
        "arpu": 80.0,
        "probability": [0.3, 0.1],
        "value_at_stake": 400.0,
        "net_value": [9.0, 3.0],
    }
)


def rows(listed: pd.DataFrame) -> pd.DataFrame:
    reasons: list[list[Reason]] = [[] for _ in listed.index]
    return list_rows(listed, reasons, {}, as_of=date(2026, 1, 1), token_key=b"key", base_rate=0.05)


def test_the_loss_that_threatens_most_is_carried_to_the_list():
    assert rows(LISTED.assign(risk_kind=["leave", "non_payment"])).risk_kind.tolist() == ["leave", "non_payment"]


def test_with_one_outcome_alone_no_loss_is_named():
    assert rows(LISTED).risk_kind.isna().all()
