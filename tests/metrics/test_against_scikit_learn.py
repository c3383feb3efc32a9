import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as peer

from custvalue import metrics
from custvalue.errors import ConfigError

PAIRS = [
    (metrics.roc_auc, peer.roc_auc_score),
    (metrics.average_precision, peer.average_precision_score),
    (metrics.log_loss, peer.log_loss),
    (metrics.brier_score, peer.brier_score_loss),
]


@pytest.mark.parametrize(("ours", "theirs"), PAIRS)
@settings(max_examples=60, deadline=None)
@given(rows=st.lists(st.tuples(st.booleans(), st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.75, 1.0])), min_size=2, max_size=60))
def test_agrees_with_scikit_learn_on_tied_scores(ours, theirs, rows):
    y = np.array([0, 1, *(int(left) for left, _ in rows)])
    p = np.array([0.3, 0.3, *(score for _, score in rows)])
    assert ours(y, p) == pytest.approx(theirs(y, p), rel=1e-12)


@pytest.mark.parametrize(("ours", "theirs"), PAIRS)
def test_agrees_with_scikit_learn_on_many_distinct_scores(ours, theirs):
    random = np.random.default_rng(1)
    p = random.random(5_000)
    y = (random.random(5_000) < p**2).astype(np.int8)
    assert ours(y, p) == pytest.approx(theirs(y, p), rel=1e-12)


@pytest.mark.parametrize("outcome", [0, 1])
def test_ranking_metrics_are_undefined_without_both_outcomes(outcome):
    y, p = np.full(4, outcome), np.array([0.1, 0.2, 0.3, 0.4])
    assert np.isnan(metrics.roc_auc(y, p))
    assert np.isnan(metrics.average_precision(y, p)) == (outcome == 0)


@pytest.mark.parametrize(
    ("y", "p", "words"),
    [
        ([0, 1], [0.1], "as long"),
        ([], [], "no rows"),
        ([0, 2], [0.1, 0.2], "1 are not, for example 2"),
        ([0, 1], [0.1, np.nan], "finite"),
        ([0, 1], [0.1, 1.5], r"1 do not, for example 1\.5"),
    ],
)
def test_a_wrong_argument_is_told(y, p, words):
    with pytest.raises(ConfigError, match=words):
        metrics.log_loss(y, p)
