"""The registered model as MLflow's clients run it: raw feature columns in, calibrated probabilities out.

MLflow copies this file into the model's folder and runs the copy there (models from code, no pickle). The bundle lies beside it, and its
digest stands in ``MLmodel``: a bundle that is not the registered one is refused before LightGBM reads it. The machine that serves needs
this package and what it names in its requirements.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
from mlflow.models import set_model
from mlflow.pyfunc.model import PythonModel, PythonModelContext

from custvalue.churn.bundle import ModelBundle
from custvalue.tracking.registry import load_bundle


class ScoringModel(PythonModel):
    """Scores feature rows as custvalue does itself."""

    def load_context(self, context: PythonModelContext) -> None:
        """Read and verify the bundle in this file's folder."""
        self._bundle: ModelBundle = load_bundle(Path(__file__).parent, str((context.model_config or {})["digest"]))

    def predict(self, context: PythonModelContext, model_input: pd.DataFrame, params: dict[str, Any] | None = None) -> pd.DataFrame:  # noqa: ARG002 - MLflow passes it
        """Give ``probability``, a row each; with ``contributions`` also the log-odds that each column adds to ``contribution_base``."""
        found = pd.DataFrame({"probability": self._bundle.predict_proba(model_input)})
        if not (params or {}).get("contributions"):
            return found
        names = [f"contribution_{name}" for name in (*(name for name, _ in self._bundle.columns), "base")]
        return found.join(pd.DataFrame(self._bundle.contributions(model_input), columns=names))


set_model(ScoringModel())
