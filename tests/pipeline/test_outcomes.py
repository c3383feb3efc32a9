"""Champions of several outcomes score one base: which loss threatens most, and what the months ahead are worth."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest

from custvalue.churn import ModelBundle, survival, train_model, urgency, with_outcome
from custvalue.churn.frame import TrainingFrame
from custvalue.churn.hazard import MONTH_AHEAD
from custvalue.config import Departures, OutcomeSettings, TimeToLeave, load_retention_policy
from custvalue.features import FeatureColumn
from custvalue.pipeline.outcomes import loss_columns, riskiest, score_outcomes
from custvalue.tracking.versions import LoadedModel

ONE = FeatureColumn(name="late", en="late", zh="late", unit="yes/no", null="unknown", reason="late")


def settings(config, name: str, outcome) -> OutcomeSettings:
    churn = config.churn.model_copy(update={"max_rounds": 30, "bootstrap": 50})
    return OutcomeSettings.of(churn, name, outcome)


def loaded(name: str, settings: OutcomeSettings, columns, months: int = 1) -> LoadedModel:
    """Train on customers of whom the late ones leave in three of ten months, the others in one of fifty."""
    random = np.random.default_rng(4)
    late, month = random.integers(0, 2, 2_000), random.integers(1, months + 1, 2_000)
    frame = TrainingFrame(
        X=pd.DataFrame({"late": late.astype(float), MONTH_AHEAD.name: month.astype(float)}),
        y=(random.random(2_000) < np.where(late == 1, 0.3, 0.02)).astype(np.int8),
        customer=np.array([f"C{n}" for n in range(2_000)], dtype=object),
        snapshot=np.full(2_000, np.datetime64("2024-01-01")),
    )
    model = train_model(frame, columns, settings, as_of=date(2026, 1, 1), feature_spec_hash="spec")
    bundle: ModelBundle = with_outcome(model, frame, settings).bundle
    return LoadedModel(f"six-{name}", 1, "run", bundle.digest, bundle)


@pytest.fixture
def config(operator):
    return operator()


@pytest.fixture
def policy(config):
    return load_retention_policy(config.retention_policy)


FACTS = pd.DataFrame({"late": [0.0, 1.0, 0.0, 1.0]})
LEAVE = pd.Series([0.10, 0.01, 0.02, 0.30])


@pytest.mark.parametrize(
    ("kinds", "name", "told"),
    [
        (("non_payment",), "debt", "non_payment"),
        (("non_payment", "natural"), "debt", "non_payment"),
        (("silence",), "quiet", "silence"),
        (("natural",), "moved", "moved"),
    ],
)
def test_the_loss_furthest_above_its_own_base_rate_is_named(config, policy, kinds, name, told):
    model = loaded(name, settings(config, name, Departures(kinds=kinds)), (ONE,))
    found = score_outcomes(config, FACTS, {name: model}, policy)
    debt = model.bundle.predict_proba(FACTS)
    assert found[f"probability_{name}"].tolist() == debt.tolist()
    # leaving: 0.93, 0.09, 0.19 and 2.79 times its mean; the other: below one for the first and third, nearly two for the others
    assert (debt / debt.mean()).round().tolist() == [0, 2, 0, 2]
    rows, losses = found.assign(probability=LEAVE), loss_columns({name: model})
    assert losses == {"leave": "probability", told: f"probability_{name}"}
    means = {column: float(rows[column].mean()) for column in losses.values()}
    assert riskiest(rows, losses, means).tolist() == ["leave", told, "leave", "leave"]


def test_a_hazard_gives_months_and_urgency_but_is_no_loss_of_its_own(config, policy):
    model = loaded("when", settings(config, "when", TimeToLeave(form="hazard", hazard_months=3)), (ONE, MONTH_AHEAD), months=3)
    found = score_outcomes(config, FACTS, {"when": model}, policy)
    survived = survival(model.bundle, FACTS)
    assert list(found.columns) == ["probability_when", "first_month_share", "value_months"]
    assert loss_columns({"when": model}) == {"leave": "probability"}
    assert found.probability_when.tolist() == (1 - survived[:, -1]).tolist()
    assert found.first_month_share.tolist() == urgency(survived).tolist()
    # gap and window end with the third month from tonight, the hazard with the fourth; beyond, 97 % stay each month, at 1 % a month
    kept = [[1, 1, 1] + [own[2] / own[1] * 0.97**month for month in range(9)] for own in survived]
    assert found.value_months.tolist() == pytest.approx([sum(s / 1.01 ** (t + 1) for t, s in enumerate(row)) for row in kept])


def test_without_other_champions_nothing_is_added(config, policy):
    assert score_outcomes(config, FACTS, {}, policy).columns.empty
