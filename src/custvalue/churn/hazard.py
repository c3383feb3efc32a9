"""Time to leave as a discrete hazard: the chance of leaving in each month ahead, given that one is still there when it begins.

A customer of a snapshot gives one row for each month watched, up to the month of leaving; a month that is not over, a departure by another
kind and a call censor what follows. A classifier of these rows with the month as one more column is a discrete-time survival model
(Singer and Willett 1993), so training, calibration, bundle and registry are those of every other outcome.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

import ibis
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from custvalue.churn.bundle import ModelBundle
from custvalue.churn.frame import TrainingFrame
from custvalue.churn.outcomes import Outcome, first_contacts, first_departures
from custvalue.churn.splits import add_months as add_months_to_each
from custvalue.config import ChurnConfig, TimeToLeave
from custvalue.errors import ModelError
from custvalue.features import FeatureColumn
from custvalue.sources import SourceTables, add_months

Floats = NDArray[np.float64]

MONTH_AHEAD = FeatureColumn(
    name="month_ahead",
    en="month looked at, counted from the end of the gap",
    zh="预测期的第几个月",
    unit="months",
    null="never missing",
    reason="month_ahead",
)
"""The column that tells the rows of one customer and snapshot apart."""


def label_months(
    tables: SourceTables, snapshot: date, known_at: date, churn: ChurnConfig, outcome: TimeToLeave, *, newest: date
) -> ibis.Table:
    """Give ``customer_id``, ``outcome`` and ``months`` of each customer active at a snapshot.

    `Outcome.LEFT` leaves by one of the outcome's kinds in the last of so many months after the gap; `Outcome.STAYED` was watched for so
    many and had not left. Who left by another kind or was called, unless such customers are to be kept, counts until the month before.

    Parameters
    ----------
    tables, snapshot, known_at, churn
        As for `outcomes.label`.
    outcome : TimeToLeave
        How many months are watched at most.
    newest : date
        The newest snapshot whose first month is over and reported; an older one's later months are so too.
    """
    watched = sum(add_months(snapshot, month) <= newest for month in range(outcome.hazard_months))
    ends = [add_months(snapshot, churn.gap_months + month) for month in range(watched + 1)]
    found = first_departures(tables, snapshot, known_at)
    contacts = first_contacts(tables, snapshot, known_at, ends[-1]) if churn.treated == "drop" else None
    if contacts is None:
        found = found.mutate(called_in=ibis.literal(watched + 1, "int64"))
    else:
        found = found.left_join(contacts, "customer_id").mutate(called_in=lambda t: _month_of(t.contacted_on, ends))
    found = found.mutate(left_in=_month_of(found.day, ends), own=found.kind.isin(churn.kinds).fill_null(False))
    left = found.own & (found.left_in <= watched) & (found.called_in > found.left_in)
    stayed = ibis.least(found.left_in - 1, found.called_in - 1, watched)
    result = ibis.cases(
        (found.left_in == 0, Outcome.IN_GAP),
        (left, Outcome.LEFT),
        (stayed > 0, Outcome.STAYED),
        ((found.left_in == 1) & ~found.own, Outcome.OTHERWISE),
        else_=Outcome.TREATED,
    )
    months = ibis.ifelse(left, found.left_in, stayed)
    return found.select("customer_id", outcome=result.cast("int64"), months=months.cast("int64"))


def _month_of(day: ibis.expr.types.DateValue, ends: Sequence[date]) -> ibis.expr.types.IntegerValue:
    """Number the months that end on these days from 0, the gap; what comes later, or never, has the number after the last."""
    return sum((ibis.ifelse(day <= end, 0, 1).fill_null(1) for end in ends), start=ibis.literal(0, "int64"))


def person_months(rows: pd.DataFrame, names: Sequence[str], dropped: Mapping[str, int]) -> TrainingFrame:
    """Turn labelled customers into one row for each month watched.

    A row is dated as a snapshot would be whose first month it is, so that its own outcome is over a month after date and gap. By these
    dates splits keep windows apart, although the features are older.

    Parameters
    ----------
    rows : DataFrame
        ``snapshot``, ``customer_id``, ``outcome`` and ``months`` (see `label_months`), and the feature columns.
    names : sequence of str
        The feature columns.
    dropped : dict
        Customers left out, by reason.
    """
    kept = rows[rows.outcome <= Outcome.LEFT]
    watched = kept.months.to_numpy(dtype=np.intp)
    place = np.repeat(np.arange(len(kept)), watched)
    ahead = np.arange(len(place)) - np.repeat(np.cumsum(watched) - watched, watched)
    days = kept.snapshot.to_numpy(dtype="datetime64[D]")[place]
    for month in range(1, int(watched.max(initial=1))):
        days[ahead == month] = add_months_to_each(days[ahead == month], month)
    left = (kept.outcome == Outcome.LEFT).to_numpy()[place] & (ahead + 1 == watched[place])
    return TrainingFrame(
        X=kept[list(names)].iloc[place].reset_index(drop=True).assign(**{MONTH_AHEAD.name: ahead + 1.0}),
        y=left.astype(np.int8),
        customer=kept.customer_id.to_numpy(dtype=object)[place],
        snapshot=days,
        dropped=dropped,
    )


def first_months(frame: TrainingFrame) -> TrainingFrame:
    """Give the first month's rows: a frame of snapshots with a horizon of one month, each with the features of its own day.

    A frame of any other form is given back as it is.
    """
    return frame.take((frame.X[MONTH_AHEAD.name] == 1).to_numpy()) if MONTH_AHEAD.name in frame.X.columns else frame


def survival(bundle: ModelBundle, X: pd.DataFrame, months: int | None = None, *, num_threads: int = 1) -> Floats:
    """Give the chance of still being there at the end of each month after the gap, given that one is there at its end.

    Parameters
    ----------
    bundle : ModelBundle
        Of a hazard.
    X : DataFrame
        Features; ``month_ahead`` is set here.
    months : int, optional
        How many; all that the model was trained on by default.

    Returns
    -------
    ndarray, shape (rows, months)
        Never rises along a row.

    Raises
    ------
    ModelError
        The bundle is no hazard, was not trained on so many months, or `X` lacks columns.
    """
    if bundle.outcome.get("form") != "hazard":
        raise ModelError(f"this model foretells {bundle.outcome}, not when customers leave; take that of an outcome of form `hazard`.")
    trained = int(bundle.outcome["months"])
    months = trained if months is None else months
    if not 1 <= months <= trained:
        raise ModelError(f"the hazard model looks 1 to {trained} months ahead, not {months}. Raise `hazard_months` and train again.")
    ahead = [X.assign(**{MONTH_AHEAD.name: float(month)}) for month in range(1, months + 1)]
    hazard = np.column_stack([bundle.predict_proba(rows, num_threads=num_threads) for rows in ahead])
    return np.asarray(np.cumprod(1 - hazard, axis=1), dtype=np.float64)


def expected_months(survived: Floats) -> Floats:
    """Give how many of the months ahead a customer is expected to complete: the sum of `survival` over them, shape (rows,)."""
    return np.asarray(survived.sum(axis=1))


def urgency(survived: Floats) -> Floats:
    """Give the chance of leaving within the first month, given that one leaves within all of them, shape (rows,).

    A steady hazard over H months gives about 1 / H; more means that there is little time to call. NaN where nobody leaves.
    """
    leaves = 1 - survived
    sooner: Floats = np.divide(leaves[:, 0], leaves[:, -1], out=np.full(len(leaves), np.nan), where=leaves[:, -1] > 0)
    return sooner
