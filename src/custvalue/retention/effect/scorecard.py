"""The managers' scorecard: how the work was done by manager, what it achieved by team, by month, quarter and year."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd

from custvalue.config.scorecard import ScorecardConfig
from custvalue.errors import DataError
from custvalue.retention.effect.groups import effect_by_group

Period = Literal["month", "quarter", "year"]
PERIODS: tuple[Period, ...] = ("month", "quarter", "year")
MEASURES = ("first_contact_in_time", "reach", "coded_closes", "call_backs_in_time", "without_opt_out", "without_complaint")
"""Shares, 1 is best. What counts for a manager is how he works: whom he keeps depends on whom he was given."""
_ORDER_COLUMNS = (
    "manager_id", "opened_on", "due", "contacted_in_time", "contacted", "reached", "to_close", "coded", "opted_out", "complained",
)  # fmt: skip
_OF: dict[str, tuple[str, str]] = {
    "first_contact_in_time": ("contacted_in_time", "due"),
    "reach": ("reached", "contacted"),
    "coded_closes": ("coded", "to_close"),
    "without_opt_out": ("opted_out", "contacted"),
    "without_complaint": ("complained", "contacted"),
}
"""Measure → flag counted, of the orders that another flag holds."""


def process_scorecard(
    orders: pd.DataFrame, settings: ScorecardConfig, *, by: Period, call_backs: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Tell how each manager worked, period by period.

    Parameters
    ----------
    orders : DataFrame
        One row an order: manager_id, opened_on (date) and flags: due (its first contact is due), contacted_in_time (of the due),
        contacted, reached, to_close (contacted and not put off), coded (closed with a reason), opted_out, complained (because of it).
    settings : ScorecardConfig
        Weights, and how many orders a score needs.
    by : str
        ``month``, ``quarter`` or ``year`` in which orders were opened.
    call_backs : DataFrame, optional
        Complaint call-backs that are due by now: manager_id, due_on (date), in_time (bool).

    Returns
    -------
    DataFrame
        period, manager_id, orders, `MEASURES` (shares; NaN where nothing is to be counted), score: their weighted mean over what is known,
        NaN below ``least_orders``. By period and manager, never by score: the order is no ranking.

    Raises
    ------
    DataError
        A column is missing.
    """
    if missing := [name for name in _ORDER_COLUMNS if name not in orders.columns]:
        raise DataError(f"orders: column {missing[0]} is missing.")
    keyed = orders.assign(period=_period(orders["opened_on"], by))
    groups = keyed.groupby(["period", "manager_id"], sort=True)
    found = pd.DataFrame({"orders": groups.size()})
    for measure, (flag, base) in _OF.items():
        of = keyed[keyed[base].astype(bool)]
        share = of[flag].astype("float64").groupby([of["period"], of["manager_id"]]).mean()
        found[measure] = 1 - share if measure.startswith("without_") else share
    found["call_backs_in_time"] = np.nan
    if call_backs is not None and len(call_backs):
        own = call_backs.assign(period=_period(call_backs["due_on"], by))
        in_time = own["in_time"].astype("float64").groupby([own["period"], own["manager_id"]]).mean()
        found = found.reindex(found.index.union(in_time.index))
        found["call_backs_in_time"] = in_time
    found["orders"] = found["orders"].fillna(0).astype("int64")
    weights = pd.Series({measure: getattr(settings, measure) for measure in MEASURES}, dtype="float64")
    values = found[list(MEASURES)]
    known = values.notna() @ weights
    score = (values.fillna(0.0) @ weights) / known.where(known > 0)
    found["score"] = score.where(found["orders"] >= settings.least_orders)
    return found.reset_index()[["period", "manager_id", "orders", *MEASURES, "score"]]


def team_scorecard(frame: pd.DataFrame, *, by: Period) -> pd.DataFrame:
    """Tell what each team's calls changed against its own held-out customers, and what a saved customer cost.

    Parameters
    ----------
    frame : DataFrame
        As for `measuring.measure`, with team and night (date of the first listing).
    by : str
        ``month``, ``quarter`` or ``year`` of the night.

    Returns
    -------
    DataFrame
        period, group (team) and the columns of `effect_by_group`, all teams of a period one family; cost (currency, of all the team's
        listed customers) and cost_per_save, known only where the verdict is ``works``.
    """
    columns = ["cost", "cost_per_save"]
    made = []
    for period, own in frame.groupby(_period(frame["night"], by), sort=True):
        found = effect_by_group(own, ["team"])
        spent = sum(own[name] for name in ("contact_cost", "offer_cost") if name in own.columns)
        costs = (spent * own["listed"]).groupby(own["team"]).sum() if isinstance(spent, pd.Series) else pd.Series(dtype="float64")
        found["cost"] = found["group"].map(costs)
        saves = -found["effect"] * own["listed"].astype(int).groupby(own["team"]).sum().reindex(found["group"]).to_numpy()
        found["cost_per_save"] = (found["cost"] / saves).where(found["verdict"] == "works")
        made.append(found.assign(period=period))
    if not made:
        return pd.DataFrame(columns=["period", *effect_by_group(frame, []).columns, *columns])
    return pd.concat(made, ignore_index=True).drop(columns="dimension")


def _period(days: pd.Series, by: Period) -> pd.Series:
    """Name the period of each day: 2026-03, 2026-Q1, 2026."""
    moments = pd.to_datetime(days)
    if by == "quarter":
        return moments.dt.year.astype(str) + "-Q" + moments.dt.quarter.astype(str)
    return moments.dt.strftime("%Y-%m" if by == "month" else "%Y")
