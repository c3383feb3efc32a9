"""What a feature column means; reasons, documents and the model's contract all read this."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class FeatureColumn:
    """Declaration of one feature column.

    Attributes
    ----------
    name : str
        Column name.
    en, zh : str
        What it holds, in words.
    unit : str
        ``money``, ``months``, ``days``, ``count``, ``minutes``, ``MB``, ``share``, ``yes/no`` or ``category``.
    null : str
        What a missing value means.
    sign : int
        +1 or −1 where more of it can only raise or lower the risk of leaving, else 0.
    reason : str
        The reason group that its contribution counts for; words live in the wording catalogue.
    kind : str
        ``number`` (float64) or ``category`` (text).
    consent : str, optional
        Column of customers that must be mapped for this one to be built; its value is null for a customer whose current row does not
        consent. ``traffic_data_consent`` for whatever is derived from traffic data.
    """

    name: str
    en: str
    zh: str
    unit: str
    null: str
    reason: str
    sign: Literal[-1, 0, 1] = 0
    kind: Literal["number", "category"] = "number"
    consent: str | None = None
