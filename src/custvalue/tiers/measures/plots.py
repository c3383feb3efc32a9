"""Figures of tiers: who moved from which tier to which."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from custvalue.config import UNRATED
from custvalue.tiers.measures.migration import direction
from custvalue.wording.fonts import figure_fonts

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_DARK = 0.55


def migration_figure(migration: pd.DataFrame, order: Sequence[str], *, before: str, after: str) -> Figure:
    """Draw the migration matrix: a row for every tier before, a column for every tier after.

    Parameters
    ----------
    migration : DataFrame
        before, after, customers, as `migration.migration_table` gives.
    order : sequence of str
        Tiers of the second rating, highest first. Tiers of the first that are not among them come below.
    before, after : str
        What the two are, for example their days.

    Returns
    -------
    Figure
        On the Agg canvas; pyplot does not know it, so it need not be closed. Colour and percent are shares of the row.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    counts = _matrix(migration, order)
    shares = counts.div(counts.sum(axis=1).where(lambda total: total > 0), axis=0).fillna(0.0)
    figure = Figure(figsize=(2.2 + 1.1 * len(counts.columns), 1.9 + 0.6 * len(counts)), dpi=120, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    axes.imshow(shares.to_numpy(), cmap="Blues", vmin=0, vmax=1, aspect="auto")
    for (row, column), share in np.ndenumerate(shares.to_numpy(float)):
        if share > 0:
            colour = "white" if share > _DARK else "black"
            weight = "bold" if counts.index[row] != counts.columns[column] else "normal"
            text = f"{counts.to_numpy()[row, column]:,}\n{share:.1%}"
            axes.text(column, row, text, ha="center", va="center", fontsize=8, color=colour, fontweight=weight)
    fonts = figure_fonts()
    axes.set_xticks(range(len(counts.columns)), list(counts.columns), fontfamily=fonts)
    axes.set_yticks(range(len(counts)), list(counts.index), fontfamily=fonts)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.set(xlabel=f"Tier, {after}", ylabel=f"Tier, {before}")
    axes.set_title(f"{int(counts.to_numpy().sum()):,} customers; percent of the row", loc="left", fontsize=9, color="#444444")
    figure.suptitle(_headline(migration, order), x=0.01, ha="left", fontsize=12, fontweight="bold")
    return figure


def _matrix(migration: pd.DataFrame, order: Sequence[str]) -> pd.DataFrame:
    tiers = [*order, UNRATED]
    strange = sorted(set(migration["before"]) - set(tiers))
    table = migration.pivot_table(index="before", columns="after", values="customers", aggfunc="sum", fill_value=0)
    return table.reindex(index=[*tiers, *strange], columns=tiers, fill_value=0)


def _headline(migration: pd.DataFrame, order: Sequence[str]) -> str:
    pairs = zip(migration["before"], migration["after"], strict=True)
    counted = migration["customers"].groupby([direction(old, new, order) for old, new in pairs]).sum()
    total = max(int(migration["customers"].sum()), 1)
    up, down = (float(counted.get(way, 0)) / total for way in ("up", "down"))
    return f"{up:.1%} move up, {down:.1%} move down"
