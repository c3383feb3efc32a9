"""Figures of the effect report."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from custvalue.app.effect.words import Words
from custvalue.app.what_if.plots import as_svg
from custvalue.pipeline.effect import EffectReport
from custvalue.retention.effect import Estimate
from custvalue.wording.fonts import drawn_with_fonts

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_COLOURS = {"works": "#1a7f37", "harms": "#b42318", "cannot_conclude": "#7a7a7a"}


def draw_figures(report: EffectReport, words: Words) -> list[str]:
    """Draw the effect, whole and by group, and the naive comparison beside; each as SVG to put into a page."""
    with drawn_with_fonts():
        made = [_forest(report, words)]
        if report.measured.naive.others.known:
            made.append(_beside(report, words))
    return [as_svg(figure) for figure in made]


def _forest(report: EffectReport, words: Words) -> Figure:
    found = report.measured
    rows: list[tuple[str, Estimate, str]] = [(words("everybody"), found.left, found.judgement.verdict)]
    for row in found.groups[found.groups["effect"].notna()].to_dict("records"):
        label = f"{words(row['dimension'])}: {words.group(row['dimension'], row['group'])}"
        rows.append((label, Estimate(row["effect"], row["low"], row["high"]), row["verdict"]))
    return _intervals(words("plot_groups"), words("plot_points"), rows)


def _beside(report: EffectReport, words: Words) -> Figure:
    found = report.measured
    rows = [
        (words("held_out_points"), found.left, found.judgement.verdict),
        (words("naive_others"), found.naive.others, "cannot_conclude"),
    ]
    return _intervals(words("plot_naive"), words("plot_points"), rows)


def _intervals(title: str, label: str, rows: Sequence[tuple[str, Estimate, str]]) -> Figure:
    figure, axes = _canvas(title, len(rows))
    for place, (_, estimate, verdict) in enumerate(rows):
        value, low, high = (100 * each for each in (estimate.value, estimate.low, estimate.high))
        axes.plot([low, high], [place, place], color=_COLOURS[verdict], lw=2)
        axes.plot([value], [place], "o", color=_COLOURS[verdict])
    axes.axvline(0, color="black", lw=0.8)
    axes.set_yticks(np.arange(len(rows)), [name for name, *_ in rows], fontsize=8)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_xlabel(label)
    return figure


def _canvas(title: str, rows: int) -> tuple[Figure, Axes]:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.6, 1.6 + 0.3 * rows), dpi=120, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(color="#e6e6e6", lw=0.7, axis="x")
    figure.suptitle(title, x=0.01, ha="left", fontsize=12, fontweight="bold")
    return figure, axes
