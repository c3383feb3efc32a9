"""The canary: planted drift is found, none is found where nothing was planted, and only gross faults refuse a night."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from custvalue.config import MonitoringConfig
from custvalue.monitoring import Finding, Profile, Reference, canary, count_part, tell

LIMITS = MonitoringConfig()
COLUMNS = (*((f"amount_{k}", "number") for k in range(30)), ("plan", "category"), ("region", "category"))
ROWS = 6_000


def night(seed: int, rows: int = ROWS) -> tuple[pd.DataFrame, np.ndarray]:
    random = np.random.default_rng(seed)
    frame = pd.DataFrame({f"amount_{k}": random.lognormal(0, 1, rows) for k in range(30)})
    frame["amount_0"] = frame.amount_0.where(random.random(rows) > 0.05)
    frame["plan"] = random.choice(["S", "M", "L"], rows, p=[0.5, 0.3, 0.2])
    frame["region"] = random.choice([f"R{k}" for k in range(40)], rows)
    return frame, 1 / (1 + np.exp(-random.normal(-3, 1, rows)))


REFERENCE = Reference.of(*(lambda rows: (rows[0], COLUMNS, rows[1]))(night(0)))
BEFORE = count_part(*night(1), REFERENCE)


def found(frame: pd.DataFrame, probability: np.ndarray, before: Profile | None = BEFORE) -> list[Finding]:
    return canary(count_part(frame, probability, REFERENCE), before, REFERENCE, LIMITS)


def test_quiet_nights_are_quiet() -> None:
    assert [found(*night(seed)) for seed in range(2, 42)] == [[]] * 40


def test_without_the_floors_false_alarms_are_as_many_as_promised() -> None:
    """The test alone, with no floor of size: of quiet nights at most the stated share tells of anything."""
    keen = MonitoringConfig(false_alarms=0.2, drift_alert_training=1e-9, score_alert=1e-9)
    told = [bool(canary(count_part(*night(seed), REFERENCE), None, REFERENCE, keen)) for seed in range(2, 102)]
    # columns and score are two tests of 0.2 each, so at most 0.36 of nights; 0.52 is three standard deviations above
    assert 0.05 < np.mean(told) < 0.52


def test_a_planted_drift_is_found_in_its_column_alone() -> None:
    frame, probability = night(2)
    told = found(frame.assign(amount_7=frame.amount_7 * 4), probability)
    assert {(each.code, each.column, each.against, each.severity) for each in told} == {
        ("drift", "amount_7", "night", "alert"),
        ("drift", "amount_7", "training", "alert"),
    }
    assert "amount_7" in told[0].message
    assert {"night before", "training"} == {part for each in told for part in ("night before", "training") if part in each.message}


def test_a_small_drift_of_very_many_is_no_alarm() -> None:
    """A million customers make a shift of 2 % of a standard deviation certain, and it is still none of anybody's business."""
    counts = {name: counts * 200 for name, counts in BEFORE.columns.items()}
    counts["amount_3"] = counts["amount_3"] + np.arange(counts["amount_3"].size) * 1_000
    now = replace(BEFORE, columns=counts, rows=BEFORE.rows * 200, scores=BEFORE.scores * 200)
    before = replace(now, columns={name: part * 200 for name, part in BEFORE.columns.items()})
    assert canary(now, before, REFERENCE, LIMITS) == []
    keen = LIMITS.model_copy(update={"drift_alert": 1e-6})
    assert [each.column for each in canary(now, before, REFERENCE, keen) if each.against == "night"] == ["amount_3"]


def test_a_column_that_went_missing() -> None:
    frame, probability = night(2)
    frame["amount_5"] = frame.amount_5.where(np.random.default_rng(1).random(ROWS) > 0.3)
    told = found(frame, probability)
    assert {(each.code, each.column, each.severity) for each in told} == {("missing", "amount_5", "alert")}
    assert "30%" in told[0].message
    told = found(frame.assign(amount_5=np.nan), probability)
    assert [(each.code, each.severity, each.against) for each in told] == [("missing", "refuse", "night"), ("missing", "alert", "training")]
    # with no night before, training is what counts
    assert [each.severity for each in found(frame.assign(amount_5=np.nan), probability, before=None)] == ["refuse"]


def test_a_column_that_is_back_is_told_and_not_refused() -> None:
    frame, probability = night(2)
    gone = count_part(frame.assign(amount_5=np.nan), probability, REFERENCE)
    assert [(each.code, each.severity, each.against) for each in found(frame, probability, before=gone)] == [("missing", "alert", "night")]


