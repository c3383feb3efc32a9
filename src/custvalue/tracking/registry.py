"""Registered models: which version an alias means, its files, and its verified bundle."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from custvalue.churn.bundle import BUNDLE_FILE, MODEL_FILE, ModelBundle
from custvalue.errors import ModelError
from custvalue.tracking.calm import shown
from custvalue.tracking.versions import (
    BOOSTER_FILE,
    CHALLENGER,
    CHAMPION,
    DIGEST_TAG,
    EFFECT_FILE,
    EFFECT_TAG,
    REFERENCE_FILE,
    LoadedModel,
    ModelVersion,
)

if TYPE_CHECKING:
    from mlflow import MlflowClient

_ABSENT = ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE")
_WAY_OUT = {
    CHAMPION: "Run `custvalue train`, then `custvalue promote`.",
    CHALLENGER: "Run `custvalue train`.",
}


def find(client: MlflowClient, uri: str, name: str, alias_or_version: str | int) -> ModelVersion | None:
    """Resolve an alias or a version number; None where there is none.

    Raises
    ------
    ModelError
        The version bears no bundle digest: something else registered it.
    """
    from mlflow.exceptions import MlflowException

    wanted = str(alias_or_version)
    try:
        if wanted.isdecimal():
            found: Any = client.get_model_version(name, wanted)
        else:
            found = client.get_model_version_by_alias(name, wanted)
    except MlflowException as error:
        if error.error_code in _ABSENT:
            return None
        raise
    digest = found.tags.get(DIGEST_TAG)
    if not digest:
        raise ModelError(
            f"version {found.version} of {name!r} in {shown(uri)} has no {DIGEST_TAG} tag: custvalue did not register it. "
            "Point the alias at a version that `custvalue train` made."
        )
    effect_digest = str(found.tags.get(EFFECT_TAG) or "")
    return ModelVersion(name, int(found.version), str(found.run_id), str(digest), effect_digest=effect_digest)


def get(client: MlflowClient, uri: str, name: str, alias_or_version: str | int) -> ModelVersion:
    """Resolve an alias or a version number, or raise `ModelError` with what to run."""
    found = find(client, uri, name, alias_or_version)
    if found is not None:
        return found
    wanted = str(alias_or_version)
    what = f"version {wanted} of {name!r}" if wanted.isdecimal() else f"{wanted} for {name!r}"
    way_out = _WAY_OUT.get(wanted, "Look at the versions with `mlflow ui`.")
    raise ModelError(f"no {what} in {shown(uri)}. {way_out}")


def load(client: MlflowClient, uri: str, version: ModelVersion) -> LoadedModel:
    """Download a version and verify it before LightGBM reads it; see `ModelBundle.load`."""
    with model_files(client, uri, version) as folder:
        return LoadedModel(
            **vars(version),
            bundle=load_bundle(folder, version.digest),
            reference=_read_reference(folder / REFERENCE_FILE),
            effect=_read_effect(folder / EFFECT_FILE, version.effect_digest),
        )


def _read_reference(path: Path) -> Mapping[str, Any] | None:
    if not path.is_file():
        return None
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ModelError(f"{path.name} of the model is damaged ({error}). Restore the model's folder, or train again.") from error
    return found


def _read_effect(path: Path, digest: str) -> str | None:
    """Read the effect of contacts, of a version that has one, and verify it: it holds boosters, which LightGBM trusts."""
    if not digest:
        return None
    content = path.read_bytes() if path.is_file() else b""
    if (found := hashlib.sha256(content).hexdigest()) != digest:
        raise ModelError(f"{path.name} of the model has the digest {found[:12]}…, not the noted {digest[:12]}…. Restore it or train again.")
    return content.decode()


def load_bundle(folder: Path, digest: str) -> ModelBundle:
    """Read the bundle out of a registered model's files."""
    with tempfile.TemporaryDirectory(prefix="custvalue-") as scratch:
        for kept, wanted in ((BOOSTER_FILE, MODEL_FILE), (BUNDLE_FILE, BUNDLE_FILE)):
            if (folder / kept).is_file():
                shutil.copyfile(folder / kept, Path(scratch) / wanted)
        return ModelBundle.load(Path(scratch), digest)


@contextmanager
def model_files(client: MlflowClient, uri: str, version: ModelVersion) -> Iterator[Path]:
    """Give a folder with a copy of a version's files, for as long as the block runs."""
    source = client.get_model_version_download_uri(version.name, str(version.version))
    with tempfile.TemporaryDirectory(prefix="custvalue-") as scratch:
        yield Path(download(source, uri, scratch, f"the files of version {version.version} of {version.name!r}"))


def read_text(client: MlflowClient, uri: str, version: ModelVersion, file: str) -> str:
    """Read one of the texts of a version's run."""
    with run_files(client, uri, version, [file]) as (path,):
        return path.read_text(encoding="utf-8")


@contextmanager
def run_files(client: MlflowClient, uri: str, version: ModelVersion, names: Sequence[str]) -> Iterator[list[Path]]:
    """Give copies of some files of a version's run, for as long as the block runs."""
    root = client.get_run(version.run_id).info.artifact_uri
    with tempfile.TemporaryDirectory(prefix="custvalue-") as scratch:
        yield [Path(download(f"{root}/{name}", uri, scratch, f"{name} of version {version.version} of {version.name!r}")) for name in names]


def download(source: str, uri: str, scratch: str, what: str, *, way_out: str = "train again") -> str:
    """Copy the files at an artifact URI into a folder and give their path; `ModelError` where there are none."""
    from mlflow.artifacts import download_artifacts
    from mlflow.exceptions import MlflowException

    try:
        return str(download_artifacts(artifact_uri=source, dst_path=scratch, tracking_uri=uri, registry_uri=uri))
    except (MlflowException, FileNotFoundError, NotADirectoryError) as error:
        if isinstance(error, MlflowException) and error.error_code not in _ABSENT:
            raise
        raise ModelError(f"{what} cannot be found at {shown(source)}. Restore the folder, or {way_out}.") from error
