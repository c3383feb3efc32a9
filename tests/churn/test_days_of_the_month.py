"""A night may fall on any day: a model of mixed days is calibrated on each; one of firsts of the month alone is not.

Invented prepaid customers recharge on the fifth to seventh of each month. Now and then one stops, and leaves some weeks after the first
missed recharge. On the first of a month the others' last recharge is less than four weeks old and a stopper's nearly eight: a model that
knows firsts only draws the line somewhere between, and is wrong wherever it is: on the ninth a stopper's is five weeks old, and on the
sixth that of everybody who will recharge tomorrow is thirty days old.
"""

from datetime import date, datetime, timedelta

import numpy as np
import pytest

from custvalue.churn.outcomes import label
from custvalue.churn.stacking import training_frame
from custvalue.churn.training import train_model
from custvalue.config import ChurnConfig, FeaturesConfig
from custvalue.features import build_features

CUSTOMERS, MONTHS, FIRST = 2_000, 22, date(2023, 1, 1)
AS_OF, KNOWN_AT = date(2024, 8, 1), date(2024, 10, 31)
NIGHTS = [date(2024, 9, day) for day in (1, 6, 9, 17, 25)]
CHURN = ChurnConfig(gap_months=0, horizon_months=1, min_leavers=10, small_leavers=60, snapshots=16, max_rounds=300, bootstrap=50)
FEATURES = FeaturesConfig(windows=(1, 3))


def month_start(number):
    return date(FIRST.year + (FIRST.month - 1 + number) // 12, (FIRST.month - 1 + number) % 12 + 1, 1)


@pytest.fixture(scope="module")
def prepaid(open_folder_of, tmp_path_factory):
    random = np.random.default_rng(5)
    payments, departures = [], []
    for number in range(CUSTOMERS):
        stops = int(random.geometric(0.04))
        for month in range(min(stops, MONTHS)):
            paid = datetime.combine(month_start(month), datetime.min.time()) + timedelta(days=float(random.uniform(4, 7)))
            payments.append({"payment_id": f"P{len(payments)}", "customer_id": f"C{number:04d}", "paid_at": paid, "amount": 30.0})
        left_on = month_start(stops) + timedelta(days=8 + int(random.exponential(60)))
        if left_on < KNOWN_AT:
            departures.append({"customer_id": f"C{number:04d}", "left_on": left_on, "kind": "voluntary"})
    ids = [f"C{number:04d}" for number in range(CUSTOMERS)]
    return open_folder_of(tmp_path_factory.mktemp("prepaid"), ids, departures, bills=("2023-01", "2024-10"), payments=payments)


@pytest.fixture(scope="module")
def nights(prepaid):
    """What was known of each customer on four nights, who had missed the newest recharge, and who left."""
    rows = {}
    for night in NIGHTS:
        features = build_features(prepaid.known(night), prepaid.moment(night), FEATURES).table.to_pandas()
        found = features.merge(label(prepaid, night, KNOWN_AT, CHURN).to_pandas(), on="customer_id").query("outcome <= 1")
        due = date(2024, 9, 5) if night.day > 7 else date(2024, 8, 5)
        rows[night.day] = found.assign(missed=found.days_since_payment >= (night - due).days)
    return rows


def surprises(tables, nights, snapshot_days):
    """Observed minus expected leavers of each night, in binomial standard errors: all, and those who had missed the newest recharge."""
    churn = CHURN.model_copy(update={"snapshot_days": snapshot_days})
    frame, columns, spec_hash = training_frame(tables, AS_OF, churn, FEATURES)
    read = [column for column in columns if column.name == "days_since_payment"]
    model = train_model(frame, read, churn, as_of=AS_OF, feature_spec_hash=spec_hash)
    found = {}
    for day, rows in nights.items():
        chance = model.bundle.calibrator.apply(model.bundle.raw(rows, num_threads=1))
        for group, among in {"all": np.full(len(rows), True), "missed": rows.missed.to_numpy()}.items():
            expected, variance = chance[among].sum(), (chance * (1 - chance))[among].sum()
            found[day, group] = (rows.outcome[among].sum() - expected) / np.sqrt(variance)
    return found


def test_a_model_of_mixed_days_is_calibrated_on_every_day_of_the_month(prepaid, nights):
    found = surprises(prepaid, nights, "mixed")
    assert max(map(abs, found.values())) < 3.5, found


def test_a_model_of_firsts_alone_misses_leavers_on_the_ninth_or_fears_for_stayers_on_the_sixth(prepaid, nights):
    found = surprises(prepaid, nights, "same")
    assert max(abs(found[1, group]) for group in ("all", "missed")) < 3.5, found
    assert found[9, "missed"] > 7 or found[6, "all"] < -7, found
