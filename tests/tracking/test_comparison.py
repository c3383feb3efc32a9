"""Two versions on the same rows, against scikit-learn and against sums done by hand."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import log_loss, roc_auc_score

from custvalue.tracking.comparison import compare
from custvalue.tracking.judged import JudgedRows, without_identities

from .conftest import judged_rows


def compared(rows, **how):
    judged = judged_rows() if rows is None else rows
    return compare(judged.rows, judged.slices, challenger="probability", champion="rival", capacity_share=judged.capacity_share, **how)


@pytest.fixture(scope="module")
def noisy():
    return judged_rows(noise=0.8, rival=object())


def test_a_model_against_itself_differs_in_nothing():
    judged = judged_rows(rival=object())
    found = compared(JudgedRows(judged.rows.assign(probability=judged.rows["rival"]), 0.1, judged.learnt_until))
    for interval in (found.log_loss, found.auc_drop, found.profit_drop, *found.slices.values()):
        assert (interval.value, interval.low, interval.high) == pytest.approx((0, 0, 0), abs=1e-12)
    assert found.overlap == 1
    assert set(found.slices) == {"tier basic", "tier gold"}


def test_measures_are_scikit_learns(noisy):
    found, rows = compared(noisy), noisy.rows
    y, new, old = rows["y"], rows["probability"], rows["rival"]
    assert found.log_loss.value == pytest.approx(log_loss(y, new) / log_loss(y, old) - 1)
    assert found.auc_drop.value == pytest.approx(roc_auc_score(y, old) - roc_auc_score(y, new))
    gold = rows["slice_tier"] == "gold"
    assert found.slices["tier gold"].value == pytest.approx(log_loss(y[gold], new[gold]) / log_loss(y[gold], old[gold]) - 1)
    assert (found.rows, found.leavers) == (1800, int(y.sum()))


def test_intervals_are_those_of_a_plain_bootstrap_by_customer(noisy):
    found, rows = compared(noisy, resamples=300), noisy.rows
    random, customers = np.random.default_rng(3), rows["customer"].nunique()
    losses, drops = [], []
    for _ in range(100):
        drawn = np.bincount(random.integers(customers, size=customers), minlength=customers)[rows["customer"]]
        loss, area = (
            [measure(rows["y"], rows[p], sample_weight=drawn) for p in ("probability", "rival")] for measure in (log_loss, roc_auc_score)
        )
        losses.append(loss[0] / loss[1] - 1)
        drops.append(area[1] - area[0])
    for interval, plain in ((found.log_loss, losses), (found.auc_drop, drops)):
        assert interval.high - interval.low == pytest.approx(3.92 * np.std(plain), rel=0.35)
        assert interval.low < np.mean(plain) < interval.high


def test_pairing_sees_what_two_intervals_cannot():
    found = compared(judged_rows(noise=0.5, rival=object()))
    rows = judged_rows(noise=0.5).rows
    alone = 3.92 * np.std(-np.log(np.where(rows["y"] == 1, rows["probability"], 1 - rows["probability"]))) / np.sqrt(len(rows))
    assert found.log_loss.low > 0
    assert found.log_loss.high - found.log_loss.low < alone


def hand_made():
    """Ten customers on one day; two can be called. Whoever leaves and is called earns 100, whoever stays costs 5."""
    rows = pd.DataFrame(
        {
            "snapshot": pd.Timestamp("2025-10-01"),
            "customer": range(10),
            "y": [1, 0, 1, 0, 0, 0, 0, 0, 0, 0],
            "probability": [0.9, 0.8, 0.1, *[0.05] * 7],
            "rival": [0.9, 0.1, 0.8, *[0.05] * 7],
            "worth_left": 100.0,
            "worth_stayed": -5.0,
        }
    )
    return JudgedRows(rows, 0.2, pd.Timestamp("2025-06-01").date())


def test_profit_and_overlap_by_hand():
    found = compared(hand_made())
    assert found.champion_profit == 200
    assert found.profit_drop.value == 200 - 95
    assert found.overlap == 0.5


def test_nobody_is_called_at_a_loss():
    judged = hand_made()
    found = compared(JudgedRows(judged.rows.assign(worth_left=1.0, worth_stayed=-50.0), 0.2, judged.learnt_until))
    assert found.champion_profit == 0
    assert found.profit_drop.value == 0


def test_without_a_value_of_customers_there_is_no_profit():
    judged = hand_made()
    assert compared(JudgedRows(judged.rows.drop(columns="worth_left"), 0.2, judged.learnt_until)).profit_drop is None


def test_rows_kept_for_promotion_lead_back_to_nobody():
    rows = pd.DataFrame({"customer": [f"C{number:03d}" for number in range(200)] * 2, "y": 0, "probability": np.arange(400) / 400})
    kept = without_identities(rows, seed=7)
    assert kept["customer"].dtype == np.int32
    assert not kept["probability"].is_monotonic_increasing
    assert kept.groupby("customer").size().eq(2).all()
    # the order of ids and the numbers have nothing to do with each other
    order = kept.sort_values("probability").head(200)["customer"].to_numpy()
    assert abs(np.corrcoef(order, np.arange(200))[0, 1]) < 0.2
    pairs = kept.groupby("customer")["probability"].agg(lambda values: round(abs(values.iloc[0] - values.iloc[1]), 6))
    assert set(pairs) == {0.5}
