"""Rating without storing: what policies read at a day, and one rating."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from uuid import uuid4

import ibis
import pyarrow as pa

from custvalue.config import Config
from custvalue.engines import within_memory
from custvalue.errors import ConfigError, DataError
from custvalue.features import build_features, current_customers
from custvalue.sources import SourceTables
from custvalue.tiers import TierPolicy, needed_columns
from custvalue.tiers.facts import check_metrics
from custvalue.tiers.rating import as_rating

Log = Callable[[str], None]


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
    facts = _columns(config, tables, as_of, wanted, only=wanted, log=log)
    for each in configs:
        try:
            check_metrics(facts, each)
        except ConfigError:
            check_metrics(_columns(config, tables, as_of, wanted, log=_silent), each)  # which can offer every feature in its place
            raise
    facts = facts.select("customer_id", *(name for name in wanted if name in facts.columns))
    with within_memory(tables.con, "tiers"):
        computed = tables.con.create_table(f"tier_facts_{uuid4().hex}", facts, temp=True)
    if not computed.count().to_pyarrow().as_py():
        raise DataError(f"no customer is active at {as_of}. Check joined_on, status and departures, or take another date.")
    return computed


def _columns(
    config: Config, tables: SourceTables, as_of: date, wanted: Sequence[str], *, only: Sequence[str] | None = None, log: Log
) -> ibis.Table:
    """Features, and of the columns wanted those that stand in the customers table alone."""
    known, moment = tables.known(as_of), tables.moment(as_of)
    facts = build_features(known, moment, config.features, delay_days=tables.delay_days, only=only, log=log).table
    of_customer = [name for name in wanted if name in known["customers"].columns and name not in facts.columns]
    if not of_customer:
        return facts
    current = current_customers(known["customers"], moment).select(owner="customer_id", **{name: name for name in of_customer})
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
