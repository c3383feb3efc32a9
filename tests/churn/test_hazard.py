"""Time to leave: who counts in which month, worked out by hand; hazards known beforehand; survival never rises."""

import dataclasses
from datetime import date, datetime

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from custvalue.churn import expected_months, first_months, survival, train_model, urgency, with_outcome
from custvalue.churn.frame import TrainingFrame
from custvalue.churn.hazard import MONTH_AHEAD, label_months, person_months
from custvalue.churn.outcomes import Outcome
from custvalue.churn.stacking import training_frame
from custvalue.config import ChurnConfig, FeaturesConfig, OutcomeSettings, TimeToLeave
from custvalue.errors import ModelError
from custvalue.features import FeatureColumn

SNAPSHOT, KNOWN_AT = date(2022, 1, 1), date(2022, 6, 1)
LEFT, STAYED = Outcome.LEFT, Outcome.STAYED


def time_to_leave(months=4, **changes):
    churn = ChurnConfig.model_validate({"gap_months": 1, "bootstrap": 50, "min_leavers": 2, "max_rounds": 120} | changes)
    return OutcomeSettings.of(churn, "time_to_leave", TimeToLeave(form="hazard", hazard_months=months, snapshots=changes.get("snapshots")))


def months_of(tables, settings, newest=date(2022, 4, 1)):
    rows = label_months(tables, SNAPSHOT, KNOWN_AT, settings, settings.outcome, newest=newest).to_pyarrow().to_pylist()
    found = {row["customer_id"]: (Outcome(row["outcome"]), row["months"]) for row in rows}
    assert len(found) == len(rows)
    return found


FATES = {  # after the gap of January the months end on 1 March, 1 April, 1 May and 1 June
    "stays": (None, "voluntary", (STAYED, 4)),
    "leaves in the gap": (date(2022, 2, 1), "voluntary", (Outcome.IN_GAP, None)),
    "leaves on the first day": (date(2022, 2, 2), "voluntary", (LEFT, 1)),
    "leaves on the first month's last day": (date(2022, 3, 1), "port_out", (LEFT, 1)),
    "leaves in the fourth month": (date(2022, 5, 2), "voluntary", (LEFT, 4)),
    "leaves later": (date(2022, 6, 2), "voluntary", (STAYED, 4)),
    "is cut off in the first month": (date(2022, 2, 10), "non_payment", (Outcome.OTHERWISE, None)),
    "is cut off in the third month": (date(2022, 4, 2), "non_payment", (STAYED, 2)),
}


@pytest.fixture
def fates(open_folder):
    return open_folder(FATES, [{"customer_id": who, "left_on": day, "kind": kind} for who, (day, kind, _) in FATES.items() if day])


def without_months(found):
    """Those who do not train have no months that anybody reads."""
    return {who: (outcome, months if outcome <= LEFT else None) for who, (outcome, months) in found.items()}


def test_each_customer_counts_until_he_leaves_or_is_lost_from_sight(fates):
    assert without_months(months_of(fates, time_to_leave())) == {who: fate for who, (*_, fate) in FATES.items()}


def test_months_that_are_not_over_censor(fates):
    found = months_of(fates, time_to_leave(), newest=date(2022, 2, 1))  # two months are over
    assert found["stays"] == (STAYED, 2)
    assert found["leaves in the fourth month"] == (STAYED, 2)
    assert found["leaves on the first day"] == (LEFT, 1)
    assert found["is cut off in the third month"] == (STAYED, 2)


def contact(customer, day, **other):
    return {"contact_id": f"{customer} {day}", "customer_id": customer, "contacted_at": datetime.combine(day, datetime.min.time())} | other


def test_a_call_censors_what_follows(open_folder):
    left = [{"customer_id": who, "left_on": date(2022, 4, 20), "kind": "voluntary"} for who in ("before", "same month", "won back")]
    calls = [
        contact("in the gap", date(2022, 1, 20)),
        contact("first month", date(2022, 2, 20)),
        contact("third month", date(2022, 4, 2)),
        contact("third month", date(2022, 5, 2)),
        contact("before", date(2022, 3, 2)),
        contact("same month", date(2022, 4, 10)),
        contact("won back", date(2022, 4, 25)),
    ]
    ids = ["in the gap", "first month", "third month", "before", "same month", "won back", "nobody called"]
    tables = open_folder(ids, left, contacts=calls)
    assert without_months(months_of(tables, time_to_leave())) == {
        "in the gap": (Outcome.TREATED, None),
        "first month": (Outcome.TREATED, None),
        "third month": (STAYED, 2),
        "before": (STAYED, 1),
        "same month": (STAYED, 2),
        "won back": (LEFT, 3),
        "nobody called": (STAYED, 4),
    }
    assert months_of(tables, time_to_leave(treated="keep"))["before"] == (LEFT, 3)


