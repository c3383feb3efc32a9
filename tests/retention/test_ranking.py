"""Capacity, managers and order of the lists."""

from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from custvalue.errors import DataError
from custvalue.retention import DECISIONS, POOL, WAITING, Duty, choose, decide, rank, sensitivity


def lists(ranking):
    return ranking.listed.groupby("manager_id")["customer_id"].agg(list).to_dict()


def test_worthiest_contacts_come_first_up_to_capacity(policy, make_scores, as_of):
    # at p 0.5 the net value is 0.4225 * ARPU - 1, so ARPU orders the list
    ranking = rank(make_scores(arpu=[50.0, 200.0, 100.0, 20.0]), policy=policy, as_of=as_of)
    assert lists(ranking) == {"M1": ["c0001", "c0002"]}
    assert ranking.listed["priority"].tolist() == [1, 2]
    assert ranking.listed["net_value"].tolist() == pytest.approx([83.5, 41.25])
    assert ranking.considered["decision"].tolist() == ["over_capacity", "listed", "listed", "over_capacity"]


def test_value_counts_not_probability_alone(policy, make_scores, as_of):
    ranking = rank(make_scores(arpu=[20.0, 300.0], probability=[0.9, 0.4]), policy=policy, as_of=as_of)
    assert lists(ranking) == {"M1": ["c0001", "c0000"]}


def test_ties_go_by_customer_id(policy, make_scores, as_of):
    ranking = rank(make_scores(customer_id=["b", "c", "a"]), policy=policy, as_of=as_of)
    assert lists(ranking) == {"M1": ["a", "b"]}


def test_columns_of_the_scores_are_carried_along(policy, make_scores, as_of):
    ranking = rank(make_scores(region=["north"], care_priority=[2]), policy=policy, as_of=as_of)
    row = ranking.listed.iloc[0]
    assert (row["region"], row["care_priority"], row["value_at_stake"], row["offer_cost"]) == ("north", 2, 600.0, 100.0)


@pytest.mark.parametrize("missing", [None, np.nan, "column"])
def test_customers_without_a_manager_compete_for_the_pool(policy, make_scores, as_of, missing):
    scores = make_scores(arpu=[10.0, 20.0, 30.0], manager_id=[missing] * 3)
    ranking = rank(scores.drop(columns="manager_id") if missing == "column" else scores, policy=policy, as_of=as_of)
    assert lists(ranking) == {POOL: ["c0002", "c0001"]}
    assert ranking.considered["own_manager_id"].isna().all()


MANAGERS = pd.DataFrame(
    [
        ("M1", date(2025, 1, 1), 5.0, None, None),
        ("M1", date(2025, 6, 1), 1.0, None, None),
        ("M1", date(2026, 2, 1), 9.0, None, None),  # not known yet
        ("M2", date(2025, 1, 1), None, None, None),  # no capacity of its own
        ("M3", date(2025, 1, 1), 0.0, None, None),
        ("M4", date(2026, 2, 1), 9.0, None, None),  # begins later
    ],
    columns=["manager_id", "valid_from", "daily_capacity", "absent_from", "absent_to"],
)


def test_capacity_is_the_latest_known_else_the_policys(policy, make_scores, as_of):
    managers = [f"M{1 + i % 5}" for i in range(50)]
    lines = []
    ranking = rank(make_scores(manager_id=managers), policy=policy, managers=MANAGERS, as_of=as_of, log=lines.append)
    assert ranking.listed["manager_id"].value_counts().to_dict() == {"M1": 1, "M2": 2, "M4": 2, "M5": 2}
    assert "2 managers are not in the managers table: they get the policy's capacity" in lines


@pytest.mark.parametrize(
    ("absent_from", "absent_to", "away"),
    [
        (date(2025, 12, 20), date(2026, 1, 1), True),  # the last day counts
        (date(2026, 1, 1), date(2026, 1, 5), True),
        (date(2025, 12, 20), date(2025, 12, 31), False),
        (date(2026, 1, 2), date(2026, 1, 5), False),
        (date(2025, 12, 20), None, True),  # until further notice
        (None, date(2026, 1, 3), True),
        (None, None, False),
    ],
)
def test_customers_of_an_absent_manager_compete_for_the_pool(policy, make_scores, as_of, absent_from, absent_to, away):
    managers = pd.DataFrame({"manager_id": ["M1"], "daily_capacity": [3], "absent_from": [absent_from], "absent_to": [absent_to]})
    scores = make_scores(arpu=[10.0, 20.0, 30.0, 40.0])
    ranking = rank(scores, policy=policy, managers=managers, as_of=as_of)
    expected = {POOL: ["c0003", "c0002"]} if away else {"M1": ["c0003", "c0002", "c0001"]}
    assert lists(ranking) == expected
    assert set(ranking.listed["own_manager_id"]) == {"M1"}


def test_managers_row_called_unassigned_sets_the_pools_capacity(policy, make_scores, as_of):
    managers = pd.DataFrame({"manager_id": [POOL], "daily_capacity": [1]})
    ranking = rank(make_scores(manager_id=[None, None, None]), policy=policy, managers=managers, as_of=as_of)
    assert lists(ranking) == {POOL: ["c0000"]}


def test_manager_twice_for_one_day_is_refused(policy, make_scores, as_of):
    twice = pd.concat([MANAGERS.head(1), MANAGERS.head(1)])
    with pytest.raises(DataError, match="managers: 1 rows stand there twice"):
        rank(make_scores(arpu=[1.0]), policy=policy, managers=twice, as_of=as_of)


