"""Help comes at once and says what every command and option is for."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from custvalue.app.cli import app, run

CUSTVALUE = str(Path(sys.executable).with_name("custvalue"))
# Of the names that design promises, those of this version.
COMMANDS = {
    "init",
    "demo",
    "simulate",
    "check",
    "features",
    "tiers",
    "what-if",
    "train",
    "promote",
    "score",
    "lists",
    "nightly",
    "approve",
    "backfill",
    "nights",
    "monitor",
    "effect",
    "orders",
    "feedback",
    "forget",
    "serve",
    "reasons",
    "users",
    "db",
}
HEAVY = {
    "mlflow", "lightgbm", "ibis", "pandas", "shap", "numpy", "sklearn", "duckdb", "pyarrow", "matplotlib", "xlsxwriter", "scipy", "fastapi",
    "sqlalchemy", "alembic", "openpyxl", "argon2", "jinja2",
}  # fmt: skip

commands = typer.main.get_command(app).commands
EVERY = {(name,): command for name, command in commands.items()}
EVERY |= {(*name, inner): command for name, group in list(EVERY.items()) for inner, command in getattr(group, "commands", {}).items()}


def test_help_loads_no_heavy_library():
    environment = os.environ | {"PYTHONPROFILEIMPORTTIME": "1"}
    done = subprocess.run([CUSTVALUE, "--help"], env=environment, capture_output=True, text=True, check=True)
    loaded = {line.rpartition("|")[2].strip().partition(".")[0] for line in done.stderr.splitlines() if "|" in line}
    assert {"custvalue", "typer"} <= loaded
    assert loaded & HEAVY == set()


def test_no_command_s_help_and_no_usage_error_loads_a_heavy_library():
    code = (
        "import sys\n"
        "from custvalue.app.cli import run\n"
        f"codes = [run([name, '--help']) for name in {sorted(COMMANDS)}]\n"
        "codes += [run(['train']), run(['nothing'])]\n"
        "print(codes, sorted({name.partition('.')[0] for name in sys.modules}), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    codes, _, modules = done.stderr.splitlines()[-1].partition("] ")
    assert codes == "[" + ", ".join(["0"] * len(COMMANDS) + ["2", "2"])
    assert {name for name in HEAVY if f"'{name}'" in modules} == set()
    assert "'custvalue'" in modules


def test_the_commands_are_those_that_are_promised():
    assert set(commands) == COMMANDS


@pytest.mark.parametrize("name", sorted(EVERY), ids=" ".join)
def test_every_command_and_option_is_explained(name, capsys):
    command = EVERY[name]
    assert command.help
    assert len(command.help.split()) >= 5
    for parameter in command.params:
        assert parameter.help, parameter.name
    assert run([*name, "--help"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert command.help.split(".")[0].split(",")[0][:30] in shown
    assert all(name in shown for parameter in command.params for name in parameter.opts if name.startswith("-"))


@pytest.mark.parametrize("option", ["-h", "--help"])
def test_help_tells_the_exit_codes(option, capsys):
    assert run([option]) == 0
    out = " ".join(capsys.readouterr().out.split())
    for told in ("0 done", "1 a bug of ours", "2 usage or config", "3 data contract", "4 model", "5 publish conflict", "75 try again"):
        assert told in out
