"""The what-if command: two tier policies compared, on the terminal, as a page and as a workbook."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path

from jinja2 import Environment, PackageLoader

from custvalue.app.files import write_bytes
from custvalue.app.rating_log import log_comparison
from custvalue.app.report_tables import ReportTable
from custvalue.app.report_workbook import workbook
from custvalue.app.tables import console
from custvalue.app.what_if.plots import as_svg, draw_figures
from custvalue.app.what_if.summary import verdict
from custvalue.app.what_if.tables import report_tables
from custvalue.app.what_if.words import Words
from custvalue.config import Config, ready_configs
from custvalue.errors import ConfigError, some
from custvalue.pipeline.comparison import WhatIf
from custvalue.pipeline.stages import Reporter
from custvalue.pipeline.what_if import what_if
from custvalue.tiers import TierPolicy

SHEETS = ("summary", "migration", "moves", "tiers", "stability")


def find_policy(given: str, config: Path) -> Path:
    """Find a policy's file.

    Parameters
    ----------
    given : str
        A YAML file, or the name of a policy: ``tiers/<name>.yaml`` beside the config, else among the ready ones.
    config : Path
        The config's file.

    Raises
    ------
    ConfigError
        There is no such file or name.
    """
    if Path(given).is_file():
        return Path(given)
    folders = (config.resolve().parent / "tiers", ready_configs() / "tiers")
    if Path(given).name == given:
        for folder in folders:
            if (path := folder / f"{given}.yaml").is_file():
                return path
    names = sorted({path.stem for folder in folders for path in folder.glob("*.yaml")})
    raise ConfigError(f"tier policy {given!r} is neither a file nor one of {some(names, 20)}. Name one of these, or a YAML file.")


def run_what_if(
    config: Config,
    files: tuple[Path, Path],
    as_of: date,
    *,
    months: int,
    language: str,
    html: Path | None,
    xlsx: Path | None,
    log: bool,
    environ: Mapping[str, str],
    reporter: Reporter,
) -> None:
    """Compare two policies, show what was found, and log it.

    Parameters
    ----------
    config : Config
    files : tuple of Path
        The policies' files: in force, and proposed.
    as_of, months : date, int
        Day of the switch, and months over which stability is measured.
    language, html, xlsx
        As for `show`.
    log : bool
        Keep the comparison in MLflow and propose the second policy.
    environ, reporter
        The process's environment; who hears of progress.

    Raises
    ------
    ConfigError, DataError
        As for `pipeline.what_if.what_if` and `show`.
    """
    for path in (html, xlsx):
        if path is not None and path.is_dir():
            raise ConfigError(f"{path}: is a folder. Name a file.")
    policy, against = (TierPolicy.from_yaml(path) for path in files)
    result = what_if(config, policy, against, as_of, months=months, reporter=reporter)
    show(config, result, language=language, html=html, xlsx=xlsx)
    if log:
        log_comparison(config, result, files, figures=draw_figures(result, Words(config, language)), environ=environ, reporter=reporter)


def show(config: Config, result: WhatIf, *, language: str, html: Path | None = None, xlsx: Path | None = None) -> None:
    """Show a comparison on the terminal, and write it as a page or a workbook where asked."""
    words = Words(config, language)
    tables, said, notes = report_tables(result, words), verdict(result, words), told_notes(result, words)
    out = console()
    title, subtitle = _titles(config, result, words)
    for line in (title, subtitle, *said):
        out.print(line, markup=False)
    for table in tables:
        if table.on_terminal and table.rows:
            out.print(table.for_terminal())
    for note in notes:
        out.print(f"- {note}", markup=False)
    if html is not None:
        write_bytes(html, page(config, result, tables, words).encode())
        out.print(str(html), markup=False)
    if xlsx is not None:
        sheets = {name: words(f"sheet_{name}") for name in SHEETS}
        content = workbook(
            tables,
            sheets=sheets,
            title=title,
            lines=[subtitle, *said, *notes],
            as_of=result.as_of,
            language=language,
            currency=config.currency,
            catalogue=words.catalogue,
        )
        write_bytes(xlsx, content)
        out.print(str(xlsx), markup=False)


def told_notes(result: WhatIf, words: Words) -> list[str]:
    """Say what limits the comparison."""
    held = [words("note_held")] if len(result.switch.held) else []
    return [*map(words.note, result.notes), *held]


def page(config: Config, result: WhatIf, tables: list[ReportTable], words: Words) -> str:
    """Write a comparison as one page of HTML that needs nothing else, and shows identifiers only masked."""
    environment = Environment(loader=PackageLoader("custvalue.app"), autoescape=True, trim_blocks=True, lstrip_blocks=True)
    title, subtitle = _titles(config, result, words)
    return environment.get_template("what_if.html.j2").render(
        language=words.language,
        title=title,
        subtitle=subtitle,
        verdict=verdict(result, words),
        tables=[(table, _shades(table) if table.sheet == "migration" else None) for table in tables if table.rows],
        figures=[as_svg(figure) for figure in draw_figures(result, words).values()],
        notes_title=words("notes"),
        notes=told_notes(result, words),
    )


def _shades(table: ReportTable) -> list[list[float]]:
    """Give each cell of a matrix its share of the row, to be coloured by; none for the totals."""
    shades = []
    for row in table.rows:
        values = [cell.number or 0.0 for cell in row[1:-1]]
        total = sum(values)
        shades.append([max(value, 0.0) / total if total > 0 and row is not table.rows[-1] else 0.0 for value in values])
    return shades


def _titles(config: Config, result: WhatIf, words: Words) -> tuple[str, str]:
    title = words("title", policy=result.policy.label, against=result.against.label)
    return title, words("subtitle", name=config.name, day=str(result.as_of), months=str(result.plan.months), currency=result.currency)
