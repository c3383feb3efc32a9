"""The settings that a search tried, as child runs of a training's run."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlflow import MlflowClient

    from custvalue.churn.tuning import Trial

_STATES = {"complete": "FINISHED", "pruned": "KILLED"}


def log_trials(client: MlflowClient, experiment: str, parent: str, trials: Iterable[Trial]) -> None:
    """Write one child run a trial: its settings, its log loss on the inner folds, and how it ended (a pruned one is KILLED)."""
    from mlflow.entities import Metric, Param
    from mlflow.utils.mlflow_tags import MLFLOW_PARENT_RUN_ID

    now = int(time.time() * 1000)
    for trial in trials:
        tags = {MLFLOW_PARENT_RUN_ID: parent, "trial": str(trial.number), "state": trial.state}
        run = client.create_run(experiment, start_time=now, tags=tags, run_name=f"trial {trial.number}").info.run_id
        values = {"seconds": trial.seconds} | ({} if trial.value is None else {"inner_log_loss": trial.value})
        client.log_batch(
            run,
            metrics=[Metric(name, float(value), now, 0) for name, value in values.items()],
            params=[Param(name, str(value)) for name, value in trial.params.items()],
        )
        client.set_terminated(run, _STATES.get(trial.state, "FAILED"), end_time=now + round(1000 * trial.seconds))
