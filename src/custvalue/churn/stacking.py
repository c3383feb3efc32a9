"""The labelled snapshots stacked for training."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import pandas as pd
import pyarrow as pa

from custvalue.churn.frame import TrainingFrame
from custvalue.churn.hazard import MONTH_AHEAD, label_months, person_months
from custvalue.churn.outcomes import Outcome, label, refuse_few_leavers, treated
from custvalue.churn.snapshots import Snapshots, find_snapshots
from custvalue.churn.training import TrainedModel
from custvalue.config import ChurnConfig, FeaturesConfig, OutcomeSettings, TimeToLeave
from custvalue.engines import in_background
from custvalue.features import FeatureColumn, build_features
from custvalue.sources import SourceTables

_DROPPED = {
    Outcome.IN_GAP: "left inside the gap",
    Outcome.OTHERWISE: "left by another kind",
    Outcome.TREATED: "contacted before the outcome",
    Outcome.UNKNOWN: "without the bills to tell",
}


def training_frame(
    tables: SourceTables,
    as_of: date,
    churn: ChurnConfig,
    features: FeaturesConfig,
    *,
    log: Callable[[str], None] = lambda _: None,
) -> tuple[TrainingFrame, tuple[FeatureColumn, ...], str]:
    """Stack the labelled snapshots that can train at ``as_of``.

    Parameters
    ----------
    tables : SourceTables
        The operator's tables.
    as_of : date
        The day of training.
    churn : ChurnConfig
        The outcome: the main one, or an `OutcomeSettings`. A hazard's rows are months; see `hazard.person_months`.
    features : FeaturesConfig
        What the features are built with.

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
    if not (isinstance(churn, OutcomeSettings) and churn.by_bills):
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
            asked.append(_Asked(day, compute(built.table), *_outcomes(compute, tables, day, as_of, churn, snapshots)))
            if len(asked) > 1:
                parts.append(_part(asked.pop(0), log))
        parts.extend(_part(last, log) for last in asked)
    stacked, names = pd.concat(parts, ignore_index=True), [column.name for column in columns]
    if isinstance(churn, OutcomeSettings) and isinstance(churn.outcome, TimeToLeave):
        return person_months(stacked, names, _dropped(stacked)), (*columns, MONTH_AHEAD), spec_hash
    return _stacked(stacked, names), columns, spec_hash


def with_outcome(model: TrainedModel, frame: TrainingFrame, churn: ChurnConfig) -> TrainedModel:
    """Write into a model's bundle which outcome it foretells, where that is not the main one.

    A hazard ends with the last month ahead among the rows it was trained on, which older ones may not reach.
    """
    if not isinstance(churn, OutcomeSettings):
        return model
    told = churn.described()
    if isinstance(churn.outcome, TimeToLeave):
        learnt = int(frame.X[MONTH_AHEAD.name].iloc[(model.slices.refit or model.slices["train"]).rows].max())
        told |= {"horizon_months": learnt, "months": learnt}
    return replace(model, bundle=replace(model.bundle, outcome=told))


@dataclass(frozen=True)
class _Asked:
    """A snapshot whose tables the engine is computing."""

    day: date
    features: Future[pa.Table]
    outcomes: Future[pa.Table]
    contacted: Future[pa.Table] | None


def _outcomes(
    compute: Callable[..., Future[pa.Table]], tables: SourceTables, day: date, as_of: date, churn: ChurnConfig, snapshots: Snapshots
) -> tuple[Future[pa.Table], Future[pa.Table] | None]:
    """Ask for a snapshot's outcomes and, where they are to be left out, for those who were contacted."""
    if isinstance(churn, OutcomeSettings) and isinstance(churn.outcome, TimeToLeave):
        return compute(label_months(tables, day, as_of, churn, churn.outcome, newest=snapshots.newest)), None
    contacted = treated(tables, day, as_of, churn) if churn.treated == "drop" else None
    return compute(label(tables, day, as_of, churn)), None if contacted is None else compute(contacted)


def _part(asked: _Asked, log: Callable[[str], None]) -> pd.DataFrame:
    """Join a snapshot's features and outcomes; those who would train but were contacted are marked, unless they are to be kept."""
    outcomes = asked.outcomes.result().to_pandas()
    if asked.contacted is not None:
        among = outcomes.customer_id.isin(asked.contacted.result()["customer_id"].to_pylist())
        outcomes.loc[among & (outcomes.outcome <= Outcome.LEFT), "outcome"] = Outcome.TREATED
    part: pd.DataFrame = asked.features.result().to_pandas().merge(outcomes, on="customer_id").sort_values("customer_id")
    part.insert(0, "snapshot", np.datetime64(asked.day))
    contacted = int((part.outcome == Outcome.TREATED).sum())
    told = f"snapshot {asked.day}: {len(part):,} active, {int((part.outcome == Outcome.LEFT).sum()):,} left in the window"
    log(f"{told}, {contacted:,} contacted and left out" if contacted else told)
    return part


def _stacked(rows: pd.DataFrame, names: list[str]) -> TrainingFrame:
    kept = rows[rows.outcome <= Outcome.LEFT]
    return TrainingFrame(
        X=kept[names].reset_index(drop=True),
        y=kept.outcome.to_numpy(dtype=np.int8),
        customer=kept.customer_id.to_numpy(dtype=object),
        snapshot=kept.snapshot.to_numpy(dtype="datetime64[D]"),
        dropped=_dropped(rows),
    )


def _dropped(rows: pd.DataFrame) -> dict[str, int]:
    """Count the rows that do not train, by reason; that bills are missing only where it happens."""
    counts = {reason: int((rows.outcome == code).sum()) for code, reason in _DROPPED.items()}
    return {reason: count for reason, count in counts.items() if count or reason != _DROPPED[Outcome.UNKNOWN]}
