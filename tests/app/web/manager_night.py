"""A visibly made-up night as lists.parquet and care_lists.parquet hold it, with all that managers are told."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from io import BytesIO

import pandas as pd

from custvalue.retention.orders.store import OrderStore

NIGHT = date(2026, 1, 5)
_TIERS = ("diamond", "gold", "silver")
_BANDS = ("high", "medium", "low")


def told(customers=range(1, 9), *, night: date = NIGHT, manager: str | None = None) -> pd.DataFrame:
    """A night's lists: M-001 of team north has the odd customers, M-002 of team south the even ones, unless one has all."""
    return pd.DataFrame([_row(number, place + 1, night, manager) for place, number in enumerate(customers)])


def owed(customers=(1, 2, 9), *, night: date = NIGHT) -> pd.DataFrame:
    """Service contacts that persons owe: customer 9 is on no list."""
    return pd.DataFrame(
        [
            {
                "customer_id": f"K{number}",
                "customer": f"CRM-K{number}",
                "manager_id": _owner(number),
                "team": _team(_owner(number)),
                "kind": "complaint_callback",
                "due_on": night + timedelta(days=place - 1),
                "since": night - timedelta(days=1),
                "name": "X**",
                "number": f"138****00{number:02d}",
                "by": "person",
                "facts_en": "Complaint closed on 2026-01-02; ask whether it is settled",
                "facts_zh": "投诉已于2026-01-02办结，请确认客户问题是否解决",
                "tier": "gold",
            }
            for place, number in enumerate(customers)
        ]
    )


def tell_night(site, *, customers=range(1, 9), night: date = NIGHT, run: str = "told", care: pd.DataFrame | None = None) -> None:
    """Take this night's lists over those that the site was filled with."""
    store = OrderStore.of(site.config)
    now = datetime(night.year, night.month, night.day) - timedelta(hours=5)
    rows, duties = (_published(frame) for frame in (told(customers, night=night), owed(night=night) if care is None else care))
    store.take_night(rows, night, run, decisions={"K3": "held_out"}, now=now, care=duties)


def _published(frame: pd.DataFrame) -> pd.DataFrame:
    """Give a frame as it comes back from a night's file."""
    return pd.read_parquet(BytesIO(frame.to_parquet(index=False)))


def _owner(number: int) -> str:
    return "M-001" if number % 2 else "M-002"


def _team(manager: str) -> str:
    return "north" if manager == "M-001" else "south"


def _row(number: int, priority: int, night: date, manager: str | None) -> dict[str, object]:
    owner = manager or _owner(number)
    bills = [198.0 - 3 * number, 200.0, 195.0, 199.0, 201.0, 198.0, 197.0, 196.0, None, 202.0, 150.0, 117.0]
    return {
        "order_id": f"{night:%Y%m%d}-C-K{number}",
        "customer_id": f"K{number}",
        "customer": f"CRM-K{number}",
        "name": "X**",
        "number": f"138****00{number:02d}",
        "manager_id": owner,
        "team": _team(owner),
        "priority": priority,
        "due_by": pd.Timestamp(night) + pd.Timedelta(hours=9 + 24 * (number % 4)),
        "tier": _TIERS[number % 3],
        "region": ("north-east", "coast")[number % 2],
        "campaign": "keep",
        "offer": "half_month" if number % 3 else None,
        "trigger": "complaint_repeat" if number == 1 else None,
        "urgency": "red" if number == 1 else "amber" if number == 3 else None,
        "lines": 3 if number == 5 else 1,
        "net_value": 120.0 - 7 * number,
        "value_at_stake": 1240.0 - 90 * number,
        "arpu": 117.25,
        "arpu_drop": 0.4091,
        "tenure_months": 40.0,
        "days_to_expiry": 18.0,
        "risk_kind": "leave",
        "risk_band": _BANDS[number % 3],
        "probability": 0.3,
        "open_complaint": number == 1,
        "consent": "yes",
        "last_contact": pd.Timestamp(2025, 11, 3),
        "last_outcome": "refused",
        "reason_codes": ["spend_drop", "contract_end"] if number % 2 else ["contract_end"],
        "reason_weights": [0.69, 0.2],
        "reasons_en": ["Bill last month ¥117, 41 % below the mean of the 2 months before (¥198)", f"Contract ends in {number} days"],
        "reasons_zh": ["上月消费117元，较前2个月月均198元下降41%", f"合约{number}天后到期"],
        "trigger_words_en": "complaint made again" if number == 1 else None,
        "trigger_words_zh": "重复投诉" if number == 1 else None,
        "offer_words_en": "Half a month off" if number % 3 else None,
        "offer_words_zh": "减免半个月月费" if number % 3 else None,
        "talking_points_en": ["Thank the customer for the years together", "Ask what would fit better"],
        "talking_points_zh": ["感谢客户长期支持", "询问套餐是否合适"],
        "do_not_say_en": ["Promise nothing beyond the offer."],
        "do_not_say_zh": ["不得承诺方案之外的优惠。"],
        "best_time": "09:00–21:00",
        "trend_months": [str(month.date()) for month in pd.date_range("2025-01-01", periods=12, freq="MS")],
        "trend_bill": bills,
        "trend_data_mb": [None if bill is None else 40 * bill for bill in bills],
        "trend_voice_minutes": [220.0, 210.0, 215.0, 190.0, 200.0, 205.0, 180.0, 170.0, None, 120.0, 90.0, 60.0],
        "trend_complaints": [0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 2],
        "tier_history": [
            {"tier": "gold", "since": "2025-10-01", "reason": "upgrade"},
            {"tier": "silver", "since": "2025-01-01", "reason": "first_rating"},
        ],
    }
