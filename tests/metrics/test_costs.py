"""Costs by customer: against sums by hand, another package's numbers, and real costs row by row."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from custvalue.errors import ConfigError
from custvalue.metrics import CostMatrix, best_contacted_share, expected_profit, profit_curve, savings_score

COSTS = CostMatrix(false_positive=[4, 1, 2, 2], false_negative=[1, 3, 3, 1])
OUTCOME = [0, 1, 1, 0]


def test_cost_of_decisions_by_hand():
    assert COSTS.cost(OUTCOME, [0, 1, 0, 1]) == pytest.approx([0, 0, 3, 2])
    assert COSTS.cost(OUTCOME, [True, True, True, True]) == pytest.approx([4, 0, 0, 2])
    assert COSTS.cost(0.25, [1, 0, 0, 1]) == pytest.approx([3, 0.75, 0.75, 1.5])


def test_savings_are_those_of_another_package():
    """empulse 0.13.1: savings_score and expected_savings_score of its documented example."""
    assert savings_score(OUTCOME, [0, 1, 0, 0], COSTS) == pytest.approx(0.5)
    assert savings_score(OUTCOME, [0.4, 0.8, 0.75, 0.1], COSTS) == pytest.approx(0.475)


def test_one_rule_for_all_saves_nothing_and_the_truth_saves_all():
    assert savings_score(OUTCOME, np.zeros(4), COSTS) == pytest.approx(0)  # nobody costs 6, and so does everybody
    assert savings_score(OUTCOME, OUTCOME, COSTS) == pytest.approx(1)


@given(st.floats(0, 1), st.lists(st.floats(0, 100), min_size=4, max_size=4))
def test_contacting_where_it_saves_is_the_cheaper_decision(p, given_costs):
    costs = CostMatrix(*given_costs)
    cheaper = float(costs.saving(p)) > 0
    assert costs.cost(p, cheaper) == pytest.approx(min(costs.cost(p, 0), costs.cost(p, 1)), abs=1e-9)


def test_refuses_to_compare_with_nothing():
    with pytest.raises(ConfigError, match=r"nobody \(0\) or everybody \(4\)"):
        savings_score([0, 0], [0, 1], CostMatrix(false_positive=2, false_negative=5))


@pytest.fixture(scope="module")
def subscribers(data_folder):
    """A real television operator's customers with their costs, and chances of leaving out of fold."""
    rows = pd.read_csv(data_folder / "tv_subscriptions" / "churn_tv_subscriptions.csv.gz")
    X, y = rows.filter(regex=r"^x\d+$"), rows["target"].astype(int)
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.05))
    rows["p"] = cross_val_predict(model, X, y, cv=3, method="predict_proba")[:, 1]
    return rows


def test_savings_on_real_costs_are_those_reckoned_row_by_row(subscribers):
    costs = CostMatrix(*(subscribers[name] for name in ("C_FP", "C_FN", "C_TP", "C_TN")))
    contacted = costs.saving(subscribers["p"]) > 0
    spent = nobody = everybody = 0.0
    for row, called in zip(subscribers.itertuples(), contacted, strict=True):
        left = row.target == 1
        nobody += row.C_FN if left else row.C_TN
        everybody += row.C_TP if left else row.C_FP
        spent += (row.C_TP if left else row.C_FP) if called else (row.C_FN if left else row.C_TN)
        p = row.p
        assert called == (p * row.C_TP + (1 - p) * row.C_FP < p * row.C_FN + (1 - p) * row.C_TN)
    found = savings_score(subscribers["target"], contacted, costs)
    assert found == pytest.approx(1 - spent / min(nobody, everybody), rel=1e-12)
    assert found > 0  # a weak model pays all the same, once it is asked with these costs
    assert savings_score(subscribers["target"], subscribers["p"] > 0.5, costs) <= 0  # at one half it hardly calls anybody


def test_profit_curve_of_real_costs_ends_at_everybody_s_cost(subscribers):
    costs = CostMatrix(*(subscribers[name] for name in ("C_FP", "C_FN", "C_TP", "C_TN")))
    y, gain, worth = subscribers["target"], costs.saving(subscribers["target"]), costs.saving(subscribers["p"])
    share, profit = profit_curve(gain, worth)
    assert profit[-1] == pytest.approx((costs.cost(y, 0).sum() - costs.cost(y, 1).sum()) / len(y))
    decided = expected_profit(gain, worth, float((worth > 0).mean()))
    assert decided == pytest.approx(savings_score(y, worth > 0, costs) * min(costs.cost(y, 0).mean(), costs.cost(y, 1).mean()))
    assert decided <= profit.max() == np.interp(best_contacted_share(gain, worth), share, profit)
