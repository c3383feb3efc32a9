"""Who spends down, worked out by hand, and which snapshots can be told so."""

from datetime import date, datetime, timedelta

import pytest

from custvalue.churn import find_snapshots, label, training_frame
from custvalue.churn.outcomes import Outcome
from custvalue.churn.value_loss import months_after, months_before
from custvalue.config import ChurnConfig, FeaturesConfig, OutcomeSettings, ValueLoss
from custvalue.errors import ConfigError

SNAPSHOT, KNOWN_AT = date(2022, 1, 1), date(2022, 4, 20)
BEFORE, AFTER = ["2021-10-01", "2021-11-01", "2021-12-01"], ["2022-02-01", "2022-03-01"]


def spending_down(**changes):
    outcome = ValueLoss(form="value_loss", **changes)
    return OutcomeSettings.of(ChurnConfig(gap_months=1, horizon_months=2, min_leavers=2), "value_loss", outcome)


def bills(customer, before=(100, 100, 100), after=(100, 100), between=100):
    paid = [*zip(BEFORE, before, strict=True), ("2022-01-01", between), *zip(AFTER, after, strict=True)]
    return [{"customer_id": customer, "month": date.fromisoformat(m), "revenue": float(r)} for m, r in paid if r is not None]


CASES = {
    "as before": (bills("as before"), Outcome.STAYED),
    "half": (bills("half", after=(60, 40)), Outcome.LEFT),
    "a little more than half": (bills("a little more than half", after=(60, 40.02)), Outcome.STAYED),
    "in the gap alone": (bills("in the gap alone", between=0), Outcome.STAYED),
    "nothing any more": (bills("nothing any more", after=(0, 0)), Outcome.LEFT),
    "from several levels": (bills("from several levels", before=(50, 100, 150), after=(45, 55)), Outcome.LEFT),
    "after one dear month": (bills("after one dear month", before=(100, 900, 100)), Outcome.STAYED),
    "a bill before is missing": (bills("a bill before is missing", before=(None, 100, 100), after=(0, 0)), Outcome.UNKNOWN),
    "a bill after is missing": (bills("a bill after is missing", after=(0, None)), Outcome.UNKNOWN),
    "nothing to lose": (bills("nothing to lose", before=(0, 0, 0), after=(0, 0)), Outcome.UNKNOWN),
    "no bill at all": ([], Outcome.UNKNOWN),
}


def outcomes(tables, settings=None, snapshot=SNAPSHOT, known_at=KNOWN_AT):
    rows = label(tables, snapshot, known_at, settings or spending_down()).to_pyarrow().to_pylist()
    found = {row["customer_id"]: Outcome(row["outcome"]) for row in rows}
    assert len(found) == len(rows)
    return found


def test_the_window_s_bills_are_compared_with_those_before(open_folder):
    tables = open_folder(CASES, billing=[row for rows, _ in CASES.values() for row in rows])
    assert outcomes(tables) == {who: outcome for who, (_, outcome) in CASES.items()}


def test_who_leaves_has_lost_his_value_otherwise(open_folder):
    days = {"gap": date(2022, 1, 20), "window": date(2022, 3, 1), "later": date(2022, 4, 2)}
    left = [{"customer_id": who, "left_on": day, "kind": "voluntary"} for who, day in days.items()]
    tables = open_folder(days, left, billing=[row for who in days for row in bills(who, after=(0, 0))])
    assert outcomes(tables) == {"gap": Outcome.IN_GAP, "window": Outcome.OTHERWISE, "later": Outcome.LEFT}


def test_a_bill_counts_from_when_it_is_known(open_folder):
    late = [row | {"available_at": None} for row in bills("A", after=(0, 0))]
    late[-1]["available_at"] = datetime(2022, 4, 10)
    tables = open_folder("A", billing=late)
    assert outcomes(tables, known_at=date(2022, 4, 9)) == {"A": Outcome.UNKNOWN}
    assert outcomes(tables, known_at=date(2022, 4, 10)) == {"A": Outcome.LEFT}


