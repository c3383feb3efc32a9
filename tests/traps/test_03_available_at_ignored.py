"""Trap 3: rows used from the moment they stand for, whenever the warehouse came to know them."""

from dataclasses import dataclass, fields

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from custvalue.churn import training_frame
from custvalue.churn.leakage import Evidence
from custvalue.sources import SourceTables

from .conftest import AS_OF, told


@dataclass(frozen=True)
class Uncut(SourceTables):
    """Tables for which nobody makes the cut: every row counts from its event on."""

    def known(self, as_of):
        whole = super().known(AS_OF)
        day = pd.Timestamp(as_of)
        return whole | {"complaints": whole["complaints"].filter(whole["complaints"].opened_at < day)}


@pytest.fixture
def tables(honest):
    """Complaints that are entered when the account is closed, with the date on which the customer says they began."""
    left = honest["departures"].assign(day=lambda t: pd.to_datetime(t.left_on))
    complaints = pd.DataFrame(
        {
            "complaint_id": [f"T{number}" for number in range(len(left))],
            "customer_id": left.customer_id,
            "opened_at": left.day - pd.Timedelta(days=75),
            "available_at": left.day + pd.Timedelta(days=3),
        }
    )
    everybody = honest["customers"].iloc[::5]
    usual = pd.DataFrame({"complaint_id": "U" + everybody.customer_id, "customer_id": everybody.customer_id})
    usual["opened_at"] = pd.Timestamp("2023-02-01") + pd.to_timedelta(np.arange(len(usual)) % 400, unit="D")
    return honest | {"complaints": pd.concat([complaints, usual.assign(available_at=usual.opened_at)])}


def uncut(evidence):
    held = Uncut(**{field.name: getattr(evidence.tables, field.name) for field in fields(SourceTables) if field.init})
    frame, columns = training_frame(held, AS_OF, evidence.churn, evidence.features)[:2]
    return Evidence(frame, columns, evidence.churn, AS_OF, evidence.tables, evidence.features)


def auc(evidence):
    return roc_auc_score(evidence.frame.y, evidence.frame.X["complaint_count_3m"].fillna(0))


def test_ignoring_it_flatters_and_is_named(tables, gather):
    honest = gather(tables)
    naive = uncut(honest)
    assert auc(naive) > 0.8 > 0.6 > auc(honest)
    seen = told(naive, "future")
    assert "change when rows and values known later are removed" in seen["complaint_count_3m"]
    assert not {name for name in seen if "complaint" not in name}


def test_the_cut_passes(tables, gather):
    assert told(gather(tables), "future") == {}
