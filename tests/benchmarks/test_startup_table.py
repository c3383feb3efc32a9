"""Start-up times are told as medians and as a multiple of the first command."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "startup.py"


@pytest.fixture(scope="module")
def bench() -> ModuleType:
    spec = importlib.util.spec_from_file_location("startup", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_medians_and_their_ratio(bench: ModuleType) -> None:
    _, _, first, second = bench.startup_table({"nothing": [0.010, 0.020, 0.900], "help": [0.060, 0.050, 0.040]})
    assert first == "| `nothing` | 20 ms | 10 to 900 ms | 1.0 |"
    assert second == "| `help` | 50 ms | 40 to 60 ms | 2.5 |"


def test_every_command_runs_equally_often(bench: ModuleType, tmp_path: Path) -> None:
    commands = {name: [sys.executable, "-c", f"open({str(tmp_path / name)!r}, 'a').write('x')"] for name in ("one", "two")}
    times = bench.measure(commands, runs=2)
    assert {name: len(taken) for name, taken in times.items()} == {"one": 2, "two": 2}
    assert (tmp_path / "one").read_text() == (tmp_path / "two").read_text() == "xxx"  # with the one that warms up
    assert min(times["one"] + times["two"]) > 0
