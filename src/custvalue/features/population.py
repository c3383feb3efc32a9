"""Who is a customer at a moment, and which of the slowly changing facts hold then."""

from __future__ import annotations

from collections.abc import Mapping

import ibis
from ibis.expr.types import DateValue

from custvalue.sources import Moment

_IN_SERVICE = "active"


def current_customers(customers: ibis.Table, moment: Moment) -> ibis.Table:
    """Give each customer's row with the latest ``valid_from`` up to the moment.

    Parameters
    ----------
    customers : ibis.Table
        The customers table as known at the moment (`sources.cut`).
    moment : Moment
        The as-of moment.
    """
    valid = customers.filter((customers.valid_from <= moment.day) & (customers.joined_on <= moment.day))
    newest = ibis.row_number().over(group_by="customer_id", order_by=ibis.desc("valid_from"))
    return valid.mutate(row=newest).filter(lambda t: t.row == 0).drop("row")


def active_customers(tables: Mapping[str, ibis.Table], moment: Moment) -> ibis.Table:
    """Give the current rows of customers in service who are not known to have left.

    A departure no longer counts once the customer is back: a later ``joined_on``, or a later row whose status says ``active``.

    Parameters
    ----------
    tables : mapping of str to ibis.Table
        ``customers`` and ``departures`` as known at the moment.
    moment : Moment
        The as-of moment.
    """
    current = current_customers(tables["customers"], moment)
    departures = tables["departures"]
    left = departures.filter(departures.left_on <= moment.day).group_by("customer_id").agg(last_left_on=departures.left_on.max())
    joined = current.left_join(left, "customer_id").drop("customer_id_right")
    in_service = joined.status.isnull() | (joined.status == _IN_SERVICE) if "status" in joined.columns else ibis.literal(True)
    back = joined.last_left_on.isnull() | (joined.last_left_on < spell_start(joined))
    return joined.filter(in_service & back).drop("last_left_on")


def spell_start(current: ibis.Table) -> DateValue:
    """Day from which a customer's present service is known to run; departures before it belong to an earlier one."""
    if "status" not in current.columns:
        return current.joined_on
    in_service = ibis.ifelse(current.status == _IN_SERVICE, current.valid_from, current.joined_on)
    return ibis.greatest(current.joined_on, ibis.coalesce(in_service, current.joined_on))
