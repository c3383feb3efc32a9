"""The strongest reasons of each customer: contributions grouped by reason, said as observed facts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import overload

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from custvalue.errors import ConfigError, ModelError
from custvalue.explain.choosing import NOTHING, Chosen, Speech, weights_by_reason
from custvalue.features.columns import FeatureColumn
from custvalue.wording import LANGUAGES, Catalogue, Facts, Speaker

_BLOCK = 32_768
"""Customers at a time: what is asked of them stays in the processor's cache."""


@dataclass(frozen=True)
class Reason:
    """One reason of one customer.

    Attributes
    ----------
    code : str
        Reason code, as in `FeatureColumn.reason`.
    en, zh : str
        The fact in words.
    weight : float
        Sum of the contributions of the reason's columns, log-odds; for ranking, not for showing.
    """

    code: str
    en: str
    zh: str
    weight: float


class Reasons(Sequence[tuple[Reason, ...]]):
    """Reasons of many customers, held as columns; as a sequence it gives each customer's reasons, best first.

    Parameters
    ----------
    table : pyarrow.Table
        ``reason_codes``, ``reasons_en``, ``reasons_zh`` (lists of text) and ``reason_weights`` (lists of numbers), one row a customer.
    """

    def __init__(self, table: pa.Table) -> None:
        self.table = table

    def __len__(self) -> int:
        return int(self.table.num_rows)

    @overload
    def __getitem__(self, place: int) -> tuple[Reason, ...]: ...
    @overload
    def __getitem__(self, place: slice) -> Reasons: ...
    def __getitem__(self, place: int | slice) -> tuple[Reason, ...] | Reasons:
        if isinstance(place, slice):
            return Reasons(self.table.take(pa.array(range(len(self))[place], pa.int64())))
        if not -len(self) <= place < len(self):
            raise IndexError(place)
        return next(iter(Reasons(self.table.slice(place % len(self), 1))))

    def __iter__(self) -> Iterator[tuple[Reason, ...]]:
        columns = (self.table[name].to_pylist() for name in ("reason_codes", "reasons_en", "reasons_zh", "reason_weights"))
        for row in zip(*columns, strict=True):
            yield tuple(Reason(*parts) for parts in zip(*row, strict=True))


def explain(
    contributions: npt.NDArray[np.float64],
    facts: pd.DataFrame,
    columns: Sequence[FeatureColumn],
    catalogue: Catalogue,
    *,
    currency: str,
    as_of: date,
    limit: int = 3,
) -> Reasons:
    """Give each customer's strongest reasons.

    Contributions of all columns with the same reason are summed, so that correlated columns count once. Warnings that are true of the
    customer, of reasons that raise the risk, come strongest first, nearly equal ones in the catalogue's order; a reason that cannot be said
    truthfully, or is sensitive, is passed over. Where there is no warning, `LAST_RESORT` is said, followed by plain facts of the reasons
    that raise the risk most.

    Parameters
    ----------
    contributions : ndarray, shape (n, len(columns) + 1)
        Shapley values, log-odds; the last column, the base value, is not read.
    facts : DataFrame, n rows
        The feature columns, with missing values as NaN or None.
    columns : sequence of FeatureColumn
        Declarations in the order of `contributions`.
    catalogue : Catalogue
        The words.
    currency : str
        ISO code.
    as_of : date
        The night that the facts are of.
    limit : int
        At most so many reasons.

    Returns
    -------
    Reasons
        Between one and `limit` reasons a row, in the rows' order.

    Raises
    ------
    ModelError
        The shapes do not fit, or a contribution is not finite.
    ConfigError
        A reason is not in the catalogue, or `limit` is below one.
    DataError
        A column holds text and numbers.
    """
    if limit < 1:
        raise ConfigError(f"explain: limit must be at least 1, not {limit}.")
    if len(contributions) != len(facts):
        raise ModelError(f"explain: contributions are for {len(contributions):,} customers, facts for {len(facts):,}. Pass the same.")
    codes, weights = weights_by_reason(contributions, columns, catalogue)
    speech = Speech(catalogue, codes, frozenset(facts.columns))
    spoken = weights[:, [codes.index(code) for code in speech.codes]]
    known = Facts.of_frame(facts, speech.facts)
    speaker, blocks = Speaker(catalogue, currency=currency, as_of=as_of), []
    for start in range(0, len(facts), _BLOCK):
        part = slice(start, start + _BLOCK)
        own = known.slice(start, start + _BLOCK)
        blocks.append(_said(speech.choose(spoken[part], own, limit), speech, own, speaker))
    return Reasons(pa.concat_tables(blocks) if blocks else _said(_nobody(limit), speech, known, speaker))


def _nobody(limit: int) -> Chosen:
    return Chosen(np.empty((0, limit), dtype=np.int64), np.empty((0, limit)))


def _said(chosen: Chosen, speech: Speech, facts: Facts, speaker: Speaker) -> pa.Table:
    """Put what was chosen into words: variant by variant, then back into the customers' order."""
    there = chosen.variants.ravel() != NOTHING
    variants = chosen.variants.ravel()[there]
    customers = np.flatnonzero(there) // chosen.variants.shape[1]
    order = np.argsort(variants, kind="stable")
    back = np.empty(len(order), dtype=np.int64)
    back[order] = np.arange(len(order))
    numbers, starts = np.unique(variants[order], return_index=True)
    pieces: dict[str, list[pa.StringArray]] = {"reason_codes": [], **{f"reasons_{language}": [] for language in LANGUAGES}}
    for number, who in zip(numbers.tolist(), np.split(customers[order], starts[1:]), strict=False):
        code, variant = speech.variants[number]
        own = facts.take(who, variant.shown)
        pieces["reason_codes"].append(pa.repeat(code, len(who)))
        for language in LANGUAGES:
            pieces[f"reasons_{language}"].append(speaker.say(variant, own, language))
    ends = np.concatenate([[0], np.cumsum(there.reshape(chosen.variants.shape).sum(axis=1))])
    offsets = pa.array(ends, pa.int32())
    texts = {name: pa.concat_arrays(parts).take(pa.array(back)) if parts else pa.array([], pa.string()) for name, parts in pieces.items()}
    # ways to reckon Shapley values differ in the ninth digit
    values = texts | {"reason_weights": pa.array(chosen.weights.ravel()[there].round(6))}
    return pa.table({name: pa.ListArray.from_arrays(offsets, column) for name, column in values.items()})
