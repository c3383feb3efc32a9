from __future__ import annotations

from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

from custvalue.simulate import simulate

CUSTOMERS, MONTHS = 6_000, 18


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A simulation that is large enough for rates to be judged."""
    out = tmp_path_factory.mktemp("simulated") / "tables"
    simulate(out, customers=CUSTOMERS, months=MONTHS, seed=11)
    return out


@pytest.fixture(scope="session")
def tables(folder: Path) -> dict[str, pd.DataFrame]:
    """Its tables by name, amounts as floats, days as timestamps, times on the operator's clock, and the truth: ``states``, ``drivers``."""
    paths = [*folder.glob("*.parquet"), *(folder / "truth").glob("*.parquet")]
    return {path.stem: _frame(path) for path in paths}


@pytest.fixture(scope="session")
def prepaid(tmp_path_factory: pytest.TempPathFactory) -> dict[str, pd.DataFrame]:
    """Tables of prepaid customers, with every day."""
    return _simulated(tmp_path_factory, "prepaid", customers=1_200, months=10)


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> dict[str, pd.DataFrame]:
    """Tables of the scenario in which everything happens, with every day."""
    return _simulated(tmp_path_factory, "tiny", customers=1_500, months=12)


@pytest.fixture(scope="session")
def reusing(tmp_path_factory: pytest.TempPathFactory) -> dict[str, pd.DataFrame]:
    """Tables of an operator whose register gives the ids of former customers to new ones."""
    scenario = tmp_path_factory.mktemp("reusing") / "reusing.yaml"
    scenario.write_text("intent: {base: -2.5}\njoining: 0.03\nreused_ids: 0.3\ndaily_months: 1\n")
    return _simulated(tmp_path_factory, str(scenario), customers=800, months=12)


def _simulated(factory: pytest.TempPathFactory, scenario: str, *, customers: int, months: int) -> dict[str, pd.DataFrame]:
    out = factory.mktemp("scenario") / "tables"
    simulate(out, customers=customers, months=months, seed=11, scenario=scenario)
    return {path.stem: _frame(path) for path in out.glob("*.parquet")}


def _frame(path: Path) -> pd.DataFrame:
    frame: pd.DataFrame = pq.read_table(path).to_pandas()
    for field in pq.read_schema(path):
        kind = str(field.type)
        if kind.startswith("decimal"):
            frame[field.name] = frame[field.name].astype(float)
        elif kind.startswith("date32"):
            frame[field.name] = pd.to_datetime(frame[field.name])
        elif kind.startswith("timestamp"):
            clock = frame[field.name].dt.tz_localize("UTC").dt.tz_convert("Asia/Shanghai")
            frame[field.name] = clock.dt.tz_localize(None)
    return frame
