"""What ``custvalue effect`` found of each campaign, as it was last written; the page measures nothing itself."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from custvalue.app.report_tables import Cell
from custvalue.publish.manifests import night_of
from custvalue.wording import Catalogue

_log = logging.getLogger("custvalue.page")
_FILE = "effect.json"


@dataclass(frozen=True)
class Effect:
    """A campaign's newest report.

    Attributes
    ----------
    campaign, as_of : str, date
        Whose, and the day whose knowledge counts.
    months : int
        How long each customer was watched.
    measured : mapping
        `retention.effect.Measured` as JSON.
    teams : mapping
        ``month``, ``quarter`` and ``year`` → rows of `team_scorecard` as JSON.
    """

    campaign: str
    as_of: date
    months: int
    measured: Mapping[str, Any]
    teams: Mapping[str, list[dict[str, Any]]]

    @property
    def points(self) -> tuple[float, float, float] | None:
        """Difference of leaving, listed less held out, with its interval, in points; None where it is not known."""
        return points(self.measured["left"], "value")

    @property
    def verdict(self) -> str:
        """``works``, ``harms`` or ``cannot_conclude``."""
        return str(self.measured["judgement"]["verdict"])

    def team(self, name: str | None) -> dict[str, Any] | None:
        """Give the newest quarter's row of a team; None where there is none."""
        rows = [row for row in self.teams.get("quarter", []) if row["group"] == name]
        return max(rows, key=lambda row: str(row["period"]), default=None)


def read_effects(output: Path) -> list[Effect]:
    """Read each campaign's newest report, by name; one that is damaged is left out, and told in the log."""
    found = []
    for folder in sorted((output / "effect").glob("*/")):
        days = sorted((day for each in folder.glob("as_of=*/") if (day := night_of(each.name)) and (each / _FILE).is_file()), reverse=True)
        for day in days[:1]:
            path = folder / f"as_of={day}" / _FILE
            try:
                found.append(_effect(json.loads(path.read_text(encoding="utf-8"))))
            except (OSError, ValueError, KeyError, TypeError) as error:
                _log.warning("%s cannot be read: %s", path, type(error).__name__)
    return found


def points(row: Mapping[str, Any], name: str = "effect") -> tuple[float, float, float] | None:
    """Give an estimate with its interval in points; None where it is not known."""
    value, low, high = (row[part] for part in (name, "low", "high"))
    return None if value is None or low is None or high is None else (100 * value, 100 * low, 100 * high)


def told(effect: Effect, catalogue: Catalogue, language: str) -> str:
    """Say in one sentence what may be said of a campaign, in the words of the report."""
    kept, judged = effect.measured["kept"], effect.measured["judgement"]
    has, detectable = Cell(judged["has"], "count").shown, Cell(_times(judged["detectable"], 100), "points").shown
    if effect.verdict != "cannot_conclude":
        values = {name: Cell(kept[part], "count").shown for name, part in (("kept", "value"), ("low", "low"), ("high", "high"))}
        return catalogue.label(f"effect.headline_{effect.verdict}", language, **values)
    if judged["needs"] is not None and judged["needs"] > judged["has"]:
        needs = Cell(judged["needs"], "count").shown
        return catalogue.label("effect.headline_needs", language, needs=needs, has=has, detectable=detectable)
    return catalogue.label(
        "effect.headline_enough" if judged["needs"] else "effect.headline_open", language, has=has, detectable=detectable
    )


def _effect(content: Mapping[str, Any]) -> Effect:
    read = Effect(
        campaign=str(content["campaign"]),
        as_of=date.fromisoformat(content["as_of"]),
        months=int(content["months"]),
        measured=content["measured"],
        teams=content["teams"],
    )
    _ = read.points, read.verdict, read.measured["kept"], read.measured["judgement"]["needs"]  # what the page needs is there
    return read


def _times(value: float | None, factor: float) -> float | None:
    return None if value is None else factor * value
