"""What became of the customers active at a snapshot: who left within its window, and who was called meanwhile."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from enum import IntEnum

import ibis

from custvalue.churn.reporting import dated
from custvalue.churn.value_loss import value_loss
from custvalue.config import ChurnConfig, OutcomeSettings, ValueLoss
from custvalue.errors import ModelError
from custvalue.features import active_customers
from custvalue.sources import SourceTables, add_months


class Outcome(IntEnum):
    """What became of a customer; `STAYED` and `LEFT` train, the others are left out and counted."""

    STAYED, LEFT, OTHERWISE, IN_GAP, TREATED, UNKNOWN = range(6)


def label(tables: SourceTables, snapshot: date, known_at: date, churn: ChurnConfig) -> ibis.Table:
    """Give ``customer_id`` and ``outcome`` (see `Outcome`) of each customer active at a snapshot.

    `LEFT` iff ``snapshot + gap < left_on <= snapshot + gap + horizon`` by one of the outcome's kinds, or the value was lost in that window
    (see `value_loss`). Silence is dated by its first silent day, so its window holds its first day and not its last. `OTHERWISE` left by
    another kind, `IN_GAP` inside the gap (or had left when nobody knew yet).

    Parameters
    ----------
    tables : SourceTables
        The operator's tables.
    snapshot : date
        The day that features look from.
    known_at : date
        Departures and bills known at this day decide.
    churn : ChurnConfig
        Kinds, gap and horizon.
    """
    start = add_months(snapshot, churn.gap_months)
    end = add_months(snapshot, churn.gap_months + churn.horizon_months)
    joined = first_departures(tables, snapshot, known_at)
    left = (joined.day > start) & (joined.day <= end)
    there = joined.day.isnull() | (joined.day > end)
    if isinstance(churn, OutcomeSettings) and isinstance(churn.outcome, ValueLoss):
        lost = value_loss(tables.known(known_at)["billing"], snapshot, churn, churn.outcome)
        joined = joined.left_join(lost, "customer_id")
        stayed = ibis.cases((joined.lost.isnull(), Outcome.UNKNOWN), (joined.lost, Outcome.LEFT), else_=Outcome.STAYED)
        outcome = ibis.cases((there, stayed), (left, Outcome.OTHERWISE), else_=Outcome.IN_GAP)
    else:
        outcome = ibis.cases(
            (there, Outcome.STAYED),
            (left & joined.kind.isin(churn.kinds), Outcome.LEFT),
            (left, Outcome.OTHERWISE),
            else_=Outcome.IN_GAP,
        )
    return joined.select("customer_id", outcome=outcome.cast("int64"))


def treated(tables: SourceTables, snapshot: date, known_at: date, churn: ChurnConfig) -> ibis.Table | None:
    """Give ``customer_id`` of those whom a campaign reached after a snapshot, while its window ran and before they left.

    Held-out customers were not contacted, and a contact that is known to have reached nobody changed nothing: both keep their rows, so
    that customers whom managers would have picked stay in training. A call to win somebody back comes after the outcome and does not
    count. Whoever leaves early had less time to be reached than a stayer, so where many are contacted the rate among the remaining
    rows lies a little too high; contacts inside the gap do not have this effect.

    Parameters
    ----------
    tables, snapshot, known_at, churn
        As for `label`.

    Returns
    -------
    ibis.Table or None
        None where no contacts are mapped.
    """
    made = first_contacts(tables, snapshot, known_at, add_months(snapshot, churn.gap_months + churn.horizon_months))
    return None if made is None else made.select("customer_id")


def first_contacts(tables: SourceTables, snapshot: date, known_at: date, end: date) -> ibis.Table | None:
    """Give ``customer_id`` and ``contacted_on``, the day of the first contact from a snapshot to a day; see `treated`."""
    contacts = tables.known(known_at).get("contacts")
    if contacts is None:
        return None
    moment, after = tables.moment(snapshot), tables.moment(end + timedelta(days=1))
    made = contacts.filter((contacts.contacted_at >= moment.instant) & (contacts.contacted_at < after.instant))
    if "arm" in contacts.columns:
        made = made.filter(made.arm.isnull() | (made.arm != "holdout"))
    if "reached" in contacts.columns:
        made = made.filter(made.reached.isnull() | made.reached)
    # the zone's offset at the snapshot: an hour more or less after a change of clocks decides nothing
    ahead = round((datetime.combine(snapshot, time()) - moment.instant).total_seconds())
    joined = made.inner_join(first_departures(tables, snapshot, known_at), "customer_id")
    local = joined.contacted_at + ibis.interval(seconds=ahead)
    before = joined.day.isnull() | (local < joined.day.cast("timestamp"))
    return joined.mutate(local=local).filter(before).group_by("customer_id").agg(contacted_on=lambda t: t.local.min().date())


def first_departures(tables: SourceTables, snapshot: date, known_at: date) -> ibis.Table:
    """Give ``customer_id`` of each customer active at a snapshot, with ``day`` and ``kind`` of the first departure from then on."""
    active = active_customers(tables.known(snapshot), tables.moment(snapshot)).select("customer_id", "since")
    departures = dated(tables.known(known_at)["departures"]).inner_join(active, "customer_id")
    first = ibis.row_number().over(group_by="customer_id", order_by=["day", "kind"])
    ahead = departures.filter(departures.left_on >= departures.since).mutate(nth=first).filter(lambda t: t.nth == 0)
    return active.left_join(ahead.select("customer_id", "day", "kind"), "customer_id").select("customer_id", "day", "kind")


def refuse_few_leavers(tables: SourceTables, as_of: date, churn: ChurnConfig) -> None:
    """Stop before any work where the departures known at ``as_of`` are too few, whatever the snapshots.

    Raises
    ------
    ModelError
        Fewer than ``churn.min_leavers`` leavers, or none, of the outcome's kinds.
    """
    departures = tables.known(as_of)["departures"]
    leavers = int(departures.filter(departures.kind.isin(churn.kinds)).customer_id.nunique().execute())
    if leavers < churn.min_leavers:
        raise ModelError(
            f"{leavers} leavers ({', '.join(churn.kinds)}) are known at {as_of}; at least {churn.min_leavers} are needed to train and to "
            "judge a model. Wait for more months, load more customers, or widen `churn.kinds`; features and tiers work without a model."
        )
