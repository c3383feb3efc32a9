"""A fitted policy as text: written once a version, whole or not at all, and checked when it is read."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from uuid import uuid4

from custvalue.config import TierPolicyConfig
from custvalue.config.tier_rules import PointsRule
from custvalue.errors import ConfigError
from custvalue.publish.durable import full_disk_can_wait, sync
from custvalue.tiers.scoring import Cuts


@dataclass(frozen=True)
class Fitted:
    """What fitting found: the cuts by rule and tier, the day of the facts, and how many customers were rated."""

    cuts: Cuts
    as_of: date
    rated: int


def content_hash(config: TierPolicyConfig) -> str:
    """SHA-256 over all that can change a tier; the source note and the service standards may be reworded freely."""
    content = config.model_dump(mode="json", exclude={"source", "service"})
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def to_text(config: TierPolicyConfig, fitted: Fitted) -> str:
    """Write a policy and what fitting found as JSON."""
    state = {
        "policy_version": config.label,
        "policy_hash": content_hash(config),
        "fitted_as_of": fitted.as_of.isoformat(),
        "rated": fitted.rated,
        "cuts": {rule: dict(cuts) for rule, cuts in fitted.cuts.items()},
        "policy": config.model_dump(mode="json"),
    }
    return json.dumps(state, indent=2, ensure_ascii=False) + "\n"


def from_text(text: str) -> tuple[TierPolicyConfig, Fitted]:
    """Read what `to_text` wrote; raises ConfigError for text that is damaged or was edited."""
    try:
        state = json.loads(text)
        config = TierPolicyConfig.model_validate(state["policy"])
        cuts = {rule: {tier: float(cut) for tier, cut in tiers.items()} for rule, tiers in state["cuts"].items()}
        fitted = Fitted(cuts, date.fromisoformat(state["fitted_as_of"]), int(state["rated"]))
        stored_hash = state["policy_hash"]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ConfigError(f"a fitted tier policy cannot be read ({type(error).__name__}: {error}). Fit it again.") from error
    if stored_hash != content_hash(config) or not _fits(fitted.cuts, config):
        raise ConfigError(
            f"fitted tier policy {config.label}: its text was edited after it was written. Restore the file, or "
            "raise the version in the YAML and fit again."
        )
    return config, fitted


def _fits(cuts: Mapping[str, Mapping[str, float]], config: TierPolicyConfig) -> bool:
    rules = [name for name, rule in config.rules.items() if isinstance(rule, PointsRule)]
    return list(cuts) == rules and all(tuple(each) == config.tiers[:-1] for each in cuts.values())


def read(path: Path, config: TierPolicyConfig) -> Fitted:
    """Read what is stored for a policy's version; the errors are those of `TierPolicy.load`."""
    try:
        stored, fitted = from_text(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ConfigError(f"{path}: {config.label} is not fitted yet. Fit and save it first.") from error
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from error
    if content_hash(stored) != content_hash(config):
        raise ConfigError(
            f"{path}: {config.label} is stored with another content (hash {content_hash(stored)[:12]}, the YAML has "
            f"{content_hash(config)[:12]}). A version never changes: raise its version."
        )
    return fitted


def write_once(path: Path, text: str, *, check_same: Callable[[], None]) -> None:
    """Write a file, whole or not at all; where it is there already, `check_same` says whether that will do.

    Raises
    ------
    TryAgainError
        The disk is full.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.parent / f".{path.name}.{uuid4().hex}.part"
    try:
        with full_disk_can_wait(path):
            part.write_text(text, encoding="utf-8")
            sync(part)
        # a link, unlike a rename, fails when another run has stored its cuts first
        os.link(part, path)
        sync(path.parent)
    except FileExistsError:
        check_same()
    finally:
        part.unlink(missing_ok=True)
