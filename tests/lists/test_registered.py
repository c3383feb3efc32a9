"""Every renderer is registered, and can be asked for in the config."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import custvalue.lists
from custvalue.config.lists import ListFormat
from custvalue.lists.formats import FORMATS

SUPPORT = {
    "cells",
    "checking",
    "crm",
    "editions",
    "feedback",
    "feedback_care",
    "feedback_rows",
    "formats",
    "identity",
    "layout",
    "mapping",
    "rows",
    "sheets",
    "telling",
}
SUPPORT |= {"__init__", "texts", "words", "rejected"}


def test_every_renderer_stands_in_formats():
    files = {path.stem for path in Path(custvalue.lists.__file__).parent.glob("*.py")}
    assert files - SUPPORT == set(FORMATS)


def test_every_format_can_be_asked_for():
    assert set(get_args(ListFormat)) == set(FORMATS)
