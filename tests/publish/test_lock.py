import errno
import os
import signal
import subprocess
import sys

import pytest

from custvalue.errors import PublishError, TryAgainError
from custvalue.publish import lock, stage

HOLD = """
import sys, time
from pathlib import Path
from custvalue.publish import lock
with lock(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def holder(tmp_path):
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def test_a_second_process_is_told_who_holds_the_lock(holder, tmp_path):
    with pytest.raises(PublishError, match=rf"process {holder.pid} on ") as refused, lock(tmp_path):
        pass
    assert refused.value.exit_code == 5


def test_a_killed_holder_frees_the_lock(holder, tmp_path):
    os.kill(holder.pid, signal.SIGKILL)
    holder.wait()
    with lock(tmp_path):
        assert str(os.getpid()) in (tmp_path / ".lock").read_text()


def test_the_lock_can_be_taken_again_after_release(tmp_path):
    for _ in range(2):
        with lock(tmp_path):
            pass


def test_an_error_inside_passes_through_and_frees_the_lock(tmp_path):
    with pytest.raises(KeyError), lock(tmp_path):
        raise KeyError("a")
    with lock(tmp_path):
        pass


def test_taking_the_lock_clears_what_a_killed_run_staged(tmp_path):
    with lock(tmp_path):
        (stage(tmp_path, "run") / "half.parquet").write_bytes(b"half")
    with lock(tmp_path):
        assert not (tmp_path / "staging").exists()


def test_a_full_disk_under_the_lock_asks_to_try_again(tmp_path):
    with pytest.raises(TryAgainError) as full, lock(tmp_path):
        raise OSError(errno.ENOSPC, "No space left on device")
    assert full.value.exit_code == 75


def test_every_attempt_stages_into_its_own_folder(tmp_path):
    assert [stage(tmp_path, "run").name for _ in range(2)] == ["run.1", "run.2"]
