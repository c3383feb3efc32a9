"""From features to scores, decisions and reasons, customer by customer: the same for any part of the base, on any engine."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property, reduce
from operator import add
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from custvalue.config import Config, RetentionPolicyConfig
from custvalue.config.triggers import TriggerRules
from custvalue.errors import ConfigError
from custvalue.explain import explain, weights_by_reason
from custvalue.explain.portfolio import portfolio_sums
from custvalue.features import FeatureColumn
from custvalue.lists import list_facts
from custvalue.metrics import Floats
from custvalue.monitoring import Profile, Reference, count_part
from custvalue.pipeline.effect_in_use import EffectInUse
from custvalue.pipeline.monitoring import PROFILE_FILE
from custvalue.pipeline.outcomes import score_outcomes
from custvalue.retention import Duty
from custvalue.retention.care import COLUMNS, care, count_care
from custvalue.retention.deciding import decide
from custvalue.retention.standing import after_calls
from custvalue.retention.triggers import count_triggers, triggered
from custvalue.wording import Catalogue

if TYPE_CHECKING:
    from custvalue.tracking import LoadedModel

ROWS_FILE, REASONS_FILE, SUMS_FILE, CARE_FILE, MET_FILE = "rows.parquet", "reasons.parquet", "sums.parquet", "care.parquet", "met.json"
DIMENSIONS = ("tier", "region", "segment")
"""What the portfolio groups customers by, where it is known."""
RATED = {
    "tier": "tier",
    "tier_score": "score",
    "tier_valid_from": "valid_from",
    "tier_valid_until": "valid_until",
    "tier_reason": "reason_code",
}
"""What a night tells of a customer's tier → column of the rating."""
OF_CUSTOMER = ("manager_id", "marketing_consent", "status", "segment", "region", "account_id", "household_id")
"""What decides about a contact and stands in the customers table, unless it is a feature."""
SHOWN = ("marketing_consent", "last_contact_days", "last_contact_outcome")
"""What lists show of these and of the signs, beside the features of `list_facts`."""

CARE_SCHEMA = pa.schema({name: pa.date32() if name in ("due_on", "since") else pa.string() for name in COLUMNS})
"""Of the service contacts, whoever is owed one."""

_TEXTS = (
    "customer_id", "tier", "tier_reason", "segment", "region", "manager_id", "own_manager_id", "unit", "account", "campaign", "arm",
    "stratum", "offer", "trigger", "urgency", "reason_code", "decision", "last_contact_outcome",
)  # fmt: skip
_BLOCK = 25_000
"""Customers at a time: their features, contributions and texts are in memory together."""


@dataclass(frozen=True)
class Scored:
    """Some customers of a night.

    Attributes
    ----------
    rows : pyarrow.Table
        One row a customer: probability, tier, value, decision (whoever may take a slot is still waiting for it), and what lists show.
    reasons : pyarrow.Table
        ``customer_id``, ``reason_codes``, ``reasons_en``, ``reasons_zh``, ``reason_weights``, in the same order.
    sums : DataFrame
        What `explain.portfolio.portfolio_sums` gives.
    profile : Profile
        What monitoring counts.
    care : pyarrow.Table
        Service contacts that are owed: what `retention.care.care` gives.
    met : Counter
        Customers by trigger that they meet, and by kind of care.
    """

    rows: pa.Table
    reasons: pa.Table
    sums: pd.DataFrame
    profile: Profile
    care: pa.Table
    met: Counter[str]

    def save(self, folder: Path) -> None:
        """Write one file of each."""
        pq.write_table(self.rows, folder / ROWS_FILE)
        pq.write_table(self.reasons, folder / REASONS_FILE)
        self.sums.astype({"group": "string"}).to_parquet(folder / SUMS_FILE, index=False)
        pq.write_table(self.care, folder / CARE_FILE)
        for name, content in {PROFILE_FILE: self.profile.to_dict(), MET_FILE: self.met}.items():
            (folder / name).write_text(json.dumps(content), encoding="utf-8")


