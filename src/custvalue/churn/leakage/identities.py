"""Ids that stood for somebody else before: recycled numbers, and services that ended and began again."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import ibis

from custvalue.churn.leakage.evidence import Evidence
from custvalue.churn.leakage.findings import Finding
from custvalue.churn.leakage.future import differences
from custvalue.errors import mask, some
from custvalue.features import active_customers
from custvalue.sources import CONTRACT

_REFUSED = 0.01
_OWN_TIME = ("billing", "usage", "daily", "payments", "complaints", "surveys", "events", "contacts")


def find(evidence: Evidence) -> Iterator[Finding]:
    """Look for departures before joining, and for rows of an earlier service that features of the newest snapshot read."""
    yield from _joined_after_leaving(evidence)
    yield from _earlier_service(evidence, evidence.snapshots[-1])


def _joined_after_leaving(evidence: Evidence) -> Iterator[Finding]:
    """Customers whose only ``joined_on`` lies after a departure: the row of the first owner has been written over."""
    customers, departures = evidence.whole("customers"), evidence.whole("departures")
    first = customers.group_by("customer_id").agg(joined_on=customers.joined_on.min())
    joined = departures.inner_join(first, "customer_id")
    reused = joined.filter(joined.left_on < joined.joined_on)
    counts = reused.agg(n=reused.customer_id.nunique(), example=reused.customer_id.min()).to_pandas().iloc[0]
    if not int(counts.n):
        return
    base = int(customers.customer_id.nunique().execute())
    share = int(counts.n) / max(1, base)
    yield Finding(
        "customers.joined_on",
        f"{int(counts.n):,} id(s) ({share:.1%}) left before their only joined_on, for example {mask(counts.example)}: the number went to "
        "somebody else, and the row of who had it before is gone.",
        "Give every service an id of its own (number and date of joining), or deliver the earlier `customers` row with its `valid_from`.",
        refuses=share >= _REFUSED,
    )


def _earlier_service(evidence: Evidence, day: date) -> Iterator[Finding]:
    """Customers who joined anew after a departure; who only fell silent for a while keeps the day of joining, and the own past."""
    known = evidence.opened.known(day)
    active = active_customers(known, evidence.moment(day)).select("customer_id", "joined_on")
    left = known["departures"].inner_join(active, "customer_id")
    again = left.filter(left.left_on <= left.joined_on).select("customer_id", "joined_on").distinct()
    count = int(again.count().execute())
    if not count:
        return
    own = {name: _own_rows(table, name, again) if name in _OWN_TIME else table for name, table in known.items()}
    changed = list(differences(evidence, day, own))
    if not changed:
        return
    base = max(1, int((evidence.frame.snapshot == max(evidence.frame.snapshot)).sum()))
    most = max(values for _, values, _ in changed)
    yield Finding(
        changed[0][0],
        f"{most:,} of {base:,} customers of snapshot {day} carry values from before their present service, in {len(changed)} column(s) "
        f"({some(name for name, _, _ in changed)}), for example {changed[0][2]}; {count:,} id(s) were in service before.",
        "Where ids are reused, give every service an id of its own, or the new owner inherits the bills of the old one.",
        refuses=most / base >= _REFUSED,
    )


def _own_rows(table: ibis.Table, name: str, again: ibis.Table) -> ibis.Table:
    """Leave out rows from before the present service; the month of joining belongs to it."""
    event = str(CONTRACT[name].event)
    joined = table.left_join(again, "customer_id").drop("customer_id_right")
    first = joined.joined_on.truncate("month") if event == "month" else joined.joined_on
    # a local day of joining begins up to a day before its UTC date
    own = joined[event].cast("date") >= first - ibis.interval(days=1)
    return joined.filter(joined.joined_on.isnull() | own).drop("joined_on")
