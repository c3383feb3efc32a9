"""The effect of a contact, learnt from lots: found where it is, not found where it is not, and kept as text."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from custvalue.errors import DataError, ModelError
from custvalue.retention.lots import contact_outcomes, differing_chances
from custvalue.retention.uplift import learn_effect
from custvalue.retention.uplift_learners import LEARNERS, Sample, cross_fitted
from custvalue.retention.uplift_model import Learned

COLUMNS = (("risk_seen", "number"), ("free", "number"), ("noise", "number"), ("region", "category"))


def trial(
    n: int, seed: int, *, saves: float, harms: float, customers: int | None = None
) -> tuple[pd.DataFrame, dict[str, Any], np.ndarray]:
    """A campaign by lot whose contacts keep would-be leavers, and drive away customers without a contract; and the true effects."""
    generator = np.random.default_rng(seed)
    risk = generator.beta(1, 6, n)
    free = generator.random(n) < 0.3
    effect = np.where(free, -harms, saves * risk)
    contacted = generator.random(n) < 0.5
    left = generator.random(n) < np.clip(risk - effect * contacted, 0, 1)
    frame = pd.DataFrame(
        {
            "probability": risk,
            "risk_seen": risk,
            "free": free.astype(float),
            "noise": generator.random(n),
            "region": generator.choice(["north", "south"], n),
        }
    )
    day = np.datetime64("2024-01-01") + np.sort(generator.integers(0, 300, n)).astype("timedelta64[D]")
    whose = generator.integers(0, customers, n) if customers else np.arange(n)
    given = {"left": left.astype(float), "contacted": contacted, "customer": whose, "day": day, "accepted": contacted & free}
    return frame, given, effect


def learnt(n: int, seed: int, **effects: Any) -> tuple[Learned, pd.DataFrame, np.ndarray]:
    frame, given, effect = trial(n, seed, **effects)
    return learn_effect(frame, **given, columns=COLUMNS), frame, effect


@pytest.fixture(scope="module")
def found() -> tuple[Learned, pd.DataFrame, np.ndarray]:
    return learnt(12_000, 1, saves=0.7, harms=0.08)


def test_a_large_effect_is_learnt_and_told(found: tuple[Learned, pd.DataFrame, np.ndarray]) -> None:
    learned, frame, effect = found
    assert learned.model is not None, learned.told
    assert learned.told.startswith("learnt from 12,000 randomised contacts")
    said = learned.model.effect(frame)
    assert np.corrcoef(said, effect)[0, 1] > 0.7
    assert said.mean() == pytest.approx(effect.mean(), abs=0.02)
    assert 0 < learned.model.spread <= 1


def test_sleeping_dogs_are_expected_to_be_harmed(found: tuple[Learned, pd.DataFrame, np.ndarray]) -> None:
    learned, frame, _ = found
    assert learned.model is not None
    said = learned.model.effect(frame)
    assert said[frame["free"] == 1].mean() < 0 < said[frame["free"] == 0].mean()


def test_take_up_is_that_of_the_contacted(found: tuple[Learned, pd.DataFrame, np.ndarray]) -> None:
    assert found[0].model is not None
    assert found[0].model.take_up == pytest.approx(0.3, abs=0.02)


def test_without_an_effect_the_stated_parameters_hold() -> None:
    """Each trial may pass by chance in 2.5 of 100 cases; three of six would be another thing."""
    passed = [learnt(1_500, seed, saves=0.0, harms=0.0)[0].model is not None for seed in range(6)]
    assert sum(passed) < 3


def test_few_leavers_are_said_to_be_too_few() -> None:
    learned, _, _ = learnt(120, 3, saves=0.5, harms=0.0)
    assert learned.model is None
    assert learned.told.startswith("cannot learn: 120 randomised contacts, ")
    assert learned.told.endswith("leavers; using the stated parameters")


def test_no_contacts_at_all_teach_nothing() -> None:
    frame, given, _ = trial(50, 1, saves=0.0, harms=0.0)
    none = {name: values[:0] for name, values in given.items()}
    assert learn_effect(frame[:0], **none, columns=COLUMNS).told == (
        "cannot learn: 0 randomised contacts, 0 leavers; using the stated parameters"
    )


@pytest.mark.parametrize("name", LEARNERS)
def test_every_learner_finds_a_known_effect(name: str) -> None:
    frame, given, effect = trial(12_000, 5, saves=0.7, harms=0.0)
    matrix = frame[["risk_seen", "free", "noise"]].to_numpy()
    risk = frame["probability"].to_numpy()
    sample = Sample(matrix, risk, given["left"], given["contacted"], given["customer"])
    said = LEARNERS[name](sample, *cross_fitted(sample, 7), 7).predict(matrix, risk)
    assert said.mean() == pytest.approx(effect.mean(), abs=0.02)
    assert np.corrcoef(said, effect)[0, 1] > 0.5
    assert said[risk > 0.4].mean() > 0.1 > said[risk < 0.05].mean()


def test_a_customers_rows_lie_in_one_fold() -> None:
    frame, given, _ = trial(500, 2, saves=0.0, harms=0.0, customers=60)
    sample = Sample(frame[["noise"]].to_numpy(), frame["noise"].to_numpy(), given["left"], given["contacted"], given["customer"])
    folds = pd.Series(sample.folds(5, 7)).groupby(given["customer"]).nunique()
    assert (folds == 1).all()


def test_what_was_learnt_is_kept_as_text(found: tuple[Learned, pd.DataFrame, np.ndarray]) -> None:
    learned, frame, _ = found
    assert learned.model is not None
    again = Learned.from_json(learned.to_json())
    assert again.model is not None
    np.testing.assert_array_equal(again.model.effect(frame), learned.model.effect(frame))
    assert (again.told, again.contacts, again.leavers) == (learned.told, 12_000, learned.leavers)
    assert again.to_json() == learned.to_json()


def test_that_nothing_was_learnt_is_kept_too() -> None:
    learned, _, _ = learnt(120, 3, saves=0.5, harms=0.0)
    again = Learned.from_json(learned.to_json())
    assert (again.model, again.told, again.contacts) == (None, learned.told, 120)


def test_text_of_another_version_is_refused(found: tuple[Learned, pd.DataFrame, np.ndarray]) -> None:
    with pytest.raises(ModelError, match="another version of custvalue"):
        Learned.from_json(found[0].to_json().replace('"format": 1', '"format": 99'))


def test_the_same_contacts_teach_the_same(found: tuple[Learned, pd.DataFrame, np.ndarray]) -> None:
    assert learnt(12_000, 1, saves=0.7, harms=0.08)[0].to_json() == found[0].to_json()


def test_strange_rows_are_refused() -> None:
    frame, given, _ = trial(50, 1, saves=0.0, harms=0.0)
    with pytest.raises(DataError, match="need 'probability'"):
        learn_effect(frame.drop(columns="probability"), **given, columns=COLUMNS)
    with pytest.raises(DataError, match=r"left has the shape \(49,\)"):
        learn_effect(frame, **given | {"left": given["left"][1:]}, columns=COLUMNS)
    with pytest.raises(DataError, match="day has the shape"):
        learn_effect(frame, **given | {"day": given["day"][1:]}, columns=COLUMNS)


def test_what_became_of_contacts_by_lot() -> None:
    contacts = pd.DataFrame(
        [
            ("a", "2024-03-01 10:00", True, "treated", "accepted"),
            ("b", "2024-03-01 11:00", True, "holdout", None),
            ("c", "2024-03-01 12:00", False, "treated", "refused"),  # picked, not drawn
            ("d", "2024-03-01 13:00", True, "treated", "unreachable"),
            ("e", "2024-06-01 09:00", True, "treated", "refused"),  # its window is not over
        ],
        columns=["customer_id", "contacted_at", "randomised", "arm", "outcome"],
    )
    departures = pd.DataFrame({"customer_id": ["a", "d", "z"], "left_on": ["2024-05-30", "2024-05-31", "2024-03-05"]})
    found = contact_outcomes(contacts, departures, until=pd.Timestamp("2024-07-01"), window_days=90)
    assert found["customer_id"].tolist() == ["a", "b", "d"]
    assert found["contacted"].tolist() == [True, False, True]
    assert found["accepted"].tolist() == [True, False, False]
    # 90 days after 1 March is 30 May: the last day that counts
    assert found["left"].tolist() == [1.0, 0.0, 0.0]
    assert found["day"].eq(pd.Timestamp("2024-03-01")).all()


def test_who_left_before_under_the_same_id_is_seen_leaving_again() -> None:
    contacts = pd.DataFrame(
        {"customer_id": ["a", "b"], "contacted_at": "2024-03-01 10:00", "randomised": True, "arm": ["treated", "holdout"], "outcome": None}
    )
    departures = pd.DataFrame({"customer_id": ["a", "a", "b"], "left_on": ["2023-01-05", "2024-04-01", "2023-01-05"]})
    found = contact_outcomes(contacts, departures, until=pd.Timestamp("2024-07-01"), window_days=90)
    assert found["left"].tolist() == [1.0, 0.0]


def test_draws_with_other_chances_are_told_apart() -> None:
    even = pd.DataFrame({"draw": ["spring", "summer"] * 200, "contacted": ([True] * 2 + [False] * 2) * 100})
    assert differing_chances(even) == ""
    assert differing_chances(even[even["draw"] == "spring"]) == ""
    odd = pd.concat([even, pd.DataFrame({"draw": "autumn", "contacted": [True] * 190 + [False] * 10})])
    assert differing_chances(odd) == "the chance of being called differs, from 50% (spring) to 95% (autumn)"
