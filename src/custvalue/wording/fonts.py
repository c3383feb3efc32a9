"""Fonts for figures whose words may be Chinese."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_CHINESE = ("Noto Sans CJK SC", "Microsoft YaHei", "PingFang SC", "SimHei", "WenQuanYi Micro Hei")


def figure_fonts() -> list[str]:
    """Latin letters as ever, Chinese ones from a font that is installed: each letter takes the first of these that has it."""
    from matplotlib.font_manager import get_font_names

    installed = set(get_font_names())
    return ["DejaVu Sans", *(name for name in _CHINESE if name in installed)]


@contextmanager
def drawn_with_fonts(**settings: Any) -> Iterator[None]:
    """Draw figures with `figure_fonts` and further settings of matplotlib; where no Chinese font is, nothing is said of each letter."""
    import matplotlib as mpl

    wanted: Any = {"font.family": figure_fonts(), **settings}
    with mpl.rc_context(wanted), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        yield
