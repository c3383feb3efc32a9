"""Which sign calls for an answer from which customer, how urgent it is, and how soon."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from custvalue.config.triggers import Trigger, TriggerRules
from custvalue.errors import some
from custvalue.wording import Facts
from custvalue.wording.conditions import all_hold
from custvalue.wording.facts import Flags

Texts = np.ndarray[Any, np.dtype[np.object_]]


def triggered(frame: pd.DataFrame, rules: TriggerRules) -> pd.DataFrame:
    """Give each customer's strongest trigger.

    Parameters
    ----------
    frame : DataFrame
        One row a customer: ``tier`` and the columns that the rules read. A rule that reads an absent one meets nobody; see `rule_notes`.
    rules : TriggerRules
        The operator's.

    Returns
    -------
    DataFrame
        ``trigger`` (code or None), ``urgency`` (``red``, ``amber`` or None) and ``due_hours`` (hours until the answer is due, NaN without
        a trigger), under the same index.

    Raises
    ------
    DataError
        A column holds text and numbers.
    """
    code, urgency = (np.full(len(frame), None, dtype=object) for _ in range(2))
    due = np.full(len(frame), np.nan)
    facts, tiers = _facts(frame, rules), _tiers(frame)
    for name, trigger in reversed(rules.by_urgency):
        met = _met(trigger, facts, tiers)
        code[met], urgency[met], due[met] = name, trigger.urgency, trigger.within_hours
        for tier, hours in trigger.within_hours_by_tier.items():
            due[met & (tiers == tier)] = hours
    # objects, because a column that is None throughout would arrive as numbers
    columns = {"trigger": pd.Series(code, dtype=object), "urgency": pd.Series(urgency, dtype=object), "due_hours": pd.Series(due)}
    return pd.DataFrame(columns).set_axis(frame.index)


def count_triggers(frame: pd.DataFrame, rules: TriggerRules) -> dict[str, int]:
    """Count the customers whom each trigger meets, also those for whom a stronger one counts; counts of parts of a base add up."""
    facts, tiers = _facts(frame, rules), _tiers(frame)
    return {code: int(_met(trigger, facts, tiers).sum()) for code, trigger in rules.triggers.items()}


def alarm_notes(counts: Mapping[str, int], customers: int, rules: TriggerRules) -> list[str]:
    """Say which triggers and care rules meet so much of the base that they tell nobody apart.

    Parameters
    ----------
    counts : mapping
        Customers of the whole base by trigger or kind of care: `count_triggers`, `care.count_care`.
    customers : int
        The base.
    rules : TriggerRules
        The operator's.
    """
    return [
        f"{code} meets {count:,} of {customers:,} customers ({count / customers:.0%}): "
        "raise the limits of that rule, or it tells nobody apart"
        for code, count in counts.items()
        if count > rules.alarm_share * customers
    ]


def rule_notes(rules: TriggerRules, columns: Iterable[str]) -> list[str]:
    """Say, in one line each for triggers and care, which rules are off because a column that they read is not built.

    Parameters
    ----------
    rules : TriggerRules
        The operator's.
    columns : iterable of str
        Features, signs and the customer's own columns that there are.
    """
    known = set(columns)
    off = {"triggers": [(code, own.facts - known) for code, own in rules.triggers.items()]}
    off["care rules"] = [(kind, rule.facts - known) for kind, rule in rules.care.items()]
    told = {what: [f"{code} ({_absent(names, known)})" for code, names in each if names] for what, each in off.items()}
    return [f"{what} off, because a column is not built: {some(each, limit=len(each))}" for what, each in told.items() if each]


def _absent(names: Collection[str], known: Collection[str]) -> str:
    near = {name: difflib.get_close_matches(name, known, n=1, cutoff=0.85) for name in sorted(names)}
    return ", ".join(f"{name}; did you mean {found[0]}?" if found else name for name, found in near.items())


def _facts(frame: pd.DataFrame, rules: TriggerRules) -> Facts:
    return Facts.of_frame(frame, frozenset[str]().union(*(trigger.facts for trigger in rules.triggers.values())))


def _tiers(frame: pd.DataFrame) -> Texts:
    return frame["tier"].to_numpy(dtype=object) if "tier" in frame.columns else np.full(len(frame), None, dtype=object)


def _met(trigger: Trigger, facts: Facts, tiers: Texts) -> Flags:
    if not all(name in facts for name in trigger.facts):
        return np.zeros(facts.rows, dtype=bool)
    met = all_hold(trigger.when, facts)
    for tier, own in trigger.by_tier.items():
        met = np.where(tiers == tier, all_hold(own, facts), met)
    return met
