"""The check command: what was found in each table, on the terminal and as a page for the owner of the data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path

from jinja2 import Environment, PackageLoader

from custvalue import pipeline
from custvalue.app.tables import console, table
from custvalue.config import Config
from custvalue.errors import ConfigError, DataError, some
from custvalue.explain import load_wording
from custvalue.sources import CONTRACT, ContractError, Finding, Severity, TableReport, with_freshness
from custvalue.wording import Catalogue

_WORDS = {
    "title": "Data check: {name}",
    "as_of": "as of {day}",
    "all_data": "all data",
    "holds": "The contract holds.",
    "refused": "Refused: the tables cannot be used until the errors are mended.",
    "table": "table",
    "rows": "rows",
    "newest": "newest",
    "expected": "expected",
    "passed": "checks passed",
    "findings": "findings",
    "where": "where",
    "what": "what",
    "examples": "examples",
    "do": "what to do",
    "error": "errors",
    "repair": "repaired",
    "warn": "to look at",
    "note": "note",
}
"""Words of the report in English; ``check.<name>`` in labels.yaml says them in another language."""


def refuse_unknown_feeds(tables: Sequence[str]) -> None:
    """Refuse a name that no feed has; raises ConfigError, which lists those that there are."""
    feeds = [name for name, declared in CONTRACT.items() if declared.event]
    if unknown := [name for name in tables if name not in feeds]:
        raise ConfigError(f"--allow-stale: {some(unknown)} is no table with a feed; these are: {', '.join(feeds)}.")


def run_check(config: Config, as_of: date | None, *, html: Path | None, reporter: pipeline.Reporter) -> None:
    """Check the tables and show what was found, also where it refuses them.

    Raises
    ------
    DataError
        The contract is broken, or a feed is late; the reports are shown and written before.
    """
    refusal: DataError | None = None
    caveats: tuple[str, ...] = ()
    try:
        tables, freshness = pipeline.check(config, as_of, reporter=reporter)
        reports, caveats = tuple(with_freshness(tables, freshness)), tables.caveats
    except ContractError as error:
        refusal, reports = error, error.reports
    except DataError as error:
        refusal, reports = error, ()
    words = _words(config)
    _show(reports, caveats, words)
    if html is not None:
        html.parent.mkdir(parents=True, exist_ok=True)
        html.write_text(check_page(config, as_of, reports, words=words, caveats=caveats, refusal=refusal), encoding="utf-8")
        console().print(str(html), markup=False)
    if refusal is not None:
        raise refusal


def check_page(
    config: Config,
    as_of: date | None,
    reports: Sequence[TableReport],
    *,
    words: Mapping[str, str],
    caveats: Sequence[str] = (),
    refusal: DataError | None = None,
) -> str:
    """Write the reports as one page of HTML that needs nothing else, and shows identifiers only masked."""
    environment = Environment(loader=PackageLoader("custvalue.app"), autoescape=True, trim_blocks=True, lstrip_blocks=True)
    return environment.get_template("check.html.j2").render(
        language=config.language,
        title=words["title"].format(name=config.name),
        subtitle=words["as_of"].format(day=as_of) if as_of else words["all_data"],
        verdict=words["refused"] if refusal else words["holds"],
        refusal=refusal,
        reports=reports,
        rows=_rows(reports, words),
        by_severity={severity.value: _findings(reports, severity) for severity in Severity},
        caveats=caveats,
        words=words,
    )


def _words(config: Config) -> dict[str, str]:
    catalogue: Catalogue = load_wording(config.wording)
    known = catalogue.names("check")
    gaps = {"title": {"name": "{name}"}, "as_of": {"day": "{day}"}}
    return {
        name: catalogue.label(f"check.{name}", config.language, **gaps.get(name, {})) if name in known else text
        for name, text in _WORDS.items()
    }


def _findings(reports: Sequence[TableReport], severity: Severity) -> list[Finding]:
    return [finding for report in reports for finding in report.findings if finding.severity is severity]


def _rows(reports: Sequence[TableReport], words: Mapping[str, str]) -> list[tuple[str, ...]]:
    return [
        (report.table, f"{report.rows:,}", report.newest, report.expected, f"{report.passed} / {report.checks}", _counts(report, words))
        for report in reports
    ]


def _counts(report: TableReport, words: Mapping[str, str]) -> str:
    counts = {severity: len(_findings([report], severity)) for severity in Severity}
    return ", ".join(f"{words[severity.value]} {count}" for severity, count in counts.items() if count)


def _show(reports: Sequence[TableReport], caveats: Sequence[str], words: Mapping[str, str]) -> None:
    out = console()
    if reports:
        headers = [words[name] for name in ("table", "rows", "newest", "expected", "passed", "findings")]
        out.print(table(headers, _rows(reports, words)))
    for severity in Severity:
        for finding in _findings(reports, severity):
            out.print(f"{words[severity.value]}: {finding}", markup=False)
    for caveat in caveats:
        out.print(f"{words['note']}: {caveat}", markup=False)
