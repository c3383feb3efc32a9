"""The portfolio of reasons as a figure: what explains the risk, how that moved, and in which groups."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from custvalue.explain.portfolio import EVERYBODY
from custvalue.wording import Catalogue
from custvalue.wording.fonts import drawn_with_fonts

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LABELS = ("title", "share", "by_tier", "now", "before")
"""Labels of the section ``portfolio`` that the figure needs."""

_MOST_REASONS = 12
_NOW, _BEFORE, _LINE = "#1f5fa8", "#c4501b", "#e6e6e6"


def save_portfolio(file: Path | IO[bytes], table: pd.DataFrame, catalogue: Catalogue, *, language: str, groups: Sequence[str] = ()) -> None:
    """Write the figure as PNG.

    Parameters
    ----------
    file : Path or binary file
        Where to.
    table : DataFrame
        What `portfolio` gave, or `compare`.
    catalogue : Catalogue
        Names of reasons, tiers and headings.
    language : str
        ``en`` or ``zh``.
    groups : sequence of str, optional
        Order of the tiers; others follow as they come.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    everybody = table[table.dimension == EVERYBODY].head(_MOST_REASONS)
    names = [catalogue.reason(code).name.text(language) for code in everybody.reason]
    tiers = table[table.dimension == "tier"].pivot_table(index="reason", columns="group", values="share", fill_value=0.0)
    tiers = tiers.reindex(index=everybody.reason, fill_value=0.0)
    tiers = tiers[[*(tier for tier in groups if tier in tiers.columns), *(tier for tier in tiers.columns if tier not in groups)]]
    with drawn_with_fonts():
        figure = Figure(figsize=(10.5, 1.6 + 0.36 * len(names)), dpi=120, layout="constrained")
        FigureCanvasAgg(figure)
        left, right = figure.subplots(1, 2, sharey=True, width_ratios=[3, max(1.0, 0.55 * tiers.shape[1])])
        _bars(left, everybody, names, catalogue, language)
        _cells(right, tiers, [catalogue.label(f"tiers.{tier}", language, default=str(tier)) for tier in tiers.columns])
        left.set_title(_word(catalogue, "share", language), loc="left", fontsize=9)
        right.set_title(_word(catalogue, "by_tier", language), loc="left", fontsize=9)
        figure.suptitle(_word(catalogue, "title", language), x=0.01, ha="left", fontsize=12, fontweight="bold")
        figure.savefig(file, dpi=120, format="png")


def _bars(axes: Axes, everybody: pd.DataFrame, names: list[str], catalogue: Catalogue, language: str) -> None:
    places = np.arange(len(names))
    axes.barh(places, everybody.share, color=_NOW, height=0.62, label=_word(catalogue, "now", language))
    changes = everybody.get("change", pd.Series(np.nan, index=everybody.index))
    pairs = zip(everybody.share, changes, strict=True)
    texts = [f"{share:.0%}" + ("" if np.isnan(change) else f" ({100 * change:+.1f})") for share, change in pairs]
    ends = everybody.share
    if "share_before" in everybody and everybody.share_before.notna().any():
        ends = ends.clip(lower=everybody.share_before.fillna(0.0))
        axes.plot(everybody.share_before, places, "|", color=_BEFORE, ms=13, mew=2.2, label=_word(catalogue, "before", language))
        axes.legend(loc="lower right", frameon=False, fontsize=8)
    for end, place, text in zip(ends, places, texts, strict=True):
        axes.annotate(text, (end, place), xytext=(6, 0), textcoords="offset points", va="center", fontsize=8)
    axes.set_yticks(places, names, fontsize=9)
    axes.invert_yaxis()
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(axis="y", length=0)
    axes.xaxis.set_major_formatter(lambda value, _: f"{100 * value:g}%")
    axes.grid(axis="x", color=_LINE, lw=0.7)
    axes.set_axisbelow(True)
    axes.margins(x=0.16)


def _cells(axes: Axes, tiers: pd.DataFrame, names: list[str]) -> None:
    """Shares within each tier, darker where a reason weighs more."""
    shares: Any = tiers.to_numpy()
    if shares.size:
        edges = [np.arange(count + 1) - 0.5 for count in (len(names), len(tiers))]
        axes.pcolormesh(*edges, shares, cmap="Blues", vmin=0.0, edgecolors="white")
        middle = shares.max() * 0.6
        for (row, column), share in np.ndenumerate(shares):
            axes.text(column, row, f"{share:.0%}", ha="center", va="center", fontsize=8, color="white" if share > middle else "black")
    axes.set_xticks(np.arange(len(names)), names, fontsize=9)
    axes.tick_params(length=0, labelleft=False)
    axes.spines[:].set_visible(False)


def _word(catalogue: Catalogue, name: str, language: str) -> str:
    return catalogue.label(f"portfolio.{name}", language)
