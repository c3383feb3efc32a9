"""Tier policies in the registry: one version a rule with its cuts, under the aliases current and proposed."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from custvalue.errors import ConfigError, ModelError
from custvalue.tiers import TierPolicy
from custvalue.tracking import runs
from custvalue.tracking.calm import shown
from custvalue.tracking.database import Place
from custvalue.tracking.registry import download

if TYPE_CHECKING:
    from mlflow import MlflowClient

CURRENT = "current"
PROPOSED = "proposed"

YAML_FILE = "policy.yaml"
STATE_FILE = "policy.json"

KIND_TAG = "custvalue.kind"
KIND = "tier policies"
IDENTITY_TAG = "policy_identity"
LABEL_TAG = "policy"
_FOLDER = "policy"
_NOT_IDENTITY = ("fitted_as_of", "rated", "policy")
_ABSENT = ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE")
_WAY_OUT = {
    CURRENT: "Run `custvalue tiers`, which rates the base under a policy.",
    PROPOSED: "Run `custvalue what-if`, which proposes one.",
}


@dataclass(frozen=True)
class PolicyVersion:
    """A registered tier policy.

    Attributes
    ----------
    name, version : str, int
        The registered model and the version in it.
    run_id : str
        The run that registered it.
    label : str
        The policy's own name and version, for example ``consumer-v2``.
    identity : str
        Hash of label, content and cuts; see `identity`.
    """

    name: str
    version: int
    run_id: str
    label: str
    identity: str


def registered_name(name: str) -> str:
    """Name of the registered model, and of the experiment, that hold a config's tier policies."""
    return f"{name}-tiers"


def identity(policy: TierPolicy) -> str:
    """SHA-256 over a fitted policy's label, content hash and cuts; the day of the fit and the wording of its source do not count.

    Raises
    ------
    ConfigError
        The policy is not fitted.
    """
    state = {key: value for key, value in json.loads(policy.to_json()).items() if key not in _NOT_IDENTITY}
    return _sha256(json.dumps(state, sort_keys=True, ensure_ascii=False).encode())


def register(client: MlflowClient, place: Place, name: str, policy: TierPolicy, yaml: str) -> PolicyVersion:
    """Give the version of a policy; it is registered, under the store's lock, unless it is there already.

    Parameters
    ----------
    name : str
        Of the registered model.
    policy : TierPolicy
        Fitted.
    yaml : str
        The policy file's text as given; kept for readers.

    Raises
    ------
    ConfigError
        The policy is not fitted, or the registered model holds something else.
    """
    wanted = identity(policy)
    with place.lock():
        _claim(client, place, name)
        if found := _existing(client, name, wanted):
            return found
        made = _register(client, place, name, policy, wanted, yaml)
        return _existing(client, name, wanted) or made  # the lock is this machine's: another one may have been sooner


def _claim(client: MlflowClient, place: Place, name: str) -> None:
    """Make the registered model for policies, or see that it is one: another config's churn models may bear the name."""
    from mlflow.exceptions import MlflowException

    try:
        client.create_registered_model(name, tags={KIND_TAG: KIND})
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
        if client.get_registered_model(name).tags.get(KIND_TAG) != KIND:
            raise ConfigError(
                f"{name!r} in {shown(place.tracking_uri)} holds churn models: another config bears that name. Rename one."
            ) from None


def _existing(client: MlflowClient, name: str, wanted: str) -> PolicyVersion | None:
    found = client.search_model_versions(f"name = '{name}' AND tags.{IDENTITY_TAG} = '{wanted}'")
    return _version(min(found, key=lambda version: int(version.version))) if found else None


