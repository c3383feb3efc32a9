"""What the money benchmarks print follows from their figures, worked out by hand; peers may be absent."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

FOLDER = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture(scope="module")
def benches():
    sys.path.insert(0, str(FOLDER))
    import calibrators
    import profit

    yield profit, calibrators
    sys.path.remove(str(FOLDER))


def cells(line):
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_decisions_are_told_by_cost_beside_the_first(benches):
    rows = pd.DataFrame({"target": [1, 0, 0, 0], "C_FP": 10.0, "C_FN": 100.0, "C_TP": 20.0, "C_TN": 0.0})
    decisions = {"some": [np.array([1.0, 1, 0, 0])], "nobody": [np.zeros(4)], "everybody": [np.ones(4)]}
    told = {cells(line)[0]: cells(line)[1:] for line in benches[0].decisions_table(rows, decisions)[2:]}
    # 20 + 10 of 100 (nobody) and 50 (everybody, the better rule): savings 1 − 30/50.
    assert told["some"][:3] == ["50.0%", "7.50", "0.4000"]
    assert (told["everybody"][1], told["everybody"][4]) == ("12.50", "+5.00")
    assert (told["nobody"][1], told["nobody"][4]) == ("25.00", "+17.50")
    assert list(told) == ["some", "everybody", "nobody"]


def test_measures_are_ours_whether_the_peer_is_there_or_not(benches):
    y = np.array([1.0, 0.0])
    lines = benches[0].measures_table(y, {"perfect": y})
    profit, theirs, share = cells(lines[2])[2:5]
    assert (float(profit), float(share)) == (pytest.approx(28, abs=1e-9), pytest.approx(0.5, abs=1e-8))
    assert theirs == "absent" or float(theirs) == pytest.approx(28)


def test_every_row_is_judged_by_a_way_that_has_not_learnt_from_it(benches):
    rows = pd.DataFrame({"target": np.tile([0, 0, 0, 1], 10), "number": range(40)})

    def seen(given, asked):
        return asked["number"].isin(given["number"]).to_numpy(dtype=float)

    assert [each.sum() for each in benches[0].out_of_fold(rows, seen, repeats=2)] == [0, 0]


def test_the_truth_costs_nothing_and_a_constant_its_divergence(benches):
    calibrators = benches[1]
    truth = np.log(np.array([0.1, 0.3]) / np.array([0.9, 0.7]))
    assert calibrators.excess(truth, truth) == 0
    # p·ln(p/0.2) + (1 − p)·ln((1 − p)/0.8) at p = 0.1 and 0.3.
    expected = np.mean([0.1 * np.log(0.5) + 0.9 * np.log(0.9 / 0.8), 0.3 * np.log(1.5) + 0.7 * np.log(0.7 / 0.8)])
    assert calibrators.excess(truth, np.full(2, np.log(0.25))) == pytest.approx(1e4 * expected)


def test_a_distortion_costs_an_uncalibrated_booster_and_auto_little(benches):
    calibrators = benches[1]
    costs, chosen = calibrators.measured(5_000, -1.6, calibrators.DISTORTIONS["factor"], slices=2)
    assert costs["none"] > 50 > 10 > costs["auto"]
    assert chosen == {"sigmoid": 2}
