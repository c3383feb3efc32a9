"""The benchmark's tables hold the numbers that scikit-learn gives, and its sentences claim no more than they show."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import average_precision_score, brier_score_loss, log_loss, roc_auc_score

from custvalue.churn import TrainingFrame
from custvalue.features import FeatureColumn

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "real_input.py"


@pytest.fixture(scope="module")
def bench() -> ModuleType:
    spec = importlib.util.spec_from_file_location("real_input", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    sys.modules["real_input"] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    module.RESAMPLES = 80
    return module


@pytest.fixture
def judgement(bench: ModuleType):
    """Outcomes drawn from known probabilities: custvalue says them, a peer blurs them, another one turns them round."""

    def make(customers: int):
        random = np.random.default_rng(3)
        truth = random.beta(1, 3, customers)
        y = (random.random(customers) < truth).astype(np.int8)
        blurred = np.clip(truth + random.normal(0, 0.2, customers), 0.01, 0.99)
        said = {"custvalue": truth, "blurred": blurred, "the same": truth, "turned": 1 - truth, "base rate alone": np.full(customers, 0.25)}
        customer = np.array([f"C{n}" for n in range(customers)], dtype=object)
        return bench.Judgement(y, customer, tuple(bench.Forecast(name, 900, p) for name, p in said.items()))

    return make


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_quality_table_agrees_with_scikit_learn(bench: ModuleType, judgement) -> None:
    judged = judgement(600)
    head, _, *rows = bench.quality_table(judged)
    assert len(rows) == 5
    for row, forecast in zip(rows, judged.forecasts, strict=True):
        found = dict(zip(cells(head), cells(row), strict=True))
        y, p = judged.y, forecast.p
        assert found["model"] == forecast.name
        assert found["rows learnt from"] == "900"
        assert found["mean prediction"] == f"{p.mean():.2%}"
        assert found["AUC"].split()[0] == f"{roc_auc_score(y, p):.3f}"
        assert found["PR-AUC"] == f"{average_precision_score(y, p):.3f}"
        assert found["log loss"].split()[0] == f"{log_loss(y, p):.4f}"
        assert found["Brier"] == f"{brier_score_loss(y, p):.4f}"
    top = np.argsort(-judged.forecasts[0].p)[:60]
    assert cells(rows[0])[-1].split()[0] == f"{judged.y[top].mean() / judged.y.mean():.2f}"


def test_differences_are_paired(bench: ModuleType, judgement) -> None:
    judged = judgement(600)
    compared = {peer.name: found for peer, found in bench.compare(judged).items()}
    same = compared["the same"]["AUC"]
    assert (same.value, same.low, same.high) == (0, 0, 0)
    auc = roc_auc_score(judged.y, judged.forecasts[0].p)
    turned = compared["turned"]["AUC"]
    assert turned.value == pytest.approx(2 * auc - 1)
    assert turned.low < turned.value < turned.high
    loss = log_loss(judged.y, judged.forecasts[0].p) - log_loss(judged.y, judged.forecasts[1].p)
    assert compared["blurred"]["log loss"].value == pytest.approx(loss)


def test_a_verdict_says_what_the_intervals_show(bench: ModuleType, judgement) -> None:
    judged = judgement(600)
    leavers = int(judged.y.sum())
    assert leavers >= bench.FEW_LEAVERS
    said = bench.verdict(bench.compare(judged), leavers)
    assert "Against turned (900 rows): AUC better, log loss better." in said
    assert "Against the same (900 rows): no difference in AUC can be shown, no difference in log loss can be shown." in said
    truth, *others = judged.forecasts
    swapped = bench.Judgement(judged.y, judged.customer, (others[2], truth, others[-1]))
    assert "Against custvalue (900 rows): AUC **worse**, log loss **worse**." in bench.verdict(bench.compare(swapped), leavers)


def test_few_leavers_allow_no_claim_over_a_peer(bench: ModuleType, judgement) -> None:
    judged = judgement(160)
    leavers = int(judged.y.sum())
    assert 0 < leavers < bench.FEW_LEAVERS
    said = bench.verdict(bench.compare(judged), leavers)
    assert f"No claim of superiority over a peer: {leavers} leavers" in said
    assert "turned" not in said
    assert "Against base rate alone (900 rows): AUC better" in said


@pytest.fixture
def labelled() -> tuple[TrainingFrame, tuple[FeatureColumn, ...]]:
    """Bills and plans with gaps; who pays more leaves more, and one column holds nothing at all."""
    random = np.random.default_rng(5)
    bill = random.normal(0, 1, 400)
    X = pd.DataFrame(
        {
            "bill": np.where(random.random(400) < 0.1, np.nan, bill),
            "empty": np.full(400, np.nan),
            "plan": np.where(random.random(400) < 0.1, None, random.choice(["a", "b"], 400)),
        }
    ).astype({"plan": "str"})
    y = (random.random(400) < 1 / (1 + np.exp(1 - 2 * bill))).astype(np.int8)
    customer = np.array([f"C{n}" for n in range(400)], dtype=object)
    declared = {"unit": "count", "null": "unknown", "reason": "bill"}
    kinds = {"bill": "number", "empty": "number", "plan": "category"}
    columns = tuple(FeatureColumn(name=name, en=name, zh=name, kind=kind, **declared) for name, kind in kinds.items())
    return TrainingFrame(X, y, customer, np.full(400, np.datetime64("2026-01-01"))), columns


@pytest.mark.parametrize("peer", ["logistic regression", "default LightGBM"])
def test_peers_take_gaps_and_plans_never_seen(bench: ModuleType, labelled, peer: str) -> None:
    frame, columns = labelled
    unseen = pd.DataFrame({"bill": [-2.0, 2.0, np.nan, 50.0], "empty": np.nan, "plan": ["a", "a", None, "new"]}).astype({"plan": "str"})
    low, high, missing, extreme = bench.PEERS[peer](frame, unseen, columns)
    assert 0 < low < high < 1
    assert low < missing < high
    assert extreme > low


def test_the_logistic_regression_clips_what_lies_outside_the_training_rows(bench: ModuleType, labelled) -> None:
    frame, columns = labelled
    top = frame.X["bill"].max()
    unseen = pd.DataFrame({"bill": [top, 1000 * top], "empty": np.nan, "plan": ["a", "a"]})
    at_the_edge, far_out = bench.PEERS["logistic regression"](frame, unseen, columns)
    assert at_the_edge == far_out


def test_a_missing_data_folder_is_told(bench: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert bench.main(["--data", str(tmp_path / "absent")]) == 2
    assert "absent is not a folder" in capsys.readouterr().err
