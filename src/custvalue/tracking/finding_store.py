"""What was found of published nights and of campaigns, kept as runs."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from custvalue.tracking import campaigns, monitored
from custvalue.tracking.calm import calm
from custvalue.tracking.opening import OpenStore


class FindingStore(OpenStore):
    """The part of a store that keeps monitoring reports and measured effects."""

    @property
    def monitoring(self) -> str:
        """Name of the experiment that holds a run for each night that was monitored."""
        return monitored.experiment_name(self.name)

    def log_monitoring(
        self, night: date, as_of: date, *, run_id: str, metrics: Mapping[str, float], texts: Mapping[str, str]
    ) -> tuple[str, bool]:
        """Log what monitoring found of a night as one run; the same figures again add nothing.

        Parameters
        ----------
        night, as_of : date
            The night, and the day whose knowledge the figures rest on.
        run_id : str
            Of the published night.
        metrics : mapping
            Name → value; what is not finite is left out.
        texts : mapping
            File name → content.

        Returns
        -------
        run_id : str
        new : bool
            False where an older run holds the same.

        Raises
        ------
        ModelError, TryAgainError
            The store refuses, is busy, full or out of reach; a run that was begun is marked FAILED.
        """
        found = monitored.MonitoredNight(night, as_of, run_id, metrics, texts)
        with calm(self._place.tracking_uri):
            return monitored.log_monitoring(self._client, self._place, self.name, found)

    @property
    def campaigns(self) -> str:
        """Name of the experiment that holds a run for each campaign whose effect was measured."""
        return campaigns.experiment_name(self.name)

    def log_campaign(
        self, campaign: str, as_of: date, *, params: Mapping[str, str], metrics: Mapping[str, float], texts: Mapping[str, str]
    ) -> tuple[str, bool]:
        """Log a campaign's measured effect, as known on a day, as one run; the same figures again add nothing.

        `params` tells more of it, for example the versions of its policies. For the rest, what is given and what is raised see
        `log_monitoring`.
        """
        found = campaigns.MeasuredCampaign(campaign, as_of, params, metrics, texts)
        with calm(self._place.tracking_uri):
            return campaigns.log_campaign(self._client, self._place, self.name, found)
