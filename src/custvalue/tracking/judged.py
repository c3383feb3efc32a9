"""The test rows of a version as its run keeps them: outcomes, probabilities, slices and worth, without features or identities."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from custvalue.errors import ModelError
from custvalue.tracking import registry
from custvalue.tracking.versions import ModelVersion

if TYPE_CHECKING:
    from mlflow import MlflowClient

ROWS_FILE, FACTS_FILE = "judged.parquet", "judged.json"

SLICE_PREFIX = "slice_"
"""Columns of rows that hold a slice's value."""


@dataclass(frozen=True)
class Rival:
    """The champion that was scored on a challenger's test rows.

    Attributes
    ----------
    version : int
    digest : str
        Of its bundle.
    learnt_until : date
        The newest snapshot that it learnt from.
    """

    version: int
    digest: str
    learnt_until: date


@dataclass(frozen=True, eq=False)
class JudgedRows:
    """What promotion compares two versions on.

    Attributes
    ----------
    rows : DataFrame
        One row a test row, in an order that tells nothing: ``snapshot``, ``customer`` (a number in place of the id), ``y``,
        ``probability``, ``rival`` (the champion's probability, NaN without one), ``worth_left`` and ``worth_stayed`` (what a contact is
        worth in money if the customer would leave, and if not; absent where the value is not known), and ``slice_<dimension>``.
    capacity_share : float
        Share of rows that can be contacted.
    learnt_until : date
        The newest snapshot that the version learnt from.
    rival : Rival, optional
        Whose probabilities stand in ``rival``.
    why_no_rival : str
        Why there are none: ``""`` or one sentence.
    """

    rows: pd.DataFrame = field(repr=False)
    capacity_share: float
    learnt_until: date
    rival: Rival | None = None
    why_no_rival: str = ""

    def save(self, folder: Path) -> None:
        """Write both files."""
        self.rows.to_parquet(folder / ROWS_FILE, index=False)
        rival = self.rival and {
            "version": self.rival.version,
            "digest": self.rival.digest,
            "learnt_until": self.rival.learnt_until.isoformat(),
        }
        facts: Mapping[str, Any] = {
            "capacity_share": self.capacity_share,
            "learnt_until": self.learnt_until.isoformat(),
            "rival": rival,
            "why_no_rival": self.why_no_rival,
        }
        (folder / FACTS_FILE).write_text(json.dumps(facts, indent=2, ensure_ascii=False), encoding="utf-8")

    @classmethod
    def load(cls, rows: Path, facts: Path) -> JudgedRows:
        """Read both files; raises ModelError where they are damaged."""
        try:
            told = json.loads(facts.read_text(encoding="utf-8"))
            rival = told["rival"]
            return cls(
                rows=pd.read_parquet(rows),
                capacity_share=float(told["capacity_share"]),
                learnt_until=date.fromisoformat(told["learnt_until"]),
                rival=rival and Rival(int(rival["version"]), str(rival["digest"]), date.fromisoformat(rival["learnt_until"])),
                why_no_rival=str(told["why_no_rival"]),
            )
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ModelError(f"{facts.name} and {rows.name} are damaged ({error!r}). Train again.") from error

    @property
    def slices(self) -> pd.DataFrame:
        """The slices' columns, named after their dimensions."""
        names = [name for name in self.rows.columns if name.startswith(SLICE_PREFIX)]
        return self.rows[names].rename(columns=lambda name: name.removeprefix(SLICE_PREFIX))


def without_identities(rows: pd.DataFrame, *, seed: int) -> pd.DataFrame:
    """Put the rows into an order of chance and a number in place of each customer, so that neither leads back to a customer."""
    mixed = rows.iloc[np.random.default_rng(seed).permutation(len(rows))].reset_index(drop=True)
    return mixed.assign(customer=pd.factorize(mixed["customer"])[0].astype(np.int32))


def read_judged(client: MlflowClient, uri: str, version: ModelVersion) -> JudgedRows | None:
    """Read a version's test rows; None where its run keeps none, as one trained by an older release."""
    if ROWS_FILE not in {file.path for file in client.list_artifacts(version.run_id)}:
        return None
    with registry.run_files(client, uri, version, (ROWS_FILE, FACTS_FILE)) as (rows, facts):
        return JudgedRows.load(rows, facts)
