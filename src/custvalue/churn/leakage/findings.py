"""What the checks found, and how it is told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from custvalue.errors import ModelError

Standing = Literal["refused", "allowed", "noted"]


@dataclass(frozen=True)
class Finding:
    """One thing that looks like a leak.

    Attributes
    ----------
    subject : str
        A feature column, ``table.column`` or ``table.column=value``: what the config may allow by name.
    seen : str
        What was seen: figure, count, and an example with its identifier masked.
    advice : str
        What to do.
    refuses : bool
        Whether training stops; else a reader is told.
    """

    subject: str
    seen: str
    advice: str
    refuses: bool = True


@dataclass(frozen=True)
class Reported:
    """A finding with the check that made it and what the config says of it."""

    check: str
    finding: Finding
    reason: str | None = None

    @property
    def standing(self) -> Standing:
        """Whether it stops the training."""
        if not self.finding.refuses:
            return "noted"
        return "refused" if self.reason is None else "allowed"

    def __str__(self) -> str:
        told = f"{self.check}: {self.finding.subject}: {self.finding.seen}"
        return f"{told} Allowed: {self.reason}" if self.standing == "allowed" else f"{told} {self.finding.advice}"


@dataclass(frozen=True)
class LeakageReport:
    """The leakage report of one training.

    Attributes
    ----------
    checks : mapping
        Check → what it looks for; those that ran.
    skipped : mapping
        Check → why it did not run.
    columns : int
        Feature columns looked at.
    reported : tuple of Reported
        Every finding, in the order of the checks.
    unused : mapping
        Allowed name → reason, where nothing of that name was found.
    """

    checks: Mapping[str, str]
    skipped: Mapping[str, str]
    columns: int
    reported: tuple[Reported, ...]
    unused: Mapping[str, str] = field(default_factory=dict)

    def standing(self, standing: Standing) -> list[Reported]:
        """Findings that are refused, allowed or noted."""
        return [entry for entry in self.reported if entry.standing == standing]

    @property
    def lines(self) -> list[str]:
        """The report for a terminal: one line when nothing was found."""
        counts = [f"{len(found)} {standing}" for standing in ("refused", "allowed", "noted") if (found := self.standing(standing))]
        told = ", ".join(counts) or "nothing found"
        lines = [f"leakage: {len(self.checks)} checks, {self.columns} columns, {told}"]
        lines += [f"leakage {entry.standing}: {entry}" for entry in self.reported]
        return lines + [f"leakage: churn.leakage.allow names {name!r}, which nothing was found about" for name in self.unused]

    @property
    def metrics(self) -> dict[str, float]:
        """Counts for the tracking run."""
        counts = {standing: float(len(self.standing(standing))) for standing in ("refused", "allowed", "noted")}
        return {"leakage_checks": float(len(self.checks))} | {f"leakage_{standing}": count for standing, count in counts.items()}

    def markdown(self) -> str:
        """The report as a page."""
        lines = ["# Leakage report", "", self.lines[0].removeprefix("leakage: ").capitalize() + ".", ""]
        titles: tuple[tuple[Standing, str], ...] = (
            ("refused", "Refused"),
            ("allowed", "Allowed by the config"),
            ("noted", "To keep in mind"),
        )
        for standing, title in titles:
            if found := self.standing(standing):
                lines += [f"## {title}", "", *_table(found, standing), ""]
        lines += ["## Checks", "", "| check | looks for | result |", "|---|---|---|"]
        lines += [f"| {name} | {about} | {self._result(name)} |" for name, about in self.checks.items()]
        lines += [f"| {name} | | not run: {why} |" for name, why in self.skipped.items()]
        if self.unused:
            lines += ["", "Allowed by the config although nothing was found: " + ", ".join(f"`{name}`" for name in self.unused) + "."]
        return "\n".join([*lines, ""])

    def refuse(self) -> None:
        """Stop where something looks like a leak that the config does not allow.

        Raises
        ------
        ModelError
            Names every refused column, what was seen and what to do.
        """
        if not (refused := self.standing("refused")):
            return
        name = refused[0].finding.subject
        raise ModelError(
            "\n".join(
                [
                    f"{len(refused)} finding(s) look like a leak, so nothing was trained on:",
                    *(f"  {entry}" for entry in refused),
                    f'Where a finding is no leak, say why in the config: churn: {{leakage: {{allow: {{"{name}": "the reason"}}}}}}.',
                ]
            )
        )

    def _result(self, check: str) -> str:
        found = [entry.standing for entry in self.reported if entry.check == check]
        return ", ".join(f"{found.count(standing)} {standing}" for standing in dict.fromkeys(found)) or "nothing found"


def _table(found: Sequence[Reported], standing: Standing) -> list[str]:
    last = "reason" if standing == "allowed" else "what to do"
    rows = [f"| check | column | seen | {last} |", "|---|---|---|---|"]
    for entry in found:
        cells = (entry.check, f"`{entry.finding.subject}`", entry.finding.seen, entry.reason or entry.finding.advice)
        rows.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return rows
