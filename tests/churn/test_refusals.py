import dataclasses
from datetime import date

import numpy as np
import pytest

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
