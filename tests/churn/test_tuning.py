"""The search for booster settings, with the real Optuna: repeatable, resumable, and blind to all rows but those that train."""

import dataclasses
import multiprocessing
import os
import time

import numpy as np
import optuna
import pytest

from custvalue.churn.inner_folds import InnerFold, inner_folds
from custvalue.churn.splits import split
from custvalue.churn.tuning import search_digest, tune
from custvalue.config import Config
from custvalue.config.churn import TuningConfig
from custvalue.errors import PublishError
from custvalue.publish.locks import hold


def with_budget(settings, **budget):
    return settings.model_copy(update={"tuning": TuningConfig(**budget), "max_rounds": 30})


def without_times(trials):
    return [dataclasses.replace(trial, seconds=0.0) for trial in trials]


@pytest.fixture(scope="module")
def rows(make_panel):
    return make_panel(customers=400, months=6)


@pytest.fixture(scope="module")
def unbroken(rows, columns, settings):
    """Ten trials, two of which come after the random ones, in memory."""
    return tune(rows, columns, with_budget(settings, trials=10))


def test_the_same_data_and_seed_give_the_same_trials(rows, columns, settings, unbroken):
    again = tune(rows, columns, with_budget(settings, trials=10))
    assert without_times(again.trials) == without_times(unbroken.trials)
    assert again.params == unbroken.params
    other = tune(rows, columns, with_budget(settings, trials=3).model_copy(update={"seed": 8}))
    assert other.trials[1].params != unbroken.trials[1].params


def test_the_best_is_the_least_loss_and_no_worse_than_no_search(unbroken):
    complete = [trial for trial in unbroken.trials if trial.state == "complete"]
    assert unbroken.value == min(trial.value for trial in complete) <= unbroken.trials[0].value
    assert unbroken.params == min(complete, key=lambda trial: trial.value).params
    assert [trial.number for trial in unbroken.trials] == list(range(10))
    assert all(trial.seconds > 0 for trial in unbroken.trials)


def search_and_die(frame, columns, settings, folder):
    """Run in a process of its own, which dies in its sixth trial like one that is killed."""
    judged = InnerFold.log_loss
    done = []

    def dying(fold, params, rounds):
        done.append(fold)
        if len(done) > 5 * len(inner_folds(frame, settings)) + 1:
            os._exit(9)
        return judged(fold, params, rounds)

    InnerFold.log_loss = dying
    tune(frame, columns, settings, folder=folder)


def test_a_killed_search_goes_on_and_finds_what_an_unbroken_one_finds(rows, columns, settings, unbroken, tmp_path):
    wanted = with_budget(settings, trials=10)
    process = multiprocessing.get_context("fork").Process(target=search_and_die, args=(rows, columns, wanted, tmp_path))
    process.start()
    process.join()
    assert process.exitcode == 9
    lines = []
    found = tune(rows, columns, wanted, folder=tmp_path, log=lines.append)
    assert "goes on after 5 trial(s)" in lines[0]
    assert [trial.state for trial in found.trials].count("fail") == 1
    tried = [trial for trial in found.trials if trial.state != "fail"]
    expected = [dataclasses.replace(trial, number=0, seconds=0.0) for trial in unbroken.trials]
    assert [dataclasses.replace(trial, number=0, seconds=0.0) for trial in tried] == expected
    assert (found.params, found.value) == (unbroken.params, unbroken.value)


def test_a_finished_search_tries_nothing_more_and_a_larger_budget_goes_on(rows, columns, settings, tmp_path):
    first = tune(rows, columns, with_budget(settings, trials=2), folder=tmp_path)
    assert tune(rows, columns, with_budget(settings, trials=2), folder=tmp_path).trials == first.trials
    more = tune(rows, columns, with_budget(settings, trials=3), folder=tmp_path)
    assert more.trials[:2] == first.trials
    assert len(more.trials) == 3


def test_other_data_or_settings_begin_a_new_search(rows, columns, settings):
    known = search_digest(rows, columns, settings)
    assert search_digest(rows, columns, with_budget(settings, trials=9).model_copy(update={"max_rounds": settings.max_rounds})) == known
    one_less = rows.take(np.arange(len(rows) - 1))
    flipped = dataclasses.replace(rows, y=np.where(np.arange(len(rows)) == 7, 1 - rows.y, rows.y).astype(np.int8))
    for frame in (one_less, flipped):
        assert search_digest(frame, columns, settings) != known
    assert search_digest(rows, columns[:-1], settings) != known
    for change in ({"seed": 8}, {"stayers_kept": 0.5}, {"monotone": "none"}, {"horizon_months": 2}):
        assert search_digest(rows, columns, settings.model_copy(update=change)) != known


def test_a_search_that_another_process_runs_is_refused(rows, columns, settings, tmp_path):
    name = search_digest(rows, columns, with_budget(settings, trials=1))[:16]
    with hold(tmp_path / f"{name}.lock"), pytest.raises(PublishError, match="locked by process"):
        tune(rows, columns, with_budget(settings, trials=1), folder=tmp_path)


