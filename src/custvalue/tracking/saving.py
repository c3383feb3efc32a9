"""Writes a registered model's folder: the verified bundle, and beside it the two ways in which MLflow's clients read it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from custvalue.churn.bundle import MODEL_FILE, ModelBundle
from custvalue.errors import ModelError
from custvalue.tracking.checks import write_check
from custvalue.tracking.versions import BOOSTER_FILE, CHECK_FILE, EFFECT_FILE, REFERENCE_FILE

if TYPE_CHECKING:
    from mlflow.models import Model, ModelSignature

_CODE = Path(__file__).with_name("scoring_model.py")
_NEEDED = ("custvalue", "lightgbm", "mlflow", "numpy", "pandas")


def save_model(
    bundle: ModelBundle,
    sample: pd.DataFrame,
    folder: Path,
    *,
    run_id: str,
    model_id: str,
    reference: Mapping[str, Any] | None = None,
    effect: str | None = None,
) -> None:
    """Write the bundle, a few rows to check it by, and MLflow's flavours ``python_function`` and ``lightgbm``.

    ``python_function`` takes raw feature columns (text for categories, missing values allowed) and gives calibrated probabilities, the
    same as the package's own. ``lightgbm`` is the bundle's very text, for those who want the booster; its input are encoded columns.
    The reference, if there is one, is what nights that the model scores are compared with; the effect, what contacts by lot taught.

    Raises
    ------
    ModelError
        The sample has no rows, or MLflow kept no signature.
    """
    import mlflow.pyfunc
    from mlflow.models import Model

    if sample.empty:
        raise ModelError("a model is registered with a sample of its features, and the sample has no rows.")
    # The path in MLmodel is relative: the absolute one would not outlive a move of the store.
    card: Model = Model(artifact_path="model", model_uuid=model_id, run_id=run_id, model_id=model_id)
    card.add_flavor("lightgbm", lgb_version=version("lightgbm"), data=BOOSTER_FILE, model_class="lightgbm.basic.Booster", code=None)
    mlflow.pyfunc.save_model(
        str(folder),
        python_model=str(_CODE),
        mlflow_model=card,
        signature=_signature(bundle),
        model_config={"digest": bundle.digest},
        # Named here, because MLflow would otherwise load the model in a second process to find them.
        pip_requirements=[f"{package}=={version(package)}" for package in _NEEDED],
    )
    # MLflow notes where it copied the code from; it reads the copy, and this machine's paths are nobody's business.
    card.flavors["python_function"]["model_code_path"] = _CODE.name
    card.save(str(folder / "MLmodel"))
    if Model.load(str(folder)).signature is None:
        raise ModelError("MLflow kept no signature with the model, so it is not registered.")
    bundle.save(folder)
    (folder / MODEL_FILE).replace(folder / BOOSTER_FILE)
    write_check(folder / CHECK_FILE, bundle, sample)
    if reference is not None:
        (folder / REFERENCE_FILE).write_text(json.dumps(reference, ensure_ascii=False, sort_keys=True, allow_nan=False), encoding="utf-8")
    if effect is not None:
        (folder / EFFECT_FILE).write_bytes(effect.encode())


def _signature(bundle: ModelBundle) -> ModelSignature:
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, ParamSchema, ParamSpec, Schema

    kinds = {"number": "double", "category": "string"}
    return ModelSignature(
        inputs=Schema([ColSpec(kinds[kind], name) for name, kind in bundle.columns]),
        outputs=Schema([ColSpec("double", "probability")]),
        params=ParamSchema([ParamSpec("contributions", "boolean", False)]),
    )
