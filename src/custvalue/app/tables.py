"""Tables on the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from custvalue.config import Config

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from custvalue.churn import Evaluation
    from custvalue.pipeline import Night, Trained
    from custvalue.sources import Freshness, SourceTables
    from custvalue.tracking import Verdict

_SHOWN = (
    "auc",
    "pr_auc",
    "log_loss",
    "brier",
    "calibration_error",
    "calibration_excess",
    "lift_1pct",
    "lift_5pct",
    "lift_10pct",
    "lift_capacity",
)


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


def show_check(tables: SourceTables, freshness: Sequence[Freshness]) -> None:
    """Show tables, rows and how far each reaches."""
    reach = {entry.table: entry for entry in freshness}
    rows = []
    for name, count in tables.rows.items():
        entry = reach.get(name)
        rows.append((name, f"{count:,}", f"{entry.rows_known:,}" if entry else "", entry.newest if entry else ""))
    console().print(table(("table", "rows", "known then", "newest"), rows))
    for caveat in tables.caveats:
        console().print(f"note: {caveat}", markup=False)


def show_tiers(config: Config, by_tier: pd.DataFrame) -> None:
    """Show customers, revenue share and ARPU by tier."""
    rows = [
        (row["tier"], f"{row['customers']:,}", _percent(row["share"]), _percent(row["revenue_share"]), _money(row["arpu"]))
        for row in by_tier.to_dict("records")
    ]
    console().print(table(("tier", "customers", "share", "revenue share", f"ARPU {config.currency}"), rows))


def quality_table(evaluation: Evaluation) -> Table:
    """Make a table of every measure with its interval, beside what knowing only the base rate gives."""
    from custvalue.churn.report import MEASURES, base_rate_quality

    blind = base_rate_quality(evaluation)
    rows = []
    for name in _SHOWN:
        found = evaluation.metrics[name]
        rows.append(
            (MEASURES[name], f"{found.value:.4f}", f"{found.low:.4f}–{found.high:.4f}", f"{blind[name]:.4f}" if name in blind else "")
        )
    return table(("quality on rows set aside", "value", "95 % interval", "base rate alone"), rows)


def show_training(trained: Trained) -> None:
    """Show split, quality and warnings of a training."""
    found = trained.model.evaluation
    out = console()
    out.print(str(trained.model.slices), markup=False)
    out.print(f"{found.leavers:,} of {found.rows:,} rows set aside left: base rate {found.base_rate:.2%}")
    out.print(quality_table(found))
    for warning in (*trained.model.warnings, *trained.caveats):
        out.print(f"note: {warning}", markup=False)


def show_verdict(verdict: Verdict) -> None:
    """Show every gate with its value, its limit and whether it let the model pass."""
    rows = [
        (name, "not measured" if value is None else f"{value:.4g}", limit, "passed" if passed else "failed")
        for name, value, limit, passed in verdict.rows
    ]
    if rows:
        console().print(table(("gate", "value", "must be", "verdict"), rows))
    console().print(str(verdict).splitlines()[0], markup=False)
    for note in verdict.notes:
        console().print(f"note: {note}", markup=False)


def show_dry_run(config: Config, night: Night) -> None:
    """Show reach, cost and expected value of tonight's lists, and why others are not on them."""
    listed = night.ranking.listed
    out = console()
    out.print(table(("decision", "customers"), [(code, f"{count:,}") for code, count in night.ranking.counts.items() if count]))
    worth, cost = listed.net_value.sum(), listed.offer_cost.sum()
    out.print(f"expected net value {worth:,.0f} {config.currency}; offers cost at most {cost:,.0f} {config.currency}")
    for name, value in night.sensitivity.items():
        out.print(f"  {name}: {value:,.0f} {config.currency}", markup=False)


def show_nights(config: Config) -> None:
    """Show what is published, what is not and why."""
    from custvalue.publish import nights

    rows = [
        (night.as_of, night.status, night.generation or "", night.run_id or "", night.exit_code or "", night.message or "")
        for night in nights(config.output)
    ]
    if rows:
        console().print(table(("night", "status", "generation", "run", "exit", "why"), rows, left=6))
    else:
        console().print(f"nothing published in {config.output} yet; run custvalue nightly", markup=False)


def _percent(value: float) -> str:
    return "" if pd.isna(value) else f"{value:.1%}"


def _money(value: float) -> str:
    return "" if pd.isna(value) else f"{value:,.1f}"
