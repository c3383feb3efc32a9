"""What the checks found: single findings, one report a table, and the refusal that carries them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from custvalue.errors import DataError, some


class Severity(StrEnum):
    """What a finding means for the run."""

    ERROR = "error"
    """The run is refused."""
    REPAIR = "repair"
    """It was set right, and counted."""
    WARN = "warn"
    """The run goes on; somebody should look."""


@dataclass(frozen=True)
class Finding:
    """One broken rule.

    Attributes
    ----------
    table, column : str
        Where; several columns are joined by ``+``.
    check : str
        Name of the rule.
    severity : Severity
        What it means for the run.
    fault : str
        What is wrong, in words.
    rows : int
        How many rows; 0 where the fault is one of a whole month or table.
    examples : tuple of str
        Up to three, identifiers masked.
    remedy : str
        The way out, or what was done.
    """

    table: str
    column: str
    check: str
    severity: Severity
    fault: str
    rows: int
    examples: tuple[str, ...]
    remedy: str

    def __str__(self) -> str:
        counted = f" in {self.rows:,} row(s)" if self.rows else ""
        shown = f", for example {some(self.examples)}" if self.examples else ""
        return f"{self.table}.{self.column}: {self.fault}{counted}{shown}. {self.remedy}"


@dataclass(frozen=True)
class TableReport:
    """What the checks made of one table.

    Attributes
    ----------
    table : str
        Contract name.
    rows : int
        Number of rows.
    newest : str
        Newest event (month, day), empty for a table without events or rows.
    expected : str
        Newest month, or the day since which rows should have come, where freshness was asked for.
    checks : int
        How many rules were looked at.
    findings : tuple of Finding
        Broken ones.
    """

    table: str
    rows: int
    newest: str
    checks: int
    findings: tuple[Finding, ...]
    expected: str = ""

    @property
    def passed(self) -> int:
        """How many rules hold."""
        return self.checks - len({(finding.check, finding.column) for finding in self.findings})

    def with_freshness(self, newest: str, expected: str, findings: Iterable[Finding]) -> TableReport:
        """Return the report with what is known at a moment, and freshness as one more rule that was looked at."""
        return replace(self, newest=newest, expected=expected, checks=self.checks + 1, findings=(*self.findings, *findings))


class ContractError(DataError):
    """The tables cannot be believed; carries what was found in each of them (exit 3)."""

    def __init__(self, message: str, reports: Iterable[TableReport]) -> None:
        super().__init__(message)
        self.reports = tuple(reports)


def allow(findings: Iterable[Finding], allowed: Mapping[str, str]) -> list[Finding]:
    """Turn the errors that an operator allows into warnings that name the reason."""
    return [
        replace(finding, severity=Severity.WARN, remedy=f"Allowed by sources.checks: {allowed[finding.check]}")
        if finding.severity is Severity.ERROR and finding.check in allowed
        else finding
        for finding in findings
    ]


def refuse_errors(reports: Iterable[TableReport]) -> None:
    """Stop where a finding is an error.

    Raises
    ------
    ContractError
        With all errors of all tables at once.
    """
    reports = tuple(reports)
    errors = [finding for report in reports for finding in report.findings if finding.severity is Severity.ERROR]
    if errors:
        raise ContractError("\n".join(["the data break the contract:", *(f"  {finding}" for finding in errors)]), reports)
