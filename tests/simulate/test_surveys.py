"""Most surveys stay unanswered, and not by chance; the dissatisfied leave more often."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from custvalue.simulate.recording import Satisfaction
from custvalue.simulate.surveys import answer_chance

Tables = dict[str, pd.DataFrame]


def latest(tables: Tables) -> pd.DataFrame:
    return tables["surveys"].sort_values("available_at").drop_duplicates("survey_id", keep="last")


def test_most_do_not_answer(tables: Tables) -> None:
    answered = latest(tables)["score"].notna().mean()
    assert 0.15 <= answered <= 0.3
    assert latest(tables)["score"].dropna().between(1, 10).all()


def test_both_ends_answer_more_than_the_middle() -> None:
    chance = answer_chance(Satisfaction(), 0.22, np.arange(1, 11))
    assert chance[:4].min() > chance[4:8].max()
    assert chance[8:].min() > chance[4:8].max()


def test_the_wanted_share_of_customers_at_ease_answers() -> None:
    settings = Satisfaction()
    scores = np.clip(np.rint(np.random.default_rng(1).normal(settings.mean, settings.spread, 200_000)), 1, 10).astype(int)
    assert answer_chance(settings, 0.22, scores).mean() == pytest.approx(0.22, rel=0.01)


def test_the_answer_is_unknown_before_it_is_given(tables: Tables) -> None:
    surveys = tables["surveys"]
    assert (surveys["score"].isna() == surveys["answered_at"].isna()).all()
    twice = surveys[surveys["survey_id"].duplicated(keep=False)].sort_values("available_at").groupby("survey_id")
    assert (twice.size() == 2).all()
    assert twice["score"].nth(0).isna().all()
    assert twice["score"].nth(1).notna().all()
    assert (surveys.dropna()["answered_at"] > surveys.dropna()["asked_at"]).all()


def test_answers_know_of_the_intent_a_little(tables: Tables) -> None:
    """The hidden state of the month before the one in which it was asked."""
    surveys = latest(tables).query("kind in ('nps', 'yearly')").dropna(subset=["score"])
    before = surveys["asked_at"].dt.to_period("M").dt.to_timestamp() - pd.DateOffset(months=1)
    both = surveys.assign(month=before).merge(tables["states"], on=["customer_id", "month"])
    mean = both.groupby("intent")["score"].mean()
    assert 0.3 < mean[False] - mean[True] < 2.5
    assert 6.8 < both["score"].mean() < 7.8


def test_who_complained_is_asked_about_it(tables: Tables) -> None:
    surveys = latest(tables)
    about = surveys[surveys["kind"] == "after_complaint"]
    closed = tables["complaints"].dropna(subset=["closed_at"])
    asked = about.merge(closed, on="customer_id")
    days = (asked["asked_at"].dt.normalize() - asked["closed_at"].dt.normalize()).dt.days
    assert set(about["survey_id"]) == set(asked.loc[days == 1, "survey_id"])
    first = surveys[surveys["kind"] == "first_contact"]["score"].dropna()
    assert set(first) == {1, 10}
    assert 0.4 < (first == 10).mean() < 0.8
    answered = surveys.dropna(subset=["score"]).groupby("kind")["score"].mean()
    assert answered["after_complaint"] < answered["nps"] - 0.5
