"""One small operator, simulated and trained once; each test that changes something works on its own copy."""

from __future__ import annotations

import contextlib
import fcntl
import io
import json
import os
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path

import pandas as pd
import pytest
import yaml

from custvalue.app.cli import run

REPOSITORY = Path(__file__).parents[2]
AS_OF = date(2025, 1, 1)
CUSTOMERS, MONTHS = 4000, 13  # the thirteenth month lies after the night: it judges, and must not be seen
CAPACITY = 3

# A developer's own key or name must not reach the tests.
for name in ("CUSTVALUE_TOKEN_KEY", "CUSTVALUE_HOLDOUT_KEY", "CUSTVALUE_ORDERS", "CUSTVALUE_ACTOR"):
    os.environ.pop(name, None)
# The same draw in every workspace: nights of two are compared.
os.environ["CUSTVALUE_HOLDOUT_KEY"] = "the draw of all tests"

CONFIG = {
    "currency": "CNY",
    "time_zone": "Asia/Shanghai",
    "workspace": "..",
    "sources": {"folder": "../data/op"},
    "features": {"windows": [1, 3]},
    "tier_policy": "tiers/consumer.yaml",
    "retention_policy": "retention/keen.yaml",
    "churn": {
        "gap_months": 0,
        "horizon_months": 1,
        "snapshots": 5,
        "max_rounds": 50,
        "bootstrap": 50,
        "min_leavers": 15,
        "small_leavers": 40,
        "threads": 1,
    },
}

# What a refused night may leave: a lock file, the note for `custvalue nights`, the key of tokens, and an empty store of orders.
TRACES = re.compile(r"output(/op(/token\.key|/orders\.db|/refused(/as_of=\d{4}-\d\d-\d\d\.json)?)?)?")

# The copied workspace's store, whose paths are mended by the first command that opens it.
OPENED = {"models/mlflow.db"}


@dataclass(frozen=True)
class Said:
    """What a command said, and how it ended."""

    code: int
    out: str
    err: str

    @property
    def events(self) -> list[dict]:
        return [json.loads(line) for line in self.err.splitlines()]

    def told(self, step: str) -> str:
        """Text with which a step ended."""
        return next(event["text"] for event in self.events if event["event"] == step)

    @property
    def refusal(self) -> str:
        """Text of the last line, which tells why the command ended without its result."""
        last = self.events[-1]
        assert (last["event"], last["exit"]) == ("refused", self.code), self.err
        return last["text"]


def say(*arguments: object) -> Said:
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = run([str(argument) for argument in arguments])
    return Said(code, out.getvalue(), err.getvalue())


def write_yaml(path: Path, content: dict) -> None:
    path.write_text(yaml.safe_dump(content, allow_unicode=True, sort_keys=False), encoding="utf-8")


class Workspace:
    """A folder with configs, data, output and models, and the one config that the tests use there."""

    def __init__(self, folder: Path, name: str = "op") -> None:
        self.folder = folder
        self.name = name
        self.config = folder / "configs" / f"{name}.yaml"
        self.data = folder / "data" / name
        self.output = folder / "output" / name
        self.models = folder / "models"

    def say(self, command: str, *arguments: object) -> Said:
        return say(command, "-c", self.config, *arguments)

    def nightly(self, *arguments: object, as_of: date = AS_OF) -> Said:
        return self.say("nightly", "--as-of", as_of, *arguments)

    def approve(self, as_of: date = AS_OF) -> tuple[Said, Said]:
        """Make a dry run and approve it: the campaigns of the policy as it is may call."""
        run = self.say("lists", "--as-of", as_of, "--dry-run")
        found = re.search(r"dry run ([0-9a-f]{16});", run.out)
        assert found, run.err
        return run, self.say("approve", "--dry-run", found[1], "--by", "the tests")

    def change(self, **settings: object) -> None:
        """Replace top-level settings of the config."""
        write_yaml(self.config, yaml.safe_load(self.config.read_text(encoding="utf-8")) | settings)

    def listing(self) -> dict[str, tuple[int, int]]:
        """Every file and folder with size and time of change.

        Left out are lock files and metrics, which each run touches, SQLite's own files, and the staging folder, which comes and goes empty.
        """
        found = {}
        for path in sorted(self.folder.rglob("*")):
            if path.name not in (".lock", "metrics.prom", "orders.db-shm", "orders.db-wal") and path != self.output / "staging":
                status = path.stat()
                found[path.relative_to(self.folder).as_posix()] = (status.st_size, status.st_mtime_ns) if path.is_file() else (0, 0)
        return found