def test_a_budget_in_seconds_ends_the_search_after_one_trial_at_least(rows, columns, settings):
    began = time.monotonic()
    found = tune(rows, columns, with_budget(settings, seconds=1.0))
    assert len(found.trials) >= 1
    assert time.monotonic() - began < 30
    assert len(tune(rows, columns, with_budget(settings, seconds=1e-6)).trials) == 1


def test_hopeless_settings_are_given_up_early(rows, columns, settings):
    found = tune(rows, columns, with_budget(settings, trials=20).model_copy(update={"max_rounds": 5}))
    given_up = [trial for trial in found.trials if trial.state == "pruned"]
    assert given_up
    assert all(trial.value is not None for trial in given_up)


def test_optuna_is_quiet_and_left_as_it_was(rows, columns, settings, capfd):
    before = optuna.logging.get_verbosity()
    tune(rows, columns, with_budget(settings, trials=1))
    assert optuna.logging.get_verbosity() == before
    assert "Trial" not in capfd.readouterr().err


def scrambled(frame, rows, seed=1):
    X = frame.X.copy()
    mixed = np.random.default_rng(seed).permutation(rows)
    X.iloc[rows] = X.iloc[mixed].to_numpy()
    y = frame.y.copy()
    y[rows] = y[mixed[::-1]]
    return dataclasses.replace(frame, X=X.astype(frame.X.dtypes), y=y)


def test_only_training_rows_are_read(make_panel, columns, train, settings_by_month):
    """Rows that stop, calibrate or test may hold anything; one training row more or less is noticed."""
    frame = make_panel(customers=1_000, months=12, base=-2.5)
    settings = with_budget(settings_by_month.model_copy(update={"small_leavers": 45}), trials=2).model_copy(update={"max_rounds": 10})
    slices = split(frame, settings)
    assert slices.way == "by month"
    searched = train(frame, settings).trials
    later = np.concatenate([part.rows for part in slices.parts if part.name != "train"])
    assert without_times(train(scrambled(frame, later), settings).trials) == without_times(searched)
    changed = scrambled(frame, slices["train"].rows)
    assert without_times(train(changed, settings).trials) != without_times(searched)


def test_inner_folds_are_a_rolling_origin_where_the_snapshots_allow(rows, settings):
    for train, judge in inner_folds(rows, settings):
        ends = rows.snapshot[train].astype("datetime64[M]") + 1
        assert ends.max() <= rows.snapshot[judge].astype("datetime64[M]").min()


def test_inner_folds_of_one_snapshot_keep_customers_apart(make_panel, settings):
    frame = make_panel(customers=300)
    folds = inner_folds(frame, settings)
    assert len(folds) > 1
    for train, judge in folds:
        assert set(frame.customer[train]).isdisjoint(frame.customer[judge])


def test_inner_folds_keep_customers_apart_on_request(rows, settings):
    for train, judge in inner_folds(rows, settings.model_copy(update={"customers_apart": True})):
        assert set(rows.customer[train]).isdisjoint(rows.customer[judge])


def test_undersampled_stayers_are_judged_at_the_odds_of_all_rows(make_panel, columns, settings):
    """A tenth of the stayers teaches; without the correction the judged log loss would be that of a fivefold base rate."""
    frame = make_panel(customers=3_000, months=2)
    pair = inner_folds(frame, settings)[0]
    params = {"objective": "binary", "num_leaves": 4, "learning_rate": 0.1, "verbosity": -1, "num_threads": 1, "seed": 1}
    whole = InnerFold.of(frame, pair, columns, settings).log_loss(params, 100)
    part = InnerFold.of(frame, pair, columns, settings.model_copy(update={"stayers_kept": 0.1})).log_loss(params, 100)
    assert part == pytest.approx(whole, rel=0.06)


def test_tuned_settings_join_the_boosters_that_are_tried(make_panel, train, settings, by_customer):
    lines = []
    tuned = train(make_panel(customers=1_000), with_budget(settings, trials=2), log=lines.append)
    assert len(tuned.trials) == 2
    assert any(line.startswith("tuning: the best of 2 trials") for line in lines)
    assert by_customer.trials == ()


def test_the_command_line_overrules_the_budget_of_the_config(tmp_path):
    files = dict.fromkeys(("workspace", "output", "tier_policy", "retention_policy", "wording"), tmp_path)
    config = Config.model_validate({"name": "a", "sources": {"folder": tmp_path}, "churn": {"tuning": {"trials": 3}}} | files)
    assert config.with_search(None, None) is config
    assert config.with_search(None, 60.0).churn.tuning == TuningConfig(seconds=60.0)
    assert config.with_search(9, None).churn == config.churn.model_copy(update={"tuning": TuningConfig(trials=9)})
