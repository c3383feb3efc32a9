"""What the pages look like, held loosely against small grey pictures of them: other fonts pass, a lost style sheet does not.

``CUSTVALUE_PICTURES_RENEW=1 pytest tests/browser/test_pictures.py`` takes the pictures anew after a change that is meant.
"""

from __future__ import annotations

import io
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ..app.web.manager_night import tell_night  # noqa: TID252 - tests are no package
from .conftest import PHONE
from .test_lead_day import keep_dry_run, publish_figures

pytestmark = pytest.mark.long

FOLDER = Path(__file__).parent / "pictures"
DOCS = Path(__file__).parents[2] / "docs" / "pictures"
RENEW = os.environ.get("CUSTVALUE_PICTURES_RENEW") == "1"
CELL = 16
"""Pixels a side of what becomes one grey point: a line of text, not its letters."""
LIMIT = 0.5
"""Of what the page differs from a blank one."""
DOCUMENTED = ("today", "customer")
"""Pages whose whole picture stands in docs/page.md."""
SHOWN = {
    "sign-in": (None, "/login", "en", None),
    "today": ("ann", "/today", "en", None),
    "today-zh": ("ann", "/today", "zh", None),
    "today-phone": ("ann", "/today", "en", PHONE),
    "customer": ("ann", "/orders/20260105-C-K1", "en", None),
    "care": ("ann", "/care", "en", None),
    "team": ("lea", "/team", "en", None),
    "portfolio": ("ana", "/portfolio", "en", None),
}


@pytest.fixture
def app(app):
    tell_night(app.state.site)
    publish_figures(app.state.site.config.output)
    keep_dry_run(app.state.site.config)
    return app


def points(picture: Image.Image) -> np.ndarray:
    """Darkness of each cell, without the cells at the right and lower edges that are not whole."""
    grey = 255.0 - np.asarray(picture.convert("L"), dtype=float)
    rows, columns = (size // CELL for size in grey.shape)
    return grey[: rows * CELL, : columns * CELL].reshape(rows, CELL, columns, CELL).mean(axis=(1, 3))


def difference(one: np.ndarray, other: np.ndarray) -> float:
    """Difference of two pictures of one size, each seen a little out of focus, as a share of what is on the first."""
    return float(np.abs(blurred(one) - blurred(other)).sum() / np.abs(blurred(one)).sum())


def blurred(grid: np.ndarray) -> np.ndarray:
    """Mean of each point and those around it: text of another font ends a little earlier or later."""
    wide = np.pad(grid, 2, mode="edge")
    views = [wide[down : down + grid.shape[0], right : right + grid.shape[1]] for down in range(5) for right in range(5)]
    return np.mean(views, axis=0)


def now(page) -> np.ndarray:
    return points(Image.open(io.BytesIO(page.screenshot())))


def before(name: str) -> np.ndarray:
    return np.asarray(Image.open(FOLDER / f"{name}.png"), dtype=float)


@pytest.mark.parametrize("name", list(SHOWN))
def test_a_page_looks_as_it_did(name, open_page):
    user, path, language, viewport = SHOWN[name]
    page = open_page(user, language=language, viewport=viewport)
    page.goto(path)
    seen = now(page)
    if RENEW:
        Image.fromarray(seen.round().astype(np.uint8)).save(FOLDER / f"{name}.png")
        if name in DOCUMENTED:
            picture = Image.open(io.BytesIO(page.screenshot(full_page=True)))
            picture.convert("P", palette=Image.Palette.ADAPTIVE, colors=64).save(DOCS / f"page-{name}.png", optimize=True)
    assert difference(before(name), seen) < LIMIT


@pytest.mark.parametrize("name", ["today", "customer", "team"])
def test_a_page_that_lost_its_style_would_be_noticed(name, open_page):
    user, path, *_ = SHOWN[name]
    page = open_page(user)
    page.goto(path)
    page.evaluate("document.querySelectorAll('link[rel=stylesheet]').forEach(each => each.remove())")
    assert difference(before(name), now(page)) > LIMIT