def test_negative_capacity_is_refused(policy, make_scores, as_of):
    wrong = MANAGERS.head(1).assign(daily_capacity=-1)
    with pytest.raises(DataError, match="1 rows have a negative daily_capacity"):
        rank(make_scores(arpu=[1.0]), policy=policy, managers=wrong, as_of=as_of)


customers = st.fixed_dictionaries(
    {
        "probability": st.floats(0, 1),
        "tier": st.sampled_from(["gold", "gold", "gold", "silver", "basic", "unrated"]),
        "arpu": st.none() | st.floats(-50, 500),
        "manager_id": st.none() | st.sampled_from(["M1", "M2", "M3", "M9"]),
        "marketing_consent": st.sampled_from([True, True, True, False, None]),
        "port_authorised": st.sampled_from([False, False, False, True, None]),
    }
)
bases = st.lists(customers, min_size=1, max_size=60).map(
    lambda rows: pd.DataFrame(rows).assign(customer_id=[f"c{i:03d}" for i in range(len(rows))])
)
SOME = settings(max_examples=40, deadline=None)


@SOME
@given(scores=bases)
def test_nobody_is_dropped_silently(policy, scores):
    ranking = rank(scores, policy=policy, managers=MANAGERS, as_of=date(2026, 1, 1))
    assert sum(ranking.counts.values()) == len(scores)
    assert ranking.considered["customer_id"].tolist() == scores["customer_id"].tolist()
    assert set(ranking.considered["decision"]) <= set(DECISIONS)
    assert ranking.counts["listed"] == len(ranking.listed)


@SOME
@given(scores=bases)
def test_lists_hold_only_the_allowed_and_nobody_worthier_waits(policy, scores):
    ranking = rank(scores, policy=policy, managers=MANAGERS, as_of=date(2026, 1, 1))
    listed, waiting = ranking.listed, ranking.considered.query("decision == 'over_capacity'")
    capacity = {"M1": 1, "M2": 2, "M3": 0, "M9": 2, POOL: 2}
    for manager, rows in listed.groupby("manager_id"):
        assert len(rows) <= capacity[manager]
        assert rows["priority"].tolist() == list(range(1, len(rows) + 1))
        assert rows["net_value"].is_monotonic_decreasing
    assert (listed["net_value"] > 0).all()
    assert (listed["tier"] == "gold").all()
    assert (listed["marketing_consent"].astype("boolean")).all()
    assert not listed["port_authorised"].astype("boolean").fillna(False).any()
    for manager, rows in waiting.groupby("manager_id"):
        chosen = listed[listed["manager_id"] == manager]
        assert len(chosen) == capacity[manager]
        assert chosen["net_value"].min() >= rows["net_value"].max() or capacity[manager] == 0


@SOME
@given(scores=bases, data=st.data())
def test_lists_chosen_from_parts_are_those_chosen_from_the_whole(policy, scores, data):
    duty = Duty.of(MANAGERS, policy, as_of=date(2026, 1, 1))
    decided = decide(scores, policy=policy, duty=duty)
    waiting = decided.loc[decided.decision == WAITING, ["customer_id", "manager_id", "net_value"]]
    part = np.array(data.draw(st.lists(st.integers(0, 3), min_size=len(waiting), max_size=len(waiting))), dtype=int)
    chosen = pd.concat([choose(waiting[part == number], duty) for number in range(4)])
    pd.testing.assert_frame_equal(choose(chosen.drop(columns="priority"), duty), choose(waiting, duty), check_index_type=False)


@SOME
@given(scores=bases, seed=st.integers(0, 2**16))
def test_order_of_the_rows_does_not_matter(policy, scores, seed):
    shuffled = scores.sample(frac=1, random_state=np.random.default_rng(seed))
    first, second = (rank(each, policy=policy, as_of=date(2026, 1, 1)).listed for each in (scores, shuffled))
    assert first["customer_id"].tolist() == second["customer_id"].tolist()


def test_base_of_which_nobody_is_worth_a_contact_gives_empty_lists(policy, make_scores, as_of):
    ranking = rank(make_scores(arpu=[None, 0.0]), policy=policy, as_of=as_of)
    assert len(ranking.listed) == 0
    assert {"manager_id", "priority", "net_value", "value_at_stake"} <= set(ranking.listed.columns)
    assert (ranking.counts["arpu_unknown"], ranking.counts["not_worth_a_contact"]) == (1, 1)


def test_sensitivity_recomputes_the_lists_net_value_by_hand(policy, make_scores, as_of):
    listed = rank(make_scores(arpu=[100.0, 200.0]), policy=policy, as_of=as_of).listed
    # 300 of ARPU at p 0.5: saves 0.5 * 0.5 * save * 1500, costs 0.5 * 0.5 * 0.31 * 300 + 2
    result = sensitivity(listed, policy)
    assert result["save_as_set"] == pytest.approx(375 * 0.4 - 25.25)
    assert result["save_halved"] == pytest.approx(375 * 0.2 - 25.25)
    assert result["save_doubled"] == pytest.approx(375 * 0.8 - 25.25)
    assert result["break_even_save"] == pytest.approx(25.25 / 375)
    assert result["save_as_set"] == pytest.approx(listed["net_value"].sum())


def test_sensitivity_stops_at_certainty_and_bears_an_empty_list(make_policy, make_scores, as_of):
    sure = make_policy(save=0.8)
    listed = rank(make_scores(arpu=[100.0]), policy=sure, as_of=as_of).listed
    assert sensitivity(listed, sure)["save_doubled"] == pytest.approx(0.25 * 500 - 0.25 * 31 - 1)
    empty = sensitivity(listed.head(0), sure)
    assert empty["save_as_set"] == 0
    assert np.isnan(empty["break_even_save"])
