"""A simulation replaces only a simulation, and is there as a whole or not at all."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import date
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from custvalue.errors import ConfigError
from custvalue.simulate import SCENARIOS, facts, simulate
from custvalue.sources.contract import CONTRACT


def small(out: Path, **changes: object) -> dict[str, int]:
    return simulate(out, **{"customers": 60, "months": 3, "seed": 1, **changes})  # type: ignore[arg-type]


def snapshot(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_returns_the_rows_of_each_table(tmp_path: Path) -> None:
    rows = small(tmp_path / "out")
    assert rows == {name: pq.read_metadata(tmp_path / "out" / f"{name}.parquet").num_rows for name in rows}
    assert set(rows) == set(CONTRACT)


def test_the_marker_tells_how_the_folder_was_made(tmp_path: Path) -> None:
    small(tmp_path / "out", start=date(2023, 5, 1))
    marker = json.loads((tmp_path / "out" / "simulation.json").read_text())
    assert {key: marker[key] for key in ("scenario", "customers", "months", "seed", "start", "time_zone")} == {
        "scenario": "postpaid", "customers": 60, "months": 3, "seed": 1, "start": "2023-05-01", "time_zone": "Asia/Shanghai",
    }  # fmt: skip
    months = pq.read_table(tmp_path / "out" / "usage.parquet")["month"].to_pylist()
    assert (min(months), max(months)) == (date(2023, 5, 1), date(2023, 7, 1))


def test_the_smallest_operator(tmp_path: Path) -> None:
    rows = small(tmp_path / "out", customers=1, months=1)
    assert rows["customers"] >= 1


def test_an_earlier_simulation_is_replaced(tmp_path: Path) -> None:
    small(tmp_path / "out")
    small(tmp_path / "out", seed=2)
    small(tmp_path / "fresh", seed=2)
    assert snapshot(tmp_path / "out") == snapshot(tmp_path / "fresh")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["fresh", "out"]


def test_an_empty_folder_is_filled(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    assert small(tmp_path / "out")["customers"] > 0


def test_other_things_in_the_folder_are_left_alone(tmp_path: Path) -> None:
    small(tmp_path / "out")
    (tmp_path / "out" / "truth" / "notes.txt").write_text("mine")
    before = snapshot(tmp_path / "out")
    with pytest.raises(ConfigError, match=r"1 file\(s\) that no simulation wrote: truth/notes.txt"):
        small(tmp_path / "out", seed=2)
    assert snapshot(tmp_path / "out") == before


def test_a_folder_of_real_tables_is_refused(tmp_path: Path) -> None:
    (tmp_path / "billing.parquet").write_bytes(b"real")
    with pytest.raises(ConfigError, match=r"billing\.parquet"):
        small(tmp_path)
    assert (tmp_path / "billing.parquet").read_bytes() == b"real"


def test_a_file_in_the_way_is_refused(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file")
    with pytest.raises(ConfigError, match="is a file"):
        small(tmp_path / "out")
    with pytest.raises(ConfigError, match="cannot be written"):
        small(tmp_path / "out" / "below")


def test_an_interrupted_run_leaves_the_earlier_simulation_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It ends when the first shard's tables are written and the second one's are not."""
    monkeypatch.setattr(facts, "SHARD", 40)
    small(tmp_path / "out")
    before = snapshot(tmp_path)

    def interrupt(message: str) -> None:
        if message.startswith("shard 2 of 2"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        small(tmp_path / "out", seed=2, progress=interrupt)
    assert snapshot(tmp_path) == before
    with pytest.raises(KeyboardInterrupt):
        small(tmp_path / "new", progress=interrupt)
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_failing_write_leaves_nothing(tmp_path: Path) -> None:
    """The system refuses files above 20 kB, so that a table in the middle cannot be written."""
    code = """
import resource, sys
from pathlib import Path
from custvalue.errors import ConfigError
from custvalue.simulate import simulate
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
try:
    simulate(Path(sys.argv[1]), customers=2_000, months=3, seed=1)
except ConfigError as error:
    print(error)
"""
    run = subprocess.run([sys.executable, "-c", code, tmp_path / "out"], capture_output=True, text=True, check=True)
    assert "cannot be written: File too large" in run.stdout
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_scenario_names_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="unknown scenario 'lunar'; there are: postpaid"):
        small(tmp_path / "out", scenario="lunar")
    assert "postpaid" in SCENARIOS


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"customers": 0}, "customers is 0"),
        ({"months": 0}, "months is 0"),
        ({"months": 1_000}, "months is 1,000"),
        ({"seed": -1}, "seed is -1"),
        ({"start": date(2024, 1, 15)}, "first day of a month"),
    ],
)
def test_arguments_out_of_range_are_named(tmp_path: Path, changes: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        small(tmp_path / "out", **changes)
    assert list(tmp_path.iterdir()) == []


def test_progress_is_told_for_every_table(tmp_path: Path) -> None:
    told: list[str] = []
    rows = small(tmp_path / "out", progress=told.append)
    for name, count in rows.items():
        assert f"{name}: {count:,} rows" in told


def test_the_room_loads_numpy_and_arrow_alone() -> None:
    heavy = ("pandas", "ibis", "duckdb", "sklearn", "lightgbm", "mlflow", "shap", "matplotlib")
    code = f"import sys, custvalue.simulate; print([name for name in {heavy} if name in sys.modules])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
