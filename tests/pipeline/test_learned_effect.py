"""What contacts by lot teach, from the tables to the night's decisions: high bills are kept by a call, low ones driven away."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

from custvalue import pipeline
from custvalue.churn import training_frame
from custvalue.config import Config, load_config, load_retention_policy
from custvalue.pipeline.effect_in_use import EffectInUse
from custvalue.pipeline.learned_effect import _outcomes, learn_from_lots
from custvalue.retention.uplift_model import Learned
from custvalue.sources import open_tables
from custvalue.tracking import LoadedModel

from .conftest import POLICY, RETENTION, Heard, write
from .test_effect import publish_night
from .test_two_engines_score import trained

AS_OF = date(2024, 12, 1)
CUSTOMERS, HIGH, LOW = 2_400, 120.0, 60.0
IDS = np.array([f"C{number:04d}" for number in range(CUSTOMERS)])
EFFECT = {"high": 0.25, "low": -0.2}
CHURN = {"gap_months": 0, "horizon_months": 2, "snapshots": 4, "max_rounds": 30, "min_leavers": 15}


def simulated(seed: int = 1) -> dict[str, pd.DataFrame]:
    """Everybody is drawn once, on a first of March to August, and half of them are called; within two months 3 of 10 leave uncalled."""
    rng = np.random.default_rng(seed)
    high, called = rng.random(CUSTOMERS) < 0.5, rng.random(CUSTOMERS) < 0.5
    month = rng.integers(3, 9, CUSTOMERS)
    chance = 0.3 - called * np.where(high, EFFECT["high"], EFFECT["low"])
    drawn = pd.to_datetime([f"2024-{number:02d}-01" for number in month])
    left_on = (drawn + pd.to_timedelta(rng.integers(2, 58, CUSTOMERS), "D")).where(rng.random(CUSTOMERS) < chance)
    bill = np.where(high, HIGH, LOW) + rng.normal(0, 5, CUSTOMERS)
    months = pd.date_range("2023-11-01", "2024-11-01", freq="MS")
    bills = pd.DataFrame({"customer_id": np.repeat(IDS, len(months)), "month": np.tile(months, CUSTOMERS)})
    bills["revenue"] = (np.repeat(bill, len(months)) * rng.uniform(0.9, 1.1, len(bills))).round(2)
    bills = bills[~(bills["month"] >= np.repeat(left_on, len(months))).to_numpy()]
    gone = left_on.notna()
    contacts = {
        "contact_id": [f"K{number}" for number in range(CUSTOMERS)],
        "customer_id": IDS,
        "campaign_id": [f"LOT-{number}" for number in month],
        "contacted_at": drawn + pd.Timedelta(hours=3),
        "randomised": True,
        "arm": np.where(called, "treated", "holdout"),
        "reached": called & (rng.random(CUSTOMERS) < 0.5),
        "outcome": np.where(called, "refused", None),
    }
    return {
        "customers": pd.DataFrame({"customer_id": IDS, "valid_from": date(2022, 1, 1), "joined_on": date(2022, 1, 1)}),
        "billing": bills.assign(month=bills["month"].dt.date),
        "departures": pd.DataFrame({"customer_id": IDS[gone], "left_on": left_on[gone].date, "kind": "voluntary"}),
        "contacts": pd.DataFrame(contacts),
    }


def configured(folder: Path, rows: dict[str, pd.DataFrame], **policy: Any) -> Config:
    (folder / "data").mkdir(parents=True)
    for name, table in rows.items():
        table.to_parquet(folder / "data" / f"{name}.parquet", index=False)
    write(folder / "tiers.yaml", POLICY)
    write(folder / "retention.yaml", RETENTION | {"effect": "learned", "capacity_per_manager": 400} | policy)
    content = {"sources": {"folder": "data"}, "tier_policy": "tiers.yaml", "retention_policy": "retention.yaml"}
    write(folder / "lots.yaml", content | {"features": {"windows": [1, 3]}, "churn": CHURN})
    return load_config(folder / "lots.yaml")


def learn(config: Config, as_of: date = AS_OF) -> Learned:
    tables = open_tables(config, log=lambda _: None)
    frame, columns, _ = training_frame(tables, as_of, config.churn, config.features)
    policy = load_retention_policy(config.retention_policy)
    return learn_from_lots(config, tables, as_of, frame, columns, policy, log=lambda _: None)


@pytest.fixture(scope="module")
def operator(tmp_path_factory: pytest.TempPathFactory) -> Config:
    return configured(tmp_path_factory.mktemp("lots"), simulated())


@pytest.fixture(scope="module")
def learned(operator: Config) -> Learned:
    return learn(operator)


def champion(config: Config, learned: Learned | None) -> LoadedModel:
    """A churn model of any quality, with what was learnt beside it."""
    from custvalue.pipeline.base_scoring import BaseFacts
    from custvalue.pipeline.carrying import carried_rating

    tables = open_tables(config, log=lambda _: None)
    rated = carried_rating(config, tables, AS_OF, log=lambda _: None)
    facts = BaseFacts(config, AS_OF, tables, rated, dispute_categories=(), log=lambda _: None)
    model = replace(trained(facts), effect=learned.to_json() if learned else None)
    facts.close()
    return model


@contextlib.contextmanager
def night_of(config: Config, model: LoadedModel, heard: Heard) -> Iterator[pipeline.Night]:
    tables, _ = pipeline.check(config, AS_OF, reporter=heard)
    keys = pipeline.Keys(b"t" * 32, b"h" * 32)
    with pipeline.unpublished_night(config, AS_OF, model=model, keys=keys, tables=tables, reporter=heard) as night:
        yield night


def listed_by_bill(night: pipeline.Night) -> dict[str, float]:
    """Share of the customers in service who are listed or would be with more slots, by the level of their bill."""
    scores = night.scores("arpu", "decision")
    wanted = scores["decision"].isin(["listed", "over_capacity"])
    return {"high": wanted[scores["arpu"] > 90].mean(), "low": wanted[scores["arpu"] < 90].mean()}


def test_lots_that_suffice_are_learnt_in_the_direction_of_the_truth(learned: Learned) -> None:
    assert learned.model is not None, learned.told
    assert learned.contacts == CUSTOMERS
    assert learned.told.startswith("learnt from 2,400 randomised contacts")


def test_a_night_calls_whom_calls_keep_and_leaves_sleeping_dogs_alone(operator: Config, learned: Learned, heard: Heard) -> None:
    with night_of(operator, champion(operator, learned), heard) as night:
        assert listed_by_bill(night)["high"] > 0.9
        assert listed_by_bill(night)["low"] < 0.1
        scores = night.scores("arpu", "effect")
        means = scores.groupby(scores["arpu"] > 90)["effect"].mean()
        assert means[True] > EFFECT["high"] / 2
        assert means[False] < EFFECT["low"] / 2
        assert night.dry_run is not None
        assert (night.dry_run.basis.source, night.dry_run.basis.contacts) == ("learned", CUSTOMERS)
    (told,) = [facts for step, facts in heard.ended if step == "lists"]
    assert told["effect"] == "learned"
    assert "effects: learnt from 2,400 randomised contacts" in told["text"]


def test_too_few_lots_are_said_and_the_stated_parameters_hold(tmp_path: Path, heard: Heard) -> None:
    rows = simulated()
    few = configured(tmp_path / "few", rows | {"contacts": rows["contacts"].head(150)})
    found = learn(few)
    assert found.model is None
    assert found.told.startswith("cannot learn: 150 randomised contacts, ")
    stated = configured(tmp_path / "stated", rows, effect="stated")
    decided = []
    for config in (few, stated):
        with night_of(config, champion(config, found), heard) as night:
            decided.append(night.scores("customer_id", "decision", "net_value"))
            assert night.dry_run is not None
            assert night.dry_run.basis.source == ("too_few" if config is few else "stated")
    assert listed_by(decided[0]) > 100
    pd.testing.assert_frame_equal(*decided)
    texts = [facts["text"] for step, facts in heard.ended if step == "lists"]
    assert "effects: cannot learn: 150 randomised contacts" in texts[0]
    assert texts[0].endswith("using the stated parameters")
    assert "effects" not in texts[1]


def listed_by(scores: pd.DataFrame) -> int:
    return int(scores["decision"].isin(["listed", "over_capacity"]).sum())


def test_a_champion_from_before_the_switch_is_told(operator: Config, heard: Heard) -> None:
    with night_of(operator, champion(operator, None), heard) as night:
        assert night.dry_run is not None
        assert night.dry_run.basis.source == "untaught"
    (told,) = [facts["text"] for step, facts in heard.ended if step == "lists"]
    assert "v1 was trained while the policy stated its effects; using the stated parameters" in told


def test_contacts_whose_window_is_not_over_are_not_used(operator: Config) -> None:
    """In mid September two months are over for the lots of March to July; a day before they were not for the last of them."""
    tables = open_tables(operator, log=lambda _: None)
    lots = pd.Series(simulated()["contacts"]["contacted_at"].dt.normalize())
    for as_of, newest in ((date(2024, 9, 12), "2024-07-01"), (date(2024, 9, 1), "2024-07-01"), (date(2024, 8, 31), "2024-06-01")):
        found = _outcomes(operator, tables, as_of)
        assert found["day"].max() == pd.Timestamp(newest)
        assert len(found) == (lots <= pd.Timestamp(newest)).sum()
    left = simulated()["departures"].set_index("customer_id")["left_on"]
    gone = found.loc[found["left"] == 1]
    assert (pd.to_datetime(gone["customer_id"].map(left)) <= pd.Timestamp(2024, 8, 31)).all()


def test_campaigns_that_gave_other_chances_are_not_mixed(tmp_path: Path) -> None:
    rows = simulated()
    contacts = rows["contacts"]
    skewed = contacts[(contacts["campaign_id"] != "LOT-4") | (contacts["arm"] == "treated") | (contacts.index % 4 == 0)]
    found = learn(configured(tmp_path / "skewed", rows | {"contacts": skewed}))
    assert found.model is None
    assert "the chance of being called differs, from" in found.told
    assert found.told.endswith("(LOT-4); using the stated parameters")


def test_without_lots_of_the_operators_own_the_nights_holdout_teaches(tmp_path: Path) -> None:
    """Published nights tell who was listed and who would have been."""
    rows = simulated()
    contacts = rows.pop("contacts")
    config = configured(tmp_path / "nights", rows)
    for stamp, own in contacts.groupby("contacted_at"):
        made = own[["customer_id"]].assign(
            unit=own["customer_id"], campaign="spring", stratum="gold/customer", tier="gold", manager_id="M1"
        )
        called = (own["arm"] == "treated").to_numpy()
        publish_night(config.output, pd.Timestamp(str(stamp)).date(), made[called], made[~called], own["customer_id"])
    found = learn(config)
    assert found.model is not None, found.told
    assert found.contacts == CUSTOMERS


def test_a_night_s_manifest_tells_the_source() -> None:
    policy = load_retention_policy_of({"effect": "learned"})
    bundle: Any = None
    known = LoadedModel("op", 3, "run", "d" * 64, bundle, effect=Learned(None, "cannot learn", 7, 1).to_json(), effect_digest="e" * 64)
    assert EffectInUse.of(policy, known).lineage == {
        "effect": {"source": "too_few", "told": "effects: cannot learn", "digest": "e" * 64},
    }
    assert EffectInUse.of(load_retention_policy_of({}), known).lineage == {}


def load_retention_policy_of(changes: dict[str, Any]) -> Any:
    from custvalue.config import RetentionPolicyConfig

    return RetentionPolicyConfig.model_validate(yaml.safe_load(yaml.safe_dump(RETENTION | changes)))
