"""Ten minutes of work by fifty managers: memory stays flat, nothing fails, nothing is lost."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[3] / "benchmarks"))

from page import measure

SECONDS = 600
GROWTH_MB = 20.0


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_memory_stays_flat_while_managers_work(kind, request):
    if kind == "postgres":
        request.getfixturevalue("postgres")
    seen = measure(kind, orders=5000, managers=50, seconds=SECONDS, think=2.0)
    assert (seen["errors"], seen["lost"]) == (0, 0), seen["problems"]
    assert seen["writes"] > 100
    assert seen["memory_late"] - seen["memory_early"] < GROWTH_MB  # early: after two and a half minutes, when every page was met
