"""A campaign's dry run, in plain words, and letting it go live: who, when, and on which dry run."""

from __future__ import annotations

import logging
from contextlib import suppress
from datetime import UTC, date, datetime
from typing import Annotated

from fastapi import APIRouter, Form
from starlette.responses import Response

from custvalue import publish
from custvalue.app.web.audit import Action
from custvalue.app.web.principal import Permission
from custvalue.app.web.repository import NotFoundError
from custvalue.app.web.visit import Visit, allowed
from custvalue.config import load_retention_policy
from custvalue.errors import ConfigError, DataError, PublishError
from custvalue.retention.approvals import RUNS_FOLDER, Approval, approvals, read_dry_run, record_approval
from custvalue.retention.dry_run import DryRun
from custvalue.retention.dry_run_shown import sections

router = APIRouter()
_log = logging.getLogger("custvalue.page")
_SHOWN = 20

ApprovalVisit = Annotated[Visit, allowed(Permission.APPROVE)]


@router.get("/campaigns")
def show_dry_runs(visit: ApprovalVisit) -> Response:
    """Show the newest dry runs, and who approved which."""
    output = visit.site.config.output
    paths = sorted((output / RUNS_FOLDER).glob("*.json"), key=lambda path: path.stat().st_mtime, reverse=True)
    runs = [run for path in paths[:_SHOWN] if (run := _readable(visit, path.stem)) is not None]
    days = {run.id: date.fromisoformat(run.night) for run in runs}
    return visit.show("campaigns.html.j2", runs=runs, days=days, approved=_approved(visit), current=_digest(visit))


@router.get("/campaigns/{dry_run}")
def show_dry_run(dry_run: str, visit: ApprovalVisit) -> Response:
    """Show one dry run in words."""
    run, config = _run(visit, dry_run), visit.site.config
    offers = {code: getattr(offer.label, visit.language) for code, offer in load_retention_policy(config.retention_policy).offers.items()}
    shown = sections(run, visit.site.catalogue, language=visit.language, currency=config.currency, offers=offers)
    approval = _approved(visit).get(dry_run)
    return visit.show(
        "campaign.html.j2",
        run=run,
        run_day=date.fromisoformat(run.night),
        sections=shown,
        approval=approval,
        approved_at=datetime.fromisoformat(approval.at).astimezone(UTC).replace(tzinfo=None) if approval else None,
        of_today=run.policy_digest == _digest(visit),
    )


@router.post("/campaigns/{dry_run}/approve")
def approve(dry_run: str, visit: ApprovalVisit, note: Annotated[str, Form(max_length=500)] = "") -> Response:
    """Let the campaigns of a dry run go live; one that is approved already, or of another policy than today's, stays as it is."""
    _run(visit, dry_run)
    config, at = visit.site.config, visit.site.clock().replace(tzinfo=UTC)
    # what is refused changes nothing: the page then shows by whom it was approved before, or that the policy is another one by now
    with suppress(ConfigError, PublishError), visit.writing() as repository:
        visit.log(repository, Action.CHANGE, f"approval of dry run {dry_run}")
        record_approval(config.output, dry_run, policy_digest=_digest(visit), by=visit.principal.user, at=at, note=note)
    return visit.go(f"/campaigns/{dry_run}")


def _run(visit: Visit, dry_run: str) -> DryRun:
    try:
        return read_dry_run(visit.site.config.output, dry_run)
    except ConfigError:
        raise NotFoundError(dry_run) from None


def _readable(visit: Visit, dry_run: str) -> DryRun | None:
    try:
        return read_dry_run(visit.site.config.output, dry_run)
    except (ConfigError, DataError) as error:
        _log.warning("%s", error)
        return None


def _approved(visit: Visit) -> dict[str, Approval]:
    return {each.dry_run: each for each in approvals(visit.site.config.output)}


def _digest(visit: Visit) -> str:
    return publish.file_digest(visit.site.config.retention_policy)
