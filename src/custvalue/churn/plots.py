"""What a trained model's test slice looks like: lift, gain, calibration, profit and SHAP figures."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import shorten, wrap
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from custvalue import metrics
from custvalue.churn.calibrator import sigmoid
from custvalue.churn.evaluation import CALIBRATION_BINS
from custvalue.churn.training import TrainedModel
from custvalue.features.columns import FeatureColumn

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

Floats = NDArray[np.float64]
Place = Literal["upper left", "upper right", "lower right"]

MOST_SHAP_ROWS = 2_000
_SHOWN_COLUMNS = 15
_MODEL, _BASE, _MARK = "#1f5fa8", "#7a7a7a", "#c4501b"


def draw_figures(model: TrainedModel, columns: Sequence[FeatureColumn] = ()) -> dict[str, Figure]:
    """Draw all figures of a model on its test slice.

    Parameters
    ----------
    model : TrainedModel
    columns : sequence of FeatureColumn, optional
        Declarations whose English words label the SHAP figure; otherwise column names do.

    Returns
    -------
    dict
        ``lift``, ``gain``, ``calibration``, ``profit`` and ``shap_beeswarm`` → matplotlib figure on the Agg canvas. pyplot knows
        none of them, so they need not be closed.
    """
    return {
        "lift": draw_lift(model),
        "gain": draw_gain(model),
        "calibration": draw_calibration(model),
        "profit": draw_profit(model),
        "shap_beeswarm": draw_beeswarm(model, columns),
    }


def draw_lift(model: TrainedModel) -> Figure:
    """Lift against the share of rows, from the riskiest down, with intervals where the evaluation has them."""
    share, found = _gain_curve(model)
    shown = share >= 0.005
    figure, axes = _canvas()
    axes.plot(share[shown], found[shown] / share[shown], color=_MODEL, lw=2, label="Model")
    axes.axhline(1, color=_BASE, ls="--", lw=1.2, label="No model: lift 1")
    capacity = model.evaluation.capacity_share
    for at, name in {0.01: "lift_1pct", 0.05: "lift_5pct", 0.10: "lift_10pct", capacity: "lift_capacity"}.items():
        lift = model.evaluation.metrics[name]
        error = [[max(lift.value - lift.low, 0)], [max(lift.high - lift.value, 0)]]
        colour, label = (_MARK, f"At capacity ({100 * capacity:g} %)") if name == "lift_capacity" else (_MODEL, None)
        axes.errorbar(at, lift.value, yerr=error, fmt="o", ms=5, capsize=3, color=colour, label=label)
    axes.set(xscale="log", xlim=(0.005, 1), ylim=(0, None))
    axes.set(xlabel="Share of the test rows, riskiest first (log scale)", ylabel="Lift (churn rate ÷ base rate)")
    _as_percent(axes.xaxis, ticks=(0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1))
    top = model.evaluation.metrics["lift_10pct"]
    title = f"The riskiest 10 % leave {top.value:.1f} times as often as the average [{top.low:.1f}–{top.high:.1f}]"
    return _finished(figure, axes, title, model, note="bars: 95 % bootstrap intervals")


def draw_gain(model: TrainedModel) -> Figure:
    """Share of all leavers found against the share of rows, between no model and a perfect one."""
    share, found = _gain_curve(model)
    figure, axes = _canvas()
    axes.plot(share, found, color=_MODEL, lw=2, label="Model")
    axes.plot([0, model.evaluation.base_rate, 1], [0, 1, 1], color=_BASE, lw=1.2, label="Perfect model")
    axes.plot([0, 1], [0, 1], color=_BASE, ls="--", lw=1.2, label="No model")
    reached = float(np.interp(0.10, share, found))
    axes.plot([0.10, 0.10, 0], [0, reached, reached], color=_MARK, lw=1, ls=":")
    axes.plot(0.10, reached, "o", color=_MARK, ms=6, label="Riskiest 10 %")
    axes.set(xlim=(0, 1), ylim=(0, 1.02))
    axes.set(xlabel="Share of the test rows, riskiest first", ylabel="Share of all leavers found")
    _as_percent(axes.xaxis)
    _as_percent(axes.yaxis)
    return _finished(figure, axes, f"The riskiest 10 % hold {100 * reached:.0f} % of all leavers", model, legend="lower right")


def draw_calibration(model: TrainedModel) -> Figure:
    """Observed against predicted churn rate in equal-count bins, above a histogram of the predictions.

    Hollow points are the booster's own probabilities, where a calibrator changed them.
    """
    y, calibrator = model.test["y"].to_numpy(), model.bundle.calibrator
    bins = calibration_table(y, model.test["probability"].to_numpy())
    figure, axes = _canvas(rows=2)
    below = figure.axes[1]
    error = np.vstack([bins["observed"] - bins["low"], bins["high"] - bins["observed"]]).clip(min=0)
    limit = 1.05 * float(max(bins["high"].max(), bins["predicted"].max()))
    axes.plot([0, limit], [0, limit], color=_BASE, ls="--", lw=1.2, label="Perfectly calibrated")
    label = f"Bins of about {bins['rows'].iloc[0]:,} rows, 95 % binomial interval"
    axes.errorbar(bins["predicted"], bins["observed"], yerr=error, fmt="o", ms=5, capsize=3, color=_MODEL, label=label)
    if calibrator.kind != "none":
        before = calibration_table(y, sigmoid(model.test["raw"].to_numpy()))
        label = f"Before calibration ({calibrator.kind})"
        axes.plot(before["predicted"], before["observed"], "o", ms=5, mfc="none", color=_BASE, label=label)
    axes.set(xlim=(0, limit), ylim=(0, limit), ylabel="Observed churn rate")
    below.hist(model.test["probability"], bins=np.linspace(0, limit, 41).tolist(), color=_MODEL, alpha=0.75)
    beyond = int((model.test["probability"] > limit).sum())
    cut = f" ({beyond:,} rows above {100 * limit:.0f} % are cut off)" if beyond else ""
    below.set(xlim=(0, limit), xlabel=f"Predicted probability of leaving{cut}", ylabel="Test rows")
    for axis in (axes.xaxis, axes.yaxis, below.xaxis):
        _as_percent(axis)
    found = model.evaluation.metrics
    error_points, excess_points = (100 * found[name].value for name in ("calibration_error", "calibration_excess"))
    title = f"Predicted and observed rates differ by {error_points:.2f} points on average"
    note = f"a perfect model's by {error_points - excess_points:.2f} points"
    return _finished(figure, axes, title, model, note=note, legend="upper left")


def draw_profit(model: TrainedModel) -> Figure:
    """Profit by the share of rows contacted, riskiest first, as far as it pays; at EMPC's terms and its mean chance to save."""
    y, p = model.test["y"].to_numpy(), model.test["probability"].to_numpy()
    gain = metrics.contact_value(y, value=metrics.VALUE, offer=metrics.OFFER, contact_cost=metrics.CONTACT_COST, save=metrics.SAVE)
    curve, best = metrics.profit_curve(gain, p), metrics.mp(y, p)
    capacity = model.evaluation.capacity_share
    at_capacity = metrics.expected_profit(gain, p, capacity)
    last = min(1.0, 1.25 * max(2 * capacity, float(curve.share[curve.profit >= 0][-1])))
    shown = curve.profit[curve.share <= last]
    figure, axes = _canvas()
    axes.plot(curve.share, curve.profit, color=_MODEL, lw=2, label="Model")
    axes.plot([0, 1], [0, gain.mean()], color=_BASE, ls="--", lw=1.2, label="No model")
    axes.plot(capacity, at_capacity, "o", color=_MARK, ms=6, label=f"At capacity ({100 * capacity:g} %): {at_capacity:.2f}")
    axes.plot(best.share, best.profit, "D", color=_MODEL, ms=6, label=f"Best ({100 * best.share:.1f} %): {best.profit:.2f}")
    height = float(shown.max() - shown.min()) or 1.0
    axes.set(xlim=(0, last), ylim=(shown.min() - 0.1 * height, shown.max() + 0.6 * height))
    axes.set(xlabel="Share of the test rows contacted, riskiest first", ylabel="Profit a customer, contacted or not")
    _as_percent(axes.xaxis)
    title = (
        f"Contacting the riskiest {100 * best.share:.1f} % would have earned most"
        if best.profit > 0
        else "No share of contacts would have earned"
    )
    terms = f"{metrics.VALUE:g} kept, offer {metrics.OFFER:g}, call {metrics.CONTACT_COST:g}, {100 * metrics.SAVE:g} % saved"
    return _finished(figure, axes, title, model, note=terms)


