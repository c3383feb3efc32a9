"""What a saved customer is worth where the time until leaving is known: sums worked out by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import hyp2f1

from custvalue.config import RetentionPolicyConfig
from custvalue.retention import annuity, discounted_months, saved_survival, sensitivity, value_kept


def months(policy: RetentionPolicyConfig, survived, *, gap=1, window=3):
    return saved_survival(np.array(survived), policy, gap_months=gap, window_months=window)


def test_who_is_saved_stays_through_the_window_and_then_leaves_as_foretold(make_policy):
    policy = make_policy(value={"months": 8, "monthly_survival": 0.5, "monthly_discount": 0.0, "margin": 0.5})
    found = months(policy, [[0.9, 0.8, 0.6, 0.4]])  # ends of the months 2 to 5 from tonight; the window is over with the third
    assert found[0].tolist() == pytest.approx([1, 1, 1, 0.75, 0.5, 0.25, 0.125, 0.0625])
    assert discounted_months(found, policy) == pytest.approx([4.6875])


def test_beyond_what_the_model_sees_the_policy_holds(make_policy):
    policy = make_policy(value={"months": 5, "monthly_survival": 0.9, "monthly_discount": 0.0})
    assert months(policy, [[0.5, 0.4]], window=4)[0].tolist() == pytest.approx([1, 1, 1, 1, 0.9])


def test_fewer_months_count_than_the_model_sees(make_policy):
    policy = make_policy(value={"months": 2, "monthly_survival": 0.9, "monthly_discount": 0.0})
    assert months(policy, [[0.9, 0.8, 0.6]], gap=0, window=1).tolist() == [[1.0, pytest.approx(0.8 / 0.9)]]


def test_with_the_policy_s_own_survival_the_value_is_as_without_a_model(make_policy):
    policy = make_policy(value={"months": 24, "monthly_survival": 0.97, "monthly_discount": 0.01})
    survived = [[0.97**month for month in range(1, 7)]]
    found = discounted_months(months(policy, survived, gap=0, window=0), policy)
    assert found == pytest.approx([annuity(policy)], rel=1e-12)
    assert value_kept([80.0], policy, found) == pytest.approx(value_kept([80.0], policy))


@pytest.mark.parametrize(("alpha", "beta", "discount"), [(0.67, 3.81, 0.1), (1.0, 19.0, 0.08)])
def test_discounted_months_of_leaving_that_slows_down_are_those_of_fader_and_hardie(make_policy, alpha, beta, discount):
    # contractual customers whose chances of leaving follow a Beta (2010): the sum is 2F1(1, beta; alpha + beta; 1 / (1 + r))
    periods = np.arange(1, 400)
    survived = np.cumprod((beta + periods - 1) / (alpha + beta + periods - 1))[None, :]
    found = discounted_months(survived, make_policy(value={"monthly_discount": discount}))
    assert 1 + found == pytest.approx([hyp2f1(1, beta, alpha + beta, 1 / (1 + discount))], rel=1e-9)


@given(
    hazard=st.lists(st.floats(0.001, 0.5), min_size=1, max_size=8),
    gap=st.integers(0, 3),
    window=st.integers(1, 12),
    worse=st.floats(1.0, 2.0),
)
def test_saved_survival_is_a_chance_that_never_rises_and_more_hazard_is_worth_less(policy, hazard, gap, window, worse):
    survived = np.cumprod(1 - np.array([hazard, [each * worse for each in hazard]]), axis=1)
    found = months(policy, survived, gap=gap, window=window)
    assert found.shape == (2, policy.value.months)
    assert ((found >= 0) & (found <= 1)).all()
    assert (np.diff(found, axis=1) <= 1e-12).all()
    steady, risky = discounted_months(found, policy)
    assert risky <= steady + 1e-9


def test_deciding_and_sensitivity_use_each_customer_s_own_months(make_scores, policy, decide_on):
    decided = decide_on(make_scores(customer_id=["short", "long"]).assign(value_months=[9.0, 12.0]), policy)
    assert decided.set_index("customer_id").value_at_stake.to_dict() == {"short": 450.0, "long": 600.0}
    assert sensitivity(decided, policy)["save_as_set"] == pytest.approx(decided.net_value.sum())
