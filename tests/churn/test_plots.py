import io

import matplotlib.pyplot as plt
import numpy as np
import pytest
from scipy.stats import binomtest

from custvalue.churn.plots import calibration_table, draw_figures


@pytest.fixture(scope="module", params=["by_month", "by_customer"])
def trained(request):
    return request.getfixturevalue(request.param)


@pytest.fixture(scope="module")
def figures(trained, columns):
    return draw_figures(trained, columns)


def test_draws_the_five_figures_inside_their_edges(figures):
    assert list(figures) == ["lift", "gain", "calibration", "profit", "shap_beeswarm"]
    for name, figure in figures.items():
        picture = io.BytesIO()
        figure.savefig(picture)
        assert picture.getvalue().startswith(b"\x89PNG"), name
        extent = figure._suptitle.get_window_extent()
        assert extent.x1 <= figure.bbox.x1, name
        for axes in figure.axes:
            assert axes.title.get_window_extent().x1 <= figure.bbox.x1, name
            assert axes.get_tightbbox().x0 >= 0, name


def test_axes_say_what_they_show(figures):
    for name, figure in figures.items():
        assert figure.axes[0].get_xlabel() or figure.axes[1].get_xlabel(), name
        if name != "shap_beeswarm":
            assert figure.axes[0].get_ylabel(), name


def test_beeswarm_speaks_the_declarations_words(figures):
    labels = {label.get_text() for label in figures["shap_beeswarm"].axes[0].get_yticklabels()}
    assert labels == {"revenue drop 3m", "tenure months", "complaint count 3m", "noise", "plan"}


def test_leaves_no_trace_in_pyplot_nor_in_the_global_generator(trained):
    np.random.seed(5)
    expected = np.random.random(3)
    np.random.seed(5)
    draw_figures(trained)
    np.testing.assert_array_equal(np.random.random(3), expected)
    assert plt.get_fignums() == []


def test_gain_and_lift_curves_pass_through_the_measured_lift(trained, figures):
    lift = trained.evaluation.metrics["lift_10pct"].value
    rows = len(trained.test)
    exact = np.ceil(rows * 0.1 - 1e-9) / rows
    share, found = figures["gain"].axes[0].lines[0].get_data()
    assert np.interp(exact, share, found) == pytest.approx(lift * exact)
    share, lifts = figures["lift"].axes[0].lines[0].get_data()
    assert np.interp(exact, share, lifts) == pytest.approx(lift, rel=1e-3)


def test_calibration_bins_have_wilson_intervals(trained):
    table = calibration_table(trained.test["y"].to_numpy(), trained.test["probability"].to_numpy())
    assert table["rows"].sum() == len(trained.test)
    assert table["rows"].max() - table["rows"].min() <= 1
    assert table["leavers"].sum() == trained.test["y"].sum()
    assert table["predicted"].is_monotonic_increasing
    for row in table.itertuples():
        interval = binomtest(row.leavers, row.rows).proportion_ci(method="wilson")
        assert (row.low, row.high) == pytest.approx((interval.low, interval.high), abs=1e-4)


def test_at_most_two_thousand_rows_are_explained(by_month):
    points = draw_figures(by_month)["shap_beeswarm"].axes[0].collections
    assert len(by_month.test) > 2_000
    assert sum(len(collection.get_offsets()) for collection in points) == 5 * 2_000
