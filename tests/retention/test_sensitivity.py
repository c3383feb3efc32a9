"""What a list is worth when what is least known is wrong: recomputed by hand."""

import numpy as np
import pytest

from custvalue.retention import sensitivity

WORDS = {"en": "an offer", "zh": "优惠"}


def test_every_band_by_hand(policy, make_scores, decide_on):
    listed = decide_on(make_scores(arpu=[100.0, 200.0]), policy)
    # 300 of ARPU at p 0.5, V 6 and d 1 bills: saves 0.25 * save * 1500, stayers cost 0.25 * (0.25 * 300 + harm * 1800), calls 2

    def worth(save=0.4, harm=0.01, reach=0.5):
        return reach * 0.5 * (save * 1500 - 75 - harm * 1800) - 2

    found = sensitivity(listed, policy)
    assert found == pytest.approx(
        {
            "save_halved": worth(save=0.2),
            "save_as_set": worth(),
            "save_doubled": worth(save=0.8),
            "harm_none": worth(harm=0),
            "harm_doubled": worth(harm=0.02),
            "reach_less": worth(reach=0.4),
            "reach_more": worth(reach=0.6),
            "break_even_save": 25.25 / 375,
        }
    )
    assert found["save_as_set"] == pytest.approx(listed["net_value"].sum())


def test_a_list_at_its_break_even_earns_nothing(make_policy, make_scores, decide_on):
    rows = make_scores(probability=[0.2, 0.7], arpu=[50.0, 300.0], tier=["gold", "silver"])
    own = {"by_tier": {"silver": {"save": 0.2}}, "offers": {"gift": {"label": WORDS, "cost": 20.0}}}
    policy = make_policy(**own)
    at = sensitivity(decide_on(rows, policy), policy)["break_even_save"]
    mean = (0.2 * 0.4 + 0.7 * 0.2) / 0.9  # over the reached would-be leavers
    scaled = make_policy(**(own | {"save": 0.4 * at / mean, "by_tier": {"silver": {"save": 0.2 * at / mean}}}))
    assert decide_on(rows, scaled)["net_value"].sum() == pytest.approx(0, abs=1e-9)


def test_chances_stop_at_one(make_policy, make_scores, decide_on):
    sure = make_policy(save=0.8, reach=0.9)
    found = sensitivity(decide_on(make_scores(arpu=[100.0]), sure), sure)
    assert found["save_doubled"] == pytest.approx(0.9 * 0.5 * (500 - 25 - 6) - 1)
    assert found["reach_more"] == pytest.approx(1.0 * 0.5 * (0.8 * 500 - 25 - 6) - 1)


def test_the_offer_each_row_gets_counts(make_policy, make_scores, decide_on):
    policy = make_policy(
        offers={"weak": {"label": WORDS, "save_factor": 0.5, "tiers": ["silver"]}, "strong": {"label": WORDS, "tiers": ["gold"]}}
    )
    listed = decide_on(make_scores(tier=["gold", "silver"], effect=[0.1, None]), policy)
    assert listed["offer"].tolist() == ["strong", "weak"]
    found = sensitivity(listed, policy)
    assert found["save_as_set"] == pytest.approx(listed["net_value"].sum())
    # a learned effect is halved with γ, and with the reach
    weak = 0.5 * 0.5 * (0.1 * 600 - 6) - 1
    assert found["save_halved"] == pytest.approx(0.05 * 600 - 1 + weak)


def test_a_learned_effect_is_bent_by_the_offer_as_the_stated_one(make_policy, make_scores, decide_on):
    policy = make_policy(offers={"weak": {"label": WORDS, "save_factor": 0.5}})
    listed = decide_on(make_scores(effect=[0.1, -0.1]), policy)
    assert listed["net_value"].tolist() == pytest.approx([0.05 * 600 - 1, -0.1 * 600 - 1])
    found = sensitivity(listed, policy)
    assert found["save_as_set"] == pytest.approx(listed["net_value"].sum())
    assert found["harm_none"] == pytest.approx(0.05 * 600 - 2)


def test_an_empty_list_is_worth_nothing_and_has_no_break_even(policy, make_scores, decide_on):
    found = sensitivity(decide_on(make_scores(arpu=[1.0]), policy).head(0), policy)
    assert found["save_as_set"] == 0
    assert np.isnan(found["break_even_save"])
