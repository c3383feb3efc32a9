"""Trap 5: cancellation tickets and win-back codes as features."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from custvalue.churn.leakage import find_leaks, guard
from custvalue.errors import ModelError

from .conftest import refused, told


def tickets(honest, *, days, name="end of contract"):
    """Most leavers ask to be cut off so many days ahead; one customer in three complains of something else."""
    left = honest["departures"].assign(day=lambda t: pd.to_datetime(t.left_on)).iloc[: 3 * len(honest["departures"]) // 4]
    asking = pd.DataFrame({"customer_id": left.customer_id, "opened_at": left.day - pd.Timedelta(days=days), "category": name})
    usual = pd.DataFrame({"customer_id": honest["customers"].customer_id.iloc[::3], "category": "billing"})
    usual["opened_at"] = pd.Timestamp("2023-02-01") + pd.to_timedelta(np.arange(len(usual)) % 400, unit="D")
    rows = pd.concat([asking, usual], ignore_index=True)
    return rows.assign(complaint_id=[f"T{number}" for number in range(len(rows))])


def auc_of_complaints(evidence):
    return roc_auc_score(evidence.frame.y, evidence.frame.X["complaint_count_3m"].fillna(0))


def test_they_flatter_and_are_refused_by_value(honest, gather):
    rows = tickets(honest, days=60)
    announcing, fair = gather(honest | {"complaints": rows}), gather(honest | {"complaints": rows.query("category == 'billing'")})
    assert auc_of_complaints(announcing) > 0.65 > 0.58 > auc_of_complaints(fair)
    seen = told(announcing, "announcements")
    assert set(seen) == {"complaints.category=end of contract"}
    assert "complaint_count_3m" in seen["complaints.category=end of contract"]
    with pytest.raises(ModelError, match=r"complaints.category=end of contract.*followed by leaving.*features.departing_categories"):
        guard(announcing, log=lambda _: None)
    assert told(fair, "announcements") == {}


def test_categories_that_announce_a_departure_are_no_features(honest, gather):
    evidence = gather(honest | {"complaints": tickets(honest, days=60, name="cancellation")})
    assert auc_of_complaints(evidence) < 0.58
    report = find_leaks(evidence)
    assert refused(report) == set()
    (entry,) = report.standing("noted")
    assert entry.finding.subject == "complaints.category=cancellation"
    assert "no feature reads it" in str(entry)


def test_inside_the_gap_they_are_told_and_not_refused(honest, gather):
    evidence = gather(honest | {"complaints": tickets(honest, days=8)})
    assert "within 30 days" in told(evidence, "announcements")["complaints.category=end of contract"]
    assert refused(find_leaks(evidence)) == set()


@pytest.mark.parametrize(("name", "read"), [("port_authorised", False), ("port_query", True)])
def test_events_are_named_and_refused_where_a_feature_reads_them(honest, gather, name, read):
    events = tickets(honest, days=60).rename(columns={"complaint_id": "event_id", "opened_at": "occurred_at", "category": "event_type"})
    renamed = events.replace({"event_type": {"end of contract": name, "billing": "bill_query"}})
    report = find_leaks(gather(honest | {"events": renamed}))
    entries = {entry.finding.subject: entry.standing for entry in report.reported if entry.check == "announcements"}
    assert entries == {f"events.event_type={name}": "refused" if read else "noted"}


def test_win_back_calls_are_not_known_before_the_departure(honest, gather):
    left = honest["departures"]
    calls = pd.DataFrame({"contact_id": "W" + left.customer_id, "customer_id": left.customer_id, "campaign_id": "win-back"})
    calls["contacted_at"] = pd.to_datetime(left.left_on).to_numpy() + pd.Timedelta(days=10)
    flagged = honest["customers"].customer_id.isin(calls.customer_id)
    assert roc_auc_score(honest["customers"].customer_id.isin(left.customer_id), flagged) == 1.0  # without dates the code is the outcome
    evidence = gather(honest | {"contacts": calls})
    day = evidence.snapshots[-1]
    seen = set(evidence.opened.known(day)["contacts"].customer_id.to_pandas())
    leavers = evidence.labelled(day).query("y == 1").customer_id
    assert len(leavers) > 50
    assert not seen & set(leavers)
    assert refused(find_leaks(evidence)) == set()
