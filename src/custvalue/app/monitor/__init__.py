"""``custvalue monitor``: the report of a night on the terminal, as a page, for machines and in MLflow; alerts as loud lines."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from jinja2 import Environment, PackageLoader

from custvalue.app.files import write_bytes
from custvalue.app.monitor.plots import draw_figures
from custvalue.app.monitor.tables import report_tables
from custvalue.app.monitor.words import Words
from custvalue.app.tables import console
from custvalue.config import Config
from custvalue.errors import CustValueError
from custvalue.monitoring import Reference
from custvalue.pipeline.monitor_report import MonitorReport, monitor_report
from custvalue.pipeline.monitoring import model_reference

if TYPE_CHECKING:
    from custvalue.app.console import StepReporter
    from custvalue.publish import Published
    from custvalue.sources import SourceTables
    from custvalue.tracking import Store

REPORT_FILE, JSON_FILE = "report.html", "monitoring.json"


@dataclass(frozen=True)
class Wanted:
    """What was asked for.

    Attributes
    ----------
    as_of : date
        The day.
    html : Path, optional
        Where the page is to be; by default beside the JSON.
    language : str
        ``en`` or ``zh``.
    log : bool
        Keep the figures in MLflow.
    show : bool
        Print the tables.
    """

    as_of: date
    html: Path | None
    language: str
    log: bool = True
    show: bool = True


def run_monitor(
    config: Config, wanted: Wanted, *, environ: Mapping[str, str], reporter: StepReporter, tables: SourceTables | None = None
) -> MonitorReport:
    """Look at the newest published night, show what is beyond a limit, and write ``monitoring/as_of=DATE/`` under the output folder.

    Alerts do not change the exit code: they are for people, and whoever runs nights reads them in the log or in the JSON.

    Raises
    ------
    DataError
        No night is published up to the day, a night is damaged, or the tables break the contract.
    ConfigError
        The alert rules are faulty, or the page cannot be written.
    """
    store = _open_store(config, environ, reporter)
    report = monitor_report(
        config, wanted.as_of, reference=lambda night: _reference(store, night, reporter), reporter=reporter, tables=tables
    )
    words = Words(config, wanted.language)
    folder = config.output / "monitoring" / f"as_of={wanted.as_of}"
    page, data = monitor_page(report, words), report.to_json()
    paths = {folder / JSON_FILE: data, wanted.html or folder / REPORT_FILE: page}
    for path, text in paths.items():
        write_bytes(path, text.encode("utf-8"))
    if wanted.show:
        _show(report, words, paths)
    for line in loud_lines(report, words):
        reporter.alert(line)
    if wanted.log and store is not None:
        _log(report, store, {JSON_FILE: data, REPORT_FILE: page}, reporter)
    return report


def _show(report: MonitorReport, words: Words, paths: Iterable[Path]) -> None:
    out = console()
    for table in report_tables(report, words):
        if table.on_terminal:
            out.print(table.for_terminal())
    for note in report.notes:
        out.print(words(f"note_{note}"), markup=False)
    for path in paths:
        out.print(str(path), markup=False)


def loud_lines(report: MonitorReport, words: Words) -> list[str]:
    """Say everything that is beyond a limit: gross faults, then rules that are broken, then what else the canary found."""
    gross, other = (words.findings(each for each in report.findings if (each.severity == "refuse") is refuse) for refuse in (True, False))
    return [*gross, *(each.told(words.language) for each in report.alerts), *other]


def monitor_page(report: MonitorReport, words: Words) -> str:
    """Write the report as one page of HTML that needs nothing else and names no customer."""
    environment = Environment(loader=PackageLoader("custvalue.app"), autoescape=True, trim_blocks=True, lstrip_blocks=True)
    lines, model = loud_lines(report, words), report.night.lineage.get("model", {})
    return environment.get_template("monitor.html.j2").render(
        language=words.language,
        title=words("title", name=report.name),
        subtitle=words(
            "subtitle",
            night=str(report.night.as_of),
            as_of=str(report.as_of),
            model=f"{model.get('name', '')} v{model.get('version', '')}",
            run=report.night.run_id,
        ),
        headline=words("alarms", count=str(len(lines))) if lines else words("quiet"),
        lines=lines,
        notes=[words(f"note_{note}") for note in report.notes],
        figures=draw_figures(report, words),
        tables=report_tables(report, words),
        definition=words("definitions"),
        definitions=[words(f"about_{name}") for name in ("psi", "realised", "estimate")],
    )


def _open_store(config: Config, environ: Mapping[str, str], reporter: StepReporter) -> Store | None:
    from custvalue.tracking import Store

    try:
        return Store.open(config.workspace / "models", tracking_uri=environ.get("MLFLOW_TRACKING_URI"), name=config.name, create=False)
    except CustValueError as error:
        reporter.note(f"the model store does not answer, so nothing is compared with training: {error}")
        return None


def _reference(store: Store | None, night: Published, reporter: StepReporter) -> Reference | None:
    if store is None:
        return None
    try:
        return model_reference(store.load(int(night.lineage["model"]["version"])))
    except CustValueError as error:
        reporter.note(f"nothing is compared with training: {error}")
        return None


def _log(report: MonitorReport, store: Store, texts: Mapping[str, str], reporter: StepReporter) -> None:
    reporter.start("log")
    try:
        run_id, new = store.log_monitoring(
            report.night.as_of, report.as_of, run_id=report.night.run_id, metrics=report.metrics, texts=texts
        )
    except (CustValueError, OSError) as error:
        reporter.done("log", f"MLflow has no record of this report: {error}", error=str(error))
        return
    reporter.done("log", f"{'logged' if new else 'logged before'} as run {run_id[:8]} of {store.monitoring}")
