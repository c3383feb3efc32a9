"""What is said while a command runs: JSON lines for machines, words for people, and no error swallowed."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
import yaml

from custvalue.app.cli import run
from custvalue.app.files import write_parquet
from custvalue.errors import ConfigError

CUSTVALUE = str(Path(sys.executable).with_name("custvalue"))
HIDE, SHOW = "\x1b[?25l", "\x1b[?25h"


def test_every_line_is_json_when_nobody_watches(config, capsys, tmp_path):
    out = tmp_path / "features.parquet"
    assert run(["features", "-c", str(config), "--as-of", "2024-09-01", "--out", str(out)]) == 0
    said = capsys.readouterr()
    events = [json.loads(line) for line in said.err.splitlines()]
    assert [event["event"] for event in events if event["event"] != "note"] == ["check", "features"]
    check, features = (event for event in events if event["event"] != "note")
    assert check["seconds"] >= 0
    assert check["rows"]["managers"] > 0
    assert features["customers"] == len(pd.read_parquet(out))
    assert said.out == f"{features['customers']:,} rows, {len(pd.read_parquet(out).columns) - 1} features: {out}\n"


def test_a_refusal_is_the_last_line_with_its_exit_code(config, capsys):
    assert run(["check", "-c", str(config), "--as-of", "2030-01-01"]) == 3
    *_, last = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert last["event"] == "refused"
    assert last["exit"] == 3
    assert "feed(s) late at 2030-01-01" in last["text"]


def test_chinese_is_written_as_it_is(tmp_path, capsys):
    assert run(["check", "-c", str(tmp_path / "运营商.yaml")]) == 2
    assert "运营商.yaml" in capsys.readouterr().err


def test_an_error_that_nobody_foresaw_comes_through(tmp_path, monkeypatch):
    def broken(_: Path) -> list[Path]:
        raise ZeroDivisionError("a bug of ours")

    monkeypatch.setattr("custvalue.app.workspace.create_workspace", broken)
    with pytest.raises(ZeroDivisionError, match="a bug of ours"):
        run(["init", str(tmp_path / "shop")])


def test_an_error_of_the_system_is_told_with_its_file(tmp_path, monkeypatch, capsys):
    def full(_: Path) -> list[Path]:
        raise OSError(28, "No space left on device", str(tmp_path / "shop"))

    monkeypatch.setattr("custvalue.app.workspace.create_workspace", full)
    assert run(["init", str(tmp_path / "shop")]) == 75
    told = json.loads(capsys.readouterr().err)
    assert {"time", "attempt_id"} <= told.keys()
    assert {key: value for key, value in told.items() if key not in ("time", "attempt_id")} == {
        "event": "refused",
        "exit": 75,
        "text": f"{tmp_path / 'shop'}: No space left on device. Mend it and run the command again.",
    }


@pytest.fixture
def on_a_terminal() -> Callable[..., tuple[int, str]]:
    """Run ``custvalue`` where it takes a person to be watching, who may interrupt it once its spinner turns."""

    def watch(*arguments: str, interrupt: bool = False) -> tuple[int, str]:
        ours, theirs = pty.openpty()
        environment = os.environ | {"TERM": "xterm", "COLUMNS": "140"}
        process = subprocess.Popen([CUSTVALUE, *arguments], stdin=theirs, stdout=theirs, stderr=theirs, env=environment)
        os.close(theirs)
        shown = b""
        while True:
            try:
                part = os.read(ours, 65536)
            except OSError:  # Linux ends a terminal whose last writer is gone with an error
                break
            if not part:
                break
            shown += part
            if interrupt and HIDE.encode() in shown:
                process.send_signal(signal.SIGINT)
                interrupt = False
        os.close(ours)
        return process.wait(timeout=60), shown.decode()

    return watch


def test_a_person_sees_words_and_a_table(config, on_a_terminal):
    code, shown = on_a_terminal("check", "-c", str(config), "--as-of", "2024-09-01")
    assert code == 0
    assert "contract holds: 14 tables" in shown
    assert '{"event"' not in shown
    assert shown.count(HIDE) == shown.count(SHOW) > 0


def test_a_refused_command_gives_the_cursor_back(config, on_a_terminal):
    content = yaml.safe_load(config.read_text(encoding="utf-8"))
    config.write_text(yaml.safe_dump(content | {"sources": {"folder": str(config.parent)}}), encoding="utf-8")
    code, shown = on_a_terminal("check", "-c", str(config))
    assert code == 3
    assert "custvalue: required table(s) missing: customers, billing, departures" in " ".join(shown.split())
    assert shown.rfind(SHOW) > shown.rfind(HIDE) >= 0


def test_an_interrupted_command_gives_the_cursor_back(config, on_a_terminal, tmp_path):
    out = tmp_path / "features.parquet"
    code, shown = on_a_terminal("features", "-c", str(config), "--as-of", "2024-09-01", "--out", str(out), interrupt=True)
    assert code == 130, shown
    assert shown.rfind(SHOW) > shown.rfind(HIDE) >= 0
    assert "Traceback" not in shown
    assert not out.exists()


def test_a_file_is_written_whole_or_not_at_all(tmp_path):
    frame = pd.DataFrame({"customer_id": ["C1"], "score": [1.5]})
    path = tmp_path / "out.parquet"
    write_parquet(path, frame)
    with pytest.raises(Exception, match=r"cannot mix|Conversion failed|Could not convert"):
        write_parquet(path, pd.DataFrame({"customer_id": ["C1", b"\xff", 3]}))
    assert [found.name for found in tmp_path.iterdir()] == ["out.parquet"]
    pd.testing.assert_frame_equal(pd.read_parquet(path), frame)


@pytest.mark.parametrize("name", ["", "absent/out.parquet"])
def test_a_file_needs_a_name_in_a_folder_that_exists(tmp_path, name):
    with pytest.raises(ConfigError, match="name a Parquet file in a folder that exists"):
        write_parquet(tmp_path / name, pd.DataFrame({"a": [1]}))
    assert list(tmp_path.iterdir()) == []
