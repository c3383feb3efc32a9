"""Facts that were written over when a customer left, so that they tell of it at every earlier snapshot."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import ibis
import numpy as np
import pandas as pd

from custvalue.churn.leakage.association import wilson_low
from custvalue.churn.leakage.evidence import Evidence
from custvalue.churn.leakage.findings import Finding
from custvalue.churn.leakage.near_perfect import associations, describe
from custvalue.errors import mask
from custvalue.features import current_customers

_GONE = ("closed",)
_SHARE_GONE = 0.10
_ENDS_ON_LEAVING = 0.80
_FEWEST = 10
_DOUBT = 0.01
_CHANGED_ELSEWHERE = 0.5
_NOT_FACTS = ("customer_id", "valid_from", "joined_on", "account_id", "household_id", "status")


def find(evidence: Evidence) -> Iterator[Finding]:
    """Look at status, contract ends, plans and every other fact of the newest snapshot that should not know the future."""
    day = evidence.snapshots[-1]
    yield from _status(evidence, day)
    yield from _contract_ends(evidence, day)
    yield from _facts(evidence, day)
    yield from _one_version(evidence)


def _leavers(evidence: Evidence, day: date) -> pd.DataFrame:
    """``customer_id`` and ``left_on`` of those who leave inside the window of a snapshot, by the tables and not by the frame."""
    start, end = (pd.Timestamp(edge) for edge in evidence.window(day))
    found = evidence.departures
    return found[(found.left_on > start) & (found.left_on <= end) & found.kind.isin(evidence.churn.kinds)]


def _status(evidence: Evidence, day: date) -> Iterator[Finding]:
    if not evidence.has("customers", "status"):
        return
    now = current_customers(evidence.opened.known(day)["customers"], evidence.moment(day)).select("customer_id", "status")
    left = _leavers(evidence, day).merge(now.to_pyarrow().to_pandas(), on="customer_id")
    gone = left[left.status.isin(_GONE)]
    if len(gone) >= _FEWEST and wilson_low(len(gone), len(left), doubt=_DOUBT) >= _SHARE_GONE:
        ahead = int((gone.left_on - pd.Timestamp(day)).dt.days.median())
        yield Finding(
            "customers.status",
            f"{len(gone):,} of {len(left):,} who left in the window of {day} were `closed` at the snapshot already, {ahead} days "
            "(median) before "
            f"they left, for example customer {mask(gone.customer_id.iloc[0])}.",
            "The status is that of the extraction, not of the day: deliver every status with the `valid_from` and `available_at` it had, "
            "or "
            "leave `status` out of the mapping.",
        )


def _contract_ends(evidence: Evidence, day: date) -> Iterator[Finding]:
    if not evidence.has("contracts", "ends_on"):
        return
    contracts = evidence.opened.known(day)["contracts"]
    in_force = contracts.filter((contracts.starts_on <= day) & contracts.ends_on.notnull() & (contracts.ends_on >= day))
    ends = in_force.select("customer_id", "ends_on").to_pyarrow().to_pandas()
    left = _leavers(evidence, day).merge(ends.assign(ends_on=pd.to_datetime(ends.ends_on)), on="customer_id")
    same = (left.ends_on - left.left_on).abs() <= pd.Timedelta(days=1)
    by_customer = same.groupby(left.customer_id).any()
    hits, trials = int(by_customer.sum()), len(by_customer)
    if hits >= _FEWEST and wilson_low(hits, trials, doubt=_DOUBT) >= _ENDS_ON_LEAVING:
        yield Finding(
            "contracts.ends_on",
            f"{hits:,} of {trials:,} leavers with a term in force at {day} leave on the very day it ends, for example customer "
            f"{mask(by_customer.index[by_customer.to_numpy()][0])}.",
            "The end looks written over by the day of leaving: deliver the agreed end, and the new one as a later version with its "
            "`available_at`.",
        )


def _facts(evidence: Evidence, day: date) -> Iterator[Finding]:
    """Facts that no feature reads may still choose whom to list; they must not know the outcome either."""
    known = evidence.opened.known(day)
    customers = current_customers(known["customers"], evidence.moment(day))
    facts = customers.drop(*(name for name in _NOT_FACTS[1:] if name in customers.columns))
    rows = evidence.labelled(day).merge(facts.to_pyarrow().to_pandas(), on="customer_id")
    prefix = dict.fromkeys(rows.columns, "customers")
    if "tier_history" in known:
        history = known["tier_history"].filter(lambda t: t.valid_from <= day)
        newest = ibis.row_number().over(group_by="customer_id", order_by=ibis.desc("valid_from"))
        tiers = history.mutate(nth=newest).filter(lambda t: t.nth == 0).select("customer_id", "tier")
        rows = rows.merge(tiers.to_pyarrow().to_pandas(), on="customer_id", how="left")
        prefix["tier"] = "tier_history"
    for name, found in associations(rows.drop(columns=["customer_id", "y"]), rows.y.to_numpy(np.int8), rows.customer_id.to_numpy(object)):
        if (seen := describe(found)) is not None:
            yield Finding(
                f"{prefix[name]}.{name}",
                f"as it stood at {day}: {seen}",
                "It looks written over when customers leave: deliver each value with the `valid_from` and `available_at` it had.",
            )


def _one_version(evidence: Evidence) -> Iterator[Finding]:
    """A plan that events say was changed, while `customers` holds one plan only, is the last one."""
    if not (evidence.has("events", "event_type") and evidence.has("customers", "plan")):
        return
    events, customers = evidence.whole("events"), evidence.whole("customers")
    changed = events.filter(events.event_type == "plan_change").select("customer_id").distinct()
    plans = customers.group_by("customer_id").agg(versions=customers.count()).join(changed, "customer_id")
    found = plans.agg(
        n=plans.count(), once=(plans.versions == 1).sum(), example=plans.customer_id.min(where=plans.versions == 1)
    ).to_pandas()
    total, once, example = int(found.n.iloc[0]), found.once.iloc[0], found.example.iloc[0]
    if total >= _FEWEST and wilson_low(int(once), total, doubt=_DOUBT) >= _CHANGED_ELSEWHERE:
        yield Finding(
            "customers.plan",
            f"{int(once):,} of {total:,} customers with a `plan_change` event have one row in customers, for example {mask(example)}.",
            "The plan is that of the extraction: deliver a row for each plan with the `valid_from` and `available_at` it had.",
        )
