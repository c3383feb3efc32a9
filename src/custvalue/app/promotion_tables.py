"""Verdicts and the promotion log on the terminal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from custvalue.app.tables import console, table

if TYPE_CHECKING:
    from rich.table import Table

    from custvalue.tracking import Gate, Reign, Verdict


def show_verdict(verdict: Verdict) -> None:
    """Show every gate with its value, its limit, whether it let the model pass, and why."""
    if verdict.gates:
        console().print(_gate_table(verdict.gates))
    console().print(str(verdict).splitlines()[0], markup=False)
    for note in verdict.notes:
        console().print(f"note: {note}", markup=False)


def show_log(entries: Sequence[Mapping[str, Any]], *, name: str) -> None:
    """Show every promotion that was asked for, oldest first: when, by whom, from what to what, and what came of it."""
    out = console()
    if not entries:
        out.print(f"nothing was promoted for {name!r} yet; run custvalue promote", markup=False)
        return
    rows = [
        (
            _moment(datetime.fromisoformat(entry["at"])),
            entry["by"],
            entry.get("from") or "",
            entry["to"],
            "champion" if entry["promoted"] else "refused",
            _why(entry),
        )
        for entry in entries
    ]
    out.print(table(("when", "by", "champion before", "version", "verdict", "why"), rows, left=6))


def show_reign(found: Reign, *, day: date, name: str) -> None:
    """Show what was champion when a day ended, since and until when, who promoted it, and what it had passed."""
    out = console()
    before = f" in place of version {found.before}" if found.before else ""
    out.print(f"on {day} version {found.version} of {name!r} was champion", markup=False)
    out.print(f"  since {_moment(found.since)}, promoted by {found.by}{before}", markup=False)
    out.print(f"  until {_moment(found.until)}, when another followed" if found.until else "  to this day", markup=False)
    out.print(f"  run {found.run_id}, bundle {found.digest}", markup=False)
    if found.gates:
        out.print(_gate_table(found.gates))
    for note in found.notes:
        out.print(f"note: {note}", markup=False)


def _gate_table(gates: Iterable[Gate]) -> Table:
    rows = [
        (
            gate.gate,
            "not measured" if gate.value is None else f"{gate.value:.4g}",
            f"{gate.sign} {gate.limit:.4g}",
            "passed" if gate.passed else "failed",
            gate.note,
        )
        for gate in gates
    ]
    made = table(("gate", "value", "must be", "verdict", "why"), rows)
    made.columns[-1].justify = "left"
    return made


def _why(entry: Mapping[str, Any]) -> str:
    gates = entry.get("gates", ())
    failed = [str(gate["gate"]) for gate in gates if not gate["passed"]]
    if failed:
        return f"failed {len(failed)} of {len(gates)} gates: {', '.join(failed)}"
    return str(entry.get("note") or f"passed all {len(gates)} gates")


def _moment(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M %Z}".strip()