def draw_beeswarm(model: TrainedModel, columns: Sequence[FeatureColumn] = ()) -> Figure:
    """SHAP values of the strongest columns on at most 2,000 test rows; grey where a column is a category or missing."""
    import shap

    X = model.test_features
    if len(X) > MOST_SHAP_ROWS:
        X = X.iloc[np.sort(np.random.default_rng(0).permutation(len(X))[:MOST_SHAP_ROWS])]
    contributions = model.bundle.contributions(X)
    words = {column.name: column.en for column in columns}
    labels = [words.get(name, name) for name, _ in model.bundle.columns]
    data = model.bundle.encode(X).astype(object)
    # shap leaves a column grey if it cannot read it as numbers; the codes of a category have no order to colour by.
    category = np.array([kind == "category" for _, kind in model.bundle.columns])
    data[:, category | np.asarray(pd.isna(data)).all(axis=0)] = ""
    explanation = shap.Explanation(
        values=contributions[:, :-1],
        base_values=contributions[:, -1],
        data=data,
        feature_names=["\n".join(wrap(label, 40, max_lines=2, placeholder="…")) for label in labels],
    )
    figure, axes = _canvas(width=10, height=1.9 + 0.4 * min(_SHOWN_COLUMNS, len(labels)))
    state = np.random.get_state()  # shap jitters with the global generator, which is not ours to move
    np.random.seed(0)
    try:
        shap.plots.beeswarm(explanation, max_display=_SHOWN_COLUMNS, ax=axes, show=False, plot_size=None, s=9)
    finally:
        np.random.set_state(state)
    axes.tick_params("y", labelsize=9, length=0)
    axes.set_xlabel("Contribution to the log-odds of leaving (right of 0 raises the risk)", fontsize=10)
    strongest = shorten(labels[int(np.abs(contributions[:, :-1]).mean(axis=0).argmax())], 60, placeholder="…")
    return _finished(figure, axes, f"What moves the predicted risk most: {strongest}", model, note="grey: category or missing", legend=None)


