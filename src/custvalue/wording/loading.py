"""Reads the wording files."""

from __future__ import annotations

from collections.abc import Hashable
from pathlib import Path
from typing import Any

import yaml
from pydantic import Field, ValidationError, field_validator

from custvalue.config.base import Settings
from custvalue.errors import ConfigError
from custvalue.wording.catalogue import Catalogue
from custvalue.wording.models import Label, ReasonWords

REASONS, LABELS = "reasons.yaml", "labels.yaml"


class _ReasonsFile(Settings):
    thresholds: dict[str, float] = Field(default_factory=dict)
    reasons: dict[str, ReasonWords]


class _LabelsFile(Settings):
    labels: dict[str, dict[str, Label]]

    @field_validator("labels")
    @classmethod
    def _columns_are_explained(cls, value: dict[str, dict[str, Label]]) -> dict[str, Any]:
        silent = [name for name, label in value.get("columns", {}).items() if label.note is None]
        if silent:
            raise ValueError(f"columns without a note: {', '.join(silent)}")
        outcomes = value.get("outcomes", {}).values()
        for words in ([label.en for label in outcomes], [label.zh for label in outcomes]):
            if len(set(words)) < len(words) or any("," in word for word in words) or len(",".join(words)) > 255:
                raise ValueError("outcomes must differ, hold no comma and stay under 255 characters in all (drop-down)")
        return value


def load_catalogue(folder: Path) -> Catalogue:
    """Read ``reasons.yaml`` and ``labels.yaml``.

    Parameters
    ----------
    folder : Path
        Where both files are; the ones shipped with the package lie in ``ready_configs() / "wording"``.

    Raises
    ------
    ConfigError
        A file cannot be read, names an entry twice, lacks a translation, or uses an unknown format, operator or
        threshold. The message names the file and the entry.
    """
    reasons_path, labels_path = folder / REASONS, folder / LABELS
    raw = _read(reasons_path)
    context = {"thresholds": raw.get("thresholds") or {}}
    try:
        path = reasons_path
        reasons = _ReasonsFile.model_validate(raw, context=context)
        path = labels_path
        labels = _LabelsFile.model_validate({"labels": _read(labels_path)})
        return Catalogue(reasons=reasons.reasons, labels=labels.labels)
    except ValidationError as error:
        faults = [
            f"  {'.'.join(str(part) for part in fault['loc'] if part != 'labels') or '(file)'}: "
            f"{fault['msg'].removeprefix('Value error, ')}"
            for fault in error.errors()
        ]
        raise ConfigError("\n".join([f"{path}: {len(faults)} fault(s)", *faults])) from error


class _Loader(yaml.SafeLoader):
    """YAML keeps the last of two equal keys without a word; a lost sentence should be told."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[Hashable] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if key in seen:
                raise yaml.constructor.ConstructorError(None, None, f"{key!r} stands twice", key_node.start_mark)
            seen.add(key)
        return super().construct_mapping(node, deep)


def _read(path: Path) -> dict[str, Any]:
    try:
        raw = yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)  # noqa: S506 - a SafeLoader
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror}). Check `wording` in the config.") from error
    except (UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigError(f"{path}: is not YAML in UTF-8: {error}") from error
    if not isinstance(raw, dict):
        raise ConfigError(f"{path}: must hold keys and values.")
    return raw
