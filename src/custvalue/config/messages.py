"""What pydantic finds wrong with a YAML file, in words and with lines."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from typing import Any, get_args

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from custvalue.config.base import Settings
from custvalue.config.documents import Document
from custvalue.config.faults import Place


def told_with_lines(error: ValidationError, model: type[Settings], document: Document) -> str:
    """Tell every fault as ``file:line: place: what is wrong``, from the top of the file down.

    Parameters
    ----------
    error : ValidationError
        What validating the document raised.
    model : type
        The model it was validated against.
    document : Document
        The file.
    """
    faults = []
    for fault in error.errors():
        place = tuple(part for part in fault["loc"] if part != "[key]")
        line, found = document.locate(place)
        if fault["type"] == "missing":
            found = ".".join(filter(None, [found, str(place[-1])]))
        faults.append((line, f"  {document.path.name}:{line}: {found or '(file)'}: {_words(fault, model)}"))
    told = [words for _, words in sorted(faults, key=lambda fault: fault[0])]
    return "\n".join([f"{document.path}: {len(told)} fault(s)", *told])


def _words(fault: ErrorDetails, model: type[Settings]) -> str:
    if fault["type"] != "extra_forbidden":
        return fault["msg"].removeprefix("Value error, ")
    known = sorted(_keys(model, fault["loc"][:-1]))
    near = difflib.get_close_matches(str(fault["loc"][-1]), known, n=1, cutoff=0.5)
    meant = f"did you mean {near[0]!r}? " if near else ""
    return f"unknown key; {meant}Known here: {', '.join(known)}"


def _keys(model: type[Settings], place: Place) -> set[str]:
    """Keys that the block at a place may have."""
    models = {model}
    for part in place:
        fields = [(field.alias or name, field.annotation) for each in models for name, field in each.model_fields.items()]
        # a name of the operator's own, a position, or the kind of a union leads no deeper
        models = {inner for name, annotation in fields if name == part for inner in _models(annotation)} or models
    return {field.alias or name for each in models for name, field in each.model_fields.items()}


def _models(annotation: Any) -> Iterator[type[Settings]]:
    if isinstance(annotation, type) and issubclass(annotation, Settings):
        yield annotation
    for inner in get_args(annotation):
        yield from _models(inner)