def test_a_customer_gives_one_row_for_each_month_watched():
    rows = pd.DataFrame(
        {
            "snapshot": pd.to_datetime(["2022-01-31", "2022-01-31", "2022-01-31"]),
            "customer_id": ["a", "b", "c"],
            "outcome": [LEFT, Outcome.IN_GAP, STAYED],
            "months": [3, 0, 2],
            "arpu": [10.0, 20.0, 30.0],
        }
    )
    frame = person_months(rows, ["arpu"], {"left inside the gap": 1})
    assert frame.customer.tolist() == ["a", "a", "a", "c", "c"]
    assert frame.y.tolist() == [0, 0, 1, 0, 0]
    assert frame.X.values.tolist() == [[10, 1], [10, 2], [10, 3], [30, 1], [30, 2]]
    assert frame.snapshot.astype(str).tolist() == ["2022-01-31", "2022-02-28", "2022-03-31", "2022-01-31", "2022-02-28"]
    assert frame.dropped == {"left inside the gap": 1}
    first = first_months(frame)
    assert (first.customer.tolist(), first.y.tolist()) == (["a", "c"], [0, 0])


def test_training_watches_older_snapshots_longer(open_folder):
    days = {"A": date(2022, 2, 20), "B": date(2022, 4, 20), "C": date(2022, 5, 20)}
    left = [{"customer_id": who, "left_on": day, "kind": "voluntary"} for who, day in days.items()]
    settings = time_to_leave(months=4, snapshots=2, snapshot_days="same")
    frame, columns, _ = training_frame(open_folder("ABCD", left), KNOWN_AT, settings, FeaturesConfig(windows=(1, 3)))
    assert columns[-1] is MONTH_AHEAD
    assert frame.X.columns[-1] == MONTH_AHEAD.name
    # snapshots lie three months apart, on 1 January and 1 April, and their last months end on 1 June
    watched = [
        (who, str(day), int(month), int(y))
        for who, day, month, y in zip(frame.customer, frame.snapshot, frame.X.month_ahead, frame.y, strict=True)
    ]
    assert [row[1:] for row in watched if row[0] == "C"] == [
        ("2022-01-01", 1, 0), ("2022-02-01", 2, 0), ("2022-03-01", 3, 0), ("2022-04-01", 4, 1), ("2022-04-01", 1, 1),
    ]  # fmt: skip
    assert [row[1:] for row in watched if row[0] == "B"] == [("2022-01-01", 1, 0), ("2022-02-01", 2, 0), ("2022-03-01", 3, 1)]
    assert [row[1:] for row in watched if row[0] == "A"] == [("2022-01-01", 1, 1)]
    assert frame.dropped["left inside the gap"] == 1  # B of the second snapshot


BY_CUSTOMER = time_to_leave(months=4, gap_months=0, small_leavers=5_000)  # so that all leavers calibrate, not one month's
RISKY = FeatureColumn(name="risky", en="risky", zh="risky", unit="yes/no", null="unknown", reason="risky")
HAZARD, MONTHS, CUSTOMERS = {0: 0.03, 1: 0.15}, 4, 3_000


def simulated(seed=3, hazard=HAZARD, censoring=0.1):
    """Customers of six snapshots who leave by a geometric law, and are lost from sight by another, whatever their risk."""
    random = np.random.default_rng(seed)
    risky = random.integers(0, 2, CUSTOMERS)
    left = random.geometric([hazard[kind] for kind in risky])
    lost = np.minimum(random.geometric(censoring, CUSTOMERS), MONTHS)
    rows = pd.DataFrame(
        {
            "snapshot": np.array("2024-01-01", "datetime64[M]") + random.integers(0, 6, CUSTOMERS),
            "customer_id": [f"C{number:05d}" for number in range(CUSTOMERS)],
            "outcome": np.where(left <= lost, LEFT, STAYED),
            "months": np.minimum(left, lost),
            "risky": risky.astype(float),
        }
    )
    return person_months(rows, ["risky"], {})


