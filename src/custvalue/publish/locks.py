"""One writer at a time: `flock`, which the kernel frees when its holder dies."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from custvalue.errors import PublishError
from custvalue.publish.durable import full_disk_can_wait

_PAUSE = 0.1


@contextmanager
def lock(output: Path) -> Iterator[None]:
    """Hold an output folder for this process, and clear what killed runs left in ``staging/`` and beside manifests and refusals.

    Parameters
    ----------
    output : Path
        Made if absent. The lock is ``output/.lock``; the file stays, its lock goes with the process.

    Raises
    ------
    PublishError
        Another process holds the lock; the message tells which.
    """
    with ExitStack() as held:
        held.enter_context(full_disk_can_wait(output))
        try:
            held.enter_context(hold(output / ".lock"))
        except LockHeldError as error:
            raise PublishError(f"{output}: {error}. Wait for that run to end; if it hangs, end it and start again.") from None
        for place in ("manifests/*", "refused"):
            for left in output.glob(f"{place}/.*.json.*"):
                left.unlink(missing_ok=True)
        shutil.rmtree(output / "staging", ignore_errors=True)
        yield
        for left in (output / "staging").glob("*"):  # what gave way to the new
            shutil.rmtree(left, ignore_errors=True)


class LockHeldError(BlockingIOError):
    """A lock file is held by another process."""


@contextmanager
def hold(path: Path, *, patience: float = 0.0) -> Iterator[None]:
    """Hold the lock file `path`, waiting for it up to `patience` seconds.

    Raises
    ------
    LockHeldError
        Another process still holds it; the message tells which.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    # Never truncated on opening and never deleted: the holder's note must stay readable, and a new file is a new lock.
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        _acquire(descriptor, patience)
        note = json.dumps({"pid": os.getpid(), "host": socket.gethostname()}).encode()
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, note, 0)
        yield
    finally:
        os.close(descriptor)


def _acquire(descriptor: int, patience: float) -> None:
    waits = round(patience / _PAUSE)
    while True:
        try:
            return fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if waits <= 0:
                raise LockHeldError(_holder(descriptor)) from None
            waits -= 1
            time.sleep(_PAUSE)


def _holder(descriptor: int) -> str:
    try:
        note = json.loads(os.pread(descriptor, 4096, 0))
        return f"locked by process {note['pid']} on {note['host']}"
    except (ValueError, KeyError, TypeError):
        return "locked by another process"
