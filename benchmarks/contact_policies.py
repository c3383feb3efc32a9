"""Policies that say whom to call this month, and what they learn beforehand from an operator's history."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date

import lightgbm
import numpy as np
import pandas as pd
from played_operator import ARPU, READ, START, Floats, Player, columns_of, features_at, labelled, opened

from custvalue import ChurnClassifier
from custvalue.churn.encoding import encode_columns, learn_vocabularies
from custvalue.config import Config, RetentionPolicyConfig, load_retention_policy, ready_configs
from custvalue.retention.choosing import choose
from custvalue.retention.deciding import decide
from custvalue.retention.decisions import WAITING
from custvalue.retention.lots import contact_outcomes
from custvalue.retention.managers import Duty
from custvalue.retention.uplift import Learned, learn_effect
from custvalue.retention.value import value_kept
from custvalue.simulate import Operator
from custvalue.sources import SourceTables, add_months

Pick = Callable[[pd.DataFrame, int, int], pd.DataFrame]
"""Frame of who may be called, slots, month of the play → those to call."""

SNAPSHOTS = (8, 10, 12, 14)
"""Months of the history whose firsts train; their windows are over, and silence is known, by month 20."""
DRAWN_IN = range(8, 17)
OFFER_MONTHS = 0.5
ROUNDS, STAYERS_KEPT = 300, 0.3
LEAST_LEAVERS = 80
"""Fewer among the lots teach nothing, whatever the split."""


@dataclass(frozen=True)
class Knowledge:
    """What policies know when the play begins.

    Attributes
    ----------
    risk : ChurnClassifier
    learned : Learned
        The effect learnt from the operator's randomised contacts, or why not.
    truth : callable
        Features and ``probability`` → the expected effect given these, fitted on hidden truth.
    accepted : float
        Share of the history's calls whose offer was accepted.
    """

    risk: ChurnClassifier
    learned: Learned
    truth: Callable[[pd.DataFrame], Floats]
    accepted: float


def policy_of(capacity: int, **changes: float) -> RetentionPolicyConfig:
    """Give the shipped policy's numbers as they are, for one offer and one list of everybody."""
    shipped = load_retention_policy(ready_configs() / "retention" / "default.yaml")
    numbers = {name: getattr(shipped, name) for name in ("reach", "save", "take_up", "harm", "contact_cost")}
    offer = {"label": {"en": "half a month off", "zh": "减免半个月月费"}, "cost_months": OFFER_MONTHS}
    content = {"name": "played", "version": 1, "source": shipped.source, "value": shipped.value.model_dump(), "offers": {"half": offer}}
    content |= {"channels": {"any": "manager"}, "capacity_per_manager": capacity, "holdout": {"share": 0.0, "universal": 0.0}}
    return RetentionPolicyConfig.model_validate(content | numbers | changes)


def expected_value(frame: pd.DataFrame, slots: int, day: date, *, effect: bool = False, **changes: float) -> pd.DataFrame:
    """Custvalue's own way: `decide`, then `choose`."""
    policy = policy_of(slots, **changes)
    names = ["customer_id", "probability", *(["effect"] if effect else [])]
    given = frame[names].assign(tier="any", arpu=frame[ARPU].fillna(0.0))
    duty = Duty.of(None, policy, as_of=day)
    decided = decide(given, policy=policy, duty=duty, holdout_key=b"a key for the benchmark", as_of=day)
    return choose(decided[decided["decision"] == WAITING], duty=duty, policy=policy).listed


def by_score(frame: pd.DataFrame, score: Floats, slots: int, *, least: float = -np.inf) -> pd.DataFrame:
    """Take the highest scores above a least one."""
    order = np.argsort(-score, kind="stable")[:slots]
    return frame.iloc[order[score[order] > least]]


def net_values(frame: pd.DataFrame, effect: Floats, accepted: float) -> Floats:
    """Expected net value of a call from its effect: τ·V − (a·d + f)."""
    policy, arpu = policy_of(1), frame[ARPU].fillna(0.0).to_numpy()
    found: Floats = effect * value_kept(arpu, policy) - accepted * OFFER_MONTHS * np.maximum(arpu, 0.0) - policy.contact_cost
    return found


def policies(known: Knowledge, config_seed: int, start: date) -> Mapping[str, Pick]:
    """Every policy that needs no hidden state but `truth`'s, by its name in the tables."""

    def day(month: int) -> date:
        return add_months(start, month)

    def drawn(frame: pd.DataFrame, slots: int, month: int) -> pd.DataFrame:
        generator = np.random.default_rng([config_seed, month])
        return by_score(frame, generator.random(len(frame)), slots)

    def knowing(frame: pd.DataFrame, slots: int, _: int) -> pd.DataFrame:
        return by_score(frame, net_values(frame, known.truth(frame), known.accepted), slots, least=0.0)

    def at_stake(frame: pd.DataFrame) -> Floats:
        return frame["probability"].to_numpy() * value_kept(frame[ARPU].fillna(0.0), policy_of(1))

    stated = policy_of(1).save
    found: dict[str, Pick] = {
        "random": drawn,
        "probability ranking": lambda frame, slots, _: by_score(frame, frame["probability"].to_numpy(), slots),
        "risk × value": lambda frame, slots, _: by_score(frame, at_stake(frame), slots),
        "ours": lambda frame, slots, month: expected_value(frame, slots, day(month)),
        "ours, γ halved": lambda frame, slots, month: expected_value(frame, slots, day(month), save=stated / 2),
        "ours, γ doubled": lambda frame, slots, month: expected_value(frame, slots, day(month), save=min(1.0, stated * 2)),
        "knowing": knowing,
    }
    if (model := known.learned.model) is not None:
        take_up = min(1.0, model.take_up / policy_of(1).reach)

        def learned(frame: pd.DataFrame, slots: int, month: int) -> pd.DataFrame:
            return expected_value(frame.assign(effect=model.effect(frame)), slots, day(month), effect=True, take_up=take_up, save=take_up)

        found["ours, learned effect"] = learned
    return found


