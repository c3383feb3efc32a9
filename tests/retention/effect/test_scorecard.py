"""The managers' scorecard by hand; teams are judged by their own holdout and nobody by retention."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest

from custvalue.config.scorecard import ScorecardConfig
from custvalue.retention.effect import process_scorecard, team_scorecard

FLAGS = ("due", "contacted_in_time", "contacted", "reached", "to_close", "coded", "opted_out", "complained")


def orders(*rows, manager="M1", day=date(2026, 1, 5)):
    frame = pd.DataFrame([[flag in row for flag in FLAGS] for row in rows], columns=list(FLAGS))
    return frame.assign(manager_id=manager, opened_on=day)


FULL = {"due", "contacted_in_time", "contacted", "reached", "to_close", "coded"}


def test_each_share_has_its_own_base_and_the_score_is_their_weighted_mean():
    found = orders(FULL, FULL - {"coded"}, {"due", "contacted", "to_close", "opted_out"}, {"due"}, set())
    settings = ScorecardConfig(
        first_contact_in_time=3, reach=1, coded_closes=1, call_backs_in_time=5, without_opt_out=1, without_complaint=0, least_orders=5
    )
    row = process_scorecard(found, settings, by="month").iloc[0]
    assert (row["period"], row["manager_id"], row["orders"]) == ("2026-01", "M1", 5)
    assert row["first_contact_in_time"] == 2 / 4
    assert (row["reach"], row["coded_closes"]) == pytest.approx((2 / 3, 1 / 3))
    assert (row["without_opt_out"], row["without_complaint"]) == pytest.approx((2 / 3, 1))
    assert np.isnan(row["call_backs_in_time"])  # nothing is known, so its weight does not count
    assert row["score"] == pytest.approx((3 * 0.5 + 2 / 3 + 1 / 3 + 2 / 3) / 6)


def test_too_few_orders_have_no_score_and_periods_are_cut():
    both = pd.concat([orders(FULL, day=date(2026, 3, 31)), orders(FULL, FULL, day=date(2026, 4, 1))])
    settings = ScorecardConfig(least_orders=2)
    quarters = process_scorecard(both, settings, by="quarter")
    assert quarters["period"].tolist() == ["2026-Q1", "2026-Q2"]
    assert quarters["score"].isna().tolist() == [True, False]
    assert process_scorecard(both, settings, by="year")["orders"].tolist() == [3]


def test_call_backs_count_for_managers_without_orders_too():
    backs = pd.DataFrame({"manager_id": ["M1", "M2", "M2"], "due_on": [date(2026, 1, 9)] * 3, "in_time": [True, True, False]})
    found = process_scorecard(orders(FULL), ScorecardConfig(), by="month", call_backs=backs).set_index("manager_id")
    assert found["call_backs_in_time"].to_dict() == {"M1": 1.0, "M2": 0.5}
    assert found["orders"].to_dict() == {"M1": 1, "M2": 0}


def test_retention_is_no_measure_of_a_manager():
    assert "retention" not in ScorecardConfig.model_fields
    with pytest.raises(ValueError, match="at least one measure"):
        ScorecardConfig(**{name: 0 for name in ScorecardConfig.model_fields if name not in ("least_orders", "complaint_days")})


def test_a_save_has_a_price_only_where_the_team_saves():
    random = np.random.default_rng(1)
    size = 8000
    listed, team = random.random(size) < 0.7, np.where(np.arange(size) % 2, "north", "south")
    rate = np.where(listed & (team == "north"), 0.05, 0.12)
    frame = pd.DataFrame({"listed": listed, "team": team, "left": (random.random(size) < rate).astype(float), "contact_cost": 3.0 * listed})
    frame = frame.assign(unit=frame.index, stratum="all", night=date(2026, 2, 1))
    found = team_scorecard(frame, by="quarter").set_index("group")
    assert found["verdict"].to_dict() == {"north": "works", "south": "cannot_conclude"}
    north = found.loc["north"]
    assert north["cost"] == 3.0 * (listed & (team == "north")).sum()
    assert north["cost_per_save"] == pytest.approx(north["cost"] / (-north["effect"] * north["listed"]))
    assert np.isnan(found.loc["south", "cost_per_save"])
