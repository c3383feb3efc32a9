"""Who left within the window of a snapshot, and the labelled snapshots stacked for training."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa

from custvalue.churn.frame import TrainingFrame
from custvalue.churn.reporting import dated
from custvalue.churn.snapshots import find_snapshots
from custvalue.config import ChurnConfig, FeaturesConfig
from custvalue.engines import in_background
from custvalue.errors import ModelError
from custvalue.features import FeatureColumn, active_customers, build_features
from custvalue.sources import SourceTables, add_months

_STAYED, _LEFT, _LEFT_OTHERWISE, _LEFT_IN_GAP, _TREATED = 0, 1, 2, 3, 4


def label(tables: SourceTables, snapshot: date, known_at: date, churn: ChurnConfig) -> ibis.Table:
    """Give ``customer_id`` and ``outcome`` of each customer active at a snapshot.

    1 iff ``snapshot + gap < left_on <= snapshot + gap + horizon`` by one of the outcome's kinds. Silence is dated by its first silent
    day, so its window holds its first day and not its last. Outcome 2 left by another kind, 3 inside the gap (or had left when
    nobody knew yet); neither trains.

    Parameters
    ----------
    tables : SourceTables
        The operator's tables.
    snapshot : date
        The day that features look from.
    known_at : date
        Departures known at this day decide.
    churn : ChurnConfig
        Kinds, gap and horizon.
    """
    start = add_months(snapshot, churn.gap_months)
    end = add_months(snapshot, churn.gap_months + churn.horizon_months)
    joined = _first_departures(tables, snapshot, known_at)
    inside = (joined.day > start) & (joined.day <= end)
    outcome = ibis.cases(
        (joined.day.isnull() | (joined.day > end), _STAYED),
        (inside & joined.kind.isin(churn.kinds), _LEFT),
        (inside, _LEFT_OTHERWISE),
        else_=_LEFT_IN_GAP,
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
    contacts = tables.known(known_at).get("contacts")
    if contacts is None:
        return None
    moment = tables.moment(snapshot)
    end = tables.moment(add_months(snapshot, churn.gap_months + churn.horizon_months) + timedelta(days=1))
    made = contacts.filter((contacts.contacted_at >= moment.instant) & (contacts.contacted_at < end.instant))
    if "arm" in contacts.columns:
        made = made.filter(made.arm.isnull() | (made.arm != "holdout"))
    if "reached" in contacts.columns:
        made = made.filter(made.reached.isnull() | made.reached)
    # the zone's offset at the snapshot: an hour more or less after a change of clocks decides nothing
    ahead = round((datetime.combine(snapshot, time()) - moment.instant).total_seconds())
    joined = made.inner_join(_first_departures(tables, snapshot, known_at), "customer_id")
    local = joined.contacted_at + ibis.interval(seconds=ahead)
    before = joined.day.isnull() | (local < joined.day.cast("timestamp"))
    return joined.filter(before).select("customer_id").distinct()


def _first_departures(tables: SourceTables, snapshot: date, known_at: date) -> ibis.Table:
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


def training_frame(
    tables: SourceTables,
    as_of: date,
    churn: ChurnConfig,
    features: FeaturesConfig,
    *,
    log: Callable[[str], None] = lambda _: None,
) -> tuple[TrainingFrame, tuple[FeatureColumn, ...], str]:
    """Stack the labelled snapshots that can train at ``as_of``.

    Returns
    -------
    frame : TrainingFrame
        Features, outcomes, customers and snapshots, ordered by snapshot and customer.
    columns : tuple of FeatureColumn
        Declarations of the feature columns.
    spec_hash : str
        Hash of the declarations.

    Raises
    ------
    ModelError
        No snapshot can train.
    """
    refuse_few_leavers(tables, as_of, churn)
    snapshots = find_snapshots(tables, as_of, churn, features)
    for day, why in list(snapshots.refused.items())[:3]:
        log(f"snapshot {day} refused: {why}")
    parts: list[pd.DataFrame] = []
    asked: list[_Asked] = []
    columns: tuple[FeatureColumn, ...] = ()
    spec_hash = ""
    with in_background(tables.con) as compute:
        for day in snapshots.usable:
            built = build_features(tables.known(day), tables.moment(day), features, delay_days=tables.delay_days)
            columns, spec_hash = built.columns, built.spec_hash
            contacted = treated(tables, day, as_of, churn) if churn.treated == "drop" else None
            outcomes = compute(label(tables, day, as_of, churn))
            asked.append(_Asked(day, compute(built.table), outcomes, None if contacted is None else compute(contacted)))
            if len(asked) > 1:
                parts.append(_part(asked.pop(0), log))
        parts.extend(_part(last, log) for last in asked)
    return _stacked(pd.concat(parts, ignore_index=True), columns), columns, spec_hash


@dataclass(frozen=True)
class _Asked:
    """A snapshot whose tables the engine is computing."""

    day: date
    features: Future[pa.Table]
    outcomes: Future[pa.Table]
    contacted: Future[pa.Table] | None


def _part(asked: _Asked, log: Callable[[str], None]) -> pd.DataFrame:
    """Join a snapshot's features and outcomes; those who would train but were contacted are marked, unless they are to be kept."""
    outcomes = asked.outcomes.result().to_pandas()
    if asked.contacted is not None:
        among = outcomes.customer_id.isin(asked.contacted.result()["customer_id"].to_pylist())
        outcomes.loc[among & (outcomes.outcome <= _LEFT), "outcome"] = _TREATED
    part: pd.DataFrame = asked.features.result().to_pandas().merge(outcomes, on="customer_id").sort_values("customer_id")
    part.insert(0, "snapshot", np.datetime64(asked.day))
    contacted = int((part.outcome == _TREATED).sum())
    told = f"snapshot {asked.day}: {len(part):,} active, {int((part.outcome == _LEFT).sum()):,} left in the window"
    log(f"{told}, {contacted:,} contacted and left out" if contacted else told)
    return part


def _stacked(rows: pd.DataFrame, columns: tuple[FeatureColumn, ...]) -> TrainingFrame:
    kept = rows[rows.outcome <= _LEFT]
    dropped = {"left inside the gap": _LEFT_IN_GAP, "left by another kind": _LEFT_OTHERWISE, "contacted before the outcome": _TREATED}
    return TrainingFrame(
        X=kept[[column.name for column in columns]].reset_index(drop=True),
        y=kept.outcome.to_numpy(dtype=np.int8),
        customer=kept.customer_id.to_numpy(dtype=object),
        snapshot=kept.snapshot.to_numpy(dtype="datetime64[D]"),
        dropped={reason: int((rows.outcome == code).sum()) for reason, code in dropped.items()},
    )
