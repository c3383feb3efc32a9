"""A campaign's effect, whole: leaving, revenue, money, whom calls reached, groups; and what a naive comparison would have said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from custvalue.errors import DataError
from custvalue.retention.effect.design import Design, comparable
from custvalue.retention.effect.estimates import ALPHA, RESAMPLES, Estimate, adjusted_difference, complier_effect, intention_to_treat
from custvalue.retention.effect.groups import effect_by_group
from custvalue.retention.effect.power import Judgement, judge

DIMENSIONS = ("tier", "reason_code", "offer")
_NEEDED = ("listed", "unit", "stratum", "left")


@dataclass(frozen=True)
class Money:
    """What a campaign brought in over the months looked at, currency.

    Attributes
    ----------
    revenue : Estimate
        Revenue of all listed customers beyond what they would have paid.
    margin : float
        Share of it that is left after the cost to serve.
    contacts, offers : float
        Spent on calls, and on offers that were taken.
    net : Estimate
        ``margin · revenue − contacts − offers``. What an offer takes off the bills is in the revenue already, so where offers are discounts
        this errs on the low side.
    """

    revenue: Estimate
    margin: float
    contacts: float
    offers: float
    net: Estimate


@dataclass(frozen=True)
class Naive:
    """Comparisons that people make without a holdout; neither is an effect.

    Attributes
    ----------
    others : Estimate
        Leaving of the listed minus that of everybody who was not listed: the listed were chosen because they were at risk.
    before : Estimate
        Revenue of the listed after the listing minus before it, a customer: who is listed because his bill fell tends to recover anyway.
    """

    others: Estimate
    before: Estimate


@dataclass(frozen=True)
class Measured:
    """What a campaign did to those it listed.

    Attributes
    ----------
    listed, held_out : int
        Customers compared.
    not_compared : int
        Customers in strata with too few of an arm.
    left_listed, left_held_out : float
        Shares that left, strata weighted by the listed.
    left : Estimate
        Their difference: below 0 is good.
    kept : Estimate
        Customers who stayed because of the campaign, of all listed.
    reached : float
        Share of the listed whom a contact reached; NaN where nobody recorded it.
    reached_held_out : float
        Of the held-out, who should not have been called.
    complier : Estimate
        Difference of leaving among those whom a contact reaches.
    revenue : Estimate
        Difference of revenue, currency a listed customer, adjusted by the months before.
    money : Money or None
        None where no revenue is known.
    judgement : Judgement
    groups : DataFrame
        See `effect_by_group`.
    naive : Naive
    """

    listed: int
    held_out: int
    not_compared: int
    left_listed: float
    left_held_out: float
    left: Estimate
    kept: Estimate
    reached: float
    reached_held_out: float
    complier: Estimate
    revenue: Estimate
    money: Money | None
    judgement: Judgement
    groups: pd.DataFrame
    naive: Naive


def measure(
    frame: pd.DataFrame,
    *,
    others_left: npt.ArrayLike = (),
    planned: float | None = None,
    margin: float = 1.0,
    cluster: str = "unit",
    dimensions: Sequence[str] = DIMENSIONS,
    resamples: int = RESAMPLES,
    seed: int = 7,
) -> Measured:
    """Compare the listed with those who were held out although they would have been listed, from the same day on.

    Parameters
    ----------
    frame : DataFrame
        One row a customer: listed (bool), unit, stratum, left (0 or 1, within the months looked at); where known revenue and revenue_before
        (currency, of as many months after and before the listing), reached (bool), contact_cost and offer_cost (currency spent on the
        customer), and the dimensions.
    others_left : array, optional
        0 or 1 of customers who were not listed, for the naive comparison.
    planned : float, optional
        The change of the rate that the campaign was made for; see `power.judge`.
    margin : float
        Share of revenue left after the cost to serve.
    cluster : str
        The column that says what was randomised: ``unit``, or ``manager_id`` where managers were.
    dimensions : sequence of str
    resamples, seed : int

    Raises
    ------
    DataError
        A column is missing, or no stratum has enough units in both arms.
    """
    if missing := [name for name in (*_NEEDED, cluster) if name not in frame.columns]:
        raise DataError(f"exposure: column {missing[0]} is missing.")
    whole = frame.assign(unit=frame[cluster])
    own = whole[comparable(whole["listed"], stratum=whole["stratum"], unit=whole["unit"])]
    if own.empty:
        held_out = int((~whole["listed"]).sum())
        raise DataError(
            f"exposure: nothing can be compared yet: of {len(whole)} customers {held_out} were held out, and no stratum has enough of "
            "both. Wait for more nights, or hold out a larger share."
        )
    design = Design.of(own["listed"], stratum=own["stratum"], unit=own["unit"])
    left, listed = intention_to_treat(design, own["left"]), own["listed"].to_numpy(dtype=bool)
    revenue = _revenue(design, own, resamples, seed)
    taken = own["reached"].to_numpy(dtype=np.float64) if "reached" in own.columns else None
    return Measured(
        listed=int(listed.sum()),
        held_out=int((~listed).sum()),
        not_compared=len(whole) - len(own),
        left_listed=design.rate(own["left"], listed=True),
        left_held_out=design.rate(own["left"], listed=False),
        left=left,
        kept=left.times(-float(listed.sum())),
        reached=float("nan") if taken is None else float(taken[listed].mean()),
        reached_held_out=float("nan") if taken is None else float(taken[~listed].mean()),
        complier=Estimate.unknown() if taken is None else complier_effect(design, own["left"], taken),
        revenue=revenue,
        money=_money(own[listed], revenue, margin) if revenue.known else None,
        judgement=judge(design, own["left"], left, planned=planned),
        groups=effect_by_group(whole, dimensions),
        naive=_naive(whole[whole["listed"]], np.asarray(others_left, dtype=np.float64)),
    )


def _revenue(design: Design, own: pd.DataFrame, resamples: int, seed: int) -> Estimate:
    if "revenue" not in own.columns:
        return Estimate.unknown()
    return adjusted_difference(design, own["revenue"], own.get("revenue_before"), resamples=resamples, seed=seed)


def _money(listed: pd.DataFrame, revenue: Estimate, margin: float) -> Money:
    contacts, offers = (float(listed[name].sum()) if name in listed.columns else 0.0 for name in ("contact_cost", "offer_cost"))
    whole = revenue.times(float(len(listed)))
    return Money(whole, margin, contacts, offers, whole.times(margin).plus(-contacts - offers))


def _naive(listed: pd.DataFrame, others: npt.NDArray[np.float64]) -> Naive:
    between = before = Estimate.unknown()
    if min(len(listed), others.size) > 1:
        values = np.concatenate([listed["left"].to_numpy(dtype=np.float64), others])
        between = intention_to_treat(Design.of(np.arange(values.size) < len(listed)), values)
    if {"revenue", "revenue_before"} <= set(listed.columns) and len(listed) > 1:
        change = (listed["revenue"] - listed["revenue_before"]).to_numpy(dtype=np.float64)
        error = float(change.std(ddof=1) / np.sqrt(change.size))
        before = Estimate(float(change.mean()), 0.0, 0.0, error, change.size - 1.0).at(ALPHA)
    return Naive(between, before)
