"""Reads the wording files."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError, ValidationInfo, field_validator, model_validator

from custvalue.config.base import Settings
from custvalue.config.documents import Document, read_document
from custvalue.config.faults import Fault, Place, refuse
from custvalue.config.messages import told_with_lines
from custvalue.errors import ConfigError
from custvalue.wording.catalogue import Catalogue
from custvalue.wording.columns import KnownColumns
from custvalue.wording.models import Label, ReasonWords, Text

REASONS, LABELS = "reasons.yaml", "labels.yaml"
LAST_RESORT = "overall"
"""The reason code that is said where no warning can be."""

_WINDOW = re.compile(r"_\d+m$")


class _ReasonsFile(Settings):
    version: int = Field(ge=1)
    thresholds: dict[str, float] = Field(default_factory=dict)
    offers: dict[str, Text] = Field(default_factory=dict)
    reasons: dict[str, ReasonWords]

    @model_validator(mode="after")
    def _belong_together(self, info: ValidationInfo) -> _ReasonsFile:
        columns: KnownColumns | None = (info.context or {}).get("columns")
        faults = _offer_faults(self)
        if columns is not None:
            faults += _reason_faults(self, columns)
        refuse(faults)
        return self


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


class _Wording(Document):
    """A wording file whose faults may lie in what a variant with windows stands for."""

    def locate(self, place: Place) -> tuple[int, str]:
        """Find a line as `Document.locate` does; ``drop_3m`` stands where ``drop`` does, and what is left of a name tells the window."""
        if len(place) > 3 and place[2] == "variants":
            written = self.data.get("reasons", {}).get(place[1], {}).get("variants", {})
            name = str(place[3])
            if name not in written:
                line, found = super().locate((*place[:3], _WINDOW.sub("", name), *place[4:]))
                return line, found.replace(f".variants.{_WINDOW.sub('', name)}", f".variants.{name}")
        return super().locate(place)


def load_catalogue(folder: Path, *, columns: KnownColumns | None = None) -> Catalogue:
    """Read ``reasons.yaml`` and ``labels.yaml``.

    Parameters
    ----------
    folder : Path
        Where both files are; the ones shipped with the package lie in ``ready_configs() / "wording"``.
    columns : KnownColumns, optional
        All columns that features may have: sentences that speak of others, formats that do not fit a column's unit, columns without a
        reason and reasons without a column are then refused.

    Raises
    ------
    ConfigError
        A file cannot be read, names an entry twice, lacks a translation, or uses an unknown format, operator, threshold, offer or column.
        The message names the file, the line and the entry.
    """
    reasons, labels = (_Wording(read.path, read.data, read.root) for read in map(read_document, (folder / REASONS, folder / LABELS)))
    context = {"thresholds": reasons.data.get("thresholds") or {}, "columns": columns}
    document: Document = reasons
    model: type[Settings] = _ReasonsFile
    try:
        found = _ReasonsFile.model_validate(reasons.data, context=context)
        document, model = labels, _LabelsFile
        words = _LabelsFile.model_validate({"labels": labels.data}).labels
        digest = hashlib.sha256(b"".join((folder / name).read_bytes() for name in (REASONS, LABELS))).hexdigest()
        return Catalogue(version=found.version, digest=digest, offers=found.offers, reasons=found.reasons, labels=words)
    except ValidationError as error:
        raise ConfigError(told_with_lines(error, model, document)) from error


def _offer_faults(file: _ReasonsFile) -> list[Fault]:
    return [
        (("reasons", code, "offer"), f"no offer is called {words.offer!r}; there are {', '.join(file.offers) or 'none'}")
        for code, words in file.reasons.items()
        if words.offer is not None and words.offer not in file.offers
    ]


def _reason_faults(file: _ReasonsFile, columns: KnownColumns) -> list[Fault]:
    """Columns whose reason has no words, words of a reason that no column has, and a last resort that may fail."""
    faults: list[Fault] = [
        (("reasons",), f"no entry {code!r}, which column {column} declares: add its words in en and zh")
        for code, column in sorted(columns.reasons.items())
        if code not in file.reasons
    ]
    used = {*columns.reasons, LAST_RESORT}
    faults += [(("reasons", code), "no feature declares this reason: remove it") for code in file.reasons if code not in used]
    last = file.reasons.get(LAST_RESORT)
    if last is None or last.sensitive or not any(v.direction == "context" and not v.facts for v in last.variants.values()):
        told = "must be there, not sensitive, with a context variant without conditions and facts: it is said where nothing else can be"
        faults.append((("reasons", LAST_RESORT), told))
    return faults
