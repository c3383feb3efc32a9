"""What is known by a day does not depend on how many months are simulated after it."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

from custvalue.simulate import simulate
from custvalue.sources.contract import CONTRACT

DATED = tuple(name for name, table in CONTRACT.items() if table.event is not None)


@pytest.fixture(scope="module", params=["tiny", "prepaid"])
def two(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Six months, and nine that begin with the same six; ids are not used again, for the register has one row a current holder."""
    folder = tmp_path_factory.mktemp("months")
    for months in (6, 9):
        simulate(folder / str(months), customers=300, months=months, seed=4, scenario=request.param)
    return folder / "6", folder / "9"


@pytest.mark.parametrize("name", DATED)
def test_the_past_is_the_same(two: tuple[Path, Path], name: str) -> None:
    end = pd.Timestamp("2024-07-01") - pd.Timedelta(hours=8)
    short, long = (pq.read_table(folder / f"{name}.parquet").to_pandas() for folder in two)
    # On the last midnight itself the seventh month's first facts are known, such as a new plan.
    limit = short["available_at"] < end if name == "customers" else short["available_at"] <= end
    known = long[long["available_at"] < end if name == "customers" else long["available_at"] <= end]
    assert len(known) > 0
    columns = list(short.columns)
    pd.testing.assert_frame_equal(
        short[limit].sort_values(columns).reset_index(drop=True), known.sort_values(columns).reset_index(drop=True)
    )
