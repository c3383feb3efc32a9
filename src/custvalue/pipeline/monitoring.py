"""Tonight beside last night and beside what the model was trained on."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from custvalue import publish
from custvalue.config import Config
from custvalue.errors import DataError
from custvalue.monitoring import Profile, Reference, canary, tell
from custvalue.pipeline.reasons import PORTFOLIO_FILE
from custvalue.publish import Published
from custvalue.publish.manifests import published_dates
from custvalue.publish.reading import SCORES

if TYPE_CHECKING:
    from custvalue.tracking import LoadedModel

PROFILE_FILE = "profile.json"
_READ = (SCORES, PROFILE_FILE, PORTFOLIO_FILE)


def model_reference(model: LoadedModel) -> Reference | None:
    """Give what nights that a model scored are compared with; None for a model that was registered without.

    Raises
    ------
    ModelError
        It is damaged.
    """
    return None if model.reference is None else Reference.from_dict(model.reference)


def look_before_publishing(
    config: Config, as_of: date, folder: Path, model: LoadedModel, *, stale: str = "", alert: Callable[[str], None]
) -> None:
    """Compare a night that is about to be published with the newest one before it and with training; what is beyond a limit is told.

    Where feeds were let pass although they were late (`stale` names them), missing values do not refuse the night.

    Raises
    ------
    DataError
        The night is too odd to be published.
    """
    last = newest_before(config.output, as_of, alert=alert)
    now, before = read_profile(folder), None if last is None else _profile_of(last, alert)
    found = canary(now, before, model_reference(model), config.monitoring) if now else []
    gross = [finding for finding in found if finding.severity == "refuse"]
    for line in tell(finding for finding in found if finding not in gross):
        alert(line)
    if gross and stale:
        alert(f"what is missing does not refuse the night, because feeds were allowed to be late: {stale}")
        gross = [finding for finding in gross if finding.code != "missing"]
    if gross:
        raise DataError(
            f"night {as_of} is not published, because {len(gross)} of its figures are too odd: "
            f"{'; '.join(tell(gross))}. Look at the feeds; if the figures are right, raise the limits "
            "under `monitoring` in the config and run the command again."
        )


def newest_before(output: Path, as_of: date, *, alert: Callable[[str], None]) -> Published | None:
    """Find the newest published night before a day; a damaged one is told and must not keep tonight's from being made."""
    days = [day for day in published_dates(output) if day < as_of]
    try:
        return publish.published(output, days[-1]) if days else None
    except DataError as error:
        alert(f"not compared with the night of {days[-1]}: {error}")
        return None


def _profile_of(night: Published, alert: Callable[[str], None]) -> Profile | None:
    try:
        return read_profile(night.folder)
    except DataError as error:
        alert(f"not compared with the night of {night.as_of}: {error}")
        return None


def read_profile(folder: Path) -> Profile | None:
    """Read what was counted of a night; None for one from before nights were counted.

    Raises
    ------
    DataError
        It is damaged.
    """
    path = folder / PROFILE_FILE
    if not path.is_file():
        return None
    try:
        return Profile.from_dict(json.loads(path.read_text(encoding="utf-8")))
    except json.JSONDecodeError as error:
        raise DataError(f"{path}: is damaged ({error}). Publish the night anew with --force.") from error


def verified_night(output: Path, night: date) -> Published:
    """Find a published night and compare what monitoring reads of it with its checksums.

    Raises
    ------
    DataError
        The night is not published, or damaged.
    """
    found = publish.published(output, night)
    publish.verify_files(found, [name for name in found.files if PurePosixPath(name).parts[0] in _READ])
    return found
