"""The model store of one config: its experiment, its registered model, and the aliases champion and challenger."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pandas as pd

from custvalue.churn.bundle import ModelBundle
from custvalue.config import PromotionConfig
from custvalue.errors import ModelError
from custvalue.tiers import TierPolicy
from custvalue.tracking import campaigns, monitored, policies, policy_record, promotion, ratings, recording, registry
from custvalue.tracking.calm import calm, shown
from custvalue.tracking.database import Place, locate, prepare
from custvalue.tracking.gates import Verdict
from custvalue.tracking.judged import JudgedRows
from custvalue.tracking.policies import PolicyVersion
from custvalue.tracking.ratings import LoggedTiers, PolicyComparison, TierRating
from custvalue.tracking.reigns import Reign, reign_on, reigns
from custvalue.tracking.versions import CHAMPION, LoadedModel, ModelVersion

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from mlflow import MlflowClient

    from custvalue.churn.tuning import Trial


class Store:
    """An open store; make one with `Store.open`.

    Attributes
    ----------
    name : str
        The registered model and the experiment, named after the config.
    models : Path
        The local folder with the promotion log.
    """

    def __init__(self, place: Place, name: str, client: MlflowClient, *, then: tuple[date, ZoneInfo] | None = None) -> None:
        self.name = name
        self.models = place.models
        self._place = place
        self._client = client
        self._then = then

    @classmethod
    def open(cls, models: Path, *, tracking_uri: str | None, name: str, create: bool, patience: float = 20.0) -> Store:
        """Open a store; create it, or mend the paths in it after a move, where needed.

        Parameters
        ----------
        models : Path
            Folder of the default store, ``mlflow.db`` and ``artifacts/``.
        tracking_uri : str or None
            Another store: a SQLite file, a database or a server.
        name : str
            Name of the experiment and the registered model.
        create : bool
            Make a SQLite store that is not there.
        patience : float
            Seconds to wait while another process holds the store locked.

        Raises
        ------
        ModelError
            There is no store and `create` is false; or MLflow refuses it, for example as too old.
        ConfigError
            MLflow cannot keep registered models at the address.
        TryAgainError
            The store is locked, full or out of reach.
        """
        place = locate(models, tracking_uri, patience=patience)
        prepare(place, name=name, create=create)
        with calm(place.tracking_uri):
            from mlflow import MlflowClient

            return cls(place, name, MlflowClient(tracking_uri=place.tracking_uri, registry_uri=place.tracking_uri))

    def named(self, name: str) -> Store:
        """Give the same store for another config's, or another outcome's, models."""
        return Store(self._place, name, self._client, then=self._then)

    def as_of(self, day: date, zone: ZoneInfo) -> Store:
        """Give the same store in which ``champion`` means what it meant when a day ended in the operator's zone."""
        return Store(self._place, self.name, self._client, then=(day, zone))

    @property
    def address(self) -> str:
        """The store's MLflow address, without user name and password."""
        return shown(self._place.tracking_uri)

    def log_training(
        self,
        *,
        params: Mapping[str, Any],
        digests: Mapping[str, str],
        metrics: Mapping[str, float],
        figures: Mapping[str, Figure],
        texts: Mapping[str, str],
        bundle: ModelBundle,
        X_sample: pd.DataFrame,
        tags: Mapping[str, str],
        run_name: str | None = None,
        judged: JudgedRows | None = None,
        trials: Sequence[Trial] = (),
        reference: Mapping[str, Any] | None = None,
    ) -> ModelVersion:
        """Log a training as one run and register its model as the new challenger.

        Beside what is given, the run gets ``differs.md``: what differs from the champion's data, settings and environment.

        Parameters
        ----------
        params, metrics, tags : mapping
            Of the run.
        digests : mapping
            Table → digest of its content; shown as the run's datasets. The key ``test`` names the rows that the
            evaluation was measured on.
        figures : mapping
            Title → figure; kept as ``plots/<title>.png``.
        texts : mapping
            File name → content; ``evaluation.json`` (``Evaluation.to_dict()``) is what promotion judges.
        bundle : ModelBundle
            Kept whole inside the registered model.
        X_sample : DataFrame
            Some feature rows, no identifiers: the signature comes from them, and 50 are kept to check reloading.
        run_name : str, optional
            Shown in MLflow's list of runs.
        judged : JudgedRows, optional
            The test rows, by which promotion judges slices and compares the version with the champion.
        trials : sequence of Trial
            What a search tried: one child run each.
        reference : mapping, optional
            What nights are compared with, `monitoring.Reference.to_dict`; kept inside the registered model.

        Raises
        ------
        ModelError, TryAgainError
            The run is marked FAILED and no version is left.
        """
        run = (params, digests, metrics, figures, texts, bundle, X_sample, tags, run_name, judged, trials, reference)
        with calm(self._place.tracking_uri):
            return recording.record(self._client, self._place, self.name, recording.Training(*run))

    def find(self, alias_or_version: str | int) -> ModelVersion | None:
        """Resolve an alias (``champion``, ``challenger``) or a version number; None where there is none."""
        if self._then and alias_or_version == CHAMPION and self.champion_on(*self._then) is None:
            return None
        with calm(self._place.tracking_uri):
            return registry.find(self._client, self._place.tracking_uri, self.name, self._meant(alias_or_version))

    def load(self, alias_or_version: str | int) -> LoadedModel:
        """Resolve an alias or a version number once, download the model and verify it.

        Raises
        ------
        ModelError
            There is no such version, or its files are missing or not the registered ones. LightGBM has read nothing then.
        """
        uri = self._place.tracking_uri
        with calm(uri):
            version = registry.get(self._client, uri, self.name, self._meant(alias_or_version))
            return registry.load(self._client, uri, version)

    def _meant(self, alias_or_version: str | int) -> str | int:
        """Give the version that was champion at the moment of `as_of`; whatever else is asked for stays as it is."""
        if not self._then or alias_or_version != CHAMPION:
            return alias_or_version
        reign = self.champion_on(*self._then)
        if reign is None:
            first = next((f"; the first one is champion since {each.since:%Y-%m-%d}" for each in self.champions()), "")
            raise ModelError(
                f"there was no champion for {self.name!r} on {self._then[0]}{first}. `custvalue promote --log` shows every promotion."
            )
        return reign.version

    def text(self, alias_or_version: str | int, file: str) -> str:
        """Read a text of a version's run, for example ``report.md``.

        Raises
        ------
        ModelError
            There is no such version or file.
        """
        uri = self._place.tracking_uri
        with calm(uri):
            version = registry.get(self._client, uri, self.name, alias_or_version)
            return registry.read_text(self._client, uri, version, file)

    def promote(self, version: str | int | None, *, gates: PromotionConfig, actor: str, now: datetime) -> Verdict:
        """Judge a version and make it champion if it passes; either way a line goes to ``promotions.jsonl``.

        Parameters
        ----------
        version : str, int or None
            The challenger by default.
        gates : PromotionConfig
            The limits.
        actor, now : str, datetime
            Who promotes and when, for the record.

        Returns
        -------
        Verdict
            ``already`` is true, and nothing was changed, when the version is champion.

        Raises
        ------
        PromotionRefusedError
            A `ModelError` with the verdict: the version failed a gate.
        ModelError
            There is no such version, or it cannot be judged.
        """
        with calm(self._place.tracking_uri):
            return promotion.promote(self._client, self._place, self.name, version, gates=gates, actor=actor, now=now)

    def promotions(self) -> list[dict[str, Any]]:
        """Give the promotion log's entries for this model, oldest first."""
        entries = promotion.read_log(self.models / promotion.LOG_FILE)
        return [entry for entry in entries if entry.get("model") == self.name]

    def champions(self) -> tuple[Reign, ...]:
        """Give every champion there was, oldest first, with when and why."""
        return reigns(self.promotions())

    def champion_on(self, day: date, zone: ZoneInfo) -> Reign | None:
        """Give the champion when a day ended in the operator's zone; None where there was none yet."""
        return reign_on(self.champions(), day, zone)

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
