"""A tier policy with its fitted cuts: fit once, store, apply every night."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from uuid import uuid4

import ibis.expr.types as ir

from custvalue.config import TierPolicyConfig, load_tier_policy
from custvalue.errors import ConfigError
from custvalue.publish.durable import full_disk_can_wait, sync
from custvalue.tiers.assignment import assign_tiers
from custvalue.tiers.cuts import find_cuts
from custvalue.tiers.scoring import check_metrics

Log = Callable[[str], None]


def _silent(_: str) -> None:
    """Drop a log line."""


@dataclass(frozen=True)
class TierPolicy:
    """A tier policy, and what fitting it found.

    Attributes
    ----------
    config : TierPolicyConfig
        The rule.
    cuts : mapping of str to float, optional
        Lowest score of every tier but the last, highest first; None until fitted.
    fitted_as_of : date, optional
        Day of the feature table that the policy was fitted on.
    rated : int, optional
        Customers rated on that day.
    """

    config: TierPolicyConfig
    cuts: Mapping[str, float] | None = None
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
        """SHA-256 over all that can change a tier; the `source` note may be reworded freely."""
        content = self.config.model_dump(mode="json", exclude={"source"})
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()

    def fit(self, features: ir.Table, *, as_of: date, log: Log = _silent) -> TierPolicy:
        """Find the cuts in a feature table.

        Parameters
        ----------
        features : ibis.Table
            One row a customer: ``customer_id`` and feature columns.
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
            A metric of the policy is not in the table.
        DataError
            The policy asks for shares and nobody is rated.
        """
        check_metrics(features, self.config)
        cuts, count = find_cuts(features, self.config, log=log)
        return replace(self, cuts=cuts, fitted_as_of=as_of, rated=count)

    def fit_once(self, features: ir.Table, *, as_of: date, folder: Path, log: Log = _silent) -> TierPolicy:
        """Load the stored cuts of this version, or fit and store them: tiers must not move because cuts did."""
        if self._file(folder).exists():
            return self.load(folder)
        fitted = self.fit(features, as_of=as_of, log=log)
        fitted.save(folder)
        return fitted

    def assign(self, features: ir.Table, *, as_of: date, previous: ir.Table | None = None, log: Log = _silent) -> ir.Table:
        """Give every customer a tier.

        A customer whose score is at or above a tier's cut is in it. Where a complaint is open, or was justified within
        the policy's days, the customer keeps the `previous` tier instead of falling (also to `unrated`), and may rise.

        Parameters
        ----------
        features : ibis.Table
            One row a customer: ``customer_id``, the policy's metrics, ``tenure_months`` where tenure is asked for, and
            ``complaint_open``, ``days_since_justified_complaint`` where known.
        as_of : date
            Becomes ``valid_from`` of a tier that is new; one that stays keeps its own.
        previous : ibis.Table, optional
            ``customer_id, tier, valid_from``, one row a customer, as it stood before `as_of`.
        log : callable, optional
            Receives a line where complaints are unknown, or previous tiers are not this policy's.

        Returns
        -------
        ibis.Table
            One row a customer: customer_id; tier; score (points, float64, null when unrated); valid_from (date);
            reason_code (``score``, ``unrated_short_tenure``, ``unrated_unknown_tenure``, ``protected_open_complaint``
            or ``protected_justified_complaint``); policy_version; care_priority (2 complaint open, 1 justified
            recently, else 0).

        Raises
        ------
        ConfigError
            The policy is not fitted, or a metric or a column of `previous` is absent.
        DataError
            `previous` holds a customer twice, or is later than `as_of`.
        """
        if self.cuts is None:
            raise ConfigError(f"tier policy {self.label} has no cuts yet. Call fit(features, as_of=…), or load(folder).")
        check_metrics(features, self.config)
        return assign_tiers(features, config=self.config, cuts=self.cuts, as_of=as_of, previous=previous, log=log)

    def to_json(self) -> str:
        """Write policy and cuts as JSON text; raises ConfigError when not fitted."""
        if self.cuts is None or self.fitted_as_of is None:
            raise ConfigError(f"tier policy {self.label} has no cuts to store yet. Call fit(features, as_of=…) first.")
        state = {
            "policy_version": self.label,
            "policy_hash": self.content_hash,
            "fitted_as_of": self.fitted_as_of.isoformat(),
            "rated": self.rated,
            "cuts": dict(self.cuts),
            "policy": self.config.model_dump(mode="json"),
        }
        return json.dumps(state, indent=2, ensure_ascii=False) + "\n"

    @classmethod
    def from_json(cls, text: str) -> TierPolicy:
        """Read what `to_json` wrote; raises ConfigError for text that is damaged or was edited."""
        try:
            state = json.loads(text)
            policy = cls(
                TierPolicyConfig.model_validate(state["policy"]),
                cuts={tier: float(cut) for tier, cut in state["cuts"].items()},
                fitted_as_of=date.fromisoformat(state["fitted_as_of"]),
                rated=int(state["rated"]),
            )
            stored_hash = state["policy_hash"]
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ConfigError(f"a fitted tier policy cannot be read ({type(error).__name__}: {error}). Fit it again.") from error
        if stored_hash != policy.content_hash or tuple(policy.cuts or ()) != policy.tiers[:-1]:
            raise ConfigError(
                f"fitted tier policy {policy.label}: its text was edited after it was written. Restore the file, or "
                "raise the version in the YAML and fit again."
            )
        return policy

    def save(self, folder: Path) -> Path:
        """Write ``<label>.json`` into `folder`, whole or not at all; the same state again changes nothing.

        Raises
        ------
        ConfigError
            Not fitted, or this version is stored with another content or other cuts.
        TryAgainError
            The disk is full.
        """
        text, path = self.to_json(), self._file(folder)
        folder.mkdir(parents=True, exist_ok=True)
        part = folder / f".{path.name}.{uuid4().hex}.part"
        try:
            with full_disk_can_wait(path):
                part.write_text(text, encoding="utf-8")
                sync(part)
            # a link, unlike a rename, fails when another run has stored its cuts first
            os.link(part, path)
            sync(folder)
        except FileExistsError:
            self._check_same(self.load(folder), path)
        finally:
            part.unlink(missing_ok=True)
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
        path = self._file(folder)
        try:
            stored = TierPolicy.from_json(path.read_text(encoding="utf-8"))
        except FileNotFoundError as error:
            raise ConfigError(f"{path}: {self.label} is not fitted yet. Fit and save it first.") from error
        except ConfigError as error:
            raise ConfigError(f"{path}: {error}") from error
        if stored.content_hash != self.content_hash:
            raise ConfigError(
                f"{path}: {self.label} is stored with another content (hash {stored.content_hash[:12]}, the YAML has "
                f"{self.content_hash[:12]}). A version never changes: raise its version."
            )
        return replace(stored, config=self.config)

    def _file(self, folder: Path) -> Path:
        return folder / f"{self.label}.json"
