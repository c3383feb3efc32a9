"""Where share-of-base cuts lie, against numpy's quantiles and by counting."""

import numpy as np
import pytest

from custvalue.errors import DataError

ONLY_ARPU = {"arpu": {"metric": "revenue_mean_3m", "points_per_unit": 1.0}}


@pytest.fixture
def share_policy(make_policy, shares):
    return make_policy(cuts=shares, components=ONLY_ARPU)


@pytest.mark.parametrize("count", [2, 3, 7, 10, 101, 1000])
def test_customers_at_or_above_a_cut_differ_from_the_asked_share_by_less_than_one(share_policy, make_features, assigned, count):
    revenue = np.random.default_rng(count).permutation(np.arange(1.0, count + 1))
    tiers = assigned(share_policy, make_features(revenue_mean_3m=revenue))["tier"]
    gold, silver = (tiers == "gold").sum(), (tiers == "silver").sum()
    assert abs(gold - 0.1 * count) <= 1
    assert abs(gold + silver - 0.4 * count) <= 1


def test_cuts_are_numpys_linear_quantiles_of_the_rated(share_policy, make_features, as_of):
    rng = np.random.default_rng(3)
    revenue, tenure = rng.lognormal(3.6, 0.7, 500).round(4), rng.integers(0, 60, 500).astype(float)
    fitted = share_policy.fit(make_features(revenue_mean_3m=revenue, tenure_months=tenure), as_of=as_of)
    rated = revenue[tenure >= 6]
    assert fitted.rated == len(rated)
    np.testing.assert_allclose(list(fitted.cuts["points"].values()), np.quantile(rated, [0.9, 0.6]), rtol=0, atol=5.1e-7)
    assert list(fitted.cuts["points"]) == ["gold", "silver"]


def test_unrated_customers_do_not_move_the_cuts(share_policy, make_features, as_of):
    few = make_features(revenue_mean_3m=np.arange(50.0))
    more = make_features(revenue_mean_3m=[*np.arange(50.0), *[9e6] * 50], tenure_months=[12.0] * 50 + [1.0] * 50)
    assert share_policy.fit(few, as_of=as_of).cuts == share_policy.fit(more, as_of=as_of).cuts


def test_equal_scores_stay_together_in_the_highest_tier_and_this_is_logged(share_policy, make_features, as_of):
    features, lines = make_features(revenue_mean_3m=[25.0] * 9), []
    fitted = share_policy.fit(features, as_of=as_of, log=lines.append)
    tiers = fitted.assign(features, as_of=as_of).execute()["tier"]
    assert set(tiers) == {"gold"}
    assert lines == ["tier policy test-v1: many equal scores, so gold takes all of silver (cut 25)"]


def test_stored_cuts_are_applied_to_a_later_base_as_they_are(share_policy, make_features, as_of):
    fitted = share_policy.fit(make_features(revenue_mean_3m=np.arange(1.0, 102.0)), as_of=as_of)
    richer = make_features(revenue_mean_3m=np.arange(1001.0, 1102.0))
    assert set(fitted.assign(richer, as_of=as_of).execute()["tier"]) == {"gold"}


def test_share_of_nobody_is_refused(share_policy, make_features, as_of):
    with pytest.raises(DataError, match="nobody in the feature table is rated"):
        share_policy.fit(make_features(tenure_months=[1.0, 2.0]), as_of=as_of)


def test_thresholds_need_nobody_rated(make_policy, make_features, as_of):
    fitted = make_policy().fit(make_features(tenure_months=[1.0]), as_of=as_of)
    assert (fitted.cuts, fitted.rated, fitted.fitted_as_of) == ({"points": {"gold": 100.0, "silver": 50.0}}, 0, as_of)
