"""Trap 1: use, arrears or status written after leaving."""

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score

from .conftest import AS_OF, told


def with_after_effects(tables):
    """A final bill and three empty months for everybody who left, and arrears that only the final bill has."""
    left = tables["departures"]
    month = pd.to_datetime(left.left_on).dt.to_period("M")
    after = [
        pd.DataFrame({"customer_id": left.customer_id, "month": (month + ahead).dt.to_timestamp().dt.date, "revenue": 0.0, "arrears": 30.0})
        for ahead in (1, 2, 3)
    ]
    after = [rows[rows.month < AS_OF] for rows in after]
    usage = pd.concat(after).drop(columns=["revenue", "arrears"]).assign(data_mb=0.0, voice_minutes=0.0)
    billing = pd.concat([tables["billing"].assign(arrears=0.0), *after])
    return tables | {"billing": billing, "usage": pd.concat([tables["usage"], usage])}


def test_the_latest_extraction_knows_who_left(honest):
    billing = with_after_effects(honest)["billing"].sort_values("month")
    last = billing.groupby("customer_id").arrears.last()
    assert roc_auc_score(last.index.isin(honest["departures"].customer_id), last) > 0.95


def test_features_do_not_see_what_comes_after_leaving(honest, gather):
    clean, planted = gather(honest), gather(with_after_effects(honest))
    # what everybody did in a month, those who left included, sets the season; it is the same for leavers and stayers
    season = [column.name for column in clean.columns if "season" in column.name]
    own = [column.name for column in clean.columns if column.name not in season]
    pd.testing.assert_frame_equal(planted.frame.X[own], clean.frame.X[own])
    pd.testing.assert_frame_equal(planted.frame.X[season], clean.frame.X[season], atol=0.05)
    assert planted.frame.X.filter(like="arrears").fillna(0).to_numpy().max() == 0
    assert told(planted, "near_perfect") == {}


def test_such_a_column_is_named_when_it_comes_by_another_way(honest, gather):
    evidence = gather(honest)
    # what a join with the latest extraction would give
    joined = evidence.frame.X.assign(revenue_mean_1m=lambda X: X.revenue_mean_1m.where(evidence.frame.y == 0, 0.0))
    assert set(told(replace(evidence, frame=replace(evidence.frame, X=joined)), "near_perfect")) == {"revenue_mean_1m"}


def test_a_status_of_the_extraction_is_refused(honest, gather):
    left = honest["departures"].assign(day=lambda t: pd.to_datetime(t.left_on)).set_index("customer_id").day
    customers = honest["customers"].assign(status="active")
    fate = customers.customer_id.map(left)
    # closed since joining, as a table without history says of whoever has left; some leavers were missed
    customers.loc[fate.notna() & (np.arange(len(customers)) % 4 > 0), "status"] = "closed"
    evidence = gather(honest | {"customers": customers}, min_leavers=10)
    seen = told(evidence, "overwritten")
    assert "were `closed` at the snapshot already" in seen["customers.status"]


def test_a_status_with_its_day_is_not_refused(honest, gather):
    left = honest["departures"]
    closed = honest["customers"].merge(left[["customer_id", "left_on"]], on="customer_id")
    closed = closed.assign(valid_from=closed.left_on, status="closed").drop(columns="left_on")
    customers = pd.concat([honest["customers"].assign(status="active"), closed])
    assert told(gather(honest | {"customers": customers}), "overwritten") == {}
    assert closed.valid_from.max() - timedelta(days=1) > date(2023, 6, 1)
