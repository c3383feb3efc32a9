"""A tier policy with its fitted cuts: fit once, store, apply at every rating."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import overload

import ibis.expr.types as ir
import pandas as pd
import pyarrow as pa

from custvalue.config import TierPolicyConfig, load_tier_policy
from custvalue.errors import ConfigError
from custvalue.features import FeatureColumn
from custvalue.tiers import fitted
from custvalue.tiers.assignment import assign_tiers
from custvalue.tiers.cuts import find_cuts
from custvalue.tiers.explaining import explain
from custvalue.tiers.facts import Frame, as_table, check_metrics
from custvalue.tiers.scoring import Cuts
from custvalue.wording import Catalogue

Log = Callable[[str], None]


def _silent(_: str) -> None:
    """Drop a log line."""


@dataclass(frozen=True)
class TierPolicy:
    """A tier policy, and what fitting it found.

    Attributes
    ----------
    config : TierPolicyConfig
        The rules.
    cuts : mapping, optional
        Rule → tier → lowest score of every tier but the last, highest first; rules of points alone. None until fitted.
    fitted_as_of : date, optional
        Day of the feature table that the policy was fitted on.
    rated : int, optional
        Customers rated on that day.
    """

    config: TierPolicyConfig
    cuts: Cuts | None = None
    fitted_as_of: date | None = None
    rated: int | None = None

    @classmethod
    def from_yaml(cls, path: str | Path) -> TierPolicy:
        """Read a policy that is not fitted yet; raises ConfigError for a faulty file."""
        return cls(load_tier_policy(Path(path)))

    @property
    def label(self) -> str:
        """Name and version, for example ``consumer-v1``."""
        return self.config.label

    @property
    def tiers(self) -> tuple[str, ...]:
        """Tiers, highest first, without `unrated`."""
        return self.config.tiers

    @property
    def content_hash(self) -> str:
        """SHA-256 over all that can change a tier; `source` and `service` may be reworded freely."""
        return fitted.content_hash(self.config)

    def fit(self, features: Frame, *, as_of: date, log: Log = _silent) -> TierPolicy:
        """Find the cuts in a feature table.

        Parameters
        ----------
        features : ibis.Table, DataFrame or pyarrow.Table
            One row a customer: ``customer_id``, what the policy reads (`needed_columns`).
        as_of : date
            Day of the table; stored with the cuts.
        log : callable, optional
            Receives a line when equal scores leave a tier empty.

        Returns
        -------
        TierPolicy
            Fitted; this one stays as it is.

        Raises
        ------
        ConfigError
            A column that the policy reads is not in the table.
        DataError
            The policy asks for shares, and nobody is rated or has revenue.
        """
        table = as_table(features)
        check_metrics(table, self.config)
        cuts, count = find_cuts(table, self.config, log=log)
        return replace(self, cuts=cuts, fitted_as_of=as_of, rated=count)

    def fit_once(self, features: Frame, *, as_of: date, folder: Path, log: Log = _silent) -> TierPolicy:
        """Load the stored cuts of this version, or fit and store them: tiers must not move because cuts did."""
        if self._file(folder).exists():
            return self.load(folder)
        found = self.fit(features, as_of=as_of, log=log)
        found.save(folder)
        return found

    @overload
    def assign(self, features: pd.DataFrame, *, as_of: date, previous: Frame | None = None, log: Log = _silent) -> pd.DataFrame: ...

    @overload
    def assign(self, features: ir.Table | pa.Table, *, as_of: date, previous: Frame | None = None, log: Log = _silent) -> ir.Table: ...

    def assign(self, features: Frame, *, as_of: date, previous: Frame | None = None, log: Log = _silent) -> ir.Table | pd.DataFrame:
        """Rate every customer: make one step from the previous rating.

        A customer whose score is at or above a tier's cut earns it. What is then held follows from the tier before: upwards at once (but
        for the largest step), downwards only when no complaint protects, the validity is over, the streak is full and the grace has
        passed.

        Parameters
        ----------
        features : ibis.Table, DataFrame or pyarrow.Table
            One row a customer: ``customer_id``, what the policy reads (`needed_columns`), and ``complaint_open`` and
            ``days_since_justified_complaint`` where known. Values that are missing, NaN or infinite are unknown.
        as_of : date
            Day of the rating.
        previous : ibis.Table, DataFrame or pyarrow.Table, optional
            What this gave at the rating before, one row a customer. Only ``customer_id, tier, valid_from`` must be there; of what is absent
            nothing is known. A tier that the policy does not know protects from nothing.
        log : callable, optional
            Receives a line where complaints are unknown, or previous tiers are not this policy's.

        Returns
        -------
        ibis.Table or DataFrame
            An Ibis table (not yet computed) for an Ibis table; for a frame in memory pandas, in its order. One row a customer:

            ``customer_id``; ``tier``; ``score`` (points by the rule that earns the tier, float64, null when unrated); ``valid_from`` (since
            when the tier is held); ``valid_until`` (end of its validity, null where there is none); ``below_since`` (first rating of the
            present streak below the tier); ``grace_until``; ``reason_code``; ``policy_version``; ``care_priority`` (2 complaint open, 1
            justified recently, else 0); ``earned`` (the tier that score, floors and overrides alone give).

            Reason codes: ``first_rating``, ``upgrade``, ``stays``, ``renewed``, ``downgrade``, ``policy_change``, ``adjusted_<name>``; held
            by ``protected_open_complaint``, ``protected_justified_complaint``, ``transition``, ``within_validity``, ``below_too_briefly``,
            ``grace``; ``unrated_short_tenure``, ``unrated_unknown_tenure``, ``unrated_other_segment``.

        Raises
        ------
        ConfigError
            The policy is not fitted, or a column that it reads, or one of `previous`, is absent.
        DataError
            `previous` holds a customer twice, or is later than `as_of`.
        """
        cuts, table = self._fitted_cuts(), as_table(features)
        check_metrics(table, self.config)
        before = None if previous is None else as_table(previous)
        assigned = assign_tiers(table, config=self.config, cuts=cuts, as_of=as_of, previous=before, log=log)
        if isinstance(features, ir.Table):
            return assigned
        rows: pd.DataFrame = assigned.to_pyarrow().to_pandas().set_index("customer_id")
        return rows.loc[table.customer_id.to_pyarrow().to_pylist()].reset_index()

    def explain(
        self,
        customer_id: object,
        facts: Frame,
        state: Frame,
        *,
        language: str = "en",
        complaint: str | None = None,
        as_of: date | None = None,
        columns: Sequence[FeatureColumn] = (),
        currency: str | None = None,
        catalogue: Catalogue | None = None,
    ) -> str:
        """Say in a sentence or two why a customer holds a tier, what the next one needs, and what protects it.

        Parameters
        ----------
        customer_id : str
            Whose tier.
        facts, state : ibis.Table, DataFrame or pyarrow.Table
            What `assign` was given, and what it gave. For a policy on accounts or households `facts` must hold the other lines too.
        language : str
            ``en`` or ``zh``.
        complaint : str, optional
            Number of the open complaint, as it may be shown.
        as_of : date, optional
            Day on which the sentence is read; a validity that is over then is not told.
        columns : sequence of FeatureColumn, optional
            The features' declarations, for the names of those that the wording's ``tier_metrics`` lacks; else they are called as their
            columns.
        currency : str, optional
            ISO code; amounts of ``columns`` are then said with their currency, as in every other sentence.
        catalogue : Catalogue, optional
            The words; by default those shipped with the package.

        Raises
        ------
        ConfigError
            The policy is not fitted, another one gave the tier, or the wording lacks a label.
        DataError
            The customer is not just once in both tables.
        """
        table, rating = as_table(facts), as_table(state)
        check_metrics(table, self.config)
        said = {"language": language, "complaint": complaint, "as_of": as_of, "columns": columns, "currency": currency}
        return explain(table, rating, customer_id, config=self.config, cuts=self._fitted_cuts(), catalogue=catalogue, **said)

    def _fitted_cuts(self) -> Cuts:
        if self.cuts is None:
            raise ConfigError(f"tier policy {self.label} has no cuts yet. Call fit(features, as_of=…), or load(folder).")
        return self.cuts

    def to_json(self) -> str:
        """Write policy and cuts as JSON text; raises ConfigError when not fitted."""
        if self.cuts is None or self.fitted_as_of is None or self.rated is None:
            raise ConfigError(f"tier policy {self.label} has no cuts to store yet. Call fit(features, as_of=…) first.")
        return fitted.to_text(self.config, fitted.Fitted(self.cuts, self.fitted_as_of, self.rated))

    @classmethod
    def from_json(cls, text: str) -> TierPolicy:
        """Read what `to_json` wrote; raises ConfigError for text that is damaged or was edited."""
        config, found = fitted.from_text(text)
        return cls(config, found.cuts, found.as_of, found.rated)

    def save(self, folder: Path) -> Path:
        """Write ``<label>.json`` into `folder`, whole or not at all; the same state again changes nothing.

        Raises
        ------
        ConfigError
            Not fitted, or this version is stored with another content or other cuts.
        TryAgainError
            The disk is full.
        """
        path = self._file(folder)
        fitted.write_once(path, self.to_json(), check_same=lambda: self._check_same(self.load(folder), path))
        return path

    def _check_same(self, stored: TierPolicy, path: Path) -> None:
        if (stored.cuts, stored.fitted_as_of, stored.rated) != (self.cuts, self.fitted_as_of, self.rated):
            raise ConfigError(
                f"{path}: {self.label} was fitted as of {stored.fitted_as_of} already, and its cuts are in use. "
                "Load them, or raise the policy's version to fit new ones."
            )

    def load(self, folder: Path) -> TierPolicy:
        """Read the cuts stored for this version.

        Raises
        ------
        ConfigError
            Nothing is stored, the file is damaged, or it was fitted from another content under the same version.
        """
        found = fitted.read(self._file(folder), self.config)
        return TierPolicy(self.config, found.cuts, found.as_of, found.rated)

    def _file(self, folder: Path) -> Path:
        return folder / f"{self.label}.json"
