"""Figures of a comparison of tier policies."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING, Literal

import numpy as np

from custvalue.app.report_tables import Cell
from custvalue.app.what_if.words import Words
from custvalue.config import UNRATED
from custvalue.pipeline.comparison import WhatIf
from custvalue.wording.fonts import drawn_with_fonts

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

_COLOURS = {"policy": "#7a7a7a", "switch": "#8db4dc", "long_run": "#1f5fa8"}
_BESIDE = {"policy": "#7a7a7a", "against": "#1f5fa8"}
_SVG = {"svg.fonttype": "none", "svg.hashsalt": "custvalue"}
"""Words stay text, in fonts of the reader's own, and the same figure gives the same text."""
_PROLOGUE = re.compile(r"^.*?(?=<svg)", re.DOTALL)


def draw_figures(result: WhatIf, words: Words) -> dict[str, Figure]:
    """Draw the Pareto curve, the revenue by tier and, where months are measured, the changes.

    Returns
    -------
    dict
        ``pareto``, ``revenue_by_tier``, ``changes`` → figure on the Agg canvas; pyplot knows none of them. Curves that have no data are
        left out.
    """
    with drawn_with_fonts(**_SVG):
        figures = {}
        if not result.concentration.curve.empty:
            figures["pareto"] = _pareto(result, words)
            figures["revenue_by_tier"] = _revenue(result, words)
        if len(result.stability["policy"].changes):
            figures["changes"] = _changes(result, words)
        return figures


def as_svg(figure: Figure) -> str:
    """Write a figure as SVG to put into a page: its words stay text, and the same figure gives the same text."""
    buffer = io.StringIO()
    with drawn_with_fonts(**_SVG):
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    return _PROLOGUE.sub("", buffer.getvalue())


def _pareto(result: WhatIf, words: Words) -> Figure:
    figure, axes = _canvas()
    curve = result.concentration.curve
    axes.plot(curve.customer_share, curve.revenue_share, color="black", lw=1.2, label=words("plot_best"))
    axes.plot([0, 1], [0, 1], color="#cccccc", lw=1, ls="--")
    for name, marker in zip(("policy", "long_run"), ("o", "s"), strict=True):
        table = result.tiers[name]
        axes.plot(
            np.cumsum(table.share)[:-1],
            np.cumsum(table.revenue_share)[:-1],
            marker,
            color=_COLOURS[name],
            ms=7,
            label=words.view(result, name),
        )
    axes.set(xlim=(0, 1), ylim=(0, 1.02), xlabel=words("plot_pareto_x"), ylabel=words("plot_pareto_y"))
    half = float(np.interp(0.5, curve.revenue_share, curve.customer_share))
    _as_percent(axes.xaxis)
    _as_percent(axes.yaxis)
    return _finished(figure, axes, words("plot_pareto", share=Cell(half, "share").shown), legend="lower right")


def _revenue(result: WhatIf, words: Words) -> Figure:
    figure, axes = _canvas()
    names = [*dict.fromkeys(tier for table in result.tiers.values() for tier in table.tier if tier != UNRATED), UNRATED]
    width = 0.26
    for place, (name, table) in enumerate(result.tiers.items()):
        shares = table.set_index("tier").revenue_share.reindex(names).fillna(0.0)
        at = np.arange(len(names)) + (place - 1) * width
        bars = axes.bar(at, shares, width, color=_COLOURS[name], label=words.view(result, name))
        axes.bar_label(bars, [Cell(float(share), "share").shown for share in shares], fontsize=7, padding=2)
    axes.set_xticks(range(len(names)), [words.tier(name) for name in names])
    _as_percent(axes.yaxis)
    axes.margins(y=0.12)
    return _finished(figure, axes, words("plot_revenue"), legend="upper right")


def _changes(result: WhatIf, words: Words) -> Figure:
    figure, axes = _canvas()
    for side, policy in {"policy": result.policy, "against": result.against}.items():
        changes = result.stability[side].changes
        days = [str(day) for day in changes["day"]]
        for name, style, sign in (("up", "-", 1), ("down", "--", -1)):
            share = sign * changes[name] / changes["customers"].where(changes["customers"] > 0)
            axes.plot(days, share, style, marker=".", color=_BESIDE[side], label=words(f"plot_{name}", policy=policy.label))
    axes.axhline(0, color="black", lw=0.8)
    axes.tick_params("x", labelrotation=45, labelsize=8)
    _as_percent(axes.yaxis)
    axes.margins(y=0.2)
    return _finished(figure, axes, words("plot_changes"), legend="best")


def _canvas() -> tuple[Figure, Axes]:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.6, 4.4), dpi=120, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(color="#e6e6e6", lw=0.7)
    axes.set_axisbelow(True)
    return figure, axes


def _finished(figure: Figure, axes: Axes, title: str, *, legend: Literal["best", "lower right", "upper right"]) -> Figure:
    figure.suptitle(title, x=0.01, ha="left", fontsize=12, fontweight="bold")
    axes.legend(loc=legend, frameon=False, fontsize=8)
    return figure


def _as_percent(axis: Axis) -> None:
    from matplotlib.ticker import FuncFormatter

    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{abs(100 * value):g}%"))
