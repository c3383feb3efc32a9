import numpy as np
import pytest

from custvalue.errors import ConfigError
from custvalue.metrics import lift_score

Y = np.array([1, 1, 0, 1, 0, 0, 0, 0, 0, 1])
P = np.array([0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1, 0.05])


@pytest.mark.parametrize(
    ("share", "lift"),
    [
        (0.1, 1 / 0.4),
        (0.2, 1 / 0.4),
        (0.3, (2 / 3) / 0.4),
        (0.4, (3 / 4) / 0.4),
        (0.01, 1 / 0.4),  # less than a row is one row
        (0.31, (3 / 4) / 0.4),  # 3.1 rows are four
        (1.0, 1.0),
    ],
)
def test_is_the_rate_at_the_top_over_the_rate_of_all(share, lift):
    assert lift_score(Y, P, share) == pytest.approx(lift)


def test_three_rows_of_thirty_are_three():
    """0.1 * 30 is above 3 in floating point."""
    y = np.array([1, 1, 1, *[0] * 27])
    assert lift_score(y, np.linspace(1, 0, 30), 0.1) == pytest.approx(10)


def test_a_cut_among_ties_takes_its_share_whatever_the_order():
    y = np.array([1, 0, 0, 1, 0, 0])
    p = np.array([0.9, 0.5, 0.5, 0.5, 0.1, 0.1])
    # The two top rows are one sure leaver and one of three tied rows that hold one leaver: (1 + 1/3) / 2 over 1/3.
    expected = (1 + 1 / 3) / 2 / (1 / 3)
    for order in ([0, 1, 2, 3, 4, 5], [5, 3, 2, 1, 0, 4], [3, 2, 1, 4, 5, 0]):
        assert lift_score(y[order], p[order], 2 / 6) == pytest.approx(expected)


def test_is_undefined_when_nobody_left():
    assert np.isnan(lift_score(np.zeros(5), P[:5], 0.2))


@pytest.mark.parametrize("share", [0, -0.1, 1.1])
def test_refuses_an_impossible_share(share):
    with pytest.raises(ConfigError, match="share must lie"):
        lift_score(Y, P, share)
