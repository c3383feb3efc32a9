"""The migration matrix as a figure: what it counts, and that any tier name can be read."""

import io
import warnings

import pandas as pd
from matplotlib.font_manager import get_font_names

from custvalue.tiers.measures.plots import migration_figure

ORDER = ("gold", "silver", "basic")
MOVES = pd.DataFrame(
    [
        ("gold", "gold", 70),
        ("gold", "silver", 30),
        ("silver", "gold", 6),
        ("unrated", "basic", 4),
        ("vip", "gold", 3),
        ("basic", "basic", 1887),
    ],
    columns=["before", "after", "customers"],
)


def cells(figure):
    """Texts of the matrix by (tier before, tier after)."""
    (axes,) = figure.axes
    rows, columns = ([label.get_text() for label in labels()] for labels in (axes.get_yticklabels, axes.get_xticklabels))
    return rows, columns, {(rows[text.get_position()[1]], columns[text.get_position()[0]]): text.get_text() for text in axes.texts}


def test_counts_and_row_shares_stand_where_the_tiers_cross():
    figure = migration_figure(MOVES, ORDER, before="2026-01-01", after="2026-02-01")
    rows, columns, texts = cells(figure)
    assert rows == ["gold", "silver", "basic", "unrated", "vip"]
    assert columns == ["gold", "silver", "basic", "unrated"]
    assert texts == {
        ("gold", "gold"): "70\n70.0%",
        ("gold", "silver"): "30\n30.0%",
        ("silver", "gold"): "6\n100.0%",
        ("basic", "basic"): "1,887\n100.0%",
        ("unrated", "basic"): "4\n100.0%",
        ("vip", "gold"): "3\n100.0%",
    }
    # of 2,000: six and four rise, thirty fall; a tier of another policy can be neither
    assert figure.get_suptitle() == "0.5% move up, 1.5% move down"
    assert figure.axes[0].get_title(loc="left") == "2,000 customers; percent of the row"


def test_nobody_in_common_is_an_empty_matrix():
    _, _, texts = cells(migration_figure(MOVES.head(0), ORDER, before="A", after="B"))
    assert texts == {}


def test_chinese_tiers_are_drawn_with_a_font_that_has_them(require_part):
    require_part("a Chinese font (Noto Sans CJK SC)", "Noto Sans CJK SC" in get_font_names())
    chinese = pd.DataFrame([("金卡", "银卡", 2)], columns=["before", "after", "customers"])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        migration_figure(chinese, ("金卡", "银卡"), before="A", after="B").savefig(io.BytesIO())
