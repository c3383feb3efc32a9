"""Faults that are really injected: a child killed at a named point, a file torn in half, a disk that fills up; and what stands afterwards.

The product has no hooks for this. A child is forked from the test, functions are replaced in the child alone, and it kills itself there.
"""

from __future__ import annotations

import contextlib
import gc
import hashlib
import os
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any

import pytest
import yaml

from custvalue.app import operations, rating_log
from custvalue.features import parts as cutting
from custvalue.publish import record_refusal

from .conftest import CONFIG, say, three_months, write_configs, write_yaml

FIRST, NEXT = date(2024, 6, 1), date(2024, 6, 2)
"""A rating day, and a night that carries its rating."""
CUSTOMERS, PART = 1000, 330
TABLES = ("customers", "billing", "usage", "departures", "managers", "directory")
_PATIENCE = 300
DECADE = 3650 * 86_400.0
DATABASE = "mlflow.db"
OF_THE_ATTEMPT = (".lock", "metrics.prom", "orders.db", "orders.db-shm", "orders.db-wal")
"""Files that tell of an attempt and not of its result; orders hold when they were recorded (tests/retention/orders kills their making)."""

Filter = Callable[..., bool]


@dataclass(frozen=True)
class Point:
    """Where a child is killed.

    Attributes
    ----------
    name : str
        In plain words.
    owner, attribute : object, str
        The function that is replaced in the child.
    after : bool
        Kill after the call has returned; else before it begins.
    call : int
        Which of the calls, from 1.
    where : callable, optional
        Counts only calls with such arguments.
    within : tuple, optional
        Owner and attribute of the function inside of which calls are counted.
    torn : bool
        First cut the file that the call has just written, its second argument, in half: what a kill in the middle of it leaves.
    """

    name: str
    owner: Any
    attribute: str
    after: bool = False
    call: int = 1
    where: Filter | None = None
    within: tuple[Any, str] | None = None
    torn: bool = False

    def arm(self, patch: pytest.MonkeyPatch, strike: Callable[[], None]) -> None:
        """Replace the function by one that strikes."""
        real, counted, inside = getattr(self.owner, self.attribute), [0], [self.within is None]

        def counting(*arguments: Any, **named: Any) -> Any:
            matters = inside[0] and (self.where is None or self.where(*arguments, **named))
            counted[0] += matters
            due = matters and counted[0] == self.call
            if due and not (self.after or self.torn):
                strike()
            result = real(*arguments, **named)
            if due and self.torn:
                path = Path(str(arguments[1]))
                os.truncate(path, path.stat().st_size // 2)
            if due and (self.after or self.torn):
                strike()
            return result

        patch.setattr(self.owner, self.attribute, counting)
        if self.within is not None:
            outer = getattr(*self.within)

            def entered(*arguments: Any, **named: Any) -> Any:
                inside[0] = True
                return outer(*arguments, **named)

            patch.setattr(*self.within, entered)


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def forked(work: Callable[[], int], *, prepare: Callable[[pytest.MonkeyPatch], None]) -> int:
    """Start a child that does some work with functions replaced, and give its process id; the child's exit code is the work's."""
    gc.collect()  # what is collected in the child must not be a connection whose threads are the parent's
    child = os.fork()
    if child:
        return child
    try:
        signal.alarm(_PATIENCE)  # a child that hangs ends by another signal than the expected one
        prepare(pytest.MonkeyPatch())
        os._exit(work())
    finally:
        os._exit(99)


def ended(child: int) -> int:
    """Wait for a child, and give its exit code, or minus the signal that killed it."""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def killed_at(point: Point, work: Callable[[], int]) -> None:
    """Let a child do some work until it is killed at a point; the test fails where it never came there."""
    assert ended(forked(work, prepare=lambda patch: point.arm(patch, die))) == -signal.SIGKILL, f"never reached: {point.name}"


def killed_after(seconds: float, work: Callable[[], int]) -> None:
    """Let a child do some work, and kill it after some time, if it has not ended before."""
    child = forked(work, prepare=lambda _: None)
    time.sleep(seconds)
    os.kill(child, signal.SIGKILL)
    assert ended(child) in (-signal.SIGKILL, 0)


class Operator:
    """The smallest operator that trains, always at one place, whose state can be put back.

    Attributes
    ----------
    workspace : Workspace
        Where all of it happens.
    wanted : dict
        Night → what an undisturbed run leaves in the output folder.
    seconds : float
        How long the second of these runs took.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True)
        self.workspace = write_configs(folder)
        self._kept = folder.with_name("kept")
        self.wanted: dict[date, Mapping[str, str]] = {}
        self._make()
        self.keep(FIRST)
        self.wanted[FIRST] = self._undisturbed(FIRST)
        note = "an earlier attempt was refused"
        record_refusal(self.workspace.output, NEXT, exit_code=3, message=note)
        self.keep(NEXT)
        began = time.monotonic()
        self.wanted[NEXT] = self._undisturbed(NEXT)
        self.seconds = time.monotonic() - began

    def keep(self, night: date) -> None:
        """Keep the state before a night."""
        for name in ("output", "models"):
            source = self.workspace.folder / name
            source.mkdir(exist_ok=True)
            shutil.copytree(source, self._kept / str(night) / name)

    def put_back(self, night: date) -> None:
        """Put back the state before a night."""
        kept, models = self._kept / str(night), self.workspace.models
        shutil.rmtree(self.workspace.output.parent)
        shutil.copytree(kept / "output", self.workspace.output.parent)
        for path in models.iterdir():
            if path.name != DATABASE:
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        shutil.copytree(kept / "models", models, ignore=shutil.ignore_patterns(DATABASE), dirs_exist_ok=True)
        # MLflow keeps connections open, which would go on with a file that was replaced
        with closing(sqlite3.connect(kept / "models" / DATABASE)) as source, closing(sqlite3.connect(models / DATABASE)) as target:
            source.backup(target)

    def run(self, night: date, *arguments: object) -> int:
        """Make a night, and give the exit code."""
        return self.workspace.nightly(*arguments, as_of=night).code

    @contextlib.contextmanager
    def changed(self, **settings: object) -> Iterator[None]:
        """Change settings of the config for a while."""
        before = self.workspace.config.read_bytes()
        self.workspace.change(**settings)
        try:
            yield
        finally:
            self.workspace.config.write_bytes(before)

    @contextlib.contextmanager
    def moved_output(self, folder: Path) -> Iterator[None]:
        """Let the output lie elsewhere for a while, with what is in it."""
        home = self.workspace.output
        shutil.copytree(home, folder)
        with self.changed(output=str(folder)):
            self.workspace.output = folder
            try:
                yield
            finally:
                self.workspace.output = home

    def _undisturbed(self, night: date) -> Mapping[str, str]:
        told = self.workspace.nightly(as_of=night)
        assert told.code == 0, told.err
        return digests(self.workspace.output)

    def _make(self) -> None:
        work = self.workspace
        told = say("simulate", work.data, "--customers", CUSTOMERS, "--months", 6, "--seed", 5, "--scenario", "tiny")
        assert told.code == 0, told.err
        for path in work.data.glob("*.parquet"):
            if path.stem not in TABLES:
                path.unlink()
        configs = work.config.parent
        tiers, keen = configs / "tiers" / "spend-tenure.yaml", configs / "retention" / "keen.yaml"
        three_months(tiers)
        tiers.write_text(tiers.read_text(encoding="utf-8").replace("_3m", "_1m"), encoding="utf-8")
        retention = yaml.safe_load(keen.read_text(encoding="utf-8"))
        write_yaml(keen, retention | {"value": retention["value"] | {"metric": "revenue_mean_1m"}})
        few = {"snapshots": 2, "max_rounds": 5, "min_leavers": 2, "small_leavers": 2}
        churn = CONFIG["churn"]
        assert isinstance(churn, dict)
        work.change(tier_policy="tiers/spend-tenure.yaml", features={"windows": [1]}, churn=churn | few)
        for command in (("train", "--as-of", FIRST), ("promote",)):
            told = work.say(*command)
            assert told.code == 0, told.err
        assert work.approve(FIRST)[1].code == 0


@contextlib.contextmanager
def several_parts() -> Iterator[None]:
    """Cut the base into three parts."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cutting, "_LARGEST", PART)
        yield


def digests(output: Path) -> dict[str, str]:
    """SHA-256 of every file below a folder but those of the attempt, and every empty folder."""
    found = {}
    for path in sorted(output.rglob("*")):
        name = path.relative_to(output).as_posix()
        if path.is_file() and path.name not in OF_THE_ATTEMPT:
            found[name] = hashlib.sha256(path.read_bytes()).hexdigest()
        elif path.is_dir() and not any(path.iterdir()) and name not in ("staging", "refused"):
            found[name] = "empty folder"
    return found


def can_mount() -> bool:
    """Tell whether this process may mount a file system."""
    with tempfile.TemporaryDirectory() as folder:
        if os.geteuid() != 0 or subprocess.run(["mount", "-t", "tmpfs", "none", folder], capture_output=True, check=False).returncode:
            return False
        subprocess.run(["umount", folder], check=True)
    return True


@contextlib.contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[Path]:
    """Give a file system of some size in memory."""
    folder.mkdir(parents=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "none", str(folder)], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def remount(folder: Path, how: str) -> None:
    """Make a file system read-only (``ro``) or writable (``rw``)."""
    subprocess.run(["mount", "-o", f"remount,{how}", str(folder)], check=True)


def move_the_clock(patch: pytest.MonkeyPatch) -> None:
    """Let this process believe in another zone and another decade."""
    patch.setenv("TZ", "Pacific/Kiritimati")
    time.tzset()
    real = time.time
    patch.setattr(time, "time", lambda: real() + DECADE)

    class Later(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:
            return datetime.now(tz) + timedelta(seconds=DECADE)

    for module in (operations, rating_log):
        patch.setattr(module, "datetime", Later)


def fill(folder: Path, *, leave: int) -> Path:
    """Fill a file system but for some bytes; remove the file given to free it."""
    ballast = folder / "ballast"
    free = shutil.disk_usage(folder).free
    with ballast.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, free - leave)
    return ballast
