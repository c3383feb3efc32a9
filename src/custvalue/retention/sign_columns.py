"""What signs mean; documents, rules and the night's columns all read this."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

AUTHORISED_DAYS = 90
"""An authorised port counts for so many days, unless the customer takes it back (event ``port_cancelled``)."""
RECENT_DAYS = 30
"""Complaints closed longer ago wait for no call-back."""
CONTACTS_DAYS = 90
"""Contacts are counted over so many days."""
BALANCE_DAYS = 14
"""Different balances are counted over so many days."""


@dataclass(frozen=True, kw_only=True)
class Sign:
    """Declaration of one sign.

    Attributes
    ----------
    name : str
        Column name.
    en, zh : str
        What it holds, in words.
    unit : str
        As of a feature column: ``yes/no``, ``days``, ``count``, ``points`` or ``category``.
    null : str
        What a missing value means.
    table : str
        The contract table without which it is not built.
    """

    name: str
    en: str
    zh: str
    unit: str
    null: str
    table: str


def _sign(table: str, name: str, unit: str, en: str, zh: str, null: str = "never") -> Sign:
    return Sign(name=name, en=en, zh=zh, unit=unit, null=null, table=table)


_MOVES = f"Different balances at the ends of the last {BALANCE_DAYS} days: use moves a prepaid one daily, bills and payments another"
_NONE_WAITS = f"no complaint closed in {RECENT_DAYS} days waits for a call-back"
_DECLARED = (
    _sign("events", "port_authorised", "yes/no", f"Port authorised in {AUTHORISED_DAYS} days", f"近{AUTHORISED_DAYS}天已授权携转"),
    _sign("contacts", "last_contact_days", "days", "Days since the last contact", "距上次联系天数", "never contacted"),
    _sign("contacts", "last_contact_outcome", "category", "Outcome of the last contact", "上次联系结果", "never contacted, or not noted"),
    _sign("contacts", "contacts_90d", "count", f"Contacts in {CONTACTS_DAYS} days", f"近{CONTACTS_DAYS}天联系次数"),
    _sign("contacts", "asked_no_contact", "yes/no", "Asked at any time not to be contacted", "曾要求不再联系"),
    _sign("daily", "balances_seen", "count", _MOVES, f"近{BALANCE_DAYS}天日末余额的不同取值数（预付费余额每日随使用变动）"),
    _sign("complaints", "in_dispute", "yes/no", "A complaint that disputes a bill is open", "账务争议未闭环"),
    _sign(
        "complaints",
        "complaint_escalated_recent",
        "count",
        f"Escalated complaints open now, or closed in {RECENT_DAYS} days",
        f"未闭环或近{RECENT_DAYS}天办结的升级投诉数",
    ),
    _sign(
        "complaints",
        "complaint_closed_days",
        "days",
        "Days since a complaint was closed last",
        "距最近投诉办结天数",
        f"none closed in {RECENT_DAYS} days",
    ),
    _sign(
        "complaints",
        "complaint_uncalled_days",
        "days",
        "Days since the first complaint was closed about which nobody has spoken with the customer since",
        "投诉办结后尚未回访天数",
        _NONE_WAITS,
    ),
    _sign(
        "complaints", "complaint_callback_tries", "count", "Call-backs and surveys since then without an answer", "办结后未获答复的回访次数"
    ),
    _sign(
        "surveys",
        "complaint_answer_days",
        "days",
        "Days since the customer answered a survey after a complaint, with nobody calling since",
        "距投诉回访调查作答天数（此后未再联系）",
        f"no such answer in {RECENT_DAYS} days",
    ),
    _sign(
        "surveys",
        "complaint_answer_score",
        "points",
        "Score that the customer gave then",
        "该次调查评分",
        f"no such answer in {RECENT_DAYS} days",
    ),
)
SIGNS: Mapping[str, Sign] = {sign.name: sign for sign in _DECLARED}
"""Every sign, by name."""
