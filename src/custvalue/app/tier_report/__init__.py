"""The tier report on the terminal, as a page and as a workbook."""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, PackageLoader

from custvalue.app.files import write_bytes
from custvalue.app.report_tables import Cell, ReportTable, texts
from custvalue.app.report_workbook import workbook
from custvalue.app.tables import console
from custvalue.app.tier_report.plots import report_plots
from custvalue.app.tier_report.tables import report_tables
from custvalue.app.tier_report.words import ReportWords
from custvalue.config import UNRATED, Config
from custvalue.errors import ConfigError
from custvalue.pipeline.tier_report import TierReport


def check_folder(folder: Path) -> None:
    """Refuse a name that no folder can have, before the work begins; raises ConfigError."""
    if folder.exists() and not folder.is_dir():
        raise ConfigError(f"{folder}: is a file. Name a folder for the report.")


def write(config: Config, report: TierReport, folder: Path, language: str) -> list[Path]:
    """Show the report's first tables, and write it whole as a page and as a workbook.

    The page is for reading and sending on; the workbook holds every measure of every grouping as numbers, for whoever reckons further:
    managers open it without another program, which they could not say of Parquet, and unlike CSV it keeps types and one file.

    Parameters
    ----------
    config : Config
        Its wording.
    report : TierReport
        What `pipeline.tier_report` counted.
    folder : Path
        Made if absent; files of the same day are replaced.
    language : str
        ``en`` or ``zh``.

    Returns
    -------
    list of Path
        ``tier-report-<day>.html`` and ``tier-report-<day>.xlsx``.

    Raises
    ------
    ConfigError
        The folder is a file.
    """
    check_folder(folder)
    words = ReportWords(config, report, language)
    out = console()
    for table in report_tables(report, words, fewer=True):
        if table.on_terminal:
            out.print(table.for_terminal())
    stem = f"tier-report-{report.as_of}"
    paths = [folder / f"{stem}.html", folder / f"{stem}.xlsx"]
    write_bytes(paths[0], report_page(report, words).encode("utf-8"))
    write_bytes(paths[1], report_workbook(report, words))
    for path in paths:
        out.print(str(path), markup=False)
    return paths


def report_page(report: TierReport, words: ReportWords) -> str:
    """Write the report as one page of HTML that needs nothing else."""
    environment = Environment(loader=PackageLoader("custvalue.app"), autoescape=True, trim_blocks=True, lstrip_blocks=True)
    return environment.get_template("tier_report.html.j2").render(
        language=words.language,
        title=words("title", name=report.name),
        subtitle=_subtitle(report, words),
        headline=_headline(report, words),
        notes=[words(f"note_{note.code}", **note.values) for note in report.notes],
        plots=report_plots(report, words),
        tables=report_tables(report, words, fewer=True),
        definition=words("definition"),
        definitions=words.definitions(report),
    )


def report_workbook(report: TierReport, words: ReportWords) -> bytes:
    """Write every measure of every grouping into a workbook, and what they mean on its last sheet."""
    tables = report_tables(report, words, fewer=False)
    told = tuple(texts(line) for line in words.definitions(report))
    tables.append(ReportTable("definitions", words("definition"), (words("definition"),), told))
    return workbook(
        tables,
        sheets={table.sheet: words(f"sheet_{table.sheet}") for table in tables},
        title=words("title", name=report.name),
        lines=[_subtitle(report, words), _headline(report, words)],
        as_of=report.as_of,
        language=words.language,
        currency=report.currency,
        catalogue=words.catalogue,
    )


def _subtitle(report: TierReport, words: ReportWords) -> str:
    return words("subtitle", day=str(report.as_of), policy=report.policy, currency=report.currency)


def _headline(report: TierReport, words: ReportWords) -> str:
    """Say what the two highest tiers hold."""
    top = report.by[("tier",)].head(2)
    if UNRATED in set(top["tier"]) or not top["revenue_share"].notna().all():
        return ""
    shares = {"share": top["share"].sum(), "revenue": top["revenue_share"].sum()}
    tiers = " + ".join(words.group("tier", tier) for tier in top["tier"])
    return words("headline", tiers=tiers, **{name: Cell(float(value), "share").shown for name, value in shares.items()})
