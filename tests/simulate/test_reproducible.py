"""The same arguments give the same bytes; streams of random numbers do not disturb each other."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from custvalue.simulate import simulate
from custvalue.simulate.timeline import Streams


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*.parquet")}


def test_same_seed_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        simulate(tmp_path / name, customers=400, months=7, seed=3)
    first, second = contents(tmp_path / "a"), contents(tmp_path / "b")
    assert len(first) == 16
    assert first == second


def test_another_seed_gives_other_bytes(tmp_path: Path) -> None:
    for seed in (3, 4):
        simulate(tmp_path / str(seed), customers=400, months=7, seed=seed)
    first, second = contents(tmp_path / "3"), contents(tmp_path / "4")
    # Managers depend on the number of customers alone, the directory on how many there ever were.
    same = {name for name in first if first[name] == second[name]} - {"managers.parquet", "directory.parquet"}
    assert same == set()


def test_a_stream_is_its_seeds_and_purposes_alone() -> None:
    alone = Streams(7)("usage").random(5)
    streams = Streams(7)
    streams("a later table").random(100)
    np.testing.assert_array_equal(streams("usage").random(5), alone)
    assert not np.array_equal(streams("voice").random(5), alone)
    assert not np.array_equal(Streams(8)("usage").random(5), alone)