def with_risk(frame: pd.DataFrame, risk: ChurnClassifier) -> pd.DataFrame:
    """Score customers."""
    names = [name for name, _ in columns_of(frame)]
    return frame.assign(probability=risk.predict_proba(frame[names])[:, 1])


def learn(operator: Operator, pilot: Operator, config: Config, seed: int) -> Knowledge:
    """Learn all that a policy may use: of the operator's own past, and for the knowing one of another's hidden truth."""
    tables, as_of = opened(operator.tables((*READ, "contacts")), config), operator.month
    first = add_months(as_of, -operator.months_lived)
    rows = pd.concat([labelled(tables, add_months(first, month), as_of, config) for month in SNAPSHOTS], ignore_index=True)
    contacts = tables.known(as_of)["contacts"].to_pandas()
    called = contacts[contacts["arm"] == "treated"]
    risk = _fitted(rows, seed)
    learned = _learned(tables, rows, contacts, as_of, config, seed)
    return Knowledge(risk, learned, _truth(pilot, risk, config, seed), float((called["outcome"] == "accepted").mean()))


def _learned(tables: SourceTables, rows: pd.DataFrame, contacts: pd.DataFrame, as_of: date, config: Config, seed: int) -> Learned:
    """Learn the effect from the lots of the history, as far as there are enough."""
    departures = tables.known(as_of)["departures"].to_pandas()
    outcomes = contact_outcomes(contacts, departures, until=pd.Timestamp(as_of), window_days=90)
    outcomes = outcomes[outcomes["day"] >= pd.Timestamp(add_months(START, DRAWN_IN[0]))]
    if outcomes["left"].sum() < LEAST_LEAVERS:
        counted = f"{len(outcomes):,} randomised contacts, {int(outcomes['left'].sum())} leavers"
        return Learned(None, f"cannot learn: {counted}; using the stated parameters")
    # Whoever was drawn must be scored by a model that does not know how the lot ended for him.
    strangers = _fitted(rows[~rows["customer_id"].isin(outcomes["customer_id"])], seed)
    parts = [features_at(tables, day, config).assign(day=day) for day in (add_months(START, month) for month in DRAWN_IN)]
    known = pd.concat([part[part["customer_id"].isin(outcomes["customer_id"])] for part in parts], ignore_index=True)
    both = with_risk(known.assign(day=pd.to_datetime(known["day"])), strangers).merge(outcomes, on=["customer_id", "day"])
    return learn_effect(
        both,
        left=both["left"],
        contacted=both["contacted"],
        customer=both["customer_id"],
        day=both["day"].to_numpy(),
        columns=(*columns_of(both), ("probability", "number")),
        accepted=both["accepted"],
        seed=seed,
    )


def _fitted(rows: pd.DataFrame, seed: int) -> ChurnClassifier:
    names = [name for name, _ in columns_of(rows)]
    return ChurnClassifier(max_rounds=ROUNDS, stayers_kept=STAYERS_KEPT, random_state=seed).fit(
        rows[names], rows["left"], groups=rows["customer_id"]
    )


def _truth(pilot: Operator, risk: ChurnClassifier, config: Config, seed: int) -> Callable[[pd.DataFrame], Floats]:
    """Fit the simulator's true effects of calls on what could be observed of many other customers."""
    tables = opened(pilot.tables(READ), config)
    first, parts = add_months(pilot.month, -pilot.months_lived), []
    for month in range(7, pilot.months_lived + 1, 2):
        frame = features_at(tables, add_months(first, month), config)
        parts.append(frame.merge(pilot.effects(month).to_pandas(), on="customer_id"))
    rows = with_risk(pd.concat(parts, ignore_index=True), risk)
    columns = (*columns_of(rows), ("probability", "number"))
    words = learn_vocabularies(rows, columns)
    settings = {"objective": "regression", "num_leaves": 15, "learning_rate": 0.05, "min_data_in_leaf": 500, "lambda_l2": 100.0}
    settings |= {"feature_fraction": 0.5, "seed": seed, "num_threads": 1, "verbosity": -1}
    effect = (rows["chance_if_not_called"] - rows["chance_if_called"]).to_numpy()
    booster = lightgbm.train(settings, lightgbm.Dataset(encode_columns(rows, columns, words), effect), 200)
    return lambda frame: np.asarray(booster.predict(encode_columns(frame, columns, words)), dtype=np.float64)


def hidden(player: Player, frame_ids: set[str], arpu: pd.Series, accepted: float, slots: int) -> list[str]:
    """Choose as somebody would who sees each customer's hidden state."""
    truth = player.operator.effects().to_pandas()
    truth = truth[truth["customer_id"].isin(frame_ids)].assign(**{ARPU: lambda rows: rows["customer_id"].map(arpu)})
    effect = (truth["chance_if_not_called"] - truth["chance_if_called"]).to_numpy()
    return list(by_score(truth, net_values(truth, effect, accepted), slots, least=0.0)["customer_id"])
