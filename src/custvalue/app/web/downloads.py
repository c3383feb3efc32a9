"""My list as a file: the open orders of the principal's scope, as the night's workbooks write them."""

from __future__ import annotations

import tempfile
from datetime import UTC, date
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

import pandas as pd
from fastapi import APIRouter
from starlette.responses import Response

from custvalue.app.web.audit import Action
from custvalue.app.web.principal import Permission
from custvalue.app.web.repository_customer import duties_owed
from custvalue.app.web.repository_team import listed_orders
from custvalue.app.web.visit import Visit, allowed
from custvalue.lists import FORMATS, Edition, safe_name
from custvalue.lists.layout import COLUMNS

router = APIRouter()
_TYPES = {
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "csv": "text/csv; charset=utf-8",
}
_DAYS = ("last_contact", "first_listed_on")
"""Days that the store keeps as text."""


@router.get("/list.{kind}")
def download_list(kind: Literal["xlsx", "csv"], visit: Annotated[Visit, allowed(Permission.EXPORT)]) -> Response:
    """Give the open orders as a workbook or as CSV; that they were taken is written to the audit log."""
    with visit.writing() as repository:
        night, orders, owed = repository.night(), listed_orders(repository), duties_owed(repository)
        if night is not None and orders:
            visit.log(repository, Action.EXPORT, f"list.{kind}, {len(orders)} orders")
    if night is None or not orders:
        return visit.go("/today")  # which says that there is nothing to do
    name = str(visit.principal.manager_id or visit.principal.team)
    return Response(
        render_list(visit, kind, night, orders, owed, name),
        media_type=_TYPES[kind],
        headers={"Content-Disposition": f'attachment; filename="{_file_name(name, night)}.{kind}"'},
    )


def render_list(
    visit: Visit, kind: Literal["xlsx", "csv"], night: date, orders: list[dict[str, Any]], owed: list[dict[str, Any]], name: str
) -> bytes:
    """Write one list with the night's own renderer, in the visitor's language, and give the file's bytes.

    Parameters
    ----------
    visit : Visit
    kind : str
        ``xlsx`` or ``csv``.
    night : date
        The current night.
    orders, owed : list of dict
        What `listed_orders` and `duties_owed` gave.
    name : str
        Whose list it is: the manager's id, or the lead's team.
    """
    config = visit.site.config
    edition = Edition(
        as_of=night,
        language=visit.language,
        currency=config.currency,
        time_zone=config.time_zone,
        catalogue=visit.site.catalogue,
        settings=config.lists,
        care=_care(owed, name) if owed else None,
    )
    with tempfile.TemporaryDirectory(prefix="custvalue-list-") as folder:  # only this user may enter it
        (path,) = FORMATS[kind](Path(folder), _rows(orders, name, ZoneInfo(config.time_zone)), edition)
        return path.read_bytes()


def _rows(orders: list[dict[str, Any]], name: str, zone: ZoneInfo) -> pd.DataFrame:
    """Put together what the renderers need; what the night told of an order lies in its facts."""
    rows = pd.DataFrame([order["facts"] | {own: value for own, value in order.items() if own != "facts"} for order in orders])
    needed = [str(column.source) for column in COLUMNS if column.source is not None and not column.hidden_if_empty]
    for column in (*needed, "open_complaint", "care_priority", "reasons_en", "reasons_zh"):
        if column not in rows.columns:
            rows[column] = None
    for column in ("reasons_en", "reasons_zh"):
        rows[column] = [value if isinstance(value, list) else [] for value in rows[column]]
    for column in _DAYS:
        if column in rows.columns:
            rows[column] = pd.to_datetime(rows[column])
    due = [moment.replace(tzinfo=UTC).astimezone(zone).replace(tzinfo=None) for moment in rows["due_at"]]
    return rows.assign(due_by=due, manager_id=name).rename(columns={"trigger_code": "trigger"})


def _care(owed: list[dict[str, Any]], name: str) -> pd.DataFrame:
    rows = pd.DataFrame([duty["facts"] | {own: value for own, value in duty.items() if own != "facts"} for duty in owed])
    return rows.assign(manager_id=name)


def _file_name(name: str, night: date) -> str:
    """Give a name that any header and any disk takes: letters of other scripts stand in no header."""
    safe = safe_name(name)
    return f"{safe if safe.isascii() else 'list'}-{night}"
