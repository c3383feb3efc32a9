"""The model store of one config: its experiment, its registered model, and the aliases champion and challenger."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pandas as pd

from custvalue.churn.bundle import ModelBundle
from custvalue.config import PromotionConfig
from custvalue.errors import ModelError
from custvalue.tracking import promotion, recording, registry
from custvalue.tracking.calm import calm
from custvalue.tracking.finding_store import FindingStore
from custvalue.tracking.gates import Verdict
from custvalue.tracking.judged import JudgedRows
from custvalue.tracking.policy_store import PolicyStore
from custvalue.tracking.reigns import Reign, reign_on, reigns
from custvalue.tracking.versions import CHAMPION, LoadedModel, ModelVersion

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from custvalue.churn.tuning import Trial


class Store(PolicyStore, FindingStore):
    """An open store with its churn models; make one with `Store.open`."""

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
        effect: str | None = None,
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
        effect : str, optional
            What contacts by lot taught, `retention.uplift_model.Learned.to_json`; kept inside the registered model, its digest as a tag.

        Raises
        ------
        ModelError, TryAgainError
            The run is marked FAILED and no version is left.
        """
        run = (params, digests, metrics, figures, texts, bundle, X_sample, tags, run_name, judged, trials, reference, effect)
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
