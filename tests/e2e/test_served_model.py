"""The champion served by MLflow's own server, asked over HTTP as any other program would."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

import numpy as np
import pytest

pytestmark = pytest.mark.long

PATIENCE = 120.0


@pytest.fixture(scope="module")
def ask(trained, tmp_path_factory) -> Iterator[Callable[[dict], tuple[int, dict]]]:
    """Serve ``models:/op@champion`` and give a function that posts to /invocations."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = tmp_path_factory.mktemp("serve") / "log"
    command = [sys.executable, "-m", "mlflow", "models", "serve", "-m", "models:/op@champion", "--env-manager", "local"]
    environment = {
        **os.environ,
        "MLFLOW_TRACKING_URI": f"sqlite:///{trained[0].models}/mlflow.db",
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }
    with log.open("w") as out:
        server = subprocess.Popen(
            [*command, "-h", "127.0.0.1", "-p", str(port), "-w", "1"],
            env=environment,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        wait_for(f"http://127.0.0.1:{port}/ping", server, log)
        yield lambda content: post(f"http://127.0.0.1:{port}/invocations", content)
    finally:
        os.killpg(server.pid, 15)
        server.wait(20)


def wait_for(address: str, server: subprocess.Popen, log: Path) -> None:
    ends = time.monotonic() + PATIENCE
    while time.monotonic() < ends and server.poll() is None:
        try:
            with urlopen(address, timeout=5) as answer:  # noqa: S310 - an address of this machine
                assert answer.status == 200
                return
        except (URLError, ConnectionError, TimeoutError):
            time.sleep(0.2)
    pytest.fail(f"mlflow models serve did not answer: {log.read_text()[-2000:]}")


def post(address: str, content: dict) -> tuple[int, dict]:
    request = Request(address, json.dumps(content).encode(), {"Content-Type": "application/json"})  # noqa: S310
    try:
        with urlopen(request, timeout=60) as answer:  # noqa: S310
            return answer.status, json.load(answer)
    except HTTPError as refused:
        return refused.code, json.load(refused)


def test_a_real_client_gets_the_packages_own_probabilities_from_raw_columns(ask, trained):
    (check,) = trained[0].models.rglob("check.json")
    kept = json.loads(check.read_text(encoding="utf-8"))
    names = [name for name, _ in kept["columns"]]
    assert any(isinstance(value, str) for value in kept["rows"][0])
    assert any(None in row for row in kept["rows"])

    status, answer = ask({"dataframe_split": {"columns": names, "data": kept["rows"]}})
    assert status == 200
    # written by the package when it registered the model
    np.testing.assert_allclose([row["probability"] for row in answer["predictions"]], kept["probabilities"], rtol=0, atol=1e-12)

    record = dict(zip(names, kept["rows"][3], strict=True))
    status, answer = ask({"dataframe_records": [record], "params": {"contributions": True}})
    assert status == 200
    (row,) = answer["predictions"]
    assert row["probability"] == pytest.approx(kept["probabilities"][3], abs=1e-12)
    assert len(row) == 1 + len(names) + 1

    status, answer = ask({"dataframe_split": {"columns": names[1:], "data": [kept["rows"][0][1:]]}})
    assert status == 400
    assert names[0] in json.dumps(answer)
