"""Every renderer is registered."""

from __future__ import annotations

from pathlib import Path

import custvalue.lists
from custvalue.lists import FORMATS

SUPPORT = {"__init__", "cells", "identity", "layout", "rows"}


def test_every_renderer_stands_in_formats():
    files = {path.stem for path in Path(custvalue.lists.__file__).parent.glob("*.py")}
    assert files - SUPPORT == set(FORMATS)
