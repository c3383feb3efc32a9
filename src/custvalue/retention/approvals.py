"""Who let a campaign go live, when, and on which dry run: one file an approval, never changed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from custvalue.errors import ConfigError, DataError, PublishError, some
from custvalue.publish.durable import create_json, full_disk_can_wait
from custvalue.retention.dry_run import DryRun

RUNS_FOLDER, APPROVALS_FOLDER = Path("campaigns", "dry-runs"), Path("campaigns", "approvals")
_ID = re.compile(r"[0-9a-f]{16}")


@dataclass(frozen=True)
class Approval:
    """A decision of a person.

    Attributes
    ----------
    dry_run : str
        On what.
    campaigns : tuple of str
        Which campaigns it lets go live.
    policy, policy_digest : str
        The retention policy's label, and its file's SHA-256: it holds for no other file.
    night : str
        The dry run's day.
    by, at, note : str
        Who, when (ISO 8601 with time zone), and what was said.
    """

    dry_run: str
    campaigns: tuple[str, ...]
    policy: str
    policy_digest: str
    night: str
    by: str
    at: str
    note: str = ""


def save_dry_run(output: Path, run: DryRun) -> Path:
    """Keep a dry run so that it can be approved; the same one twice is one file."""
    path = output / RUNS_FOLDER / f"{run.id}.json"
    with full_disk_can_wait(path):
        try:
            create_json(path, run.to_dict())
        except FileExistsError:
            return path
    return path


def read_dry_run(output: Path, dry_run: str) -> DryRun:
    """Read a dry run that was kept.

    Raises
    ------
    ConfigError
        There is none of that name.
    DataError
        Its file was changed since.
    """
    path = output / RUNS_FOLDER / f"{dry_run}.json"
    if not _ID.fullmatch(dry_run) or not path.is_file():
        known = sorted((file.stem for file in (output / RUNS_FOLDER).glob("*.json")), reverse=True)
        there = f"Known are {some(known)}." if known else "None was made yet: run `custvalue lists --dry-run` first."
        raise ConfigError(f"there is no dry run {dry_run!r} under {output / RUNS_FOLDER}. {there}")
    run = DryRun.from_dict(_read(path))
    if run.id != dry_run:
        raise DataError(f"{path} was changed after it was written. Run `custvalue lists --dry-run` again and approve the new one.")
    return run


def record_approval(output: Path, dry_run: str, *, policy_digest: str, by: str, at: datetime, note: str = "") -> Approval:
    """Let the campaigns of a dry run go live.

    Parameters
    ----------
    output : Path
        Folder of the operator's output.
    dry_run : str
        Name of the dry run.
    policy_digest : str
        SHA-256 of the policy's file as it is now.
    by : str
        Who approves.
    at : datetime
        When, with time zone.
    note : str
        Kept with it.

    Raises
    ------
    ConfigError
        The dry run is unknown, or of another policy file than today's; or nobody is named.
    DataError
        The dry run's file was changed.
    PublishError
        It is approved already.
    """
    name = by.strip()
    if not name:
        raise ConfigError("an approval needs the name of who approves. Give --by NAME.")
    run = read_dry_run(output, dry_run)
    if run.policy_digest != policy_digest:
        raise ConfigError(
            f"dry run {dry_run} was made with another retention policy than the config names now ({run.policy}). "
            "Run `custvalue lists --dry-run` again, look at it, and approve that."
        )
    approval = Approval(dry_run, tuple(run.campaigns), run.policy, policy_digest, run.night, name, at.isoformat(), note.strip())
    path = output / APPROVALS_FOLDER / f"{dry_run}.json"
    with full_disk_can_wait(path):
        try:
            create_json(path, asdict(approval))
        except FileExistsError:
            before = _approval(path)
            raise PublishError(f"dry run {dry_run} was approved before, by {before.by} on {before.at}. Nothing was changed.") from None
    return approval


def approvals(output: Path) -> list[Approval]:
    """Give every approval, oldest first."""
    found = (_approval(path) for path in (output / APPROVALS_FOLDER).glob("[0-9a-f]*.json"))
    return sorted(found, key=lambda each: (datetime.fromisoformat(each.at), each.dry_run))


def approved(output: Path, campaign: str, policy_digest: str) -> Approval | None:
    """Give the latest approval of a campaign under a policy file; None where there is none, or only of an older file."""
    found = [each for each in approvals(output) if each.policy_digest == policy_digest and campaign in each.campaigns]
    return found[-1] if found else None


def pending(output: Path, campaigns: Iterable[str], policy_digest: str) -> list[str]:
    """Say of each campaign that may not go live what is missing and what to run."""
    told = []
    for campaign in campaigns:
        if approved(output, campaign, policy_digest) is not None:
            continue
        older = [each for each in approvals(output) if campaign in each.campaigns]
        why = f"its policy was changed since {older[-1].by} approved it on {older[-1].at}" if older else "nobody has approved it"
        told.append(
            f"campaign {campaign} is not live: {why}. Run `custvalue lists --dry-run`, look at it, then "
            "`custvalue approve --dry-run ID --by NAME`."
        )
    return told


def _approval(path: Path) -> Approval:
    told = _read(path)
    return Approval(**{**told, "campaigns": tuple(told["campaigns"])})


def _read(path: Path) -> dict[str, Any]:
    try:
        told: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"{path} cannot be read: {error}. Restore it from a backup.") from error
    return told
