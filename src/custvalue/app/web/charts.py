"""Small plots as numbers for inline SVG: the template draws them, and writes every number beside them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT, MARGIN = 240, 64, 4
BAR_WIDTH = 120


@dataclass(frozen=True)
class Plot:
    """A line over months.

    Attributes
    ----------
    lines : tuple of str
        ``points`` of SVG polylines; a month without a value interrupts the line.
    dots : tuple of (float, float)
        Where single months stand, and the last one.
    values : tuple
        The numbers, None where unknown.
    low, high, last : float
        Least, greatest and newest known number.
    """

    lines: tuple[str, ...]
    dots: tuple[tuple[float, float], ...]
    values: tuple[float | None, ...]
    low: float
    high: float
    last: float


@dataclass(frozen=True)
class Push:
    """What one reason does to the risk.

    Attributes
    ----------
    text : str
        The fact in words.
    factor : float, optional
        What it multiplies the odds of leaving with; above 1 it raises the risk. None where it is not known.
    left, width : float
        The bar beside the middle line of a drawing `BAR_WIDTH` wide: to the right where it raises the risk.
    """

    text: str
    factor: float | None
    left: float
    width: float


def make_plot(values: Sequence[float | None]) -> Plot | None:
    """Give the plot of one number a month, oldest first; None where fewer than two are known."""
    known = [float(value) for value in values if value is not None]
    if len(known) < 2:
        return None
    low, high = min(known), max(known)
    # the axis begins at zero, so that a small change does not look like a great one
    bottom, top = min(low, 0.0), max(high, 0.0)
    span = (top - bottom) or 1.0

    def point(place: int, value: float) -> tuple[float, float]:
        x = MARGIN + place * (WIDTH - 2 * MARGIN) / max(len(values) - 1, 1)
        y = HEIGHT - MARGIN - (value - bottom) / span * (HEIGHT - 2 * MARGIN)
        return round(x, 1), round(y, 1)

    pieces: list[list[tuple[float, float]]] = [[]]
    for place, value in enumerate(values):
        if value is None:
            pieces.append([])
        else:
            pieces[-1].append(point(place, float(value)))
    pieces = [piece for piece in pieces if piece]
    lines = tuple(" ".join(f"{x},{y}" for x, y in piece) for piece in pieces if len(piece) > 1)
    singles = [piece[0] for piece in pieces if len(piece) == 1]
    dots = tuple(dict.fromkeys([*singles, pieces[-1][-1]]))
    return Plot(lines, dots, tuple(values), low, high, known[-1])


def make_pushes(texts: Sequence[str], weights: Sequence[float | None]) -> list[Push]:
    """Give what each reason does to the risk, from its weight (log-odds); a reason of which none is known has no bar."""
    given = [weights[place] if place < len(weights) else None for place in range(len(texts))]
    largest = max((abs(weight) for weight in given if weight is not None), default=0.0) or 1.0
    half = BAR_WIDTH / 2
    pushes = []
    for text, weight in zip(texts, given, strict=True):
        width = 0.0 if weight is None else abs(weight) / largest * (half - 2)
        left = half if weight is None or weight >= 0 else half - width
        pushes.append(Push(text, None if weight is None else math.exp(weight), round(left, 1), round(width, 1)))
    return pushes