@dataclass(frozen=True)
class Scorer:
    """All that decides a customer's row but the customer.

    Attributes
    ----------
    config, as_of : Config, date
        Whose night.
    columns : tuple of FeatureColumn
        Declarations of the features.
    model, outcomes : LoadedModel, mapping
        The champions; see `load_outcomes`.
    policy, duty : RetentionPolicyConfig, Duty
        What a contact is worth, and whose lists there are.
    rules : TriggerRules
        What calls for an answer, and who is owed a service contact.
    catalogue : Catalogue
        Words of reasons.
    holdout_key : bytes
        Draws who is held out.
    standing : DataFrame, optional
        What work orders tell of customers; see `retention.deciding.decide`.
    reference : Reference, optional
        What the night's customers are counted by.

    Raises
    ------
    ConfigError
        The retention policy's value rests on a feature that is not built.
    """

    config: Config
    as_of: date
    columns: tuple[FeatureColumn, ...]
    model: LoadedModel
    outcomes: Mapping[str, LoadedModel]
    policy: RetentionPolicyConfig
    duty: Duty
    rules: TriggerRules
    catalogue: Catalogue
    holdout_key: bytes
    standing: pd.DataFrame | None = None
    reference: Reference | None = None

    def __post_init__(self) -> None:
        metric = self.policy.value.metric
        if metric not in {column.name for column in self.columns}:
            raise ConfigError(f"{self.config.retention_policy}: value.metric {metric!r} is no feature here. Take one of revenue_mean_*m.")

    @cached_property
    def effect(self) -> EffectInUse:
        """Where the effect of a contact comes from."""
        return EffectInUse.of(self.policy, self.model)

    def score(self, part: pa.Table) -> Scored:
        """Score some customers.

        Parameters
        ----------
        part : pyarrow.Table
            One row a customer: ``customer_id``, the features, `RATED`, signs, and of `OF_CUSTOMER` what is mapped.
        """
        blocks = [self._score(part.slice(start, _BLOCK)) for start in range(0, max(part.num_rows, 1), _BLOCK)]
        sums = pd.concat([block.sums for block in blocks], ignore_index=True)
        rows, reasons, owed = (pa.concat_tables([getattr(block, name) for block in blocks]) for name in ("rows", "reasons", "care"))
        profile, met = (reduce(add, (getattr(block, name) for block in blocks)) for name in ("profile", "met"))
        return Scored(rows, reasons, sums, profile, owed, met)

    def _score(self, part: pa.Table) -> Scored:
        facts, bundle = part.to_pandas(), self.model.bundle
        log_odds, contributions = bundle.predict_and_explain(facts)
        scored = pd.DataFrame({"probability": bundle.calibrator.apply(log_odds), "arpu": facts[self.policy.value.metric]})
        scored = scored.join(score_outcomes(self.config, facts, self.outcomes, self.policy))
        reasons, sums = self._explain(facts, contributions, scored.probability)
        codes = pd.Series(reasons["reason_codes"].to_pylist(), facts.index, dtype=object)
        frame = pd.concat([facts, scored.assign(reason_codes=codes, reason_code=codes.str[0])], axis="columns")
        frame = pd.concat([frame, triggered(frame, self.rules)], axis="columns")
        if self.effect.model is not None:
            frame["effect"] = self.effect.model.effect(frame)
        decided = decide(frame, policy=self.policy, duty=self.duty, holdout_key=self.holdout_key, standing=self.standing, as_of=self.as_of)
        kept = [*scored.columns, *RATED, "care_priority", "reason_code", *SHOWN, *list_facts(facts.columns)]
        rows = decided.join(frame[[name for name in kept if name in frame.columns and name not in decided.columns]])
        called = frame.assign(**after_calls(frame, self.standing, as_of=self.as_of))
        owed = care(called, self.rules, self.as_of, catalogue=self.catalogue, currency=self.config.currency)
        met = Counter(count_triggers(frame, self.rules)) + Counter(count_care(owed, self.rules))
        profile = count_part(facts, frame.probability.to_numpy(), self.reference)
        return Scored(_typed(rows, part), reasons, sums, profile, pa.Table.from_pandas(owed, CARE_SCHEMA, preserve_index=False), met)

    def _explain(self, facts: pd.DataFrame, contributions: Floats, probability: pd.Series) -> tuple[pa.Table, pd.DataFrame]:
        said = explain(contributions, facts, self.columns, self.catalogue, currency=self.config.currency, as_of=self.as_of)
        codes, weights = weights_by_reason(contributions, self.columns, self.catalogue)
        groups = facts[[name for name in DIMENSIONS if name in facts.columns]]
        sums = portfolio_sums(codes, weights, probability.to_numpy(), said, groups)
        return said.table.add_column(0, "customer_id", pa.array(facts.customer_id, pa.string())), sums


def _typed(frame: pd.DataFrame, part: pa.Table) -> pa.Table:
    """Make an Arrow table whose types do not depend on which values occur in a part."""
    columns = {}
    for name in frame.columns:
        of_part = name in part.column_names and name not in _TEXTS
        kind = part.schema.field(name).type if of_part else pa.string() if name in _TEXTS else None
        columns[name] = pa.array(frame[name], kind, from_pandas=True)
    return pa.table(columns)
