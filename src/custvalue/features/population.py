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
    newest = valid.group_by("customer_id").agg(valid_from=valid.valid_from.max())
    return valid.semi_join(newest, ["customer_id", "valid_from"])


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
    people = everybody(tables, moment)
    return people.filter(people.active).drop("active", "joined_again_on")


def everybody(tables: Mapping[str, ibis.Table], moment: Moment) -> ibis.Table:
    """Give the current rows of all customers, also of those who left.

    Parameters
    ----------
    tables, moment
        As for `active_customers`.

    Returns
    -------
    ibis.Table
        The columns of customers, and

        - ``since``: the day from which the present service runs;
        - ``active``: whether the customer is in service and not known to have left;
        - ``joined_again_on``: the day of joining where a departure lies before it: the id stood for an earlier service, of the same
          person or, where numbers are reused, of another one. Who only fell silent for a while has joined once.
    """
    customers, departures = tables["customers"], tables["departures"]
    left = departures.filter(departures.left_on <= moment.day).group_by("customer_id")
    left = left.agg(first_left_on=departures.left_on.min(), last_left_on=departures.left_on.max())
    people = current_customers(customers, moment).left_join(left, "customer_id").drop("customer_id_right")
    since, active = people.joined_on, ibis.literal(True)
    if "status" in customers.columns:
        people = people.left_join(_reactivated(customers, moment), "customer_id").drop("customer_id_right")
        since = ibis.greatest(people.joined_on, ibis.coalesce(people.active_again_on, people.joined_on))
        active = people.status.isnull() | (people.status == _IN_SERVICE)
    people = people.mutate(
        since=since,
        active=active & (people.last_left_on.isnull() | (people.last_left_on < since)),
        joined_again_on=ibis.ifelse(people.first_left_on < people.joined_on, people.joined_on, None),
    )
    return people.select(*customers.columns, "since", "active", "joined_again_on")


def _reactivated(customers: ibis.Table, moment: Moment) -> ibis.Table:
    """Give the first day of ``active`` status after the last day of another one, for customers who had another."""
    known = customers.filter((customers.valid_from <= moment.day) & customers.status.notnull())
    other = known.filter(known.status != _IN_SERVICE).group_by("customer_id").agg(other_on=lambda t: t.valid_from.max())
    after = known.inner_join(other, "customer_id").filter(lambda t: (t.status == _IN_SERVICE) & (t.valid_from > t.other_on))
    return after.group_by("customer_id").agg(active_again_on=after.valid_from.min())
