"""A real randomised campaign: arm means and differences as they are published for Hillstrom's e-mail test."""

from __future__ import annotations

import pandas as pd
import pytest
from scipy import stats

from custvalue.retention.effect import Design, adjusted_difference, complier_effect, intention_to_treat, judge

PUBLISHED = {
    "Mens E-Mail": {"visit": 0.183, "conversion": 0.0125, "spend": 1.42},
    "Womens E-Mail": {"visit": 0.151, "conversion": 0.0088, "spend": 1.08},
    "No E-Mail": {"visit": 0.106, "conversion": 0.0057, "spend": 0.65},
}


@pytest.fixture(scope="module")
def customers(data_folder, require_part):
    path = data_folder / "hillstrom" / "hillstrom.csv.gz"
    require_part("Hillstrom's e-mail test (CUSTVALUE_DATA)", path.is_file())
    return pd.read_csv(path)


def arms(customers, segment):
    own = customers[customers["segment"].isin([segment, "No E-Mail"])].reset_index(drop=True)
    return own, own["segment"] == segment


def test_the_data_are_those_that_were_published(customers):
    means = customers.groupby("segment")[["visit", "conversion", "spend"]].mean()
    for segment, published in PUBLISHED.items():
        assert means.loc[segment, "visit"] == pytest.approx(published["visit"], abs=0.0005)
        assert means.loc[segment, "conversion"] == pytest.approx(published["conversion"], abs=0.00005)
        assert means.loc[segment, "spend"] == pytest.approx(published["spend"], abs=0.005)


@pytest.mark.parametrize("segment", ["Mens E-Mail", "Womens E-Mail"])
@pytest.mark.parametrize("outcome", ["visit", "conversion"])
def test_differences_are_the_published_ones_and_intervals_welchs(customers, segment, outcome):
    own, listed = arms(customers, segment)
    found = intention_to_treat(Design.of(listed), own[outcome])
    assert found.value == pytest.approx(PUBLISHED[segment][outcome] - PUBLISHED["No E-Mail"][outcome], abs=0.001)
    peer = stats.ttest_ind(own.loc[listed, outcome], own.loc[~listed, outcome], equal_var=False).confidence_interval()
    assert (found.low, found.high) == pytest.approx((peer.low, peer.high), rel=1e-6)


def test_strata_known_before_leave_the_effect_and_do_not_widen_it(customers):
    own, listed = arms(customers, "Mens E-Mail")
    stratum = own["zip_code"] + own["newbie"].astype(str) + own["mens"].astype(str) + (own["recency"] > 6).astype(str)
    plain, stratified = (
        intention_to_treat(Design.of(listed), own["visit"]),
        intention_to_treat(Design.of(listed, stratum=stratum), own["visit"]),
    )
    assert stratified.value == pytest.approx(plain.value, abs=0.005)
    assert stratified.error < plain.error


@pytest.mark.parametrize("segment", ["Mens E-Mail", "Womens E-Mail"])
def test_spend_is_told_with_the_published_difference_inside(customers, segment):
    own, listed = arms(customers, segment)
    found = adjusted_difference(Design.of(listed), own["spend"], own["history"], resamples=199)
    assert found.low < PUBLISHED[segment]["spend"] - PUBLISHED["No E-Mail"]["spend"] < found.high
    assert found.low > 0


def test_nothing_is_found_between_halves_of_those_without_an_e_mail(customers):
    own = customers[customers["segment"] == "No E-Mail"].reset_index(drop=True)
    design = Design.of(own.index % 2 == 0)
    effect = intention_to_treat(design, own["visit"])
    assert judge(design, own["visit"], effect).verdict == "cannot_conclude"
    assert not complier_effect(design, own["visit"], own["visit"] * 0).known
