"""What a reader is told, what stops a training, and what the config may let pass."""

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import custvalue.churn.leakage as room
from custvalue.churn import TrainingFrame
from custvalue.churn.leakage import CHECKS, Evidence, find_leaks, guard
from custvalue.config import ChurnConfig
from custvalue.errors import ModelError
from custvalue.features import FeatureColumn

COLUMNS = tuple(FeatureColumn(name=name, en=name, zh=name, unit="count", null="never", reason=name) for name in ("bill", "closing_code"))


def evidence(allow=None, *, leaks=True, rows=3_000):
    random = np.random.default_rng(0)
    y = (random.random(rows) < 0.08).astype(np.int8)
    code = y if leaks else random.integers(0, 2, rows)
    X = pd.DataFrame({"bill": random.normal(size=rows), "closing_code": code.astype(float)})
    customer = np.array([f"C{number:05d}" for number in range(rows)], dtype=object)
    churn = ChurnConfig.model_validate({"leakage": {"allow": allow or {}}})
    return Evidence(TrainingFrame(X, y, customer, np.full(rows, np.datetime64("2024-01-01"))), COLUMNS, churn, date(2024, 6, 1))


def test_a_clean_frame_is_told_in_one_line():
    heard = []
    report = guard(evidence(leaks=False), log=heard.append)
    assert heard == ["leakage: 3 checks, 2 columns, nothing found"]
    assert report.metrics == {"leakage_checks": 3.0, "leakage_refused": 0.0, "leakage_allowed": 0.0, "leakage_noted": 0.0}


def test_a_leak_stops_the_training_with_exit_4_and_says_all():
    heard = []
    with pytest.raises(ModelError) as refusal:
        guard(evidence(), log=heard.append)
    message = str(refusal.value)
    assert refusal.value.exit_code == 4
    assert "near_perfect: closing_code: AUC 1.000 alone" in message
    assert "rows where it is > 0 left" in message
    assert "Give its table an honest `available_at`" in message
    assert 'churn: {leakage: {allow: {"closing_code": "the reason"}}}' in message
    assert "bill" not in message
    assert heard[0] == "leakage: 3 checks, 2 columns, 1 refused"


@pytest.mark.parametrize("name", ["closing_code", "near_perfect"])
def test_a_reason_lets_a_column_or_a_check_pass_and_is_kept(name):
    heard = []
    report = guard(evidence({name: "the code is set in January for everybody"}), log=heard.append)
    assert heard[0].endswith("1 allowed")
    assert heard[1].endswith("Allowed: the code is set in January for everybody")
    assert report.metrics["leakage_allowed"] == 1.0
    page = report.markdown()
    assert "## Allowed by the config" in page
    assert "| near_perfect | `closing_code` |" in page
    assert "the code is set in January for everybody" in page


def test_a_reason_for_another_column_does_not_help_and_is_told():
    with pytest.raises(ModelError):
        guard(evidence({"bill": "it is known on the first of the month"}), log=lambda _: None)
    report = find_leaks(evidence({"bill": "it is known on the first of the month"}, leaks=False))
    assert report.lines[1] == "leakage: churn.leakage.allow names 'bill', which nothing was found about"
    assert "although nothing was found: `bill`" in report.markdown()


def test_a_reason_must_be_given():
    with pytest.raises(ValueError, match="say in a few words why bill is no leak"):
        ChurnConfig.model_validate({"leakage": {"allow": {"bill": "ok"}}})


def test_few_customers_do_not_cry_wolf():
    assert find_leaks(evidence(rows=40)).standing("refused") == []


def test_the_page_lists_checks_that_could_not_run():
    page = find_leaks(evidence(leaks=False)).markdown()
    assert page.startswith("# Leakage report\n\n3 checks, 2 columns, nothing found.\n")
    assert "| future | | not run: it needs the operator's tables |" in page


def test_an_empty_frame_is_left_to_training():
    empty = evidence(rows=0)
    assert find_leaks(empty).checks == {}


def test_every_check_is_registered():
    parts = {"__init__", "association", "checks", "evidence", "findings"}
    files = {path.stem for path in Path(room.__file__).parent.glob("*.py")} - parts
    assert files == set(CHECKS)
    assert {check.find.__module__.rpartition(".")[2] for check in CHECKS.values()} == files
