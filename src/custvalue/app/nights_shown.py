"""What is published, what is not, and why: one screen for the first look in the morning."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from pathlib import Path

from custvalue.app.tables import console, table
from custvalue.config import Config
from custvalue.publish import Night, nights

_HEADERS = ("night", "status", "generation", "run", "exit", "why")


def show_nights(config: Config, config_file: Path) -> None:
    """Show every night from the first to the last that was tried, those that nobody tried among them, and the last good one."""
    found = nights(config.output)
    out = console()
    if not found:
        out.print(f"nothing published in {config.output} yet; run custvalue nightly", markup=False)
        return
    out.print(table(_HEADERS, _rows(found, config_file), left=len(_HEADERS)))
    good = [night for night in found if night.status == "published"]
    if good:
        last = good[-1]
        out.print(f"last good night: {last.as_of}, generation {last.generation}, run {last.run_id}", markup=False)
    else:
        out.print("no good night yet", markup=False)


def _rows(found: Iterable[Night], config_file: Path) -> Iterator[tuple[object, ...]]:
    before: date | None = None
    for night in found:
        if before is not None and (night.as_of - before).days > 1:
            yield _gap(before + timedelta(days=1), night.as_of - timedelta(days=1), config_file)
        yield night.as_of, night.status, night.generation or "", night.run_id or "", night.exit_code or "", night.message or ""
        before = night.as_of


def _gap(first: date, last: date, config_file: Path) -> tuple[object, ...]:
    count = (last - first).days + 1
    shown = str(first) if count == 1 else f"{first} … {last}"
    why = f"{count} night(s) that no run has finished or refused; custvalue backfill -c {config_file} --from {first} --to {last}"
    return shown, "missing", "", "", "", why
