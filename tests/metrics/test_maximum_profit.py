"""MP and EMPC against published numbers, another package, numeric integration and hand calculation."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import trapezoid
from scipy.stats import beta as beta_distribution

from custvalue.errors import ConfigError
from custvalue.metrics import empc, empc_score, mp, mp_score

# Outcomes, scores and results of the tests of the proflogit package (github.com/estripling/proflogit), defaults of the paper.
OUTCOMES = [1, 1, 0, 0, 0, 1, 1, 1, 1, 0]
SCORES = [0.6125478, 0.3642710, 0.4321361, 0.1402911, 0.3848959, 0.2444155, 0.9706413, 0.8901728, 0.7817814, 0.8687518]

TERMS = st.fixed_dictionaries(
    {
        "value": st.floats(20, 400),
        "offer": st.floats(0, 30),
        "contact_cost": st.floats(0, 10),
        "alpha": st.floats(1, 9),
        "beta": st.floats(1, 20),
    }
)
ROWS = st.lists(st.tuples(st.booleans(), st.sampled_from([0.1, 0.2, 0.5, 0.6, 0.9])), min_size=1, max_size=25)


def split(rows):
    return np.array([int(left) for left, _ in rows]), np.array([score for _, score in rows])


def best_by_trying(y, p, save, *, value, offer, contact_cost):
    """Profit a customer, and share, at the best of all thresholds for each chance to save, from the paper's formula."""
    thresholds = np.r_[np.inf, np.unique(p)]
    leavers, stayers = (np.array([np.mean((p >= cut) & (y == outcome)) for cut in thresholds]) for outcome in (1, 0))
    delta, phi = offer / value, contact_cost / value
    profit = value * ((np.reshape(save, (-1, 1)) * (1 - delta) - phi) * leavers - (delta + phi) * stayers)
    best = profit.argmax(axis=1)
    return profit.max(axis=1), (leavers + stayers)[best]


@pytest.mark.parametrize(
    ("changed", "published"),
    [
        ({}, 30.3003222629848),
        ({0: 0.287577520124614}, 30.3001182343737),
        ({0: 0.287577520124614, 6: 0.113703411305323}, 29.2002764792561),
    ],
)
def test_empc_is_the_published_one(changed, published):
    scores = [changed.get(place, score) for place, score in enumerate(SCORES)]
    assert empc_score(OUTCOMES, scores) == pytest.approx(published, abs=1e-12)


@pytest.mark.parametrize(
    ("y", "p", "published"),
    [([0, 1], [0, 1], 28.0000000000391), ([0, 1], [1, 0], 22.5007912244511), ([1, 0], [0.5, 0.5], 22.5007912244511)],
)
def test_empc_of_perfect_reversed_and_tied_scores_is_the_published_one(y, p, published):
    assert empc_score(y, p) == pytest.approx(published, abs=1e-12)


@pytest.mark.parametrize(
    ("terms", "profit", "share"),
    [
        ({}, 23.875593418348124, 0.8743700763487141),
        ({"value": 100, "offer": 30, "contact_cost": 5}, 2.0062128267844965, 0.12968529158634168),
        ({"alpha": 2, "beta": 5}, 22.59691456754823, 0.8371122307765237),
    ],
)
def test_empc_and_its_share_are_those_of_another_package(terms, profit, share):
    """empulse 0.13.1, through benchmarks/profit.py."""
    found = empc([0, 1, 0, 1, 0, 1, 0, 1], [0.1, 0.2, 0.3, 0.4, 0.5, 0.7, 0.8, 0.9], **terms)
    assert found == pytest.approx((profit, share), rel=1e-12)


@settings(max_examples=25)
@given(ROWS, TERMS)
def test_empc_is_the_integral_over_the_best_of_all_thresholds(rows, terms):
    y, p = split(rows)
    alpha, beta = terms.pop("alpha"), terms.pop("beta")
    save = np.linspace(0, 1, 4_001)
    profit = best_by_trying(y, p, save, **terms)[0]
    integral = trapezoid(profit * beta_distribution(alpha, beta).pdf(save), save)
    found = empc(y, p, **terms, alpha=alpha, beta=beta)
    assert found.profit == pytest.approx(integral, abs=1e-4 * terms["value"])
    assert 0 <= found.share <= 1 + 1e-12


def test_the_share_is_the_mean_of_the_best_shares():
    random = np.random.default_rng(1)
    p = np.round(random.random(200), 2)
    y = (random.random(200) < 0.4 * p).astype(int)
    shares = best_by_trying(y, p, random.beta(6, 14, 20_000), value=200, offer=10, contact_cost=1)[1]
    assert empc(y, p).share == pytest.approx(shares.mean(), abs=4 * shares.std() / np.sqrt(shares.size))


def test_mp_by_hand():
    """A leaver earns 0.3 · 190 − 1 = 56 and a stayer costs 11: 56, 45, 101, 90 in order of the score, over four customers."""
    y, p = [1, 0, 1, 0], [0.9, 0.8, 0.7, 0.1]
    assert mp(y, p) == pytest.approx((101 / 4, 0.75))
    assert mp_score(y, p) == pytest.approx(101 / 4)


def test_mp_with_values_and_costs_by_customer():
    """V, d and f by customer: 0.5 · (100 − 20) − 2 = 38 for the first, −(4 + 1) for the second, 0.5 · (20 − 2) − 12 = −3 for the third."""
    found = mp([1, 0, 1], [0.9, 0.8, 0.7], value=[100, 90, 20], offer=[20, 4, 2], contact_cost=[2, 1, 12], save=0.5)
    assert found == pytest.approx((38 / 3, 1 / 3))


@given(ROWS, TERMS)
def test_knowing_the_chance_to_save_only_later_costs_something(rows, terms):
    """The best threshold for each γ earns at least what one threshold for their mean earns (Jensen)."""
    y, p = split(rows)
    mean = terms["alpha"] / (terms["alpha"] + terms["beta"])
    fixed = {name: terms[name] for name in ("value", "offer", "contact_cost")}
    assert empc_score(y, p, **terms) >= mp_score(y, p, **fixed, save=mean) - 1e-9
    assert mp_score(y, p, **fixed, save=mean) == pytest.approx(best_by_trying(y, p, mean, **fixed)[0][0], abs=1e-9)


def test_nobody_is_contacted_where_the_offer_is_worth_more_than_the_customer():
    assert empc([1, 0], [0.9, 0.1], value=10, offer=20) == (0.0, 0.0)
    assert mp([1, 0], [0.9, 0.1], value=10, offer=20) == (0.0, 0.0)


def test_a_better_ranking_earns_more_and_the_order_of_rows_nothing():
    random = np.random.default_rng(3)
    truth = random.beta(1, 6, 2_000)
    y = (random.random(truth.size) < truth).astype(int)
    blurred = truth + random.normal(0, 0.2, truth.size)
    mixed = random.permutation(truth.size)
    assert empc_score(y, y) > empc_score(y, truth) > empc_score(y, blurred) > empc_score(y, np.zeros(y.size))
    assert empc(y[mixed], np.round(truth, 1)[mixed]) == pytest.approx(empc(y, np.round(truth, 1)), rel=1e-12)


@pytest.mark.parametrize("terms", [{"value": 0}, {"offer": -1}, {"contact_cost": float("nan")}, {"alpha": 0}, {"beta": -2}])
def test_refuses_terms_that_make_no_sense(terms):
    (name,) = terms
    with pytest.raises(ConfigError, match=f"{name} must be a number"):
        empc([0, 1], [0.1, 0.9], **terms)
