"""Trap 8: months whose horizon is not over, labelled 0."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from custvalue.churn import TrainingFrame, find_snapshots
from custvalue.churn.leakage import Evidence, guard
from custvalue.errors import ModelError
from custvalue.features import build_features

from .conftest import AS_OF, told


def labelled_today(evidence, days):
    """What a script does that asks who has left by now, whatever the snapshot."""
    parts = []
    for day in days:
        built = build_features(evidence.opened.known(day), evidence.moment(day), evidence.features).table.to_pandas()
        start, end = (pd.Timestamp(edge) for edge in evidence.window(day))
        left = evidence.departures[(evidence.departures.left_on > start) & (evidence.departures.left_on <= end)]
        parts.append(built.assign(y=built.customer_id.isin(left.customer_id).astype(np.int8), snapshot=np.datetime64(day)))
    rows = pd.concat(parts, ignore_index=True)
    X = rows[[column.name for column in evidence.columns]]
    days = rows.snapshot.to_numpy("datetime64[D]")
    frame = TrainingFrame(X, rows.y.to_numpy(), rows.customer_id.to_numpy(object), days)
    return Evidence(frame, evidence.columns, evidence.churn, evidence.as_of, evidence.tables, evidence.features)


def test_open_windows_lower_the_rate_and_are_refused(honest, gather):
    evidence = gather(honest)
    naive = labelled_today(evidence, [date(2024, 1, 1), date(2024, 3, 1), date(2024, 4, 1)])
    rates = naive.frame.describe().eval("leavers / active").tolist()
    assert rates[0] > 1.5 * rates[1] > rates[2] == 0
    assert "2 of 3 snapshot(s), the first of them 2024-03-01" in told(naive, "censoring")["departures.left_on"]
    with pytest.raises(ModelError, match="not over and reported at 2024-05-01"):
        guard(naive, log=lambda _: None)


def test_training_takes_no_such_snapshot(honest, gather):
    evidence = gather(honest)
    usable = find_snapshots(evidence.opened, AS_OF, evidence.churn, evidence.features).usable
    assert max(usable) <= date(2024, 2, 1)
    assert told(evidence, "censoring") == {}


def test_departures_that_are_reported_late_are_missed_at_first(honest, gather):
    left = honest["departures"]
    slow = honest | {"departures": left.assign(available_at=pd.to_datetime(left.left_on) + pd.Timedelta(days=40))}
    newest = date(2024, 2, 1)
    naive = labelled_today(gather(slow), [newest])
    complete = labelled_today(gather(honest), [newest])
    assert naive.frame.y.mean() < 0.7 * complete.frame.y.mean()
    assert "count as stayers" in told(naive, "censoring")["departures.available_at"]
    waited = gather(slow)
    assert waited.snapshots[-1] < date(2024, 1, 15)
    assert told(waited, "censoring") == {}
