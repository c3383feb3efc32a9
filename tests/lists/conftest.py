from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from custvalue.config import ready_configs
from custvalue.lists import write_workbook
from custvalue.wording import Catalogue, load_catalogue

AS_OF = date(2026, 1, 1)
EN = ["Bill last month ¥117, 41 % below the mean of the 2 months before (¥198)", "Contract ends in 18 days", "=1+1 is no formula"]
OFFER = {"en": "half a month off", "zh": "减免半个月月费"}
POINTS = {"en": ["Thank the customer", "Ask what would fit better"], "zh": ["感谢客户", "询问套餐是否合适"]}
FOR_ALL = {"en": ["Promise nothing else."], "zh": ["不得承诺方案之外的优惠。"]}
OWN_RULE = {"en": ["Sell nothing while a complaint is open."], "zh": ["投诉未闭环前请勿营销。"]}
ZH = ["上月消费117元，较前2个月月均198元下降41%", "合约18天后到期", "=1+1不是公式"]


@pytest.fixture(scope="session")
def catalogue() -> Catalogue:
    return load_catalogue(ready_configs() / "wording")


@pytest.fixture
def make_rows() -> Callable[..., pd.DataFrame]:
    """Three customers in the wrong order; keyword arguments replace values of the first one."""

    def make(language: str = "en", **first: Any) -> pd.DataFrame:
        reasons = EN if language == "en" else ZH
        a = {
            "order_id": "20260101-C-00000000aa",
            "customer": "00012345678901",
            "name": "王**",
            "number": "138****1234",
            "tier": "diamond",
            "channel": "manager",
            "care_priority": True,
            "arpu": 117.25,
            "arpu_drop": 0.4091,
            "tenure_months": 40.0,
            "days_to_expiry": 18.0,
            "risk_kind": "leave",
            "risk_band": "high",
            "probability": 0.34217,
            "value_at_stake": 1240.0,
            "net_value": 96.4,
            "priority": 1,
            "reasons": reasons,
            "due_by": date(2026, 1, 2),
            "open_complaint": True,
            "urgency": None,
            "trigger_words": None,
            "lines": None,
            "offer_words": OFFER[language],
            "talking_points": POINTS[language],
            "do_not_say": [*FOR_ALL[language], *OWN_RULE[language]],
            "best_time": "09:00–21:00",
            "last_contact": pd.Timestamp(2025, 11, 3),
            "last_outcome": "refused",
            "since": "new",
            "first_listed_on": None,
            "consent": "yes",
        }
        b = a | {
            "order_id": "20260101-C-00000000bb",
            "customer": "13812341234",
            "name": "=cmd|' /C calc'!A0",
            "tier": "5A",
            "arpu": 7.5,
            "arpu_drop": -0.305,
            "risk_kind": "non_payment",
            "days_to_expiry": np.nan,
            "risk_band": "medium",
            "probability": 0.125,
            "net_value": 3.14,
            "priority": 2,
            "reasons": tuple(reasons[:1]),
            "open_complaint": False,
            "offer_words": None,
            "talking_points": [],
            "do_not_say": FOR_ALL[language],
            "last_contact": pd.NaT,
            "last_outcome": None,
            "since": "stays",
            "first_listed_on": pd.Timestamp(2025, 12, 28),
        }
        c = b | {
            "order_id": "20260101-C-00000000cc",
            "customer": "@SUM(1)",
            "name": "-2+3",
            "number": "+1234",
            "tier": "unrated",
            "arpu_drop": np.nan,
            "risk_kind": "value_loss",
            "risk_band": "low",
            "probability": 0.02,
            "priority": 3,
            "care_priority": False,
        }
        return pd.DataFrame([c, a | first, b])

    return make


@pytest.fixture
def write(tmp_path: Path, catalogue: Catalogue) -> Callable[..., Path]:
    """Write rows to ``M-014.xlsx``; keyword arguments replace the usual ones."""

    def write(rows: pd.DataFrame, **others: Any) -> Path:
        path = tmp_path / "M-014.xlsx"
        given = {"manager": "M-014", "as_of": AS_OF, "language": "en", "currency": "CNY", "catalogue": catalogue}
        write_workbook(path, rows, **given | others)
        return path

    return write
