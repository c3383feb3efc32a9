"""Letting campaigns go live: what was looked at, who approved it, when."""

from __future__ import annotations

from datetime import datetime

from custvalue import publish
from custvalue.config import Config
from custvalue.retention.approvals import record_approval, save_dry_run
from custvalue.retention.dry_run import DryRun


def approve(config: Config, run: DryRun, *, by: str, at: datetime) -> str:
    """Keep a dry run and approve it, and say what it would do."""
    save_dry_run(config.output, run)
    return approve_kept(config, run.id, by=by, at=at)


def approve_kept(config: Config, dry_run: str, *, by: str, at: datetime, note: str = "") -> str:
    """Approve a dry run that was kept; see `retention.approvals.record_approval` for what is refused."""
    digest = publish.file_digest(config.retention_policy)
    done = record_approval(config.output, dry_run, policy_digest=digest, by=by, at=at, note=note)
    return f"{', '.join(done.campaigns)} may call under {done.policy}: dry run {done.dry_run} of {done.night}, approved by {done.by}"
