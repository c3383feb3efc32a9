"""Trap 2: features that look into the outcome window."""

import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from custvalue.churn.leakage import guard
from custvalue.errors import DataError, ModelError

from .conftest import told


def known_at_its_start(tables):
    """Monthly rows stamped with the first of their month: the warehouse's column for the month, taken for the time of knowing."""
    stamped = {name: tables[name].assign(available_at=pd.to_datetime(tables[name].month)) for name in ("billing", "usage")}
    return tables | stamped


@pytest.fixture
def overlapping(honest, gather):
    allow = (("billing", "early"), ("usage", "early"))
    return gather(known_at_its_start(honest), gap_months=0, horizon_months=1, snapshot_days="same", allow=allow)


def auc_of_last_bill(evidence):
    """Of what the newest row that a snapshot sees says about leaving in the month after it."""
    day = evidence.snapshots[-1]
    billing = evidence.opened.known(day)["billing"].to_pandas().sort_values("month").groupby("customer_id").revenue.last()
    rows = evidence.labelled(day)
    return roc_auc_score(rows.y, -rows.customer_id.map(billing).astype(float))


def test_it_flatters(honest, gather, overlapping):
    fair = gather(honest, gap_months=0, horizon_months=1, snapshot_days="same")
    assert auc_of_last_bill(overlapping) > auc_of_last_bill(fair) + 0.1


def test_the_contract_refuses_it_first(honest, gather):
    with pytest.raises(DataError, match=r"billing\.available_at: known before month is over"):
        gather(known_at_its_start(honest))


def test_it_is_refused_by_name_where_the_contract_lets_it_pass(overlapping):
    assert {"billing.available_at", "usage.available_at"} <= set(told(overlapping, "overlap"))
    with pytest.raises(ModelError, match=r"billing\.available_at.* known before their `month` is over"):
        guard(overlapping, log=lambda _: None)


def test_leavers_from_before_the_window_are_refused(honest, gather):
    evidence = gather(honest)
    # the frame was labelled for a window that starts at once, the model is asked for one that starts later
    moved = evidence.churn.model_copy(update={"gap_months": 3, "horizon_months": 1})
    mislabelled = type(evidence)(evidence.frame, evidence.columns, moved, evidence.as_of, evidence.tables, evidence.features)
    assert "left outside the outcome window" in told(mislabelled, "overlap")["departures.left_on"]


def test_no_gap_is_told_where_many_leave_at_once(honest, gather):
    left = honest["departures"].assign(
        left_on=lambda t: pd.to_datetime(t.left_on).dt.to_period("M").dt.to_timestamp() + pd.Timedelta(days=2)
    )
    soon = honest | {"departures": left.assign(left_on=left.left_on.dt.date)}
    settings = {"gap_months": 0, "horizon_months": 1, "snapshot_days": "same"}
    assert "left within 7 days of the snapshot" in told(gather(soon, **settings), "overlap")["churn.gap_months"]
    assert "churn.gap_months" not in told(gather(honest, **settings), "overlap")
