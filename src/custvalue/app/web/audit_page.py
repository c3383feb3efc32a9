"""The audit log for administrators: the newest entries, and all of them as a file."""

from __future__ import annotations

import io
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from custvalue.app.web.audit import Action, export_audit, newest_entries
from custvalue.app.web.principal import Permission
from custvalue.app.web.visit import Visit, allowed

router = APIRouter()
_SHOWN = 100
_LAST = 2**63 - 1
"""No database counts further."""

AuditVisit = Annotated[Visit, allowed(Permission.AUDIT)]


@router.get("/audit")
def show_audit(visit: AuditVisit, before: Annotated[int | None, Query(ge=1, le=_LAST)] = None) -> Response:
    """Show the newest entries, or those before an entry."""
    with visit.reading() as repository:
        entries = newest_entries(repository.connection, _SHOWN, before=before)
    return visit.show("audit.html.j2", entries=entries, more=len(entries) == _SHOWN)


@router.get("/audit.csv")
def download_audit(visit: AuditVisit) -> Response:
    """Give the whole log as CSV; that it was taken is its last entry."""
    file = io.StringIO(newline="")
    with visit.writing() as repository:
        visit.log(repository, Action.EXPORT, "audit log")
        export_audit(repository.connection, file)
    # Excel knows UTF-8 by the mark at its beginning
    return Response(
        "\ufeff" + file.getvalue(),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="audit.csv"'},
    )