def trained(frame, columns, settings=BY_CUSTOMER):
    model = train_model(frame, columns, settings, as_of=date(2026, 1, 1), feature_spec_hash="spec")
    return with_outcome(model, frame, settings).bundle


@pytest.fixture(scope="module")
def hazard():
    return trained(simulated(), (RISKY, MONTH_AHEAD))


def kaplan_meier(frame: TrainingFrame):
    """Survival by product of the shares that stay, month by month (Kaplan and Meier 1958), from counts alone."""
    month, y = frame.X.month_ahead.to_numpy(), frame.y
    return np.cumprod([1 - y[month == m].mean() for m in range(1, MONTHS + 1)])


def test_the_bundle_says_that_it_is_a_hazard(hazard):
    assert hazard.outcome == {
        "name": "time_to_leave",
        "form": "hazard",
        "kinds": ["voluntary", "port_out"],
        "gap_months": 0,
        "horizon_months": MONTHS,
        "months": MONTHS,
    }


def test_a_geometric_hazard_is_recovered_in_spite_of_censoring(hazard):
    found = survival(hazard, pd.DataFrame({"risky": [0.0, 1.0]}))
    truth = np.array([[(1 - HAZARD[kind]) ** month for month in range(1, MONTHS + 1)] for kind in (0, 1)])
    assert np.abs(found - truth).max() < 0.03
    assert expected_months(found) == pytest.approx(truth.sum(axis=1), abs=0.08)
    assert urgency(found) == pytest.approx((1 - truth[:, 0]) / (1 - truth[:, -1]), abs=0.05)


def test_without_features_survival_is_kaplan_meier_s():
    frame = simulated(hazard={0: 0.08, 1: 0.08})
    found = survival(trained(frame, (MONTH_AHEAD,)), pd.DataFrame({"risky": [0.0]}))[0]
    assert found == pytest.approx(kaplan_meier(frame), abs=0.02)


def test_the_chance_within_all_months_is_that_of_a_model_of_the_window(hazard):
    """Where nobody is lost from sight, 1 − S(H) is what a classifier of the whole window says."""
    months = simulated(censoring=1e-9)
    last = pd.Series(months.customer).duplicated(keep="last").to_numpy()
    window = months.take(~last)
    window = dataclasses.replace(window, snapshot=np.full(len(window), np.datetime64("2024-01-01")))
    settings = ChurnConfig(gap_months=0, horizon_months=MONTHS, bootstrap=50, max_rounds=300)
    model = train_model(window, (RISKY,), settings, as_of=date(2026, 1, 1), feature_spec_hash="spec")
    X = pd.DataFrame({"risky": [0.0, 1.0]})
    assert 1 - survival(hazard, X)[:, -1] == pytest.approx(model.bundle.predict_proba(X), abs=0.04)


@given(risky=st.lists(st.sampled_from([0.0, 1.0, float("nan"), -7.5, 1e9]), min_size=1, max_size=5))
def test_survival_is_a_chance_and_never_rises(hazard, risky):
    found = survival(hazard, pd.DataFrame({"risky": risky}))
    assert found.shape == (len(risky), MONTHS)
    assert ((found > 0) & (found < 1)).all()
    assert (np.diff(found, axis=1) < 0).all()
    assert ((urgency(found) > 0) & (urgency(found) < 1)).all()


def test_fewer_months_are_the_first_of_all(hazard):
    X = pd.DataFrame({"risky": [1.0]})
    assert survival(hazard, X, 2).tolist() == survival(hazard, X)[:, :2].tolist()
    for months in (0, MONTHS + 1):
        with pytest.raises(ModelError, match=f"1 to {MONTHS} months ahead, not {months}"):
            survival(hazard, X, months)


def test_a_model_of_a_window_has_no_survival(by_customer):
    with pytest.raises(ModelError, match="not when customers leave"):
        survival(by_customer.bundle, by_customer.test_features.head(1))
