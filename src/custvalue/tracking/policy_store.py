"""Tier policies, their ratings and comparisons, kept as versions and runs."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from custvalue.tiers import TierPolicy
from custvalue.tracking import policies, policy_record, ratings
from custvalue.tracking.calm import calm
from custvalue.tracking.opening import OpenStore
from custvalue.tracking.policies import PolicyVersion
from custvalue.tracking.ratings import LoggedTiers, PolicyComparison, TierRating


class PolicyStore(OpenStore):
    """The part of a store that keeps tier policies."""

    @property
    def policies(self) -> str:
        """Name of the registered model, and of the experiment, that hold the config's tier policies."""
        return policies.registered_name(self.name)

    def log_rating(self, rating: TierRating, *, by: str, now: datetime) -> LoggedTiers:
        """Log a rating as one run and register its policy; the same rating again adds nothing.

        The alias `current` moves to the policy's version, unless a newer rating stands under another; a line in ``policies.jsonl`` tells
        from what to what.

        Parameters
        ----------
        rating : TierRating
        by, now : str, datetime
            Who rates and when, for the record.

        Raises
        ------
        ConfigError
            The policy is not fitted, or a churn model bears the policies' name.
        ModelError, TryAgainError
            The store refuses, is busy, full or out of reach; a run that was begun is marked FAILED.
        """
        with calm(self._place.tracking_uri):
            return ratings.log_rating(self._client, self._place, self.policies, rating, by=by, now=now)

    def log_what_if(self, comparison: PolicyComparison, *, by: str, now: datetime) -> LoggedTiers:
        """Log a comparison of two policies as one run, register both, and point the alias `proposed` at the second.

        Nothing is proposed where the two are the same. For what is raised see `log_rating`.
        """
        with calm(self._place.tracking_uri):
            return ratings.log_what_if(self._client, self._place, self.policies, comparison, by=by, now=now)

    def find_policy(self, alias_or_version: str | int) -> PolicyVersion | None:
        """Resolve ``current``, ``proposed`` or a version number of the policies; None where there is none."""
        uri = self._place.tracking_uri
        with calm(uri):
            return policies.find(self._client, uri, self.policies, alias_or_version)

    def load_policy(self, alias_or_version: str | int) -> TierPolicy:
        """Load a registered tier policy with its cuts, verified.

        Raises
        ------
        ModelError
            There is no such version, or its files are missing or not the registered ones.
        """
        uri = self._place.tracking_uri
        with calm(uri):
            return policies.load(self._client, uri, self.policies, alias_or_version)

    def policy_moves(self) -> list[dict[str, Any]]:
        """Give the record of which policy became current or proposed, when, by whom and in whose place; oldest first."""
        return policy_record.moves_of(self.models / policy_record.LOG_FILE, self.policies)