def test_the_end_of_a_journey_is_no_loss(open_folder):
    abroad = bills("A", before=(300, 300, 100))
    for row in abroad:
        row["roaming"] = row["revenue"] - 100.0
    assert outcomes(open_folder("A", billing=abroad)) == {"A": Outcome.STAYED}


def test_share_and_months_before_are_settings(open_folder):
    tables = open_folder("A", billing=bills("A", before=(50, 70, 100), after=(40, 40)))
    assert outcomes(tables) == {"A": Outcome.STAYED}  # 40 of 70
    assert outcomes(tables, spending_down(months_before=1)) == {"A": Outcome.LEFT}
    assert outcomes(tables, spending_down(share=0.4)) == {"A": Outcome.LEFT}


def test_within_a_month_whole_months_around_the_snapshot_count():
    day, churn = date(2022, 1, 15), ChurnConfig(gap_months=1, horizon_months=2)
    assert [str(month) for month in months_before(day, 3)] == BEFORE
    assert [str(month) for month in months_after(day, churn)] == AFTER  # over by 15 April, as the window is
    assert [str(month) for month in months_after(day, ChurnConfig(gap_months=0, horizon_months=2))] == ["2022-02-01"]
    with pytest.raises(ConfigError, match="give the outcome a gap of a month"):
        months_after(day, ChurnConfig(gap_months=0, horizon_months=1))


@pytest.mark.parametrize(("arrives", "newest"), [(datetime(2022, 4, 2), date(2022, 1, 20)), (datetime(2022, 4, 25), date(2021, 12, 31))])
def test_a_snapshot_waits_for_its_last_bills(open_folder, arrives, newest):
    months = [date(2021 + (m > 12), (m - 1) % 12 + 1, 1) for m in range(4, 16)]
    billing = [{"customer_id": "A", "month": m, "revenue": 10.0, "available_at": arrives if m == months[-1] else None} for m in months]
    tables = open_folder("A", billing=billing)
    found = find_snapshots(tables, KNOWN_AT, spending_down(), FeaturesConfig(windows=(1, 3)))
    assert found.newest == newest
    assert max(found.usable) <= newest
    assert outcomes(tables, snapshot=newest) == {"A": Outcome.STAYED}


def test_a_snapshot_waits_for_those_whose_silence_is_not_known_yet(open_folder):
    """Who fell silent spends nothing; until that is known as a departure, it would count as spending down."""
    begun = [date(2021, 1 + number % 12, 1 + number // 12 * 3) for number in range(96)]
    left = [
        {"customer_id": f"S{n}", "left_on": day, "kind": "silence", "available_at": datetime(day.year, day.month, day.day) + timedelta(90)}
        for n, day in enumerate(begun)
    ]
    tables = open_folder(["A", *(row["customer_id"] for row in left)], left, bills=("2021-01", "2022-03"))
    found = find_snapshots(tables, KNOWN_AT, spending_down(), FeaturesConfig(windows=(1, 3)))
    assert date(2021, 10, 10) < found.newest < date(2021, 11, 5)  # 90 days before the windows of three months end, but for the last few


def test_customers_who_cannot_be_told_are_counted(open_folder):
    history = [
        {"customer_id": who, "month": date(2021, month, 1), "revenue": 100.0}
        for who in ("short", "down", "as before")
        for month in (5, 6, 7, 8, 9)
    ]
    rows = bills("down", after=(10, 10)) + bills("as before") + bills("short", before=(None, 100, 100))
    tables = open_folder(("short", "down", "as before"), billing=history + rows)
    settings = spending_down(snapshots=1).model_copy(update={"snapshot_days": "same"})
    frame, _, _ = training_frame(tables, date(2022, 4, 1), settings, FeaturesConfig(windows=(1, 3)))
    assert dict(zip(frame.customer, frame.y.tolist(), strict=True)) == {"as before": 0, "down": 1}
    assert frame.dropped["without the bills to tell"] == 1
