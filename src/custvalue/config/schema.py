"""The JSON Schema of tier policies, by which an editor completes and checks them while one writes."""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterator
from typing import Any, get_args

from custvalue.config.base import Settings
from custvalue.config.tiers import TierPolicyConfig

_SECTION = "\nAttributes\n----------\n"


def tier_policy_schema() -> str:
    """Write the JSON Schema of `TierPolicyConfig`; descriptions are those of the models' docstrings.

    What the schema cannot say (cuts that fall, weights that reach a tier …) is checked when a policy is read.

    Returns
    -------
    str
        JSON text, ending with a line break; ``configs/tiers/tier-policy.schema.json`` holds it.
    """
    schema = TierPolicyConfig.model_json_schema()
    defined = {"TierPolicyConfig": schema, **schema["$defs"]}
    for model in set(_models(TierPolicyConfig)):
        _describe(defined[model.__name__], inspect.getdoc(model) or "")
    whole = {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "custvalue tier policy"}
    return json.dumps(whole, indent=2, ensure_ascii=False) + "\n"


def _models(annotation: Any) -> Iterator[type[Settings]]:
    if isinstance(annotation, type) and issubclass(annotation, Settings):
        yield annotation
        for field in annotation.model_fields.values():
            yield from _models(field.annotation)
    for inner in get_args(annotation):
        yield from _models(inner)


def _describe(block: dict[str, Any], docstring: str) -> None:
    summary, _, attributes = docstring.partition(_SECTION)
    block["description"] = _plain(summary)
    for described in block["properties"].values():
        described.pop("title", None)  # the key again, in other letters
    for names, words in _attributes(attributes):
        for name in names:
            block["properties"][name]["description"] = words


def _attributes(section: str) -> Iterator[tuple[list[str], str]]:
    """Entries of a numpydoc section: the names before the colon, and the indented words below."""
    names: list[str] = []
    words: list[str] = []
    for line in [*section.splitlines(), ""]:
        if line.startswith(" "):
            words.append(line)
            continue
        if names:
            yield names, _plain(" ".join(words))
        names, words = ([name.strip() for name in line.partition(" : ")[0].split(",")] if line else []), []


def _plain(text: str) -> str:
    return " ".join(text.replace("`", "").split())
