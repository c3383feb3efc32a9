"""Signs that decide a contact or a service call and are no feature: what the law forbids, what was agreed, who waits for an answer.

A model that saw them would read the outcome (an authorised port) or the habits of past campaigns. What features tell already (days since a
port query, days until a contract ends, silent days, days that a balance lasts) is not told again: rules read those columns as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

import ibis
from ibis.expr.types import BooleanValue, Value

from custvalue.features.blocks import number, only
from custvalue.features.dated import counted, days_since
from custvalue.retention.sign_columns import AUTHORISED_DAYS, BALANCE_DAYS, CONTACTS_DAYS, RECENT_DAYS, SIGNS
from custvalue.sources import Moment

_STOP = ("do_not_contact", "opted_out")
_AFTER_COMPLAINT = "after_complaint"


@dataclass(frozen=True)
class _Look:
    """Rows of the customers asked about, and the moment they are looked at from."""

    tables: Mapping[str, ibis.Table]
    moment: Moment
    dispute_categories: tuple[str, ...]
    people: ibis.Table = field(repr=False)

    def rows(self, table: str) -> ibis.Table:
        """The customers' rows of a table."""
        return self.tables[table].semi_join(self.people, "customer_id")

    def recent(self, time: Value, days: int) -> BooleanValue:
        """Whether a UTC time lies in the last so many days."""
        since = self.moment.instant - timedelta(days=days)
        return time >= ibis.literal(since).cast("timestamp(6)")

    def has(self, table: str, *columns: str) -> bool:
        """Whether a table is mapped with some columns."""
        return table in self.tables and all(name in self.tables[table].columns for name in columns)


def define_signs(
    tables: Mapping[str, ibis.Table], customers: ibis.Table, moment: Moment, *, dispute_categories: Collection[str] = ()
) -> ibis.Table:
    """Give the signs of some customers.

    Parameters
    ----------
    tables : mapping of str to ibis.Table
        Contract tables as known at the moment, without rows from before a customer joined again: `features.base.Base.tables`. A table or
        column that is absent switches its signs off.
    customers : ibis.Table
        Whose signs are wanted; ``customer_id`` is read.
    moment : Moment
        The as-of moment.
    dispute_categories : collection of str
        Categories of complaints (in any case) that dispute a bill while they are open.

    Returns
    -------
    ibis.Table
        One row a customer: ``customer_id`` and those of `SIGNS` that the tables give, not yet computed. Yes/no and counts are never
        missing, everything else is missing where there is nothing.
    """
    people = customers.select("customer_id")
    look = _Look(tables, moment, tuple(category.lower() for category in dispute_categories), people)
    joined = people
    for place, (needs, define) in enumerate(_PARTS):
        if look.has(*needs):
            joined = joined.left_join(define(look), "customer_id", rname=f"{{name}}_of_{place}")
    told = {name: joined[name] for name in SIGNS if name in joined.columns}
    empty: dict[str, bool | float] = {"yes/no": False, "count": 0.0}
    filled = {name: value.fill_null(empty[SIGNS[name].unit]) if SIGNS[name].unit in empty else value for name, value in told.items()}
    return joined.select("customer_id", **filled)


def _ports(look: _Look) -> ibis.Table:
    rows = look.rows("events")
    rows = rows.filter(look.recent(rows.occurred_at, AUTHORISED_DAYS) & rows.event_type.isin(["port_authorised", "port_cancelled"]))
    last = rows.group_by("customer_id").agg(
        granted_at=only(rows.occurred_at, rows.event_type == "port_authorised").max(),
        cancelled_at=only(rows.occurred_at, rows.event_type == "port_cancelled").max(),
    )
    holds = last.granted_at.notnull() & (last.cancelled_at.isnull() | (last.cancelled_at < last.granted_at))
    return last.select("customer_id", port_authorised=holds)


def _made(look: _Look) -> ibis.Table:
    """Contacts that were made: whoever was held out was not contacted."""
    rows = look.rows("contacts")
    return rows.filter(rows.arm.isnull() | (rows.arm != "holdout")) if "arm" in rows.columns else rows


def _contacts(look: _Look) -> ibis.Table:
    rows = _made(look)
    newest = rows.group_by("customer_id").agg(newest_at=rows.contacted_at.max())
    rows = rows.inner_join(newest, "customer_id")
    signs = {
        "last_contact_days": days_since(rows.newest_at.max(), look.moment),
        "contacts_90d": counted(look.recent(rows.contacted_at, CONTACTS_DAYS)),
    }
    if "outcome" in rows.columns:
        outcome = rows.outcome.lower()
        # two contacts may share a time: the id decides, or the same data could give another answer tomorrow
        signs["last_contact_outcome"] = outcome.argmax(rows.contact_id, where=rows.contacted_at == rows.newest_at)
        signs["asked_no_contact"] = outcome.isin(_STOP).any().fill_null(False)
    return rows.group_by("customer_id").agg(**signs)


