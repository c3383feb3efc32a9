"""Rating without storing: what policies read at a day, and one rating."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from uuid import uuid4

import ibis
import pyarrow as pa

from custvalue.config import Config
from custvalue.engines import add_rows, within_memory
from custvalue.errors import ConfigError, DataError
from custvalue.features import FeatureParts
from custvalue.sources import SourceTables
from custvalue.tiers import TierPolicy, needed_columns
from custvalue.tiers.facts import check_metrics
from custvalue.tiers.rating import as_rating

Log = Callable[[str], None]
_AT_ONCE = 1_000_000
"""Customers whose few columns are computed at once: within 4 GB also where usage and bills of a year count."""


def _silent(_: str) -> None:
    """Drop a log line."""


def tier_facts(
    config: Config, tables: SourceTables, as_of: date, policies: Sequence[TierPolicy], *, also: Iterable[str] = (), log: Log = _silent
) -> ibis.Table:
    """Build what some policies read of every customer active at a day, and nothing else.

    Parameters
    ----------
    config : Config
        Whose features.
    tables : SourceTables
        The operator's tables.
    as_of : date
        Only what was known at its 00:00 is used.
    policies : sequence of TierPolicy
        Fitted or not.
    also : iterable of str
        Further features, or columns of the customers table, for whoever looks at the tiers; those that the tables lack are left out.
    log : callable, optional
        Takes one line for each feature block that is switched off.

    Returns
    -------
    ibis.Table
        ``customer_id`` and the columns, computed, in a temporary table on the tables' engine; `forget` drops it.

    Raises
    ------
    ConfigError
        A policy asks for a feature that the tables do not give.
    DataError
        Nobody is active at this day.
    TryAgainError
        The engine's memory does not suffice.
    """
    configs = [policy.config for policy in policies]
    needed = needed_columns(*configs)
    wanted = tuple(dict.fromkeys((*needed.features, *needed.ids, *also)))
    with within_memory(tables.con, "tiers"):
        parts = _parts(config, tables, as_of, only=wanted, log=log)
        facts = _with_customers(parts, wanted)
        for each in configs:
            try:
                check_metrics(facts, each)
            except ConfigError:  # and offer every feature in its place
                check_metrics(_with_customers(_parts(config, tables, as_of), wanted), each)
                raise
        select = str(tables.con.compile(facts.select("customer_id", *(name for name in wanted if name in facts.columns))))
        name = f"tier_facts_{uuid4().hex}"
        for number in range(parts.count):
            parts.open(number)
            add_rows(tables.con, name, select, new=number == 0)
        parts.close()
    if not parts.total:
        raise DataError(f"no customer is active at {as_of}. Check joined_on, status and departures, or take another date.")
    return tables.con.table(name)


def _parts(config: Config, tables: SourceTables, as_of: date, *, only: Sequence[str] | None = None, log: Log = _silent) -> FeatureParts:
    known, moment, delays = tables.known(as_of), tables.moment(as_of), tables.delay_days
    settings, revised = config.features, tables.revised
    return FeatureParts(tables.con, known, moment, settings, delay_days=delays, revised=revised, only=only, at_once=_AT_ONCE, log=log)


def _with_customers(parts: FeatureParts, wanted: Sequence[str]) -> ibis.Table:
    """Features, and of the columns wanted those that stand in the customers table alone."""
    facts = parts.built.table
    of_customer = [name for name in wanted if name in parts.customers.columns and name not in facts.columns]
    if not of_customer:
        return facts
    current = parts.customers.select(owner="customer_id", **{name: name for name in of_customer})
    return facts.left_join(current, facts.customer_id == current.owner).drop("owner")


def forget(tables: SourceTables, facts: ibis.Table) -> None:
    """Drop the temporary table of `tier_facts`, and free its memory."""
    tables.con.drop_table(facts.get_name(), force=True)


def rate(
    policy: TierPolicy, facts: ibis.Table, as_of: date, *, previous: ibis.Table | pa.Table | None = None, log: Log = _silent
) -> tuple[TierPolicy, pa.Table]:
    """Rate a base once; a policy that has no cuts yet is fitted on it first.

    Returns
    -------
    policy : TierPolicy
        Fitted.
    rating : pyarrow.Table
        As a `RatingStore` keeps it, by customer_id.
    """
    fitted = policy if policy.cuts is not None else policy.fit(facts, as_of=as_of, log=log)
    return fitted, as_rating(fitted.assign(facts, as_of=as_of, previous=previous, log=log).to_pyarrow(), as_of)
