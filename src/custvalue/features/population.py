"""Who is a customer at a moment, and which of the slowly changing facts hold then."""

from __future__ import annotations

from collections.abc import Mapping

import ibis

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

    A departure no longer counts once the customer is back: with a later ``joined_on``, or with a status that was another and then became
    ``active`` again. A row written for another reason (a plan change) brings nobody back.

    Parameters
    ----------
    tables : mapping of str to ibis.Table
        ``customers`` and ``departures`` as known at the moment.
    moment : Moment
        The as-of moment.

    Returns
    -------
    ibis.Table
        The columns of customers, and ``since``: the day from which the present service runs; departures before it belong to an earlier one.
    """
    customers, departures = tables["customers"], tables["departures"]
    left = departures.filter(departures.left_on <= moment.day).group_by("customer_id").agg(last_left_on=departures.left_on.max())
    joined = current_customers(customers, moment).left_join(left, "customer_id").drop("customer_id_right")
    if "status" in customers.columns:
        joined = joined.filter(joined.status.isnull() | (joined.status == _IN_SERVICE))
        joined = joined.left_join(_reactivated(customers, moment), "customer_id").drop("customer_id_right")
        joined = joined.mutate(since=ibis.greatest(joined.joined_on, ibis.coalesce(joined.active_again_on, joined.joined_on)))
        joined = joined.drop("active_again_on")
    else:
        joined = joined.mutate(since=joined.joined_on)
    return joined.filter(joined.last_left_on.isnull() | (joined.last_left_on < joined.since)).drop("last_left_on")


def _reactivated(customers: ibis.Table, moment: Moment) -> ibis.Table:
    """Give the first day of ``active`` status after the last day of another one, for customers who had another."""
    known = customers.filter((customers.valid_from <= moment.day) & customers.status.notnull())
    other = known.filter(known.status != _IN_SERVICE).group_by("customer_id").agg(other_on=lambda t: t.valid_from.max())
    after = known.inner_join(other, "customer_id").filter(lambda t: (t.status == _IN_SERVICE) & (t.valid_from > t.other_on))
    return after.group_by("customer_id").agg(active_again_on=after.valid_from.min())