def calibration_table(y: NDArray[np.int8], p: Floats, bins: int = CALIBRATION_BINS) -> pd.DataFrame:
    """Equal-count bins of the prediction with the observed rate and its 95 % Wilson interval.

    Returns
    -------
    DataFrame
        ``rows``, ``leavers``, ``predicted`` (mean), ``observed``, ``low`` and ``high``, one row a bin, ascending.
    """
    order = np.argsort(p, kind="stable")
    parts = np.array_split(order, min(bins, order.size))
    rows = np.array([part.size for part in parts])
    leavers = np.array([int(y[part].sum()) for part in parts])
    observed, z = leavers / rows, 1.96
    centre = (observed + z**2 / (2 * rows)) / (1 + z**2 / rows)
    half = z / (1 + z**2 / rows) * np.sqrt(observed * (1 - observed) / rows + z**2 / (4 * rows**2))
    predicted = np.array([float(p[part].mean()) for part in parts])
    return pd.DataFrame(
        {
            "rows": rows,
            "leavers": leavers,
            "predicted": predicted,
            "observed": observed,
            "low": (centre - half).clip(0, 1),
            "high": (centre + half).clip(0, 1),
        }
    )


def _gain_curve(model: TrainedModel) -> tuple[Floats, Floats]:
    """Share of rows and share of leavers found, at the end of each run of equal probabilities, from (0, 0)."""
    by_risk = model.test.groupby("probability", sort=True)["y"].agg(["size", "sum"]).iloc[::-1].cumsum()
    share = np.r_[0.0, by_risk["size"] / len(model.test)]
    return share, np.r_[0.0, by_risk["sum"] / model.test["y"].sum()]


def _canvas(*, width: float = 7.6, height: float = 4.8, rows: int = 1) -> tuple[Figure, Axes]:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height if rows == 1 else height + 1.4), dpi=120, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(rows, 1, squeeze=False, height_ratios=[3.2, 1][:rows]).ravel()
    for part in axes:
        part.spines[["top", "right"]].set_visible(False)
        part.grid(color="#e6e6e6", lw=0.7)
        part.set_axisbelow(True)
    first: Axes = axes[0]
    return figure, first


def _finished(
    figure: Figure, axes: Axes, title: str, model: TrainedModel, *, note: str = "", legend: Place | None = "upper right"
) -> Figure:
    tested, judged = model.slices["test"], model.evaluation
    span = " to ".join(dict.fromkeys(str(day) for day in (tested.snapshots[0], tested.snapshots[-1])))
    told = f"Test slice {span}: {judged.rows:,} rows, {judged.leavers:,} left ({100 * judged.base_rate:.1f} %)"
    figure.suptitle(title, x=0.01, ha="left", fontsize=12, fontweight="bold")
    axes.set_title("; ".join(part for part in (told, note) if part), loc="left", fontsize=9, color="#444444")
    if legend:
        axes.legend(loc=legend, frameon=False, fontsize=9)
    return figure


def _as_percent(axis: Axis, *, ticks: Sequence[float] = ()) -> None:
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:g} %"))
    if ticks:
        axis.set_major_locator(FixedLocator(ticks))
        axis.set_minor_locator(NullLocator())
