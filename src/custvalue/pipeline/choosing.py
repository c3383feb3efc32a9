"""Tonight's lists, chosen over the whole base from its scored parts."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from custvalue.pipeline.outcomes import loss_columns
from custvalue.pipeline.scoring import MET_FILE, ROWS_FILE, Scorer
from custvalue.retention import DECISIONS, WAITING, count_decisions, customers_by_manager
from custvalue.retention.choosing import Choice, choose
from custvalue.retention.decisions import NOT_APPROVED, UNWORTHY
from custvalue.retention.offers import NET, SPENT

_OF_CHOICE = (
    "customer_id", "probability", "tier", "arpu", "segment", "region", "own_manager_id", "manager_id", "unit", "account", "campaign", "arm",
    "stratum", "value_at_stake", "reach", "save", "take_up", "harm", "contact_cost", "effect", "offer", "offer_cost", "net_value",
    "expected_cost", "trigger", "urgency", "due_hours", "decision",
)  # fmt: skip
_OF_DRY_RUN = ("customer_id", "decision", "tier", "region", "campaign", "claims")
_FIXED = 2**40
"""Chances are added up as whole numbers of so many parts: the sum does not depend on how the base is cut."""


@dataclass(frozen=True)
class Chosen:
    """What is decided over the whole base.

    Attributes
    ----------
    choice : Choice
        Who takes a slot, and who would.
    decisions : Series
        Final code, by customer_id, of whoever waited for a slot.
    counts : dict
        Customers by decision, all of `DECISIONS`.
    customers : dict
        Customers by their own manager.
    met : Counter
        Customers by trigger that they meet, and by kind of care.
    means : dict
        Mean of each probability column.
    """

    choice: Choice
    decisions: pd.Series
    counts: dict[str, int]
    customers: dict[str, int]
    met: Counter[str]
    means: dict[str, float]


def choose_lists(parts: Sequence[Path], scorer: Scorer, *, live: Collection[str] | None, log: Callable[[str], None]) -> Chosen:
    """Fill the lists from all parts.

    Parameters
    ----------
    parts : sequence of Path
        Folders as `Scored.save` writes them.
    scorer : Scorer
        Policy, rules and duty.
    live : collection of str, optional
        Campaigns that may call; by default all.
    log : callable
        Receives one line a fact worth knowing.
    """
    waiting, counts, customers, met = [], Counter[str](), Counter[str](), Counter[str]()
    chances = dict.fromkeys(loss_columns(scorer.outcomes).values(), 0)
    rows = 0
    for part in parts:
        own = _read(part, (*_OF_CHOICE, *chances))
        rows += len(own)
        counts.update(count_decisions(own.decision))
        customers.update(customers_by_manager(own.own_manager_id))
        met.update(json.loads((part / MET_FILE).read_text(encoding="utf-8")))
        for name in chances:
            chances[name] += int(np.rint(own[name].to_numpy() * _FIXED).astype(np.int64).sum())
        # a line of an account that is not worth a contact by itself may be worth one together with the others
        waits = (own.decision == WAITING) | (own.account.notna() & (own.decision == UNWORTHY[-1]))
        waiting.append(own[waits])
    competing = pd.concat(waiting, ignore_index=True).sort_values("customer_id", ignore_index=True)
    allowed = competing.campaign.isin(list(live)) if live is not None else pd.Series(True, competing.index)
    reserved = scorer.rules.reserved.get("red", 0.0)
    choice = choose(competing[allowed], duty=scorer.duty, policy=scorer.policy, reserved=reserved, log=log)
    stopped = competing[~allowed & (competing.decision == WAITING)]
    decisions = pd.concat([choice.decisions, pd.Series(NOT_APPROVED, stopped.customer_id, dtype=object)])
    counts.subtract(count_decisions(competing.decision[competing.customer_id.isin(decisions.index)]))
    counts.update(count_decisions(decisions))
    means = {name: total / _FIXED / rows for name, total in chances.items()}
    return Chosen(choice, decisions, {code: counts[code] for code in DECISIONS}, dict(customers), met, means)


def read_decided(parts: Sequence[Path]) -> pd.DataFrame:
    """Read what a dry run needs of everybody."""
    return pd.concat([_read(part, _OF_DRY_RUN) for part in parts], ignore_index=True)


def _read(part: Path, columns: Sequence[str]) -> pd.DataFrame:
    known = pq.read_schema(part / ROWS_FILE).names
    wanted = [name for name in known if name in columns or name.startswith((NET, SPENT))]
    return pd.DataFrame(pq.read_table(part / ROWS_FILE, columns=wanted).to_pandas())
