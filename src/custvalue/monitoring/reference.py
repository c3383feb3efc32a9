"""What a model was judged on when it was trained, by column: the bins of every later night, and what they held then."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from custvalue.errors import ModelError, some
from custvalue.monitoring.bins import CategoryBins, ColumnBins, NumberBins, bins_from_dict
from custvalue.monitoring.profile import Profile
from custvalue.monitoring.scores import Counts, count_scores
from custvalue.monitoring.usual import Usual, usual_changes


@dataclass(frozen=True, eq=False)
class Reference:
    """The rows that a night is compared with.

    Attributes
    ----------
    bins : mapping
        Column → how its values are counted.
    counts : mapping
        Column → rows by bin.
    scores : (`SCORE_BINS`,) int64
        Rows by bin of their score.
    rows, customers : int
        Rows, and different customers among them: several rows of one customer resemble each other, so noise is reckoned from customers.
    usual : mapping
        Column → how much it changed among the days of training; only columns that did.
    """

    bins: Mapping[str, ColumnBins]
    counts: Mapping[str, Counts]
    scores: Counts
    rows: int
    customers: int
    usual: Mapping[str, Usual] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        X: pd.DataFrame,
        columns: Iterable[tuple[str, str]],
        probability: ArrayLike,
        *,
        customers: ArrayLike | None = None,
        vocabularies: Mapping[str, Iterable[str]] | None = None,
        days: tuple[pd.DataFrame, ArrayLike] | None = None,
    ) -> Reference:
        """Describe rows that the model did not learn from.

        Parameters
        ----------
        X : DataFrame
            Features, one row a customer and snapshot.
        columns : iterable of (name, kind)
            Kind is ``number`` or ``category``; `ModelBundle.columns`. Those that ``X`` lacks are left out.
        probability : (n,) calibrated probabilities of the rows
        customers : (n,) array, optional
            Whose row it is; by default each is another customer's.
        vocabularies : mapping, optional
            Category column → levels that the model learnt, which count as seen although these rows do not hold them.
        days : pair of DataFrame and (m,) array, optional
            Features of all labelled rows and the day each was seen, from which `usual_changes` tells what is no drift.
        """
        seen = vocabularies or {}
        bins: dict[str, ColumnBins] = {
            name: CategoryBins.of(X[name], seen.get(name, ())) if kind == "category" else NumberBins.of(X[name])
            for name, kind in columns
            if name in X.columns
        }
        different = len(X) if customers is None else int(pd.unique(np.asarray(customers, dtype=object)).size)
        counts = {name: each.count(X[name]) for name, each in bins.items()}
        usual = {} if days is None else usual_changes(bins, counts, *days)
        changed = {name: each for name, each in usual.items() if each != Usual()}
        return cls(bins, counts, count_scores(probability), len(X), different, changed)

    @cached_property
    def id(self) -> str:
        """Twelve hexadecimal digits that name the content."""
        text = json.dumps(self._content(), sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    @cached_property
    def profile(self) -> Profile:
        """The rows' own profile, to which a night's is compared."""
        return Profile(self.id, self.rows, self.counts, self.scores)

    def to_dict(self) -> dict[str, Any]:
        """Everything as JSON values."""
        return {"id": self.id, **self._content()}

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Reference:
        """Read what `to_dict` gave.

        Raises
        ------
        ModelError
            It is damaged.
        """
        try:
            columns = content["columns"]
            profile = Profile.from_dict({**content["profile"], "columns": {name: each["counts"] for name, each in columns.items()}})
            bins = {str(name): bins_from_dict(each) for name, each in columns.items()}
            usual = {str(name): Usual(**each) for name, each in content["usual"].items()}
            found = cls(bins, profile.columns, profile.scores, profile.rows, int(content["customers"]), usual)
            odd = [name for name, each in bins.items() if len(each.names) != profile.columns[name].size]
            if odd or found.id != content["id"]:
                raise ValueError(f"its content is not the one it was named after; {some(odd)}")
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ModelError(f"the model's reference for monitoring is damaged ({error}). Train again.") from error
        return found

    def _content(self) -> dict[str, Any]:
        return {
            "customers": self.customers,
            "usual": {name: asdict(each) for name, each in self.usual.items()},
            "columns": {name: each.to_dict() | {"counts": self.counts[name].tolist()} for name, each in self.bins.items()},
            "profile": {key: value for key, value in Profile("", self.rows, {}, self.scores).to_dict().items() if key != "columns"},
        }


def count_part(frame: pd.DataFrame, probability: ArrayLike, reference: Reference | None) -> Profile:
    """Count a part of a night's customers; the profiles of parts add up to that of the whole.

    Parameters
    ----------
    frame : DataFrame
        Features, one row a customer; has the reference's columns, and maybe others.
    probability : (n,) calibrated probabilities of the same customers
    reference : Reference or None
        Of the model that scored them; None, for a model without, counts the scores alone.

    Raises
    ------
    ModelError
        Columns are missing or hold the wrong kind of values, or a score is no probability.
    """
    scores = count_scores(probability)
    if reference is None:
        return Profile("", len(frame), {}, scores)
    missing = [name for name in reference.bins if name not in frame.columns]
    if missing:
        raise ModelError(f"{len(missing)} of the {len(reference.bins)} columns that are watched are missing, for example {some(missing)}.")
    counts: dict[str, Counts] = {}
    examples: dict[str, tuple[str, ...]] = {}
    for name, each in reference.bins.items():
        if isinstance(each, CategoryBins):
            counts[name], unseen = each.count_and_show(frame[name])
            if unseen:
                examples[name] = unseen
        else:
            counts[name] = each.count(frame[name])
    return Profile(reference.id, len(frame), counts, scores, examples)
