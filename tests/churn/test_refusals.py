import dataclasses
from datetime import date

import numpy as np
import pytest
from pydantic import ValidationError

from custvalue.config import ChurnConfig
from custvalue.config.churn import TuningConfig
from custvalue.errors import ModelError


def refusal(train, frame, **changed):
    with pytest.raises(ModelError) as caught:
        train(frame, **changed)
    assert caught.value.exit_code == 4
    return str(caught.value)


def test_too_few_leavers_are_counted_and_the_way_out_is_told(make_panel, train):
    frame = make_panel()
    few = frame.take(np.r_[np.flatnonzero(frame.y == 1)[:34], np.flatnonzero(frame.y == 0)[:466]])
    told = refusal(train, few)
    assert told.startswith("34 leavers among 500 rows of 1 snapshot(s) 2024-01-01")
    assert "at least 40 are needed" in told
    assert "churn.horizon_months" in told


def test_a_leaver_of_two_snapshots_counts_once(make_panel, train):
    frame = make_panel()
    rows = np.r_[np.flatnonzero(frame.y == 1)[:34], np.flatnonzero(frame.y == 0)[:466]]
    twice = frame.take(np.r_[rows, rows])
    month_later = twice.snapshot.copy()
    month_later[500:] = np.datetime64("2024-02-01")
    assert refusal(train, dataclasses.replace(twice, snapshot=month_later)).startswith("34 leavers among 1,000 rows of 2")


def test_nobody_left(make_panel, train):
    frame = make_panel()
    told = refusal(train, frame.take(frame.y == 0))
    assert told.startswith("nobody left in the outcome window")
    assert "gap 0, horizon 1 month(s), kinds voluntary, port_out" in told
    assert "`departures`" in told


def test_everybody_left(make_panel, train):
    frame = make_panel()
    assert refusal(train, frame.take(frame.y == 1)).startswith("everybody left")


def test_no_rows(make_panel, train):
    told = refusal(train, make_panel().take(np.array([], dtype=int)))
    assert "no labelled rows" in told
    assert "3 left inside the gap dropped" in told


def test_an_unfinished_window_is_no_stayer(make_panel, train):
    told = refusal(train, make_panel(), as_of=date(2024, 1, 31))
    assert "2024-01-01" in told
    assert "end after 2024-01-31" in told
    train(make_panel(), as_of=date(2024, 2, 1))


def test_a_declared_column_that_the_frame_lacks(make_panel, train):
    frame = make_panel()
    told = refusal(train, dataclasses.replace(frame, X=frame.X.drop(columns="noise")))
    assert "1 of the model's 5 feature columns are missing, for example noise" in told


def test_one_row(make_panel, train):
    frame = make_panel()
    assert refusal(train, frame.take(np.flatnonzero(frame.y == 0)[:1])).startswith("nobody left")
    assert refusal(train, frame.take(np.flatnonzero(frame.y == 1)[:1])).startswith("everybody left")


@pytest.mark.parametrize("leavers", [2, 3, 5])
def test_fewer_leavers_than_folds_train_nothing_or_something_sound(make_panel, train, settings, leavers):
    """By default they are refused; who insists gets probabilities at the level of the outcomes, or is told that none can test."""
    frame = make_panel()
    few = frame.take(np.r_[np.flatnonzero(frame.y == 1)[:leavers], np.flatnonzero(frame.y == 0)[:400]])
    assert f"{leavers} leavers among" in refusal(train, few)
    insisting = settings.model_copy(update={"min_leavers": 2})
    if leavers < 3:
        told = refusal(train, few, settings=insisting)
        assert "leavers" in told
        return
    trained = train(few, insisting)
    assert 0 < trained.test["probability"].mean() < 0.1
    assert any("leavers test the model" in warning for warning in trained.warnings)


def test_a_search_does_not_hide_a_refusal(make_panel, train, settings):
    frame = make_panel()
    searching = settings.model_copy(update={"tuning": TuningConfig(trials=5)})
    assert refusal(train, frame.take(frame.y == 0), settings=searching).startswith("nobody left")


@pytest.mark.parametrize("budget", [{"trials": -1}, {"seconds": 0}, {"seconds": -3.0}, {"minutes": 1}])
def test_a_budget_that_makes_no_sense(budget):
    with pytest.raises(ValidationError):
        ChurnConfig(tuning=budget)


@pytest.mark.parametrize("share", [0, -0.1, 1.01])
def test_a_share_of_stayers_that_makes_no_sense(share):
    with pytest.raises(ValidationError):
        ChurnConfig(stayers_kept=share)
