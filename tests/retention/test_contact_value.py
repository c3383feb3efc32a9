"""Money formulas against numbers worked out by hand and the published defaults."""

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from custvalue.retention import (
    annuity,
    break_even,
    contact_value,
    offer_cost,
    policy_contact_value,
    risk_band,
    value_kept,
)

EMPC = {"value": 200.0, "offer": 10.0, "contact_cost": 1.0, "save": 0.3}  # Beta(6, 14) has mean 0.3
DEAR = {"value": 600.0, "offer": 60.0, "contact_cost": 8.0, "save": 0.12}


@pytest.mark.parametrize(("case", "percent"), [(EMPC, 16.4), (DEAR, 54.5)])
def test_textbook_break_even(case, percent):
    assert 100 * break_even(**case) == pytest.approx(percent, abs=0.05)


def test_gross_save_and_harm_at_15_percent():
    free = {"value": 600.0, "offer": 60.0, "contact_cost": 0.0, "take_up": 0.0}
    gross = float(contact_value(0.15, save=0.12, **free))
    assert gross == pytest.approx(9.72)
    assert gross - float(contact_value(0.15, save=0.12, harm=0.01, **free)) == pytest.approx(5.1)


def test_contact_value_with_every_parameter_by_hand():
    # 0.5 * [0.3 * 0.2 * (800 - 50) - 0.7 * (0.4 * 50 + 0.005 * 800)] - 2 = 0.5 * (45 - 16.8) - 2
    got = contact_value(0.3, value=800.0, offer=50.0, contact_cost=2.0, save=0.2, take_up=0.4, harm=0.005, reach=0.5)
    assert float(got) == pytest.approx(12.1)


@given(
    value=st.floats(1, 1e4),
    offer=st.floats(0, 1e3),
    contact_cost=st.floats(0.01, 100),
    save=st.floats(0, 1),
    take_up=st.floats(0, 1),
    harm=st.floats(0, 0.1),
    reach=st.floats(0.01, 1),
)
def test_contact_at_break_even_earns_nothing_and_more_risk_earns_more(**parameters):
    at = break_even(**parameters)
    assume(at <= 1)
    scale = parameters["value"] + parameters["offer"] + parameters["contact_cost"]
    assert float(contact_value(at, **parameters)) == pytest.approx(0, abs=1e-9 * scale)
    assert float(contact_value(min(1.0, at + 0.01), **parameters)) >= -1e-9 * scale


@pytest.mark.parametrize("change", [{"reach": 0.0}, {"offer": 300.0, "take_up": 0.0}, {"save": 0.0, "take_up": 0.0}])
def test_contact_that_can_never_pay_has_no_break_even(change):
    parameters = EMPC | change
    assert math.isinf(break_even(**parameters))
    assert (contact_value(np.linspace(0, 1, 11), **parameters) < 0).all()


def test_annuity_is_the_closed_form_of_the_sum(make_policy):
    value = {"margin": 0.5, "months": 24, "monthly_survival": 0.97, "monthly_discount": 0.01}
    q = 0.97 / 1.01
    assert annuity(make_policy(value=value)) == pytest.approx(q * (1 - q**24) / (1 - q), rel=1e-12)


def test_value_of_a_long_horizon_is_the_contractual_lifetime_value(make_policy):
    # margin * ARPU * s / (1 + r - s), the sum over all months of margin * ARPU * (s / (1 + r))^t (Gupta and Lehmann 2003)
    policy = make_policy(value={"margin": 0.4, "months": 120, "monthly_survival": 0.8, "monthly_discount": 0.02})
    assert value_kept([50.0], policy) == pytest.approx([0.4 * 50 * 0.8 / (1.02 - 0.8)], rel=1e-9)


def test_annuity_of_certain_undiscounted_months_counts_them(policy):
    assert annuity(policy) == pytest.approx(12)


def test_value_and_offer_by_hand_and_no_bill_is_worth_nothing(policy):
    arpu = [100.0, 0.0, -20.0, math.nan]
    assert value_kept(arpu, policy).tolist() == pytest.approx([600.0, 0.0, 0.0, 0.0])
    assert offer_cost(arpu, policy).tolist() == pytest.approx([100.0, 0.0, 0.0, 0.0])


def test_policy_contact_value_puts_every_parameter_in_its_place(policy):
    # V 600, d 100: 0.5 * [0.5 * 0.4 * 500 - 0.5 * (0.25 * 100 + 0.01 * 600)] - 1 = 0.5 * (100 - 15.5) - 1
    assert float(policy_contact_value(0.5, 100.0, policy)) == pytest.approx(41.25)
    assert float(policy_contact_value(0.5, 100.0, policy, save=0.2)) == pytest.approx(0.5 * (50 - 15.5) - 1)


def test_risk_bands_are_multiples_of_the_base_rate():
    bands = risk_band([0.0, 0.0499, 0.05, 0.0999, 0.1, 1.0], base_rate=0.025)
    assert bands.tolist() == ["low", "low", "medium", "medium", "high", "high"]


@pytest.mark.parametrize("rate", [0.0, 1.0, -0.1, math.nan])
def test_risk_bands_need_a_base_rate(rate):
    with pytest.raises(ValueError, match="base rate between 0 and 1"):
        risk_band([0.1], base_rate=rate)