def _register(client: MlflowClient, place: Place, name: str, policy: TierPolicy, wanted: str, yaml: str) -> PolicyVersion:
    state = policy.to_json()
    texts = {YAML_FILE: yaml, STATE_FILE: state}
    content = json.loads(state)
    params = {key: content[key] for key in ("policy_version", "policy_hash", "fitted_as_of", "rated")} | dict(_flat("cut", content["cuts"]))
    version: str | None = None
    experiment = runs.find_experiment(client, place, name)
    try:
        with runs.running(client, experiment, name=f"policy {policy.label}", tags={"kind": "policy", LABEL_TAG: policy.label}) as run_id:
            runs.log_values(client, run_id, params=params, metrics={})
            runs.log_files(client, run_id, texts=texts, figures={}, folder=_FOLDER)
            tags = {LABEL_TAG: policy.label, IDENTITY_TAG: wanted} | {
                _digest_tag(file): _sha256(text.encode()) for file, text in texts.items()
            }
            source = f"{client.get_run(run_id).info.artifact_uri}/{_FOLDER}"
            made = client.create_model_version(name, source=source, run_id=run_id, tags=tags, description=policy.config.source)
            version = str(made.version)
    except BaseException:
        if version is not None:
            with suppress(Exception):
                client.delete_model_version(name, version)
        raise
    return _version(made)


def find(client: MlflowClient, uri: str, name: str, alias_or_version: str | int) -> PolicyVersion | None:
    """Resolve ``current``, ``proposed`` or a version number; None where there is none.

    Raises
    ------
    ModelError
        The version is no tier policy that custvalue registered.
    """
    found = _look_up(client, name, str(alias_or_version))
    if found is None:
        return None
    if not {LABEL_TAG, IDENTITY_TAG, _digest_tag(STATE_FILE), _digest_tag(YAML_FILE)} <= set(found.tags):
        raise ModelError(
            f"version {found.version} of {name!r} in {shown(uri)} lacks the tags of a tier policy: custvalue did not register it. "
            "Point the alias at a version that `custvalue tiers` or `custvalue what-if` made."
        )
    return _version(found)


def load(client: MlflowClient, uri: str, name: str, alias_or_version: str | int) -> TierPolicy:
    """Resolve a version once, download it and verify every file before it is read.

    Raises
    ------
    ModelError
        There is no such version, or its files are missing or not the registered ones.
    """
    version = find(client, uri, name, alias_or_version)
    if version is None:
        wanted = str(alias_or_version)
        what = f"version {wanted} of {name!r}" if wanted.isdecimal() else f"{wanted} policy among {name!r}"
        raise ModelError(f"no {what} in {shown(uri)}. {_WAY_OUT.get(wanted, 'Look at the versions with `mlflow ui`.')}")
    source = client.get_model_version_download_uri(name, str(version.version))
    what = f"the files of version {version.version} of {name!r}"
    with tempfile.TemporaryDirectory(prefix="custvalue-") as scratch:
        folder = Path(download(source, uri, scratch, what, way_out="rate once more under that policy"))
        tags = client.get_model_version(name, str(version.version)).tags
        texts = {file: _verified(folder / file, tags[_digest_tag(file)], what) for file in (YAML_FILE, STATE_FILE)}
    try:
        return TierPolicy.from_json(texts[STATE_FILE])
    except ConfigError as error:
        raise ModelError(f"{what}: {error}") from error


def _look_up(client: MlflowClient, name: str, wanted: str) -> Any:
    from mlflow.exceptions import MlflowException

    try:
        return client.get_model_version(name, wanted) if wanted.isdecimal() else client.get_model_version_by_alias(name, wanted)
    except MlflowException as error:
        if error.error_code in _ABSENT:
            return None
        raise


def _version(found: Any) -> PolicyVersion:
    return PolicyVersion(found.name, int(found.version), str(found.run_id), found.tags[LABEL_TAG], found.tags[IDENTITY_TAG])


def _verified(path: Path, digest: str, what: str) -> str:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ModelError(f"{what}: {path.name} cannot be read ({error.strerror}). Restore the folder.") from error
    if _sha256(content) != digest:
        raise ModelError(f"{what}: {path.name} was changed after it was registered, its SHA-256 does not match. Restore the folder.")
    return content.decode()


def _flat(key: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for name, part in value.items():
            yield from _flat(f"{key}.{name}", part)
    else:
        yield key, value


def _digest_tag(file: str) -> str:
    return f"{file}.sha256"


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