@pytest.mark.parametrize("known_in_training", [False, True])
def test_what_training_never_knew_is_no_news(known_in_training: bool) -> None:
    frame, probability = night(0)
    known = frame.amount_5.where(np.arange(ROWS) < (ROWS // 10 if known_in_training else 0))
    reference = Reference.of(frame.assign(amount_5=known), COLUMNS, probability)
    told = canary(count_part(*night(2), reference), None, reference, LIMITS)
    assert [(each.code, each.column) for each in told] == ([("missing", "amount_5")] if known_in_training else [])


def test_categories_written_otherwise_refuse_the_night() -> None:
    frame, probability = night(2)
    told = found(frame.assign(plan=frame.plan.str.lower()), probability)
    assert [(each.code, each.column, each.severity) for each in told] == [("unseen", "plan", "refuse")]
    assert "for example l, m, s" in told[0].message


def test_categories_that_changed_places_refuse_the_night() -> None:
    frame, probability = night(2)
    rare = count_part(frame.assign(plan=np.where(np.arange(ROWS) < ROWS - 30, "S", "L")), probability, REFERENCE)
    told = found(frame.assign(plan=np.where(np.arange(ROWS) < ROWS - 30, "L", "S")), probability, before=rare)
    assert [(each.code, each.column) for each in told if each.severity == "refuse" and each.against == "night"] == [("drift", "plan")]


def test_a_new_plan_that_some_take_is_told() -> None:
    frame, probability = night(2)
    frame.loc[:300, "plan"] = "XL"
    told = found(frame, probability)
    assert [(each.code, each.column, each.severity) for each in told] == [("unseen", "plan", "alert")]


@pytest.mark.parametrize(("shift", "severities"), [(0.1, set()), (0.8, {"alert"}), (2.0, {"refuse"})])
def test_scores_that_shift(shift: float, severities: set[str]) -> None:
    frame, probability = night(2)
    odds = probability / (1 - probability) * np.exp(shift)
    told = found(frame, odds / (1 + odds))
    assert {each.severity for each in told} == severities
    assert {each.code for each in told} <= {"score_shift"}


def test_one_score_for_everybody_is_refused() -> None:
    told = found(night(2)[0], np.full(ROWS, 0.05))
    assert {each.code for each in told if each.severity == "refuse"} == {"score_shift", "scores_stuck"}


def test_another_models_scores_may_differ_from_last_nights() -> None:
    """The champion was replaced since: its scores are held against its own training, and last night's only alert."""
    frame, probability = night(2)
    shifted = 1 - (1 - probability) ** 8
    reference = Reference.of(frame, COLUMNS, shifted)
    told = canary(count_part(frame, shifted, reference), BEFORE, reference, LIMITS)
    assert [(each.code, each.against, each.severity) for each in told] == [("score_shift", "night", "alert")]


def test_a_model_without_a_reference_is_compared_with_last_night_by_its_scores() -> None:
    frame, probability = night(2)
    before, now = count_part(*night(1), None), count_part(frame, probability, None)
    assert canary(now, before, None, LIMITS) == []
    assert canary(now, None, None, LIMITS) == []
    assert [each.code for each in canary(count_part(frame, np.full(ROWS, 0.5), None), before, None, LIMITS)] != []


def test_too_few_customers_are_not_compared() -> None:
    frame, probability = night(2, rows=100)
    assert found(frame.assign(amount_7=0.0), probability) == []


def test_a_finding_is_the_same_in_json() -> None:
    frame, probability = night(2)
    told = found(frame.assign(amount_7=frame.amount_7 * 2), probability)[0].to_dict()
    assert told["code"] == "drift"
    assert told["figure"] > told["limit"] == LIMITS.drift_alert


def test_what_is_usual_among_the_days_of_training_is_no_drift() -> None:
    """Months of 28 to 31 days: active days follow them. A column that never moved so much in training is told of all the same."""

    def month(length: int, seed: int) -> pd.DataFrame:
        frame, _ = night(seed, rows=2_000)
        return frame.assign(amount_1=float(length) - np.random.default_rng(seed).integers(0, 2, 2_000))

    months = [month(length, seed) for seed, length in enumerate((31, 28, 31, 30, 31, 30))]
    days = np.repeat(pd.date_range("2024-01-31", periods=6, freq="ME").to_numpy(), 2_000)
    probability = night(0, rows=2_000)[1]
    blind = Reference.of(months[-2], COLUMNS, probability)
    knowing = Reference.of(months[-2], COLUMNS, probability, days=(pd.concat(months, ignore_index=True), days))
    told = {}
    for name, reference in {"blind": blind, "knowing": knowing}.items():
        before = count_part(month(31, 20), probability, reference)
        now = count_part(month(28, 21).assign(amount_2=lambda frame: frame.amount_2 * 3), probability, reference)
        told[name] = {each.column for each in canary(now, before, reference, LIMITS)}
    assert told == {"blind": {"amount_1", "amount_2"}, "knowing": {"amount_2"}}


def test_many_columns_of_a_kind_are_told_in_one_sentence() -> None:
    frame, probability = night(2)
    moved = frame.assign(**{f"amount_{k}": frame[f"amount_{k}"] * (3 + k) for k in range(5, 10)})
    told = canary(count_part(moved, probability, REFERENCE), BEFORE, REFERENCE, LIMITS)
    assert len(told) == 10
    lines = tell(told)
    assert len(lines) == 2
    assert all(line.startswith("5 columns differ from ") and "amount_9 (" in line for line in lines)
    assert tell(told[:1]) == [told[0].message]
