"""Configs that nobody should write: whatever stands there, a message and an exit code, never a traceback."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from custvalue.config import load_alert_rules, load_retention_policy, load_tier_policy, load_trigger_rules, ready_configs
from custvalue.config.loading import load_mapping
from custvalue.errors import CustValueError
from custvalue.explain import load_wording

from .conftest import REPOSITORY, Said, Workspace, write_configs

pytestmark = pytest.mark.long

CONFIGS = 100
PROMISED = {0, 2, 3, 4, 75}

STRANGE: tuple[Any, ...] = (
    None, True, 0, -1, 10**400, -(10**30), 1e308, float("inf"), float("nan"), "", " ", "\x00", "../../../etc/passwd", "/dev/null",
    "${HOME", "${NO_SUCH_VARIABLE}", "a" * 5000, "'; DROP TABLE customers; --", "客户", "2024-13-45", [], {}, [[]], [None],
    {"a": {"b": []}}, {1: 2}, {None: None}, {10**400: 1}, list(range(50)), "1e999", "0x", "yes", "~",
)  # fmt: skip
"""Values of wrong types, sizes and meanings."""
SNIPPETS = (
    "\t", ": ", "- ", "[", "{", "}", "'", '"', "&a [*a]\n", "*nobody", "!!python/object/apply:os.system ['true']\n", "<<: *x\n",
    "%YAML 9.9\n", "---\n", "...\n", "? [1, 2]\n: 3\n", "\x00", "\x85", "\ufeff", "[" * 3000, "name: twice\nname: twice\n",
    "!!binary '*'\n", "1: 2\n", "|+\n", "#",
)  # fmt: skip
"""What breaks YAML, or almost."""


def places(value: Any, above: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Ways to every key and position of a tree."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [place for key, inner in pairs for place in ((*above, key), *places(inner, (*above, key)))]


def with_a_changed_tree(text: str, dice: random.Random) -> str:
    tree = copy.deepcopy(yaml.safe_load(text))
    for _ in range(dice.choice((1, 1, 2, 5))):
        place = dice.choice(places(tree) or [()])
        if not place:
            break
        holder = tree
        for key in place[:-1]:
            holder = holder[key]
        what = dice.random()
        if what < 0.2:
            del holder[place[-1]]
        elif what < 0.35 and isinstance(holder, dict):
            holder[f"{place[-1]}s"] = holder.pop(place[-1])
        elif what < 0.45 and isinstance(holder, dict):
            holder[dice.choice(("extra", "", 7, None))] = dice.choice(STRANGE)
        else:
            holder[place[-1]] = dice.choice(STRANGE)
    return yaml.safe_dump(tree, allow_unicode=True, sort_keys=False)


def with_changed_text(text: str, dice: random.Random) -> str:
    for _ in range(dice.choice((1, 2, 4))):
        begin = dice.randrange(len(text) + 1)
        end = min(len(text), begin + dice.choice((0, 0, 1, 10, 200)))
        text = text[:begin] + dice.choice(SNIPPETS) + text[end:]
    return text


def spoilt(text: str, dice: random.Random) -> bytes:
    """Spoil a YAML text: its tree, its letters, its bytes or its encoding."""
    what = dice.random()
    if what < 0.55:
        return with_a_changed_tree(text, dice).encode("utf-8", "surrogatepass")
    if what < 0.8:
        return with_changed_text(text, dice).encode("utf-8", "surrogatepass")
    content = bytearray(text.encode(dice.choice(("utf-8", "utf-8", "utf-16", "utf-32", "utf-8-sig", "cp500")), "replace"))
    if dice.random() < 0.6:
        for _ in range(dice.randrange(1, 6)):
            content[dice.randrange(len(content))] = dice.randrange(256)
    return bytes(content[: dice.randrange(len(content))]) if dice.random() < 0.3 else bytes(content)


def is_plain(said: Said) -> bool:
    """Tell whether a person can read why the command ended: one paragraph, no Python."""
    if said.code == 0:
        return True
    text = said.refusal
    return 0 < len(text) < 6000 and "\n\n" not in text and "Traceback" not in said.err and "Error(" not in text


def test_a_hundred_malformed_configs_end_with_a_message_and_a_code(tmp_path):
    workspace: Workspace = write_configs(tmp_path / "fuzzed")
    text = workspace.config.read_text(encoding="utf-8") + (
        "language: en\nmonitoring: {max_missing: 0.2}\npublish: {metrics: m.prom}\noutcomes: {}\n"
    )
    faults, codes = [], []
    for seed in range(CONFIGS):
        workspace.config.write_bytes(spoilt(text, random.Random(seed)))  # noqa: S311
        for command in (("nights",), ("check", "--as-of", "2024-06-01")):
            try:
                said = workspace.say(*command)
            except Exception as error:  # whatever it is, a user would have seen it
                faults.append(f"{seed} {command[0]}: {error!r}"[:400])
                break
            codes.append(said.code)
            if said.code not in PROMISED or not is_plain(said):
                faults.append(f"{seed} {command[0]}: {said.code} {said.err}"[:400])
            if said.code:
                break
    assert not faults, "\n".join(faults)
    assert codes.count(2) > CONFIGS / 2  # most of them are faulty, and are told so


LOADERS: dict[str, Callable[[Path], object]] = {
    "tiers/consumer.yaml": load_tier_policy,
    "tiers/star-points.yaml": load_tier_policy,
    "retention/default.yaml": load_retention_policy,
    "monitoring/alerts.yaml": load_alert_rules,
    "triggers/default.yaml": load_trigger_rules,
    "sources/interconnect.yaml": load_mapping,
    "wording/labels.yaml": lambda path: load_wording(path.parent),
    "wording/reasons.yaml": lambda path: load_wording(path.parent),
}


@pytest.mark.parametrize("name", LOADERS)
def test_malformed_policies_and_wording_are_refused_in_words(tmp_path, name):
    path = tmp_path / name
    path.parent.mkdir()
    for other in (REPOSITORY / "configs" / name).parent.glob("*.yaml"):
        (tmp_path / name).with_name(other.name).write_bytes(other.read_bytes())
    text, faults, refused = (ready_configs() / name).read_text(encoding="utf-8"), [], 0
    for seed in range(20 if name.startswith("wording") else 60):
        path.write_bytes(spoilt(text, random.Random(seed)))  # noqa: S311
        try:
            LOADERS[name](path)
        except CustValueError as error:
            refused += 1
            if "\n\n" in str(error) or error.exit_code not in PROMISED:
                faults.append(f"{seed}: {error}"[:400])
        except Exception as error:  # whatever it is, a user would have seen it
            faults.append(f"{seed}: {error!r}"[:400])
    assert not faults, "\n".join(faults)
    assert refused > 10
