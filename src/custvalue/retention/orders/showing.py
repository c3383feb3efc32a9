"""What a night tells of its orders beside their columns, and the service contacts it owes: for the page, switched with the orders."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
from sqlalchemy import Connection, bindparam, delete, insert, select

from custvalue.retention.orders.schema import duties, orders, shown

_KEPT_ELSEWHERE = frozenset(column.name for column in orders.columns) | {"trigger", "due_by"}
_OF_DUTY = ("customer_id", "kind", "customer", "manager_id", "team", "tier", "due_on", "since")


def reason_codes(row: Mapping[str, Any]) -> str | None:
    """Give a row's codes in one text, each between blanks; None where it has none."""
    codes = row.get("reason_codes")
    return f" {' '.join(codes)} " if codes is not None and not isinstance(codes, float) and len(codes) else None


def shown_facts(row: Mapping[str, Any], *, without: Iterable[str] = _KEPT_ELSEWHERE) -> str:
    """Give as JSON what a row says, without what is unknown and what has a column of its own; days as ISO 8601."""
    left_out = frozenset(without) - {"reason_codes"}
    facts = {name: known for name, value in row.items() if name not in left_out and (known := _plain(value)) is not None}
    return json.dumps(facts, ensure_ascii=False)


def write_shown(connection: Connection, rows: Sequence[Mapping[str, Any]], places: Mapping[str, str], ranked: Iterable[str]) -> None:
    """Keep what the lists say of the orders that were opened or ranked anew.

    Parameters
    ----------
    connection : Connection
        In a transaction that writes.
    rows : sequence of mapping
        Of the lists.
    places : mapping
        The id under which each is listed → its order's.
    ranked : iterable of str
        Ids of those orders.
    """
    wanted = set(ranked)
    facts = {places[str(row["order_id"])]: row for row in rows}
    written = [{"order_id": order, "facts": shown_facts(row)} for order, row in facts.items() if order in wanted]
    if written:
        connection.execute(delete(shown).where(shown.c.order_id == bindparam("own_id")), [{"own_id": row["order_id"]} for row in written])
        connection.execute(insert(shown), written)


def write_care(connection: Connection, care: pd.DataFrame, night: date) -> None:
    """Make a night's service contacts the current ones; those that were made stay, and are not owed again.

    Parameters
    ----------
    connection : Connection
        In a transaction that writes.
    care : DataFrame
        customer_id, customer, manager_id, kind, due_on; where known team, tier and since; the other columns are what the page shows.
    night : date
        Since when a contact is owed of which nothing else is said.
    """
    connection.execute(delete(duties).where(duties.c.done_at.is_(None)))
    made = {tuple(row) for row in connection.execute(select(duties.c.customer_id, duties.c.kind, duties.c.since))}
    rows: dict[tuple[str, str, date], dict[str, Any]] = {}
    for row in care.to_dict("records"):
        known = {name: _plain(row.get(name)) for name in ("customer_id", "kind", "customer", "manager_id", "team", "tier")}
        days = {"due_on": _day(row["due_on"]), "since": _day(row.get("since"), night)}
        facts = shown_facts({str(name): value for name, value in row.items()}, without=_OF_DUTY)
        key = (str(row["customer_id"]), str(row["kind"]), days["since"])
        if key not in made:
            rows[key] = known | days | {"facts": facts, "done_at": None, "done_by": None, "note": ""}
    if rows:
        connection.execute(insert(duties), list(rows.values()))


def _day(value: Any, usual: date | None = None) -> date:
    if usual is not None and (value is None or pd.isna(value)):
        return usual
    day: date = pd.Timestamp(value).date()
    return day


def _plain(value: Any) -> Any:
    """Give a value as JSON knows it; None where it is unknown."""
    if isinstance(value, (list, tuple, np.ndarray)):
        return [_plain(each) for each in value]
    if isinstance(value, Mapping):
        return {str(name): _plain(each) for name, each in value.items()}
    if value is None or pd.isna(value):
        return None
    if isinstance(value, date):
        return value.isoformat()
    return value.item() if isinstance(value, np.generic) else value
