"""Trap 12: customers who were cut off for not paying, mixed with those who left."""

from datetime import date

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score


@pytest.fixture
def with_debtors(honest):
    """One stayer in twelve owes more and more, and is cut off for it."""
    stayers = honest["customers"][~honest["customers"].customer_id.isin(honest["departures"].customer_id)].iloc[::12]
    cut_off = pd.DataFrame({"customer_id": stayers.customer_id, "kind": "non_payment"})
    cut_off["left_on"] = [date(2023, 9 + place % 4, 20) if place % 2 else date(2024, 1 + place % 4, 20) for place in range(len(cut_off))]
    billing = honest["billing"].merge(cut_off[["customer_id", "left_on"]], on="customer_id", how="left")
    months_ahead = (pd.to_datetime(billing.left_on) - pd.to_datetime(billing.month)).dt.days / 30
    billing["arrears"] = np.where(months_ahead.between(0, 6), 20.0 * (7 - months_ahead), 0.0)
    billing = billing[~(months_ahead < -1)].drop(columns="left_on")
    usage = honest["usage"].merge(billing[["customer_id", "month"]], on=["customer_id", "month"])
    return honest | {"departures": pd.concat([honest["departures"], cut_off]), "billing": billing, "usage": usage}


def auc_of_arrears(frame):
    return roc_auc_score(frame.y, frame.X["arrears_last"].fillna(0))


def test_mixed_in_debt_looks_like_a_driver_of_leaving(with_debtors, gather):
    mixed = gather(with_debtors, kinds=("voluntary", "port_out", "non_payment")).frame
    own = gather(with_debtors).frame
    assert auc_of_arrears(mixed) > 0.6
    assert auc_of_arrears(own) < 0.52
    assert mixed.y.mean() > 1.15 * own.y.mean()


def test_they_are_neither_leavers_nor_stayers_and_are_counted(with_debtors, gather):
    evidence = gather(with_debtors)
    cut_off = set(with_debtors["departures"].query("kind == 'non_payment'").customer_id)
    assert not cut_off & set(evidence.frame.customer[evidence.frame.y == 1])
    assert evidence.frame.dropped["left by another kind"] > 20
