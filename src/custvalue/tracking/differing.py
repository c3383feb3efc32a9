"""What differs between a training and the champion's: data, settings, environment. What is the same makes the same model."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from custvalue.errors import ModelError
from custvalue.tracking import environment, registry
from custvalue.tracking.versions import CHAMPION, DIGESTS_FILE

if TYPE_CHECKING:
    from mlflow import MlflowClient

    from custvalue.tracking.recording import Training
    from custvalue.tracking.versions import ModelVersion

FILE = "differs.md"
_LONGEST = 60


def differences(client: MlflowClient, uri: str, name: str, training: Training) -> str:
    """Tell in Markdown what differs from the champion's run, or that nothing does and whether the model is the same text then."""
    champion = registry.find(client, uri, name, CHAMPION)
    if champion is None:
        return "# What differs from the champion\n\nThere is no champion yet.\n"
    lines = ["# What differs from the champion", "", f"The champion is version {champion.version}, run `{champion.run_id}`.", ""]
    before = _of_champion(client, uri, champion, tuple(training.texts))
    now = _parts(training.digests, training.params, training.texts)
    changed = [(part, key, before[part].get(key), now[part].get(key)) for part in now for key in _keys(before[part], now[part])]
    if changed:
        lines += ["| | what | champion | this run |", "|---|---|---|---|"]
        lines += [f"| {part} | {key} | {_short(old)} | {_short(new)} |" for part, key, old, new in changed]
    else:
        lines.append("Data, settings and environment are the same.")
    same = champion.digest == training.bundle.digest
    lines += [
        "",
        f"The model is {'the same' if same else 'another'}: digest `{training.bundle.digest[:12]}`, `{champion.digest[:12]}` before.",
    ]
    if not changed and not same:
        lines += ["", "The same input made another model: look at processor and system libraries, which `environment.json` tells in part."]
    return "\n".join(lines) + "\n"


def _parts(digests: Mapping[str, Any], params: Mapping[str, Any], texts: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    told = json.loads(texts.get(environment.FILE, "{}"))
    packages = told.pop("packages", {})
    return {
        "data": dict(digests),
        "setting": {key: str(value) for key, value in params.items()},
        "declaration": {name: _text_digest(text) for name, text in texts.items() if name in ("feature_spec.json", "tier_policy.json")},
        "environment": told,
        "package": packages,
    }


def _of_champion(client: MlflowClient, uri: str, champion: ModelVersion, wanted: tuple[str, ...]) -> dict[str, dict[str, Any]]:
    run = client.get_run(champion.run_id)
    texts = {}
    for name in {*wanted, DIGESTS_FILE} & {DIGESTS_FILE, environment.FILE, "feature_spec.json", "tier_policy.json"}:
        try:
            texts[name] = registry.read_text(client, uri, champion, name)
        except ModelError:
            continue  # a run of an older release lacks it, and every line of it then counts as different
    return _parts(json.loads(texts.pop(DIGESTS_FILE, "{}")), run.data.params, texts)


def _keys(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    return sorted(key for key in before.keys() | now.keys() if before.get(key) != now.get(key))


def _text_digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _short(value: Any) -> str:
    text = "–" if value is None else str(value)
    text = text[:12] if len(text) == 64 and set(text) <= set("0123456789abcdef") else text
    return (text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…").replace("|", "\\|").replace("\n", " ")
