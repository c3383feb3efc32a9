"""A version against the champion: on which rows both were scored, and which of them are new to both."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from custvalue.config import PromotionConfig
from custvalue.tracking.comparison import compare
from custvalue.tracking.gates import Gate, champion_gates
from custvalue.tracking.judged import JudgedRows, Rival, read_judged
from custvalue.tracking.versions import ModelVersion

if TYPE_CHECKING:
    from datetime import date

    from mlflow import MlflowClient

_NOT_COMPARED = "log loss, rise against the champion at worst"


def compare_versions(
    client: MlflowClient, uri: str, candidate: ModelVersion, champion: ModelVersion, judged: JudgedRows | None, limits: PromotionConfig
) -> tuple[list[Gate], list[str]]:
    """Give the gates of a comparison with the champion, and what a reader should know of it.

    A training scores the champion of its day on its own test rows. So a newer version is compared on its test rows; and one that was
    champion before and is to return is compared on those of the champion that followed it. Where neither scored the other the gate is
    not measured and fails, unless the champion could not be scored at all, because the config now builds other features: then tonight's
    night cannot use it either, and nothing is to be kept.
    """
    if judged is not None and (rival := _rival_of(judged, champion)):
        return _compared(judged, rival, limits, challenger="probability", champion="rival")
    theirs = read_judged(client, uri, champion)
    if theirs is not None and (rival := _rival_of(theirs, candidate)):
        gates, notes = _compared(theirs, rival, limits, challenger="rival", champion="probability")
        return gates, [f"compared on the test rows of the champion, version {champion.version}, which followed this version", *notes]
    if judged is not None and judged.why_no_rival:
        return [], [f"not compared with the champion, version {champion.version}: {judged.why_no_rival}"]
    why = f"version {champion.version} was not scored on this version's test rows: it became champion afterwards; train again"
    return [Gate(_NOT_COMPARED, None, "≤", limits.max_log_loss_increase, why)], []


def _rival_of(judged: JudgedRows, version: ModelVersion) -> Rival | None:
    rival = judged.rival
    return rival if rival is not None and (rival.version, rival.digest) == (version.version, version.digest) else None


def _compared(judged: JudgedRows, rival: Rival, limits: PromotionConfig, *, challenger: str, champion: str) -> tuple[list[Gate], list[str]]:
    rows, slices, notes = judged.rows, judged.slices, []
    other, learnt = f"version {rival.version}", rival.learnt_until
    later = _later(rows, learnt)
    if later.all():
        notes.append(f"compared on {len(rows):,} rows later than all that {other} learnt from")
    elif int(rows["y"][later].sum()) >= limits.min_leavers:
        notes.append(f"compared on {int(later.sum()):,} of {len(rows):,} rows, those later than all that {other} learnt from ({learnt})")
        rows, slices = rows[later].reset_index(drop=True), slices[later].reset_index(drop=True)
    else:
        notes.append(
            f"compared on all {len(rows):,} rows; {other} learnt from snapshots up to {learnt} and so may know some of their outcomes, "
            f"which speaks for it: later rows hold {int(rows['y'][later].sum())} leavers, and {limits.min_leavers} are needed"
        )
    found = compare(
        rows, slices.drop(columns="kind", errors="ignore"), challenger=challenger, champion=champion, capacity_share=judged.capacity_share
    )
    return champion_gates(found, limits), notes


def _later(rows: pd.DataFrame, day: date) -> pd.Series:
    return pd.to_datetime(rows["snapshot"]) > pd.Timestamp(day)
