"""Which version was champion when, and why: read from the promotion log."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from custvalue.tracking.gates import Gate


@dataclass(frozen=True)
class Reign:
    """One version's time as champion.

    Attributes
    ----------
    version : int
    since, until : datetime
        From when, and until when; `until` is None where it still is champion. With a time zone.
    by : str
        Who promoted it.
    before : int, optional
        The champion before.
    run_id, digest : str
        The run that made it; its bundle's SHA-256.
    gates : tuple of Gate
        What it passed.
    notes : tuple of str
        What the verdict said beside the gates.
    """

    version: int
    since: datetime
    until: datetime | None
    by: str
    before: int | None
    run_id: str
    digest: str
    gates: tuple[Gate, ...] = field(repr=False)
    notes: tuple[str, ...] = field(repr=False)


def reigns(entries: Iterable[Mapping[str, Any]]) -> tuple[Reign, ...]:
    """Give every champion in order, from the log's entries of one model, oldest first."""
    crowned = [entry for entry in entries if entry.get("promoted")]
    starts = [datetime.fromisoformat(entry["at"]) for entry in crowned]
    return tuple(
        Reign(
            version=int(entry["to"]),
            since=since,
            until=until,
            by=str(entry["by"]),
            before=entry.get("from"),
            run_id=str(entry["run_id"]),
            digest=str(entry["digest"]),
            gates=tuple(_gate(gate) for gate in entry.get("gates", ())),
            notes=(*entry.get("notes", ()), *([entry["note"]] if "note" in entry else [])),
        )
        for entry, since, until in zip(crowned, starts, [*starts[1:], None], strict=True)
    )


def reign_on(found: Iterable[Reign], day: date, zone: ZoneInfo) -> Reign | None:
    """Give the champion when a day ended in the operator's zone; None where there was none yet."""
    end = datetime.combine(day + timedelta(days=1), time(), zone)
    return next((reign for reign in found if reign.since < end and (reign.until is None or reign.until >= end)), None)


def _gate(told: Mapping[str, Any]) -> Gate:
    return Gate(told["gate"], told["value"], told["sign"], told["limit"], told.get("note", ""))
