"""Trap 7: customers who fell silent long ago pad precision."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from custvalue.churn.leakage import find_leaks

from .conftest import refused, told


@pytest.fixture
def silent(honest):
    """Half of the leavers stop using anything five months before somebody closes the account."""
    left = honest["departures"].assign(day=lambda t: pd.to_datetime(t.left_on))[["customer_id", "day"]].iloc[::2]
    usage = honest["usage"].merge(left, on="customer_id", how="left")
    ended = usage.day.notna() & (pd.to_datetime(usage.month) >= usage.day - pd.Timedelta(days=150))
    usage[["data_mb", "voice_minutes"]] = usage[["data_mb", "voice_minutes"]].where(~ended, 0.0)
    return honest | {"usage": usage.drop(columns="day")}


def lift(evidence):
    X, y = evidence.frame.X, evidence.frame.y
    order = np.argsort(X["data_mb_mean_1m"].to_numpy(), kind="stable")[: len(y) // 20]
    return y[order].mean() / y.mean()


def test_they_pad_precision_and_are_refused(honest, silent, gather):
    fair, padded = gather(honest), gather(silent)
    assert lift(padded) > 1.5 * lift(fair)
    assert roc_auc_score(padded.frame.y, -padded.frame.X["data_mb_mean_1m"]) > roc_auc_score(fair.frame.y, -fair.frame.X["data_mb_mean_1m"])
    assert "had no use in the 2 months before their snapshot" in told(padded, "silence")["usage"]
    assert "usage" in refused(find_leaks(padded))


def test_a_silent_status_takes_them_out(silent, gather):
    used = silent["usage"].assign(next_month=lambda t: (pd.to_datetime(t.month).dt.to_period("M") + 1).dt.to_timestamp())
    first = used[used.data_mb == 0].groupby("customer_id").next_month.min().rename("valid_from").dt.date.reset_index()
    rows = silent["customers"].drop(columns="valid_from").merge(first, on="customer_id").assign(status="silent")
    customers = pd.concat([silent["customers"].assign(status="active"), rows])
    evidence = gather(silent | {"customers": customers})
    assert told(evidence, "silence") == {}
    assert evidence.frame.leavers > 40
