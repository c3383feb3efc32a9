"""Plots and bars of a customer's page: numbers that a ruler on the drawing would give, and words for who does not see it."""

from __future__ import annotations

import math
import re

import pytest

from custvalue.app.web.charts import BAR_WIDTH, HEIGHT, MARGIN, WIDTH, make_plot, make_pushes

from .manager_night import NIGHT, told


def places(points: str) -> list[tuple[float, float]]:
    return [tuple(map(float, pair.split(","))) for pair in points.split()]


def test_a_line_begins_at_zero_and_ends_at_the_newest_month():
    plot = make_plot([0.0, 50.0, 100.0])
    (line,) = plot.lines
    assert places(line) == [(MARGIN, HEIGHT - MARGIN), (WIDTH / 2, HEIGHT / 2), (WIDTH - MARGIN, MARGIN)]
    assert plot.dots == (places(line)[-1],)
    flat = places(make_plot([90.0, 100.0]).lines[0])
    assert flat[0][1] - flat[1][1] == pytest.approx(0.1 * (HEIGHT - 2 * MARGIN))  # a tenth of the height, not all of it


def test_a_month_without_a_value_interrupts_the_line_and_a_single_one_is_a_dot():
    plot = make_plot([1.0, 2.0, None, 3.0, None, 4.0, 5.0])
    assert [len(places(line)) for line in plot.lines] == [2, 2]
    assert len(plot.dots) == 2  # the month alone, and the last one
    assert (plot.low, plot.high, plot.last) == (1.0, 5.0, 5.0)


@pytest.mark.parametrize("values", [[], [None] * 12, [7.0, None]])
def test_of_one_month_or_none_there_is_no_plot(values):
    assert make_plot(values) is None


def test_numbers_that_do_not_change_or_fall_below_zero_are_drawn_all_the_same():
    for values in ([0.0, 0.0], [-20.0, 30.0], [-5.0, -5.0]):
        (line,) = make_plot(values).lines
        assert all(MARGIN <= x <= WIDTH - MARGIN and MARGIN <= y <= HEIGHT - MARGIN for x, y in places(line)), values


def test_a_bar_stands_on_the_side_of_its_sign_and_is_as_long_as_its_weight():
    up, down, unknown = make_pushes(["a", "b", "c"], [1.0, -0.5])
    middle = BAR_WIDTH / 2
    assert (up.left, down.left + down.width) == (middle, middle)
    assert up.width == pytest.approx(2 * down.width)
    assert up.left + up.width <= BAR_WIDTH
    assert (up.factor, down.factor) == (pytest.approx(math.e), pytest.approx(math.exp(-0.5)))
    assert (unknown.factor, unknown.width) == (None, 0.0)


@pytest.mark.parametrize(("language", "raises", "lowers"), [("en", "raises the risk", "lowers the risk"), ("zh", "推高风险", "降低风险")])
def test_each_bar_is_told_in_words_and_not_by_its_colour_alone(language, raises, lowers, app, browse):
    from custvalue.retention.orders.store import OrderStore

    rows = told([1]).assign(days_to_expiry=-3.0, arpu_drop=-0.1)
    rows["reason_weights"] = [[0.69, -0.69]]
    OrderStore.of(app.state.site.config).take_night(rows, NIGHT, "signed", decisions={}, now=app.state.site.clock())
    page = browse("ann", headers={"Accept-Language": language}).get("/orders/20260105-C-K1").text
    bars = re.findall(r'role="img" aria-label="([^"]*)">\s*<rect x="([\d.]+)"[^>]*fill="([^"]*)"/>.*?</svg> ([^<]*)<', page, re.S)
    assert [(bar[0], float(bar[1]) < BAR_WIDTH / 2, " ".join(bar[3].split())) for bar in bars] == [
        (raises, False, f"{raises} ×2"),
        (lowers, True, f"{lowers} ×0.5"),
    ]
    assert bars[0][2] != bars[1][2]
    assert ("ended 3 day(s) ago" if language == "en" else "已到期3天") in page
    assert ("rose by 10%" if language == "en" else "上升10%") in page
