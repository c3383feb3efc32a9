"""One pass in order, while slots, stock and money last; the price of money puts the order right."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from custvalue.retention.contest import contest_of, desk_of, pairs_of
from custvalue.retention.filling import Outcome, Supply, fill
from custvalue.retention.spending import price_of_money

from .decided import catalogue, decided, duty

people = st.tuples(
    st.integers(-2, 12), st.integers(1, 6), st.sampled_from(["contact", "contact", "holdout"]), st.sampled_from(["M1", "M2"])
)


def filled(rows, policy, budget, price):
    contest = contest_of(rows.assign(lines=1), policy)
    supply = Supply(np.array([3] * len(contest.lists)), np.array([np.inf]), budget, contest.pool, desk_of(contest, duty(policy)))
    outcome = Outcome.of(len(contest.rows))
    fill(pairs_of(contest, price, several=True), supply, outcome, first=False)
    return contest.rows[outcome.offer >= 0]


@given(base=st.lists(people, min_size=1, max_size=12), budget=st.integers(0, 20), price=st.sampled_from([0.0, 0.7, 2.0]))
def test_with_little_money_would_be_listed_is_who_would_be_listed_if_he_alone_were_called(make_policy, base, budget, price):
    policy = make_policy(offers=catalogue(a=None))
    net, cost, arms, managers = zip(*base, strict=True)
    rows = decided([float(each) for each in net], contact_cost=[float(each) for each in cost], arm=list(arms), manager_id=list(managers))
    found = filled(rows, policy, float(budget), price)
    called = rows[rows["arm"] == "contact"]
    for customer in rows.loc[rows["arm"] != "contact", "customer_id"]:
        alone = rows[rows["customer_id"] == customer].assign(arm="contact")
        listed = filled(pd.concat([called, alone]), policy, float(budget), price)
        assert (customer in set(found["customer_id"])) == (customer in set(listed["customer_id"]))
    assert found.loc[found["arm"] == "contact", "contact_cost"].sum() <= budget


def test_price_of_money_is_nothing_where_it_suffices():
    worth, cost = np.array([[5.0], [4.0], [3.0]]), np.array([[2.0], [2.0], [2.0]])
    assert price_of_money(worth, cost, np.zeros(3, dtype=np.int64), np.array([2]), 4.0) == 0


def test_price_of_money_is_the_yield_of_the_first_contact_it_does_not_pay_for():
    # yields 5, 3, 2 and 1 a unit: with money for the first two the price lies at that of the third
    worth, cost = np.array([[5.0], [6.0], [4.0], [1.0]]), np.array([[1.0], [2.0], [2.0], [1.0]])
    assert price_of_money(worth, cost, np.zeros(4, dtype=np.int64), np.array([9]), 4.0) == pytest.approx(2.0)


def test_price_of_money_makes_a_cheaper_offer_better():
    # the dear offer earns 10 for 8, the cheap one 6 for 2: from a price of 2/3 on the cheap one is better
    worth, cost = np.array([[10.0, 6.0]] * 2), np.array([[8.0, 2.0]] * 2)
    price = price_of_money(worth, cost, np.zeros(2, dtype=np.int64), np.array([2]), 4.0)
    assert price == pytest.approx(2 / 3)
