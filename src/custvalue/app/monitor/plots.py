"""Figures of the monitoring report."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from custvalue.app.monitor.words import Words
from custvalue.app.what_if.plots import as_svg
from custvalue.metrics import Floats
from custvalue.monitoring import Profile
from custvalue.monitoring.scores import SCORE_BINS, bin_probabilities
from custvalue.pipeline.monitor_report import MonitorReport
from custvalue.wording.fonts import drawn_with_fonts

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_BAR = 20
"""Score bins drawn as one: half a unit of log-odds."""
_COLOURS = {"tonight": "#1f5fa8", "against_night": "#8db4dc", "against_training": "#7a7a7a"}


def draw_figures(report: MonitorReport, words: Words) -> list[str]:
    """Draw the scores and, where outcomes are known, observed over expected; each as SVG to put into a page."""
    with drawn_with_fonts():
        made = []
        if report.now is not None:
            made.append(_scores(report, words))
        if any(night.measures for night in report.judged):
            made.append(_realised(report, words))
    return [as_svg(figure) for figure in made]


def _scores(report: MonitorReport, words: Words) -> Figure:
    figure, axes = _canvas(words("plot_scores"))
    trained = None if report.reference is None else report.reference.profile
    for name, profile in {"against_training": trained, "against_night": report.profile_before, "tonight": report.now}.items():
        if profile is not None and profile.rows:
            axes.step(_chances(), _shares(profile), where="mid", color=_COLOURS[name], label=words(name))
    axes.set_xscale("logit")
    axes.set_xlim(1e-3, 0.9)
    axes.set_xticks([0.001, 0.01, 0.1, 0.5, 0.9], ["0.1%", "1%", "10%", "50%", "90%"])
    axes.minorticks_off()
    axes.set_xlabel(words("plot_chance"))
    axes.legend(frameon=False, fontsize=8)
    return figure


def _realised(report: MonitorReport, words: Words) -> Figure:
    figure, axes = _canvas(words("plot_realised"))
    nights = [night for night in report.judged if night.measures]
    ratios = [night.measures["ratio"] for night in nights]
    values = np.array([ratio.value for ratio in ratios])
    reach = np.array([[ratio.value - ratio.low for ratio in ratios], [ratio.high - ratio.value for ratio in ratios]])
    axes.errorbar(range(len(nights)), values, yerr=np.maximum(reach, 0), fmt="o", color=_COLOURS["tonight"], capsize=3)
    axes.axhline(1, color="black", lw=0.8)
    axes.set_xticks(range(len(nights)), [str(night.night) for night in nights], rotation=45, fontsize=8)
    axes.set_ylabel(words("ratio"))
    return figure


def _shares(profile: Profile) -> Floats:
    return np.asarray(profile.scores.reshape(-1, _BAR).sum(axis=1) / profile.rows)


def _chances() -> Floats:
    return np.asarray(bin_probabilities()[np.arange(_BAR // 2, SCORE_BINS, _BAR)])


def _canvas(title: str) -> tuple[Figure, Axes]:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.6, 4.0), dpi=120, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(color="#e6e6e6", lw=0.7)
    figure.suptitle(title, x=0.01, ha="left", fontsize=12, fontweight="bold")
    return figure, axes
