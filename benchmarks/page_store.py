"""What the managers of `page.py` work on: a made-up night in the store, and everybody signed in."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pandas as pd

ROOT = Path(__file__).resolve().parents[1]


def write_config(folder: Path, url: str | None) -> Path:
    """Write a small operator's config."""
    path = folder / "load.yaml"
    text = (
        f"currency: CNY\ntime_zone: Asia/Shanghai\noutput: {folder}/out\nsources: {{folder: {folder}}}\n"
        f"tier_policy: {ROOT}/configs/tiers/consumer.yaml\nretention_policy: {ROOT}/configs/retention/default.yaml\n"
    )
    path.write_text(text + (f"orders: {{url: '{url}'}}\n" if url else ""), encoding="utf-8")
    return path


def make_lists(orders: int, managers: int, night: date) -> pd.DataFrame:
    """Give a night's lists of made-up customers, as many for each manager."""
    number = pd.RangeIndex(orders).to_series()
    owner = number % managers
    rows = pd.DataFrame(
        {
            "order_id": [f"{night:%Y%m%d}-C-{n:06d}" for n in number],
            "customer_id": [f"K{n}" for n in number],
            "customer": [f"CRM-{n:06d}" for n in number],
            "manager_id": [f"M-{n:03d}" for n in owner],
            "team": [f"team-{n % 10}" for n in owner],
            "priority": number // managers + 1,
            "due_by": [pd.Timestamp(night) + pd.Timedelta(hours=int(9 + n % 72)) for n in number],
            "tier": [("diamond", "gold", "silver")[n % 3] for n in number],
            "region": [f"region {n % 8}" for n in number],
            "net_value": 96.0 - number % 90,
            "value_at_stake": 1240.0 - number % 900,
            "offer": "half_month",
            "name": "X**",
            "number": "138****0000",
            "arpu": 117.0,
            "risk_band": [("high", "medium", "low")[n % 3] for n in number],
            "probability": 0.3,
            "tenure_months": 40.0,
            "offer_words_en": "Half a month off",
            "offer_words_zh": "减免半个月月费",
            "trend_months": None,
        }
    )
    months = [str(day.date()) for day in pd.date_range("2025-01-01", periods=12, freq="MS")]
    same = {
        "reason_codes": ["spend_drop", "contract_end", "complaint"],
        "reason_weights": [0.7, 0.3, 0.2],
        "reasons_en": ["Bill fell 41 % in 3 months (¥198 to ¥117)", "Bundle ends in 18 days", "Complaint open for 6 days"],
        "reasons_zh": ["近3个月消费下降41%（198元降至117元）", "套餐18天后到期", "投诉已6天未结"],
        "talking_points_en": ["Thank the customer for the years together", "Ask what would fit better"],
        "talking_points_zh": ["感谢客户长期支持", "询问套餐是否合适"],
        "do_not_say_en": ["Promise nothing beyond the offer."],
        "do_not_say_zh": ["不得承诺方案之外的优惠。"],
        "trend_months": months,
        "trend_bill": [198.0 - 6 * place for place in range(12)],
    }
    return rows.assign(**{name: [value] * orders for name, value in same.items()})


def fill(path: Path, orders: int, managers: int) -> list[dict[str, str]]:
    """Take a night and sign every manager in twice; gives their cookies and form tokens."""
    from custvalue.app.web.cookies import session_cookie
    from custvalue.app.web.schema import users
    from custvalue.app.web.sessions import begin_session, form_token
    from custvalue.app.web.site import Database
    from custvalue.config import load_config
    from custvalue.retention.orders.store import OrderStore

    config, now = load_config(path), datetime.now(UTC).replace(tzinfo=None)
    config.output.mkdir(parents=True, exist_ok=True)
    store = OrderStore.of(config)
    store.upgrade()
    night = now.date()
    store.take_night(make_lists(orders, managers, night), night, "load", decisions={}, now=now - timedelta(hours=1))
    database, signed_in = Database(config.orders, config.output), []
    with database.writing() as connection:
        for number in range(managers):
            name = f"user-{number:03d}"
            row = {"user_name": name, "role": "manager", "manager_id": f"M-{number:03d}", "created_at": now}
            connection.execute(users.insert().values(row))
            sessions = [begin_session(connection, name, now, config.page) for _ in range(2)]
            signed_in.append(
                {"cookie": session_cookie(config.page)}
                | {f"session{place}": each for place, each in enumerate(sessions)}
                | {f"token{place}": form_token(each) for place, each in enumerate(sessions)}
            )
    database.close()
    return signed_in


def lost_updates(path: Path, confirmed: list[str]) -> int:
    """Count the confirmed notes that the database does not hold exactly once."""
    from custvalue.config import load_config
    from custvalue.retention.orders.store import OrderStore

    notes = OrderStore.of(load_config(path)).events().note
    counts = notes[notes.str.startswith("load ")].value_counts()
    return sum(int(counts.get(note, 0)) != 1 for note in confirmed)
