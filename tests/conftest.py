"""What every test stands on: a quiet, repeatable environment, and the parts that a machine may lack."""

from __future__ import annotations

import gc
import importlib.util
import os
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from sqlalchemy import Engine, event

from .postgres import PostgresServer, server_programs

REPOSITORY = Path(__file__).parents[1]
REQUIRE_ALL = os.environ.get("CUSTVALUE_REQUIRE_ALL") == "1"

# Set while pytest collects, before a test loads the libraries that read them once.
os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
os.environ["MPLBACKEND"] = "Agg"
os.environ["GIT_PYTHON_REFRESH"] = "quiet"  # MLflow warns at import where git is absent
os.environ.setdefault("OMP_NUM_THREADS", "1")  # two workers with two threads each spin on a small machine
# A developer's own tracking server must not receive the tests' runs.
for name in ("MLFLOW_TRACKING_URI", "MLFLOW_REGISTRY_URI", "MLFLOW_EXPERIMENT_NAME", "MLFLOW_EXPERIMENT_ID"):
    os.environ.pop(name, None)

# Expressions of hundreds of columns are millions of small objects: Python's collector would walk them all, again and again.
gc.set_threshold(200_000, 50, 100)

SLOWEST = (
    "e2e/test_bad_input.py",  # makes the operator that the other end-to-end tests copy, while another worker runs the next file
    "e2e/test_faults.py",
    "notebooks/test_notebooks_run.py",
    "features/test_two_engines.py",
    "pipeline/test_two_engines_score.py",
    "e2e/test_demo.py",
    "e2e/test_operations.py",
    "e2e/test_real_inputs.py",
    "e2e/test_reruns.py",
    "e2e/test_refused_nights.py",
    "e2e/test_reproducible.py",
    "features/test_declarations.py",
    "churn/test_training.py",
    "churn/test_outcomes.py",
    "e2e/test_odd_nights.py",
    "e2e/test_outcomes.py",
    "e2e/test_simulated.py",
    "e2e/test_nothing_identifying.py",
    "e2e/test_night_in_parts.py",
    "features/test_no_future.py",
    "features/test_against_pandas.py",
    "test_public_names.py",
)
"""Files that take longest, longest first: begun first, so that workers end together. A file that is not named runs after them."""

settings.register_profile("custvalue", deadline=None, max_examples=50, derandomize=REQUIRE_ALL or "CI" in os.environ)
settings.load_profile("custvalue")


@event.listens_for(Engine, "connect")
def wait_for_no_disk(connection: Any, _: object) -> None:
    """Let the tests' SQLite stores be lost in a power cut: MLflow syncs the disk after each of the many values of a run."""
    if isinstance(connection, sqlite3.Connection):
        connection.execute("PRAGMA synchronous = OFF")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the slowest files first; the order inside a file stays."""
    place = {REPOSITORY / "tests" / name: place for place, name in enumerate(SLOWEST)}
    items.sort(key=lambda item: place.get(item.path, len(place)))


@pytest.fixture(scope="session")
def require_part() -> Callable[[str, bool], None]:
    """Skip where a part is absent; fail instead where ``CUSTVALUE_REQUIRE_ALL=1`` promises that all are there."""

    def require(name: str, present: bool) -> None:
        if present:
            return
        reason = f"{name} is not installed"
        if REQUIRE_ALL:
            pytest.fail(f"{reason}, and CUSTVALUE_REQUIRE_ALL=1")
        pytest.skip(reason)

    return require


@pytest.fixture(scope="session")
def data_folder(require_part: Callable[[str, bool], None]) -> Path:
    """Folder of the real data sets: ``CUSTVALUE_DATA``, or ``shared/data`` beside the repository."""
    folder = Path(os.environ.get("CUSTVALUE_DATA") or REPOSITORY.parent / "shared" / "data").resolve()
    require_part("real data sets (CUSTVALUE_DATA)", folder.is_dir())
    return folder


@pytest.fixture(scope="session")
def spark(require_part: Callable[[str, bool], None]) -> Iterator[Any]:
    """Give one Spark session for the whole run."""
    from custvalue.engines.spark import connect, missing_part

    missing = missing_part()
    require_part(f"Spark ({missing})", missing is None)
    # A statement of hundreds of columns over a few rows costs Spark its compilers' and its optimiser's time: this takes half of it.
    con = connect(
        settings={
            "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
            "spark.sql.adaptive.enabled": "false",
            "spark.sql.codegen.factoryMode": "NO_CODEGEN",
            "spark.sql.codegen.wholeStage": "false",
            "spark.sql.constraintPropagation.enabled": "false",
            "spark.sql.shuffle.partitions": "2",
        }
    )
    yield con
    con.disconnect()


@pytest.fixture(scope="session", params=["duckdb", pytest.param("spark", marks=pytest.mark.long)])
def engine(request: pytest.FixtureRequest) -> Any:
    """Give each engine in turn: a test that takes it runs once on every one."""
    from custvalue.engines import ENGINES

    return request.getfixturevalue("spark") if request.param == "spark" else ENGINES[request.param]()


@pytest.fixture(scope="session")
def postgres(require_part: Callable[[str, bool], None]) -> Iterator[PostgresServer]:
    """Give a PostgreSQL server of the tests' own; a test that stops it must start it again."""
    programs = server_programs()
    require_part("psycopg (custvalue[database])", importlib.util.find_spec("psycopg") is not None)
    require_part("PostgreSQL server (Debian: postgresql)", programs is not None)
    server = PostgresServer(programs)
    yield server
    server.remove()
