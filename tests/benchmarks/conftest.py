"""A benchmark imports its helpers from its own folder, as it does when it is run."""

import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture(scope="session", autouse=True)
def _beside_the_benchmarks():
    sys.path.append(str(FOLDER))
    yield
    sys.path.remove(str(FOLDER))
