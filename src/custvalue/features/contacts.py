"""Retention contacts of the past: how many, reached, accepted or refused, how long ago.

Caution: a contact that worked hides the churn that it prevented, and managers call those at risk. A model that sees contacts learns the
habits of past campaigns besides the customer, so a change of campaign moves its scores. Training drops customers contacted inside the
label window (``churn.treated``); these columns describe the time before the snapshot only.
"""

from __future__ import annotations

import ibis
from ibis.expr.types import Value

from custvalue.features.blocks import Feature, View, number
from custvalue.features.columns import FeatureColumn
from custvalue.features.dated import counted, days_since, with_everybody, within

_OUTCOMES = {
    "accepted": ("Offers accepted", "接受挽留优惠次数", ("accepted", "offer_accepted")),
    "refused": ("Offers refused", "拒绝挽留优惠次数", ("refused", "offer_refused")),
}
_STOP = ("do_not_contact", "opted_out")


def define(table: ibis.Table, view: View) -> tuple[ibis.Table, list[Feature]]:
    """Features of the longest window's contacts; whoever was held out was not contacted."""
    rows = table.filter(within(table.contacted_at, view, view.longest))
    if "arm" in rows.columns:
        rows = rows.filter(rows.arm.isnull() | (rows.arm != "holdout"))
    rows = with_everybody(rows, view)
    features = []
    for window in view.windows:
        inside = within(rows.contacted_at, view, window)
        count = counted(inside)
        features.append(
            _feature(f"contact_count_{window}m", f"Retention contacts in {window} month(s)", f"近{window}个月挽留联系次数", "count", count)
        )
        if "reached" in rows.columns:
            words = f"Retention contacts in {window} month(s) that reached the customer", f"近{window}个月挽留接通次数"
            features.append(_feature(f"contact_reached_{window}m", *words, "count", counted(inside & rows.reached)))
    since = days_since(rows.contacted_at.max(), view.moment)
    features.append(_feature("days_since_contact", "Days since the last retention contact", "距上次挽留联系天数", "days", since))
    if "outcome" in rows.columns:
        features += _outcomes(rows, view)
    return rows, features


def _outcomes(rows: ibis.Table, view: View) -> list[Feature]:
    months, outcome = view.longest, rows.outcome.lower()
    features = []
    for name, (en, zh, texts) in _OUTCOMES.items():
        count = counted(outcome.isin(texts))
        features.append(_feature(f"contact_{name}_{months}m", f"{en} in {months} months", f"近{months}个月{zh}", "count", count))
    stop = number(outcome.isin(_STOP).any().fill_null(False))
    words = f"Asked in {months} months not to be contacted", f"近{months}个月要求不再联系"
    features.append(_feature("contact_stop", *words, "yes/no", stop))
    return features


def _feature(name: str, en: str, zh: str, unit: str, value: Value) -> Feature:
    null = "no contact in the longest window" if unit == "days" else "never"
    return Feature(FeatureColumn(name=name, en=en, zh=zh, unit=unit, null=null, reason="contact"), value)
