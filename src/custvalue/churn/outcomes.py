"""Who left within the window of a snapshot, and the labelled snapshots stacked for training."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

import ibis
import numpy as np
import pandas as pd

from custvalue.churn.frame import TrainingFrame
from custvalue.config import ChurnConfig, FeaturesConfig
from custvalue.engines import scalar
from custvalue.errors import ModelError
from custvalue.features import FeatureColumn, active_customers, build_features
from custvalue.sources import SourceTables, add_months, month_index

MIN_HISTORY_MONTHS = 6
"""A snapshot needs bills of so many months (or of the longest window, if shorter): younger ones look like no later snapshot."""

_STAYED, _LEFT, _LEFT_OTHERWISE, _LEFT_IN_GAP = 0, 1, 2, 3


@dataclass(frozen=True)
class Snapshots:
    """Snapshot dates that can train at a moment, newest last, and why others cannot."""

    usable: tuple[date, ...]
    refused: dict[date, str]


def find_snapshots(tables: SourceTables, as_of: date, churn: ChurnConfig, features: FeaturesConfig) -> Snapshots:
    """Find monthly snapshots whose horizon is over and reported, whose leavers were recorded, and that have enough history.

    Raises
    ------
    ModelError
        None can train; the message says why for the newest ones.
    """
    delay = timedelta(days=tables.delay_days.get("departures", 0))
    window = churn.gap_months + churn.horizon_months
    history = min(features.windows[-1], MIN_HISTORY_MONTHS)
    first_month = scalar(tables.con, "SELECT min(month) FROM contract.billing")
    usable: list[date] = []
    refused: dict[date, str] = {}
    for back in range(window, window + churn.snapshots + 12):
        day = add_months(as_of, -back)
        newest = month_index(tables.moment(day).newest_month(tables.delay_days.get("billing", 0)))
        if add_months(day, window) + delay > as_of:
            refused[day] = "its horizon is not over and reported yet"
        elif churn.outcomes_recorded_after and day < churn.outcomes_recorded_after:
            refused[day] = f"leavers before {churn.outcomes_recorded_after} are missing from the tables (outcomes_recorded_after)"
        elif newest - month_index(first_month) + 1 < history:
            refused[day] = f"bills reach back less than {history} months"
        elif len(usable) < churn.snapshots:
            usable.append(day)
    if not usable:
        reasons = "\n".join(f"  {day}: {why}" for day, why in list(refused.items())[:4])
        raise ModelError(f"no snapshot can train at {as_of}:\n{reasons}\nTake a later date, or load more history.")
    return Snapshots(tuple(sorted(usable)), refused)


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
    active = active_customers(tables.known(snapshot), tables.moment(snapshot)).select("customer_id", "since")
    departures = tables.known(known_at)["departures"]
    # a silent period that starts on the first day counts as if it had started a day later
    shift = ibis.ifelse(departures.kind == "silence", 1, 0)
    dated = departures.mutate(day=departures.left_on + shift.as_interval("D")).inner_join(active, "customer_id")
    first = ibis.row_number().over(group_by="customer_id", order_by=["day", "kind"])
    ahead = dated.filter(dated.left_on >= dated.since).mutate(nth=first).filter(lambda t: t.nth == 0)
    joined = active.left_join(ahead.select("customer_id", "day", "kind"), "customer_id").drop("customer_id_right")
    inside = (joined.day > start) & (joined.day <= end)
    outcome = ibis.cases(
        (joined.day.isnull() | (joined.day > end), _STAYED),
        (inside & joined.kind.isin(churn.kinds), _LEFT),
        (inside, _LEFT_OTHERWISE),
        else_=_LEFT_IN_GAP,
    )
    return joined.select("customer_id", outcome=outcome.cast("int64"))


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
    columns: tuple[FeatureColumn, ...] = ()
    spec_hash = ""
    for day in snapshots.usable:
        built = build_features(tables.known(day), tables.moment(day), features, delay_days=tables.delay_days)
        columns, spec_hash = built.columns, built.spec_hash
        outcomes = label(tables, day, as_of, churn).to_pyarrow().to_pandas()
        part = built.table.to_pyarrow().to_pandas().merge(outcomes, on="customer_id").sort_values("customer_id")
        part.insert(0, "snapshot", np.datetime64(day))
        parts.append(part)
        log(f"snapshot {day}: {len(part):,} active, {int((part.outcome == _LEFT).sum()):,} left in the window")
    stacked = pd.concat(parts, ignore_index=True)
    kept = stacked[stacked.outcome <= _LEFT]
    frame = TrainingFrame(
        X=kept[[column.name for column in columns]].reset_index(drop=True),
        y=kept.outcome.to_numpy(dtype=np.int8),
        customer=kept.customer_id.to_numpy(dtype=object),
        snapshot=kept.snapshot.to_numpy(dtype="datetime64[D]"),
        dropped={
            "left inside the gap": int((stacked.outcome == _LEFT_IN_GAP).sum()),
            "left by another kind": int((stacked.outcome == _LEFT_OTHERWISE).sum()),
        },
    )
    return frame, columns, spec_hash