def _balances(look: _Look) -> ibis.Table:
    """How many balances there were: a prepaid one moves whenever the customer uses the network, a postpaid account seldom."""
    rows = look.rows("daily")
    rows = rows.filter(rows.day >= ibis.literal(look.moment.day - timedelta(days=BALANCE_DAYS)))
    return rows.group_by("customer_id").agg(balances_seen=number(rows.balance.nunique()))


def _grave_complaints(look: _Look) -> ibis.Table:
    rows = look.rows("complaints")
    still_open = rows.closed_at.isnull()
    signs: dict[str, Value] = {}
    if "category" in rows.columns and look.dispute_categories:
        signs["in_dispute"] = (still_open & rows.category.lower().isin(look.dispute_categories)).any().fill_null(False)
    if "escalated" in rows.columns:
        signs["complaint_escalated_recent"] = counted(rows.escalated & (still_open | look.recent(rows.closed_at, RECENT_DAYS)))
    return rows.group_by("customer_id").agg(**signs)


def _closed_complaints(look: _Look) -> ibis.Table:
    """When complaints were closed, and which of them nobody has spoken with the customer about since."""
    rows = look.rows("complaints")
    rows = rows.filter(look.recent(rows.closed_at, RECENT_DAYS))
    closed = rows.select("customer_id", "closed_at")
    words = _conversations(look)
    if words is None:
        waiting = closed.mutate(waits=ibis.literal(True))
    else:
        last = words.filter(words.answered).group_by("customer_id").agg(told_at=lambda t: t["at"].max())
        waiting = closed.left_join(last, "customer_id").drop("customer_id_right")
        waiting = waiting.mutate(waits=waiting.told_at.isnull() | (waiting.closed_at > waiting.told_at))
    found = waiting.group_by("customer_id").agg(closed_at=waiting.closed_at.max(), waits_since=only(waiting.closed_at, waiting.waits).min())
    signs = {
        "complaint_closed_days": days_since(found.closed_at, look.moment),
        "complaint_uncalled_days": days_since(found.waits_since, look.moment),
    }
    if words is None:
        return found.select("customer_id", **signs)
    unanswered = words.filter(~words.answered).inner_join(found.select("customer_id", "waits_since"), "customer_id")
    tries = unanswered.group_by("customer_id").agg(tries=counted(unanswered["at"] >= unanswered.waits_since))
    return found.left_join(tries, "customer_id").select("customer_id", **signs, complaint_callback_tries=tries.tries)


def _conversations(look: _Look) -> ibis.Table | None:
    """Contacts and surveys after complaints of the last days: when, and whether the customer was reached or answered."""
    found = []
    if look.has("contacts", "reached"):
        rows = _made(look)
        rows = rows.filter(look.recent(rows.contacted_at, RECENT_DAYS))
        found.append(rows.select("customer_id", at=rows.contacted_at, answered=rows.reached.fill_null(False)))
    if look.has("surveys", "answered_at"):
        rows = _after_complaints(look)
        found.append(rows.select("customer_id", at=rows.answered_at.fill_null(rows.asked_at), answered=rows.answered_at.notnull()))
    return None if not found else found[0] if len(found) == 1 else ibis.union(*found)


def _after_complaints(look: _Look) -> ibis.Table:
    rows = look.rows("surveys")
    rows = rows.filter(look.recent(rows.asked_at, RECENT_DAYS))
    return rows.filter(rows.kind == _AFTER_COMPLAINT) if "kind" in rows.columns else rows


def _answers(look: _Look) -> ibis.Table:
    """The newest answer to a survey after a complaint, where nobody has reached the customer since."""
    rows = _after_complaints(look).filter(lambda t: t.answered_at.notnull() & t.score.notnull())
    if look.has("contacts", "reached"):
        made = _made(look)
        made = made.filter(made.reached & look.recent(made.contacted_at, RECENT_DAYS))
        called = made.group_by("customer_id").agg(called_at=made.contacted_at.max())
        rows = rows.left_join(called, "customer_id").drop("customer_id_right")
        rows = rows.filter(rows.called_at.isnull() | (rows.answered_at > rows.called_at))
    rows = rows.select("customer_id", "survey_id", "answered_at", "score")
    newest = rows.group_by("customer_id").agg(newest_at=rows.answered_at.max())
    rows = rows.inner_join(newest, "customer_id")
    return rows.group_by("customer_id").agg(
        complaint_answer_days=days_since(rows.newest_at.max(), look.moment),
        complaint_answer_score=number(rows.score.argmax(rows.survey_id, where=rows.answered_at == rows.newest_at)),
    )


_PARTS: tuple[tuple[tuple[str, ...], Callable[[_Look], ibis.Table]], ...] = (
    (("events",), _ports),
    (("contacts",), _contacts),
    (("daily", "balance"), _balances),
    (("complaints", "closed_at"), _grave_complaints),
    (("complaints", "closed_at"), _closed_complaints),
    (("surveys", "kind", "answered_at", "score"), _answers),
)
"""Table and columns that a part needs, and the function that gives its signs by customer."""
