"""Events: enquiries, suspensions, plan changes and signs of a second provider, by type and window.

An authorised port (``port_authorised``) is no feature: it is the departure itself, days before it shows, and a model that sees it learns
to read the outcome. Lists use it to suppress persuasion, which the law forbids then.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import ibis
from ibis.expr.types import BooleanValue, Value

from custvalue.features.blocks import Feature, View, number, only
from custvalue.features.columns import FeatureColumn
from custvalue.features.dated import counted, days_since, with_everybody, within

_TRAFFIC = "traffic_data_consent"
_RUNNING_MONTHS = 3


@dataclass(frozen=True)
class _Kind:
    """An event type and how to speak of it; what only traffic data can show needs consent."""

    en: str
    zh: str
    reason: str
    consent: str | None = None
    sign: Literal[-1, 0, 1] = 0


_KINDS = {
    "port_query": _Kind("Port queries", "携转查询", "port_query", sign=1),
    "competitor_hotline": _Kind("Calls to a competitor's hotline", "拨打竞争对手热线", "competitor", _TRAFFIC, sign=1),
    "call_forwarding": _Kind("Call forwarding set", "设置呼叫转移", "call_forwarding", _TRAFFIC),
    "bill_query": _Kind("Bill queries", "账单查询", "bill_query"),
    "suspension": _Kind("Suspensions", "停机", "suspension"),
    "plan_change": _Kind("Plan changes", "套餐变更", "plan_change"),
}


def define(table: ibis.Table, view: View) -> tuple[ibis.Table, list[Feature]]:
    """Features of the longest window's events of the types that are told apart; others are left out.

    Every customer has a row: were counts missing without events, a zero would give away that there is traffic data of one who does not
    consent.
    """
    known = table.filter(within(table.occurred_at, view, view.longest) & table.event_type.isin(list(_KINDS)))
    rows = with_everybody(known, view)
    features = []
    for name, kind in _KINDS.items():
        own: BooleanValue = rows.event_type == name
        for window in view.windows:
            count = counted(own & within(rows.occurred_at, view, window))
            words = f"{kind.en} in {window} month(s)", f"近{window}个月{kind.zh}次数"
            features.append(_feature(f"{name}_count_{window}m", *words, "count", count, kind, sign=kind.sign))
        since = days_since(only(rows.occurred_at, own).max(), view.moment)
        features.append(_feature(f"days_since_{name}", f"{kind.en}: days since the last", f"距最近{kind.zh}天数", "days", since, kind))
    features.append(_queried_running(rows, view))
    return rows, features


def _queried_running(rows: ibis.Table, view: View) -> Feature:
    """Months in a row, back from the moment and at most three, in each of which the bill was asked about."""
    months = min(_RUNNING_MONTHS, view.longest)
    running: Value = ibis.literal(months)
    for back in reversed(range(months)):
        since = within(rows.occurred_at, view, back + 1)
        inside = since & ~within(rows.occurred_at, view, back) if back else since
        asked = (inside & (rows.event_type == "bill_query")).any().fill_null(False)
        running = ibis.ifelse(asked, running, back)
    words = f"Months in a row with a bill query, at most {months}", f"连续查询账单月数（最多{months}个月）"
    return _feature("bill_query_months", *words, "months", number(running), _KINDS["bill_query"])


def _feature(name: str, en: str, zh: str, unit: str, value: Value, kind: _Kind, *, sign: Literal[-1, 0, 1] = 0) -> Feature:
    column = FeatureColumn(
        name=name,
        en=en,
        zh=zh,
        unit=unit,
        null="no such event in the longest window" if unit == "days" else "no consent" if kind.consent else "never",
        reason=kind.reason,
        consent=kind.consent,
        sign=sign,
    )
    return Feature(column, value)
