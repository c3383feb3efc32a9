"""What a night is made with and what it holds."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pandas as pd

from custvalue.pipeline.list_files import LISTS_FILE
from custvalue.pipeline.ratings import Rated
from custvalue.publish.reading import SCORES
from custvalue.retention import count_decisions
from custvalue.retention.dry_run import DryRun
from custvalue.sources import SourceTables


@dataclass(frozen=True)
class Night:
    """One night's content, as its files hold it.

    Attributes
    ----------
    folder : Path
        The files.
    tables : SourceTables
        What it was made from.
    rated : Rated
        The rating that it carries.
    dry_run : DryRun, optional
        What it would reach, cost and earn, where that was asked for.
    """

    folder: Path
    tables: SourceTables
    rated: Rated
    dry_run: DryRun | None = None

    def scores(self, *columns: str) -> pd.DataFrame:
        """Read one row a customer, by customer_id: probability, tier, value, decision, lineage; all columns where none is named."""
        return pd.read_parquet(self.folder / SCORES, columns=list(columns) or None)

    @cached_property
    def rows(self) -> pd.DataFrame:
        """The listed customers as a manager sees them, with reasons in both languages."""
        return pd.read_parquet(self.folder / LISTS_FILE)

    @cached_property
    def counts(self) -> dict[str, int]:
        """Customers by decision."""
        return count_decisions(self.scores("decision").decision)


@dataclass(frozen=True)
class Keys:
    """Secrets of a night.

    Attributes
    ----------
    token : bytes
        Key of the customers' tokens.
    holdout : bytes
        Draws who is held out: another key is another draw, so it never changes.
    """

    token: bytes
    holdout: bytes
