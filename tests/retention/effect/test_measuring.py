"""A campaign as a whole: money by hand, the naive comparison that misleads, and what is not known."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from custvalue.errors import DataError
from custvalue.retention.effect import measure


def campaign(seed=1, size=6000):
    random = np.random.default_rng(seed)
    listed = random.random(size) < 0.8
    left = (random.random(size) < np.where(listed, 0.06, 0.10)).astype(float)
    before = random.lognormal(3.5, 0.5, size)
    frame = pd.DataFrame({"listed": listed, "left": left, "revenue_before": before, "revenue": before * (1 - 0.5 * left)})
    return frame.assign(unit=frame.index, stratum="all", contact_cost=2.0 * listed, offer_cost=5.0 * listed * (before > 60))


def test_money_is_the_margin_of_what_was_kept_less_what_was_spent():
    frame = campaign()
    found = measure(frame, margin=0.4, resamples=99)
    listed = int(frame.listed.sum())
    assert found.money.revenue.value == pytest.approx(found.revenue.value * listed)
    assert found.money.contacts == 2.0 * listed
    spent = frame.loc[frame.listed, ["contact_cost", "offer_cost"]].to_numpy().sum()
    assert found.money.net.value == pytest.approx(0.4 * found.money.revenue.value - spent)
    assert found.money.net.low < found.money.net.value < found.money.net.high
    assert found.kept.value == pytest.approx(-found.left.value * listed)
    assert found.kept.low <= found.kept.value <= found.kept.high


def test_the_riskiest_leave_more_often_though_the_calls_work():
    frame = campaign()
    others = np.random.default_rng(2).random(20_000) < 0.01  # nobody lists those who stay anyway
    found = measure(frame, others_left=others, resamples=99)
    assert found.judgement.verdict == "works"
    assert found.naive.others.low > 0


def test_what_nobody_recorded_is_not_known():
    found = measure(campaign().drop(columns=["revenue", "revenue_before", "contact_cost", "offer_cost"]), resamples=99)
    assert found.money is None
    assert not found.revenue.known
    assert not found.complier.known
    assert not found.naive.others.known


def test_managers_that_were_randomised_are_what_counts():
    frame = campaign()
    frame["manager_id"] = np.where(frame.listed, "listed-", "held-") + (frame.index % 8).astype(str)
    by_unit, by_manager = (measure(frame, cluster=name, resamples=99) for name in ("unit", "manager_id"))
    assert by_manager.left.value == pytest.approx(by_unit.left.value)
    assert by_manager.left.degrees < 15 < by_unit.left.degrees


def test_a_campaign_without_a_holdout_is_refused_in_plain_words():
    frame = campaign()
    with pytest.raises(DataError, match=r"0 were held out.*hold out a larger share"):
        measure(frame[frame.listed])
    with pytest.raises(DataError, match="column stratum is missing"):
        measure(frame.drop(columns="stratum"))
