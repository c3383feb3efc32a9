"""Names of what the registry holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from custvalue.churn.bundle import ModelBundle

CHAMPION = "champion"
CHALLENGER = "challenger"

DIGEST_TAG = "bundle_digest"
EFFECT_TAG = "effect_digest"

# Files inside a registered model, beside MLflow's own.
BOOSTER_FILE = "model.lgb"
CHECK_FILE = "check.json"
REFERENCE_FILE = "reference.json"
EFFECT_FILE = "effect.json"

# Files of a run.
EVALUATION_FILE = "evaluation.json"
DIGESTS_FILE = "digests.json"


@dataclass(frozen=True)
class ModelVersion:
    """A registered model: its name, version number, the run that made it, and the digests of its bundle and of its effect of contacts."""

    name: str
    version: int
    run_id: str
    digest: str
    effect_digest: str = field(default="", kw_only=True)


@dataclass(frozen=True)
class LoadedModel(ModelVersion):
    """A registered model with its verified bundle.

    `reference` is what nights are compared with, as `monitoring.Reference.to_dict` gave it, and `effect` what contacts by lot taught, as
    `Learned.to_json` gave it; None where the version was registered without.
    """

    bundle: ModelBundle
    reference: Mapping[str, Any] | None = None
    effect: str | None = None
