"""What explains the risk of leaving, of a published night: on the terminal, and as a figure."""

from __future__ import annotations

import io
from datetime import date
from pathlib import Path

import pandas as pd

from custvalue.app.files import write_bytes
from custvalue.app.tables import console, table
from custvalue.config import Config
from custvalue.explain import load_wording
from custvalue.explain.portfolio import EVERYBODY
from custvalue.explain.portfolio_plot import save_portfolio
from custvalue.pipeline import published_portfolio
from custvalue.wording import Catalogue

_MOST_REASONS = 12
_STRONGEST = 3


def show_reasons(config: Config, as_of: date, *, out: Path | None) -> None:
    """Show how much of the risk each reason explains, what rose since the month before, and each tier's strongest reasons.

    Raises
    ------
    DataError
        The night is not published, or damaged.
    ConfigError
        No file can be written as `out`.
    """
    found, earlier = published_portfolio(config.output, as_of)
    catalogue, language = load_wording(config.wording), config.language
    words = {name: catalogue.label(f"portfolio.{name}", language) for name in ("reason", "of_risk", "named", "customers", "strongest")}
    headers = [words["reason"], words["of_risk"], words["named"]]
    headers += [catalogue.label("portfolio.since", language, day=earlier.isoformat())] if earlier else []
    everybody = found[found.dimension == EVERYBODY].head(_MOST_REASONS)
    rows = [
        (
            _name(row["reason"], catalogue, language),
            f"{row['share']:.1%}",
            f"{row['named_share']:.1%}",
            f"{100 * row.get('change', 0):+.1f}",
        )
        for row in everybody.to_dict("records")
    ]
    shown = console()
    shown.print(table(headers, [row[: len(headers)] for row in rows]))
    tier = catalogue.label("rating.tier", language)
    shown.print(table([tier, words["strongest"], words["customers"]], _tiers(found, catalogue, language), left=2))
    if out is not None:
        image = io.BytesIO()
        save_portfolio(image, found, catalogue, language=language)
        write_bytes(out, image.getvalue())
        shown.print(str(out), markup=False)


def _tiers(found: pd.DataFrame, catalogue: Catalogue, language: str) -> list[tuple[str, str, str]]:
    rows = []
    for tier, own in found[found.dimension == "tier"].groupby("group", sort=False):
        strongest = [f"{_name(row['reason'], catalogue, language)} {row['share']:.0%}" for row in own.head(_STRONGEST).to_dict("records")]
        name = catalogue.label(f"tiers.{tier}", language, default=str(tier))
        rows.append((name, " · ".join(strongest), f"{own.customers.iloc[0]:,}"))
    return rows


def _name(reason: str, catalogue: Catalogue, language: str) -> str:
    return catalogue.reason(reason).name.text(language)
