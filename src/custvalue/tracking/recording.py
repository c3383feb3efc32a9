"""One training, written down: run, data, metrics, plots, the native booster, and its registered version."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from custvalue.churn.bundle import ModelBundle
from custvalue.tracking import runs
from custvalue.tracking.calm import as_global_store
from custvalue.tracking.database import Place
from custvalue.tracking.differing import FILE as DIFFERS_FILE
from custvalue.tracking.differing import differences
from custvalue.tracking.judged import JudgedRows
from custvalue.tracking.saving import save_model
from custvalue.tracking.trials import log_trials
from custvalue.tracking.versions import CHALLENGER, DIGEST_TAG, DIGESTS_FILE, EFFECT_TAG, ModelVersion

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from mlflow import MlflowClient
    from mlflow.entities import LoggedModel

    from custvalue.churn.tuning import Trial

_DIGEST_LENGTH = 36


@dataclass(frozen=True)
class Training:
    """What `Store.log_training` takes; see there."""

    params: Mapping[str, Any]
    digests: Mapping[str, str]
    metrics: Mapping[str, float]
    figures: Mapping[str, Figure]
    texts: Mapping[str, str]
    bundle: ModelBundle
    X_sample: pd.DataFrame
    tags: Mapping[str, str]
    run_name: str | None
    judged: JudgedRows | None
    trials: Sequence[Trial]
    reference: Mapping[str, Any] | None
    effect: str | None

    @property
    def effect_digest(self) -> str:
        """SHA-256 of the effect of contacts; empty where there is none."""
        return "" if self.effect is None else hashlib.sha256(self.effect.encode()).hexdigest()


def record(client: MlflowClient, place: Place, name: str, training: Training) -> ModelVersion:
    """Log a training and register its model; on failure the run is FAILED and no version is left."""
    experiment = runs.find_experiment(client, place, name)
    run_id = client.create_run(experiment, tags=dict(training.tags), run_name=training.run_name).info.run_id
    version: str | None = None
    try:
        _log_run(client, run_id, training)
        differs = differences(client, place.tracking_uri, name, training)
        runs.log_files(client, run_id, texts={DIFFERS_FILE: differs}, figures={})
        log_trials(client, experiment, run_id, training.trials)
        with tempfile.TemporaryDirectory(prefix="custvalue-") as folder:
            model_id = _log_model(client, run_id, training, Path(folder) / "model")
        version = _register(client, place, name, run_id, model_id, training)
        client.set_terminated(run_id, "FINISHED")
        client.set_registered_model_alias(name, CHALLENGER, version)
    except BaseException:
        with suppress(Exception):
            if version is not None:
                client.delete_model_version(name, version)
        with suppress(Exception):
            client.set_terminated(run_id, "FAILED")
        raise
    return ModelVersion(name, int(version), run_id, training.bundle.digest, effect_digest=training.effect_digest)


def _log_run(client: MlflowClient, run_id: str, training: Training) -> None:
    runs.log_values(client, run_id, params=training.params, metrics=training.metrics)
    client.log_inputs(run_id, datasets=[_dataset(table, digest) for table, digest in training.digests.items()])
    texts = {DIGESTS_FILE: json.dumps(dict(training.digests), indent=2, sort_keys=True), **training.texts}
    runs.log_files(client, run_id, texts=texts, figures=training.figures)
    if training.judged is not None:
        with tempfile.TemporaryDirectory(prefix="custvalue-") as folder:
            training.judged.save(Path(folder))
            client.log_artifacts(run_id, folder)


def _dataset(table: str, digest: str) -> Any:
    from mlflow.entities import Dataset, DatasetInput, InputTag

    # MLflow keeps 36 characters of a digest; digests.json holds them whole.
    source = json.dumps({"tags": {"mlflow.source.type": "LOCAL", "mlflow.source.name": f"custvalue table {table}"}})
    dataset = Dataset(name=table, digest=digest[:_DIGEST_LENGTH], source_type="code", source=source)
    return DatasetInput(dataset, [InputTag("mlflow.data.context", "training")])


def _log_model(client: MlflowClient, run_id: str, training: Training, folder: Path) -> str:
    from mlflow.entities import LoggedModelOutput

    experiment_id = client.get_run(run_id).info.experiment_id
    model: LoggedModel = client.create_logged_model(
        experiment_id, name="model", source_run_id=run_id, tags={DIGEST_TAG: training.bundle.digest}
    )
    try:
        save_model(
            training.bundle,
            training.X_sample,
            folder,
            run_id=run_id,
            model_id=model.model_id,
            reference=training.reference,
            effect=training.effect,
        )
        client.log_model_artifacts(model.model_id, str(folder))
        client.finalize_logged_model(model.model_id, "READY")
    except BaseException:
        with suppress(Exception):
            client.finalize_logged_model(model.model_id, "FAILED")
        raise
    client.log_outputs(run_id, [LoggedModelOutput(model.model_id, 0)])
    return str(model.model_id)


def _register(client: MlflowClient, place: Place, name: str, run_id: str, model_id: str, training: Training) -> str:
    from mlflow.exceptions import MlflowException

    try:
        client.create_registered_model(name)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
    tags = {DIGEST_TAG: training.bundle.digest} | ({EFFECT_TAG: training.effect_digest} if training.effect else {})
    # A SQL registry looks the logged model up in the global store, whatever store the client is for.
    with as_global_store(place.tracking_uri):
        version = client.create_model_version(name, source=f"models:/{model_id}", run_id=run_id, tags=tags, model_id=model_id)
    return str(version.version)
