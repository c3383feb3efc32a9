"""Contacts inside the outcome window: what is left of churn after them is not what would have been."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import ibis
import pandas as pd

from custvalue.churn.leakage.evidence import Evidence
from custvalue.churn.leakage.findings import Finding
from custvalue.churn.outcomes import treated
from custvalue.config import ChurnConfig, OutcomeSettings, TimeToLeave
from custvalue.sources import add_months

_MANY = 0.01


def find(evidence: Evidence) -> Iterator[Finding]:
    """Count labelled customers whom a contact reached before their outcome, and compare randomised arms."""
    if not evidence.has("contacts") or _left_out(evidence.churn):
        return
    found = pd.concat([_contacted(evidence, day) for day in evidence.snapshots])
    share = float(found.contacted.mean()) if len(found) else 0.0
    if share < _MANY:
        return
    inside, outside = (float(found.y[found.contacted == part].mean()) for part in (True, False))
    yield Finding(
        "contacts.contacted_at",
        f"{share:.1%} of the labelled rows ({int(found.contacted.sum()):,}) were contacted inside their outcome window: {inside:.2%} of "
        "them "
        f"left, {outside:.2%} of the others. {_randomised(evidence)}",
        "The outcome is what the contacts left of churn, and who was called was chosen: set `churn.treated: drop`, or learn the effect "
        "from "
        "randomised contacts.",
        refuses=False,
    )


def _left_out(churn: ChurnConfig) -> bool:
    """Tell whether the frame holds nobody who was contacted; a hazard's months are another matter."""
    return churn.treated == "drop" and not (isinstance(churn, OutcomeSettings) and isinstance(churn.outcome, TimeToLeave))


def _contacted(evidence: Evidence, day: date) -> pd.DataFrame:
    rows = evidence.labelled(day)
    reached = treated(evidence.opened, day, evidence.as_of, evidence.churn)
    ids = set() if reached is None else set(reached.to_pyarrow()["customer_id"].to_pylist())
    return rows.assign(contacted=rows.customer_id.isin(ids))


def _randomised(evidence: Evidence) -> str:
    """Tell the rates of leaving of randomised arms, where there are such."""
    contacts: ibis.Table = evidence.opened.known(evidence.as_of)["contacts"]
    if not {"randomised", "arm"} <= set(contacts.columns):
        return "No contacts are marked as randomised, so their effect cannot be told."
    chosen = contacts.filter(contacts.randomised & contacts.arm.notnull()).select("customer_id", "arm", "contacted_at")
    arms = chosen.to_pyarrow().to_pandas()
    arms = arms[arms.contacted_at <= pd.Timestamp(add_months(evidence.as_of, -evidence.reach))]
    left = evidence.departures[evidence.departures.kind.isin(evidence.churn.kinds)]
    joined = arms.merge(left, on="customer_id", how="left")
    end = joined.contacted_at + pd.DateOffset(months=evidence.reach)
    joined["left"] = (joined.left_on > joined.contacted_at) & (joined.left_on <= end)
    rates = joined.groupby(["customer_id", "arm", "contacted_at"]).left.any().groupby("arm").agg(["mean", "size"])
    if not {"treated", "holdout"} <= set(rates.index):
        return "Randomised contacts lack an arm, so their effect cannot be told."
    told = [f"{rates.loc[arm, 'mean']:.2%} of {rates.loc[arm, 'size']:,} {arm}" for arm in ("treated", "holdout")]
    return f"Among randomised contacts {told[0]} and {told[1]} left within {evidence.reach} months."
