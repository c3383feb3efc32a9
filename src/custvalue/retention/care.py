"""Service contacts that customers are owed, whoever is called to be kept: call-backs, notices before something ends, a short balance."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pandas as pd

from custvalue.config.triggers import CareRule, TriggerRules
from custvalue.errors import ConfigError
from custvalue.wording import LANGUAGES, Catalogue, Facts, Speaker, Variant
from custvalue.wording.conditions import all_hold
from custvalue.wording.facts import Flags

COLUMNS = ("customer_id", "kind", "due_on", "by", "since", *(f"facts_{language}" for language in LANGUAGES))
_WORDS = "care_facts"


def care(
    frame: pd.DataFrame, rules: TriggerRules, as_of: date, *, catalogue: Catalogue, currency: str, before: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Give the service contacts that are owed on a night.

    Neither holdout nor cooldown nor a missing marketing consent withholds one.

    Parameters
    ----------
    frame : DataFrame
        One row a customer in service: ``customer_id``, ``tier`` and the columns that the rules read. A rule that reads an absent one, or
        whose words show one, owes nothing; see `triggers.rule_notes`.
    rules : TriggerRules
        The operator's.
    as_of : date
        The night.
    catalogue, currency : Catalogue, str
        The words, ``care_facts.<kind>``, and what amounts are written in.
    before : DataFrame, optional
        What this gave on the night before.

    Returns
    -------
    DataFrame
        Ordered by customer and rule, a row for each contact: ``customer_id``, ``kind``, ``due_on`` (date, may have passed), ``by``
        (``person`` or ``message``), ``since`` (the first of the nights in a row on which it was owed: a message goes out on that night
        alone), ``facts_en`` and ``facts_zh``.

    Raises
    ------
    ConfigError
        The catalogue has no words for a kind.
    DataError
        A column holds text and numbers.
    """
    said = {kind: _words(kind, catalogue) for kind in rules.care}
    names = frozenset[str]().union(*(rule.facts | said[kind].shown for kind, rule in rules.care.items()))
    facts, speaker = Facts.of_frame(frame, names), Speaker(catalogue, currency=currency, as_of=as_of)
    valued = frame["tier"].isin(rules.person_tiers).to_numpy() if "tier" in frame.columns else np.zeros(len(frame), dtype=bool)
    found = []
    for kind, rule in rules.care.items():
        rows = np.flatnonzero(_owed(rule, said[kind], facts))
        if not rows.size:  # where a column is not built, nothing could be said either
            continue
        own = facts.take(rows, names)
        columns = {
            "customer_id": frame["customer_id"].to_numpy(dtype=object)[rows],
            "kind": kind,
            "due_on": _due(rule, own, as_of),
            "by": np.where(_by_person(rule, own, valued[rows]), "person", "message").astype(object),
            **{f"facts_{language}": speaker.say(said[kind], own, language).to_numpy(zero_copy_only=False) for language in LANGUAGES},
        }
        found.append(pd.DataFrame(columns).astype({"kind": object}))
    if not found:
        return pd.DataFrame(columns=list(COLUMNS), dtype=object)
    owed = pd.concat(found, ignore_index=True).sort_values("customer_id", kind="stable", ignore_index=True)
    return owed.assign(since=first_owed(owed, as_of, before))[list(COLUMNS)]


def count_care(owed: pd.DataFrame, rules: TriggerRules) -> dict[str, int]:
    """Count the contacts owed, by kind; all of the rules' kinds."""
    occurring = owed["kind"].value_counts()
    return {kind: int(occurring.get(kind, 0)) for kind in rules.care}


def _words(kind: str, catalogue: Catalogue) -> Variant:
    label = catalogue.labels.get(_WORDS, {}).get(kind)
    if label is None:
        raise ConfigError(f"wording: labels.yaml has no entry '{_WORDS}.{kind}', which a care rule needs. Add it with en and zh.")
    try:
        return Variant.model_validate({"en": label.en, "zh": label.zh})
    except ValueError as error:
        raise ConfigError(f"wording: labels.yaml: {_WORDS}.{kind} cannot be read: {error}") from error


def _owed(rule: CareRule, words: Variant, facts: Facts) -> Flags:
    if not all(name in facts for name in rule.facts):
        return np.zeros(facts.rows, dtype=bool)
    owed = all_hold(rule.when, facts) & words.fits(facts)
    return owed & facts.known(rule.since) if rule.since else owed


def _by_person(rule: CareRule, facts: Facts, valued: Flags) -> Flags:
    by: Flags = np.full(facts.rows, rule.by == "person") | (valued & (rule.by == "tier"))
    return by | all_hold(rule.person_when, facts) if rule.person_when else by


def _due(rule: CareRule, facts: Facts, as_of: date) -> list[date]:
    """Days from the night, or from the day that ``since`` counts from."""
    passed = facts.numbers(rule.since) if rule.since else np.zeros(facts.rows)
    return [as_of + timedelta(days=rule.within_days - int(days)) for days in passed.tolist()]


def first_owed(owed: pd.DataFrame, as_of: date, before: pd.DataFrame | None) -> pd.Series:
    """Carry the first night on from the night before, where the same was owed then."""
    first = pd.Series(as_of, index=owed.index, dtype="object")
    if before is None or before.empty:
        return first
    then = before.drop_duplicates(["customer_id", "kind"]).set_index(["customer_id", "kind"])["since"]
    carried = then.reindex(pd.MultiIndex.from_frame(owed[["customer_id", "kind"]])).set_axis(owed.index)
    return first.where(carried.isna(), carried)
