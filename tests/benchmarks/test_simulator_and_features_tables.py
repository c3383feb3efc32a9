"""What the simulator's and the features' benchmarks print follows from their figures, worked out by hand."""

from __future__ import annotations

import importlib.util
import math
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest

FOLDER = Path(__file__).parents[2] / "benchmarks"


def load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, FOLDER / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def realism() -> ModuleType:
    return load("simulator_realism")


@pytest.fixture(scope="module")
def features() -> ModuleType:
    return load("features")


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_shape_of_bills_by_hand(realism: ModuleType) -> None:
    levels = pd.Series([10.0] * 9 + [90.0])
    assert realism.top_decile_share(levels) == pytest.approx(0.5)
    assert realism.log_spread(pd.Series([1.0, math.e])) == pytest.approx(math.sqrt(0.5))


def test_what_misses_its_band_is_marked_and_listed(realism: ModuleType) -> None:
    values = {name: [float("nan")] * len(realism.MEASURES) for name in (*realism.SCENARIOS, *realism.PANELS)}
    place = {entry.name: number for number, entry in enumerate(realism.MEASURES)}
    values["postpaid"][place["ARPU, median"]] = 50.0  # published 33 to 40
    values["postpaid"][place["surveys unanswered"]] = 0.75  # inside its band
    correlation = place["bill, correlation month to month"]
    for name, value in zip(("postpaid", "india-prepaid", "megaline"), (0.9, 0.5, 0.7), strict=True):
        values[name][correlation] = value
    listed = realism.misses(values)
    assert "- postpaid: ARPU, median is 50.0, published 33.0 to 40.0." in listed
    assert "- postpaid: bill, correlation month to month is 0.90, in real panels 0.50 to 0.70." in listed
    assert not any("surveys unanswered is" in line and "postpaid" in line for line in listed)
    row = next(line for line in realism.realism_table(values) if line.startswith("| ARPU, median"))
    assert cells(row)[2:4] == ["50.0*", ""]


def test_features_table_gives_medians_ratios_and_growth(features: ModuleType) -> None:
    def runs(*seconds: float, gigabytes: float, **more: float) -> list[dict[str, float]]:
        return [{"seconds": taken, "gigabytes": gigabytes, "columns": 300, **more} for taken in seconds]

    found = {
        1_000: {"duckdb": runs(1, 3, 2, gigabytes=0.5, check=4.0), "pandas": runs(6, 6, 9, gigabytes=2.0)},
        10_000: {"duckdb": runs(20, gigabytes=1.0, check=9.0), "pandas": runs(600, gigabytes=8.0)},
    }
    table = [cells(line) for line in features.features_table(found)[2:]]
    assert table[0] == ["1,000", "duckdb", "300", "2.0", "1.0", "0.50", "1.0", ""]
    assert table[1] == ["1,000", "pandas", "300", "6.0", "3.0", "2.00", "4.0", ""]
    assert table[3] == ["10,000", "duckdb", "300", "20.0", "1.0", "1.00", "1.0", "1.00"]
    assert table[4] == ["10,000", "pandas", "300", "600.0", "30.0", "8.00", "8.0", "2.00"]


def test_peak_memory_counts_children(features: ModuleType) -> None:
    grandchild = "import time; held = bytearray(200 * 2**20); time.sleep(0.6)"
    child = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {grandchild!r}])"
    process = subprocess.Popen([sys.executable, "-c", child], stdout=subprocess.PIPE, text=True)
    assert 0.19 < features.peak_of_tree(process) < 1


def test_ceilings_show_the_median_and_the_range_over_seeds() -> None:
    ceilings = load("simulator_ceilings")
    seeds = [{(1, "anyone"): {"AUC": auc, "lift at 1 %": 9.0, "lift at 10 %": lift}} for auc, lift in ((0.7, 3.0), (0.8, 5.0), (0.75, 4.0))]
    row = cells(ceilings.ceilings_table(seeds, 1)[-1])
    assert row[:4] == ["anyone", "0.750 (0.700 to 0.800)", "9.00 (9.00 to 9.00)", "4.00 (3.00 to 5.00)"]


def test_whole_customers_are_drawn() -> None:
    ceilings = load("simulator_ceilings")
    ids = pd.Series([f"C{number % 500}" for number in range(2_000)])
    drawn = ceilings.share_of_customers(ids, 0.2, seed=3)
    assert pd.Series(drawn).groupby(ids.to_numpy()).nunique().max() == 1
    assert 0.1 < np.mean(drawn) < 0.3
