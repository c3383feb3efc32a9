"""Tables on the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from custvalue.config import Config, load_retention_policy
from custvalue.wording import Catalogue, load_catalogue

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from custvalue.churn import Evaluation
    from custvalue.pipeline import Trained
    from custvalue.retention.dry_run import DryRun


def console() -> Console:
    """A console for results: wide enough for a table when nobody watches."""
    out = Console(highlight=False)
    return out if out.is_terminal else Console(highlight=False, width=160)


def table(headers: Sequence[str], rows: Iterable[Sequence[object]], *, left: int = 1) -> Table:
    """Make a plain table; the first `left` columns are texts, the others numbers."""
    made = Table(box=SIMPLE, pad_edge=False, header_style="bold")
    for position, header in enumerate(headers):
        made.add_column(header, justify="left" if position < left else "right", overflow="fold")
    for row in rows:
        made.add_row(*(str(cell) for cell in row))
    return made


def show_tiers(config: Config, by_tier: pd.DataFrame, catalogue: Catalogue, language: str) -> None:
    """Show customers, revenue share and ARPU by tier."""
    rows = [
        (
            catalogue.label(f"tiers.{row['tier']}", language, default=row["tier"]),
            f"{row['customers']:,}",
            _percent(row["share"]),
            _percent(row["revenue_share"]),
            _money(row["arpu"]),
        )
        for row in by_tier.to_dict("records")
    ]
    headers = [
        catalogue.label(f"rating.{name}", language, currency=config.currency) for name in ("tier", "customers", "share", "revenue", "arpu")
    ]
    console().print(table(headers, rows))


def quality_table(evaluation: Evaluation, catalogue: Catalogue, language: str) -> Table:
    """Make a table of every measure with its interval, beside what knowing only the base rate gives."""
    from custvalue.churn.report import quality_rows

    headers = [catalogue.label(f"terminal.{name}", language) for name in ("quality", "value", "interval", "base_rate")]
    return table(headers, quality_rows(evaluation, catalogue, language))


def show_training(config: Config, trained: Trained) -> None:
    """Show split, quality and warnings of a training."""
    found = trained.model.evaluation
    out = console()
    out.print(str(trained.model.slices), markup=False)
    out.print(f"{found.leavers:,} of {found.rows:,} rows set aside left: base rate {found.base_rate:.2%}")
    out.print(quality_table(found, load_catalogue(config.wording), config.language))
    for warning in (*trained.model.warnings, *trained.caveats):
        out.print(f"note: {warning}", markup=False)


def show_dry_run(config: Config, run: DryRun) -> None:
    """Show reach, cost and expected value of tonight's lists, why others are not on them, and what to look at before approving."""
    from custvalue.retention.dry_run_shown import sections

    catalogue, language, out = load_catalogue(config.wording), config.language, console()
    offers = {code: getattr(offer.label, language) for code, offer in load_retention_policy(config.retention_policy).offers.items()}
    for section in sections(run, catalogue, language=language, currency=config.currency, offers=offers):
        out.print(section.title, style="bold", markup=False)
        if section.headers:
            out.print(table(section.headers, section.rows))
        else:
            for row in section.rows:
                out.print("  " + "  ".join(row), markup=False)
            out.print()


def _percent(value: float) -> str:
    return "" if pd.isna(value) else f"{value:.1%}"


def _money(value: float) -> str:
    return "" if pd.isna(value) else f"{value:,.1f}"
