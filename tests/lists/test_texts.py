"""Texts that a cell cannot hold, or should not show."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from custvalue.lists.texts import LONGEST, cell_text

CUT = " [cut]"


def units(text: str) -> int:
    """Characters as Excel counts them."""
    return len(text.encode("utf-16-le", errors="surrogatepass")) // 2


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("王小明 🙂 ‏שלום‎ e\u0301", "王小明 🙂 ‏שלום‎ e\u0301"),
        ("a\r\nb\rc\nd\te", "a\nb\nc\nd\te"),
        ("a\x00b\x1fc\x7f", "abc"),
        ("bill \u202e711 ¥\u202c", "bill 711 ¥"),  # reversed, it would read ¥ 117
        ("half \ud83d of a sign", "half  of a sign"),
    ],
)
def test_what_can_be_shown_is_kept_and_what_cannot_is_left_out(given: str, kept: str):
    assert cell_text(given, CUT) == kept


def test_a_text_too_long_for_a_cell_is_cut_and_says_so():
    assert cell_text("x" * LONGEST, CUT) == "x" * LONGEST
    cut = cell_text("x" * (LONGEST + 1), CUT)
    assert (len(cut), cut[-7:]) == (LONGEST, "x [cut]")


def test_signs_that_take_two_places_are_not_cut_in_two():
    for shift in ("", "x"):
        cut = cell_text(shift + "🙂" * LONGEST, CUT)
        assert units(cut) in (LONGEST, LONGEST - 1)
        assert cut.removesuffix(CUT).strip("🙂") == shift


@given(st.text(st.characters(), max_size=200), st.integers(1, 400))
def test_any_text_fits_a_cell_and_a_file(text: str, times: int):
    shown = cell_text(text * times, CUT)
    assert units(shown) <= LONGEST
    assert shown.encode("utf-8").decode("utf-8") == shown
    assert cell_text(shown, CUT) == shown
