"""Fewer stayers, the same odds."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from custvalue.churn.sampling import correction, sample_stayers


@pytest.fixture(scope="module")
def rows(make_panel):
    return make_panel(customers=3_000, months=3)


def test_every_leaver_is_kept_and_the_share_of_the_stayers(rows):
    kept = sample_stayers(rows, 0.3, seed=1)
    assert (np.diff(kept) > 0).all()
    assert rows.y[kept].sum() == rows.y.sum()
    stayers = int((rows.y == 0).sum())
    share = (rows.y[kept] == 0).sum() / stayers
    assert share == pytest.approx(0.3, abs=4 * np.sqrt(0.3 * 0.7 / stayers))


def test_the_whole_keeps_every_row(rows):
    assert np.array_equal(sample_stayers(rows, 1.0, seed=1), np.arange(len(rows)))


@given(seed=st.integers(-5, 10**9), share=st.floats(0.05, 0.95))
def test_who_is_kept_depends_on_customer_snapshot_and_seed_alone(rows, seed, share):
    order = np.random.default_rng(0).permutation(len(rows))
    mixed = dataclasses.replace(rows.take(order), X=rows.X.iloc[order][::-1].reset_index(drop=True))
    assert set(order[sample_stayers(mixed, share, seed=seed)]) == set(sample_stayers(rows, share, seed=seed))


def test_another_seed_keeps_others_and_snapshots_are_drawn_one_by_one(rows):
    first, second = (set(sample_stayers(rows, 0.5, seed=seed)) for seed in (1, 2))
    assert 0.4 < len(first & second) / len(first) < 0.75
    stayed = np.flatnonzero((rows.y == 0) & (rows.snapshot == rows.snapshot[0]))
    names = rows.customer[stayed]
    later = np.flatnonzero((rows.y == 0) & (rows.snapshot == rows.snapshot[-1]) & np.isin(rows.customer, names))
    kept_now, kept_later = (set(rows.customer[[row for row in part if row in first]]) for part in (stayed, later))
    assert len(kept_now & kept_later) / len(kept_later) == pytest.approx(0.5, abs=0.06)


def test_the_correction_gives_the_odds_of_all_rows_back(rows):
    """A model without features learns the odds of its rows; corrected they are those of all rows, up to the luck of the draw."""
    kept = sample_stayers(rows, 0.2, seed=3)
    sampled, whole = rows.y[kept].mean(), rows.y.mean()
    corrected = np.log(sampled / (1 - sampled)) + correction(0.2)
    assert corrected == pytest.approx(np.log(whole / (1 - whole)), abs=0.08)


def test_a_model_of_few_stayers_has_the_right_level_even_without_a_calibrator(make_panel, train, settings):
    frame = make_panel(customers=3_000)
    sparing = settings.model_copy(update={"stayers_kept": 0.3, "calibration": "none"})
    trained = train(frame, sparing)
    assert trained.bundle.calibrator.kind == "none"
    y, p = trained.test["y"], trained.test["probability"]
    assert p.mean() == pytest.approx(y.mean(), abs=4 * np.sqrt((p * (1 - p)).sum()) / len(y))
    assert trained.bundle.model_text != train(frame, settings.model_copy(update={"calibration": "none"})).bundle.model_text
