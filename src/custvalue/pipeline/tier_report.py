"""The tier report: what the tiers hold, earn, cost and lose, by tier, segment, behaviour and region."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta

import ibis
import pandas as pd

from custvalue.churn.snapshots import find_snapshots
from custvalue.config import UNRATED, Config
from custvalue.errors import ModelError
from custvalue.pipeline.ratings import Rated, starting_point
from custvalue.pipeline.stages import Reporter
from custvalue.pipeline.tier_report_facts import bills_without_cost, customer_sums, newest_month, watched_customers
from custvalue.pipeline.tiering import Log, forget, tier_facts
from custvalue.sources import SourceTables, add_months
from custvalue.tiers import TierPolicy
from custvalue.tiers.measures.summary import UNKNOWN, summarise, with_rates
from custvalue.tiers.segments import SegmentModel
from custvalue.tiers.segments.signals import signal_columns

DIMENSIONS = ("segment", "behaviour", "region")
"""What customers are grouped by besides the tier, where it is known: customers.segment, behavioural segment, customers.region."""

_OF_CUSTOMER = ("segment", "region")


@dataclass(frozen=True)
class ReportNote:
    """Something a reader must know: a name in the wording's section ``tier_report`` (``note_<code>``), and its values."""

    code: str
    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Watch:
    """Whose staying the report tells.

    Attributes
    ----------
    since : date
        The customers active on this day, by the tier, segment and region they had then.
    opens, closes : date
        Who left after the first and up to the second counts as left.
    kinds : tuple of str
        Kinds of departure that count.
    tiers : str
        Where their tiers come from: ``rating``, ``tier_history`` or ``nothing``: departures are then not told by tier.
    """

    since: date
    opens: date
    closes: date
    kinds: tuple[str, ...]
    tiers: str


@dataclass(frozen=True)
class TierReport:
    """Tables of one day, ready to be shown.

    Attributes
    ----------
    as_of, month : date
        The day; the newest month whose bills are complete.
    name, currency, policy : str
        Of the config; of the money; label of the tier policy.
    tiers : tuple of str
        Highest first, `unrated` after them, then those that only customers who were watched had.
    total : DataFrame
        Everybody, one row; columns as `tiers.measures.summary.with_rates` gives them, as in all tables.
    by : mapping
        ``("tier",)``, ``("segment",)``, ``("tier", "segment")`` … → a table with these columns first, tiers in order, the largest group
        first otherwise.
    segments : SegmentModel
        The behavioural segments.
    watch : Watch, optional
        None where no outcome window is over.
    notes : tuple of ReportNote
        What is missing, and why.
    """

    as_of: date
    month: date
    name: str
    currency: str
    policy: str
    tiers: tuple[str, ...]
    total: pd.DataFrame
    by: Mapping[tuple[str, ...], pd.DataFrame]
    segments: SegmentModel
    watch: Watch | None
    notes: tuple[ReportNote, ...]


def tier_report(config: Config, as_of: date, *, tables: SourceTables, rated: Rated, reporter: Reporter) -> TierReport:
    """Count what the tiers of a day hold.

    Customers are those active on the day; whom the rating does not know is `unrated`. Behavioural segments are found once and kept under
    ``<output>/segments``. Departures are those of the newest outcome window that is over and reported, by the tier that customers had
    when it began.

    Parameters
    ----------
    config : Config
    as_of : date
        The day; nothing known later is used.
    tables : SourceTables
        The operator's tables.
    rated : Rated
        The rating that holds on the day.
    reporter : Reporter
        Hears of progress.

    Raises
    ------
    ConfigError
        Stored segments were edited, or ask for a feature that the tables no longer give.
    DataError
        Nobody is active.
    """
    reporter.start("tier report")
    facts = _facts(config, tables, as_of, log=reporter.note)
    watch, then = _watch(config, tables, as_of, rated.policy, log=reporter.note)
    earlier = None if watch is None else _facts(config, tables, watch.since, log=_silent)
    try:
        model = SegmentModel.fit_once(facts, as_of=as_of, folder=config.output / "segments", log=reporter.note)
        grouped = _grouped(facts, model, ibis.memtable(rated.table), absent=UNRATED)
        now = tables.con.create_table(
            "tier_report_customers", customer_sums(grouped, tables, as_of, config.features), temp=True, overwrite=True
        )
        seen = None
        if watch is not None and earlier is not None:
            left = watched_customers(tables, watch.since, as_of, config.churn).rename(owner="customer_id")
            before = _grouped(earlier, model, then, absent=UNRATED if watch.tiers == "rating" else UNKNOWN)
            seen = tables.con.create_table(
                "tier_report_watched", before.inner_join(left, [("customer_id", "owner")]).drop("owner"), temp=True, overwrite=True
            )
        found = _tables(now, seen, rated.policy.tiers, told_by_tier=watch is not None and watch.tiers != "nothing")
    finally:
        for made in (facts, earlier):
            if made is not None:
                forget(tables, made)
    report = TierReport(
        as_of=as_of,
        month=newest_month(tables, as_of),
        name=config.name,
        currency=config.currency,
        policy=rated.policy.label,
        tiers=tuple(found[("tier",)]["tier"]),
        total=found.pop(()),
        by=found,
        segments=model,
        watch=watch,
        notes=tuple(_notes(tables, as_of, now.columns, model, watch)),
    )
    reporter.done("tier report", f"{int(report.total.customers.iloc[0]):,} customers in {len(report.tiers)} tiers", policy=report.policy)
    return report