@contextlib.contextmanager
def made_once(factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Folder shared by all workers of a run, held by one of them at a time."""
    root = factory.getbasetemp()
    root = root.parent if "PYTEST_XDIST_WORKER" in os.environ else root
    with (root / "operator.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield root / "operator"


def three_months(policy: Path) -> None:
    """Let a policy look at three months in place of twelve: fewer windows make features that are built sooner."""
    policy.write_text(policy.read_text(encoding="utf-8").replace("_12m", "_3m"), encoding="utf-8")


def write_configs(folder: Path) -> Workspace:
    """Copy the ready configs into a workspace, and add one for a small, keen operator."""
    shutil.copytree(REPOSITORY / "configs", folder / "configs")
    ready = yaml.safe_load((folder / "configs" / "retention" / "default.yaml").read_text(encoding="utf-8"))
    three_months(folder / "configs" / "tiers" / "consumer.yaml")
    # more contacts pay than managers can make, so that capacity decides
    write_yaml(folder / "configs" / "retention" / "keen.yaml", ready | {"name": "keen", "save": 0.6, "harm": 0.0, "contact_cost": 0.2})
    write_yaml(folder / "configs" / "op.yaml", CONFIG)
    return Workspace(folder)


def make_operator(folder: Path) -> dict[str, Said]:
    workspace = write_configs(folder)
    said = {"simulate": say("simulate", workspace.data, "--customers", CUSTOMERS, "--months", MONTHS, "--seed", 5)}
    managers = pd.read_parquet(workspace.data / "managers.parquet")
    managers["daily_capacity"] = [CAPACITY + place % 2 for place in range(len(managers))]
    managers.to_parquet(workspace.data / "managers.parquet", index=False)
    said["train"] = workspace.say("train", "--as-of", AS_OF)
    said["promote"] = workspace.say("promote")
    said["dry-run"], said["approve"] = workspace.approve()
    return said


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Workspace, dict[str, Said]]:
    """A workspace with a champion and nothing published, and what its commands said. Never change it."""
    with made_once(tmp_path_factory) as folder:
        notes = folder.with_suffix(".json")
        if not notes.exists():
            shutil.rmtree(folder, ignore_errors=True)
            said = make_operator(folder)
            notes.write_text(json.dumps({name: asdict(told) for name, told in said.items()}), encoding="utf-8")
    told = {name: Said(**fields) for name, fields in json.loads(notes.read_text(encoding="utf-8")).items()}
    for name, found in told.items():
        assert found.code == 0, f"{name}: {found.err}"
    return Workspace(folder), told


@pytest.fixture
def workspace(trained: tuple[Workspace, dict[str, Said]], tmp_path: Path) -> Workspace:
    """Give a copy of the trained workspace that a test may change."""
    shutil.copytree(trained[0].folder, tmp_path / "workspace")
    return Workspace(tmp_path / "workspace")


@pytest.fixture(scope="session")
def good_night(trained: tuple[Workspace, dict[str, Said]], tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A copy of the trained workspace with one night published. Never change it."""
    with made_once(tmp_path_factory) as operator:
        folder = operator.with_name("good-night")
        if not (folder / "made").exists():
            shutil.rmtree(folder, ignore_errors=True)
            shutil.copytree(trained[0].folder, folder / "workspace")
            told = Workspace(folder / "workspace").nightly()
            assert told.code == 0, told.err
            (folder / "made").touch()
    return Workspace(folder / "workspace")


@pytest.fixture
def published(good_night: Workspace, tmp_path: Path) -> Workspace:
    """Give a copy with one night published that a test may change."""
    workspace = Workspace(tmp_path / "workspace")
    shutil.copytree(good_night.folder, workspace.folder)
    workspace.say("promote")  # mends the copied store's paths
    return workspace


@pytest.fixture
def new_workspace(tmp_path) -> Workspace:
    """Configs alone: no tables, no store."""
    return write_configs(tmp_path / "new")


def rewrite(workspace: Workspace, table: str, change: Callable[[pd.DataFrame], pd.DataFrame]) -> None:
    path = workspace.data / f"{table}.parquet"
    change(pd.read_parquet(path)).to_parquet(path, index=False)


def with_a_key_twice(workspace: Workspace) -> None:
    rewrite(workspace, "billing", lambda rows: pd.concat([rows, rows.head(2)]))


def traces(workspace: Workspace, before: dict) -> set[str]:
    """What a command added, changed or removed, but for the traces that a refused night may leave."""
    after = workspace.listing()
    return {path for path in before.keys() | after.keys() if before.get(path) != after.get(path) and not TRACES.fullmatch(path)}


def refusal_note(workspace: Workspace, as_of: date = AS_OF) -> dict:
    return json.loads((workspace.output / "refused" / f"as_of={as_of}.json").read_text(encoding="utf-8"))
