"""``custvalue effect``: what a campaign's calls earned, on the terminal, as a page, for machines and in MLflow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from jinja2 import Environment, PackageLoader

from custvalue.app.effect.plots import draw_figures
from custvalue.app.effect.tables import report_tables
from custvalue.app.effect.words import Words
from custvalue.app.files import write_bytes
from custvalue.app.report_tables import Cell
from custvalue.app.tables import console
from custvalue.config import Config
from custvalue.errors import CustValueError
from custvalue.lists import safe_name
from custvalue.pipeline.effect import EffectReport, effect_report
from custvalue.retention.effect import Estimate

if TYPE_CHECKING:
    from custvalue.app.console import StepReporter

REPORT_FILE, JSON_FILE = "report.html", "effect.json"
_DEFINITIONS = ("about_compared", "about_left", "about_interval", "about_complier", "about_groups", "about_money", "about_naive")


@dataclass(frozen=True)
class Wanted:
    """What was asked for.

    Attributes
    ----------
    campaign, as_of : str, date
    months : int, optional
        How long each customer is watched; see `pipeline.effect.effect_report`.
    managers_randomised : bool
        Managers were listed or held out whole.
    html : Path, optional
        Where the page is to be; by default beside the JSON.
    language : str
        ``en`` or ``zh``.
    log : bool
        Keep the figures in MLflow.
    """

    campaign: str
    as_of: date
    months: int | None
    managers_randomised: bool
    html: Path | None
    language: str
    log: bool = True


def run_effect(config: Config, wanted: Wanted, *, environ: Mapping[str, str], reporter: StepReporter) -> EffectReport:
    """Measure a campaign, show what it did in plain words, and write ``effect/<campaign>/as_of=DATE/`` under the output folder.

    Raises
    ------
    ConfigError, DataError
        See `pipeline.effect.effect_report`; or the page cannot be written.
    """
    cluster = "manager_id" if wanted.managers_randomised else "unit"
    report = effect_report(config, wanted.campaign, wanted.as_of, months=wanted.months, cluster=cluster, reporter=reporter)
    deliver(config, report, wanted, environ=environ, reporter=reporter)
    return report


def deliver(config: Config, report: EffectReport, wanted: Wanted, *, environ: Mapping[str, str], reporter: StepReporter) -> None:
    """Show a report, write it as a page and for machines, and keep its figures in MLflow."""
    words = Words(config, wanted.language)
    folder = config.output / "effect" / safe_name(wanted.campaign) / f"as_of={wanted.as_of}"
    texts = {JSON_FILE: report.to_json(), REPORT_FILE: effect_page(report, words)}
    paths = [folder / JSON_FILE, wanted.html or folder / REPORT_FILE]
    for path, text in zip(paths, texts.values(), strict=True):
        write_bytes(path, text.encode("utf-8"))
    out = console()
    for table in report_tables(report, words):
        if table.on_terminal:
            out.print(table.for_terminal())
    for line in (headline(report, words), *notes(report, words), *map(str, paths)):
        out.print(line, markup=False)
    if wanted.log:
        _log(config, report, texts, environ, reporter)


def headline(report: EffectReport, words: Words) -> str:
    """Say in one sentence what may be said of the campaign."""
    found, judged = report.measured, report.measured.judgement
    values = {
        "kept": Cell(found.kept.value, "count").shown,
        "low": Cell(found.kept.low, "count").shown,
        "high": Cell(found.kept.high, "count").shown,
        "has": Cell(float(judged.has), "count").shown,
        "detectable": Cell(100 * judged.detectable, "points").shown,
    }
    if judged.verdict != "cannot_conclude":
        return words(f"headline_{judged.verdict}", **{name: values[name] for name in ("kept", "low", "high")})
    if judged.needs is None or judged.needs <= judged.has:
        return words("headline_enough" if judged.needs else "headline_open", has=values["has"], detectable=values["detectable"])
    needs = Cell(float(judged.needs), "count").shown
    return words("headline_needs", needs=needs, has=values["has"], detectable=values["detectable"])


def notes(report: EffectReport, words: Words) -> list[str]:
    """Say what it came to in money, and what a reader must know of the comparison."""
    money = report.measured.money
    told = [] if money is None else [words("net_line", **_amounts(money.net, words))]
    return told + [words(f"note_{name}", count=Cell(float(count), "count").shown) for name, count in report.notes.items()]


def _amounts(estimate: Estimate, words: Words) -> dict[str, str]:
    return {name: words.money(value) for name, value in {"net": estimate.value, "low": estimate.low, "high": estimate.high}.items()}


def effect_page(report: EffectReport, words: Words) -> str:
    """Write the report as one page of HTML that needs nothing else and names no customer."""
    environment = Environment(loader=PackageLoader("custvalue.app"), autoescape=True, trim_blocks=True, lstrip_blocks=True)
    found = report.measured
    values = {"campaign": report.campaign, "as_of": str(report.as_of), "months": str(report.months)}
    counts = {"listed": found.listed, "held_out": found.held_out, "universal": report.universal, "nights": len(report.nights)}
    shown = {name: Cell(float(count), "count").shown for name, count in counts.items()}
    return environment.get_template("monitor.html.j2").render(
        language=words.language,
        title=words("title", name=report.name, campaign=report.campaign),
        subtitle=words("subtitle", **values, **shown, policies=", ".join(report.policies)),
        headline=headline(report, words),
        lines=[words("harms_do")] if found.judgement.verdict == "harms" else [],
        notes=notes(report, words),
        figures=draw_figures(report, words),
        tables=report_tables(report, words),
        definition=words("definitions"),
        definitions=[words(name) for name in _DEFINITIONS],
    )


def _log(config: Config, report: EffectReport, texts: Mapping[str, str], environ: Mapping[str, str], reporter: StepReporter) -> None:
    from custvalue.tracking import Store

    reporter.start("log")
    params = {"months": str(report.months), "retention_policies": ", ".join(report.policies), "nights": str(len(report.nights))}
    params |= {"first_night": str(report.nights[0]), "last_night": str(report.nights[-1]), "verdict": report.measured.judgement.verdict}
    try:
        store = Store.open(config.workspace / "models", tracking_uri=environ.get("MLFLOW_TRACKING_URI"), name=config.name, create=False)
        run_id, new = store.log_campaign(report.campaign, report.as_of, params=params, metrics=report.metrics, texts=texts)
    except (CustValueError, OSError) as error:
        reporter.done("log", f"MLflow has no record of this campaign: {error}", error=str(error))
        return
    reporter.done("log", f"{'logged' if new else 'logged before'} as run {run_id[:8]} of {store.campaigns}")