def _silent(_: str) -> None:
    """Drop a log line that an earlier day would only say again."""


def _facts(config: Config, tables: SourceTables, day: date, *, log: Log) -> ibis.Table:
    return tier_facts(config, tables, day, (), also=(*_OF_CUSTOMER, *signal_columns()), log=log)


def _watch(config: Config, tables: SourceTables, as_of: date, policy: TierPolicy, *, log: Log) -> tuple[Watch | None, ibis.Table | None]:
    """Find the newest outcome window that is over and reported, and the tiers on the day it looks from."""
    try:
        since = find_snapshots(tables, as_of, config.churn, config.features).usable[-1]
    except ModelError as error:
        log(f"departures are not told: {error}")
        return None, None
    churn = config.churn
    opens, closes = add_months(since, churn.gap_months), add_months(since, churn.gap_months + churn.horizon_months)
    # tiers before the next day are those that held on this one
    start = starting_point(config, tables, policy, since + timedelta(days=1), log=log)
    return Watch(since, opens, closes, churn.kinds, start.origin), start.tiers


def _grouped(facts: ibis.Table, model: SegmentModel, tiers: ibis.Table | None, *, absent: str) -> ibis.Table:
    """Give ``customer_id`` and what groups a customer; who is not among the tiers has the one that `absent` says."""
    of_customer = [name for name in _OF_CUSTOMER if name in facts.columns]
    grouped = facts.select("customer_id", *of_customer)
    if len(model.segments) > 1:
        found = model.assign(facts).select(segmented="customer_id", behaviour="segment")
        grouped = grouped.left_join(found, [("customer_id", "segmented")]).drop("segmented")
    if tiers is None:
        return grouped.mutate(tier=ibis.literal(absent))
    held = tiers.select(holder="customer_id", tier="tier")
    joined = grouped.left_join(held, [("customer_id", "holder")]).drop("holder")
    return joined.mutate(tier=joined.tier.fill_null(absent))


def _tables(now: ibis.Table, seen: ibis.Table | None, order: tuple[str, ...], *, told_by_tier: bool) -> dict[tuple[str, ...], pd.DataFrame]:
    dimensions = [name for name in DIMENSIONS if name in now.columns]
    groupings = [("tier",), *((name,) for name in dimensions), *(("tier", name) for name in dimensions)]
    total = summarise(now, seen, ())
    found: dict[tuple[str, ...], pd.DataFrame] = {(): with_rates(total, total=total)}
    for by in groupings:
        sums = summarise(now, seen if told_by_tier or "tier" not in by else None, by)
        found[by] = _in_order(with_rates(sums, total=total), by, (*order, UNRATED))
    return found


def _in_order(frame: pd.DataFrame, by: tuple[str, ...], order: tuple[str, ...]) -> pd.DataFrame:
    """Sort tiers as the policy does, an empty one keeping its row; other groups by size."""
    if by == ("tier",):
        missing = pd.DataFrame({"tier": [tier for tier in order if tier not in set(frame["tier"])]})
        frame = pd.concat([frame, missing], ignore_index=True)
        counts = [name for name in ("customers", "watched") if name in frame.columns]
        frame = frame.fillna(dict.fromkeys((*counts, "share"), 0)).astype(dict.fromkeys(counts, "int64"))
    if "tier" in by:
        place = {tier: rank for rank, tier in enumerate((*order, *sorted(set(frame["tier"]) - {*order, UNKNOWN}), UNKNOWN))}
        frame = frame.assign(place=frame["tier"].map(place))
    keys = [name for name in ("place", "customers") if name in frame.columns]
    last = [by[-1]] if by[-1] != "tier" else []
    in_order = frame.sort_values([*keys, *last], ascending=[name != "customers" for name in (*keys, *last)], ignore_index=True)
    return in_order.drop(columns="place", errors="ignore")


def _notes(tables: SourceTables, as_of: date, columns: tuple[str, ...], model: SegmentModel, watch: Watch | None) -> list[ReportNote]:
    notes = []
    if watch is None:
        notes.append(ReportNote("no_window"))
    elif watch.tiers != "rating":
        code = {"nothing": "no_earlier_tiers", "tier_history": "operators_tiers"}[watch.tiers]
        notes.append(ReportNote(code, {"day": str(watch.since)}))
    if "profit_year" not in columns:
        notes.append(ReportNote("no_cost"))
    else:
        unknown, bills = bills_without_cost(tables, as_of)
        if unknown:
            notes.append(ReportNote("bills_without_cost", {"unknown": f"{unknown:,}", "bills": f"{bills:,}"}))
    notes += [ReportNote(f"no_{table}") for table, column in (("complaints", "complaints"), ("surveys", "asked")) if column not in columns]
    if len(model.segments) == 1:
        notes.append(ReportNote("one_segment", {"customers": f"{model.customers:,}"}))
    return notes
