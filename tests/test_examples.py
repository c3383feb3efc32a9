"""The examples do what they say: every command line is one that custvalue has, and exit codes lead where they should."""

from __future__ import annotations

import ast
import json
import os
import re
import runpy
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
import typer
import yaml

from custvalue.app.cli import app

REPOSITORY = Path(__file__).parents[1]
EXAMPLES = REPOSITORY / "examples"
COMMANDS = typer.main.get_command(app).commands
TEXTS = [*(path for path in sorted(EXAMPLES.rglob("*")) if path.is_file()), REPOSITORY / "docs" / "nightly.md"]


def command_lines(text: str) -> list[list[str]]:
    """Command lines that a text tells to run, as words: after `custvalue`, up to whatever ends a command; and lists of arguments."""
    names = "|".join(map(re.escape, COMMANDS))
    found = re.findall(rf"custvalue\s+({names})\b([^\n`|;&]*)", text.replace("\\\n", " "))
    lists = re.findall(rf'\[\s*"({names})"([^\]]*)\]', text)
    plain = [[name, *words(re.split(r"\s#|\s{2,}|[.,:)'\"]?$", rest, maxsplit=1)[0])] for name, rest in found]
    return plain + [[name, *re.findall(r"[\w./{}$-]+", rest)] for name, rest in lists]


def words(line: str) -> list[str]:
    quoted = line.replace("'", "") if line.count("'") % 2 else line
    return shlex.split(quoted + '"' if quoted.count('"') % 2 else quoted)


def faults(line: list[str]) -> list[str]:
    name, *rest = line
    known = {option for parameter in COMMANDS[name].params for option in parameter.opts if option.startswith("-")}
    return [word for word in rest if re.match(r"--?[a-z]", word) and word not in known]


def test_every_command_line_has_the_options_that_it_names():
    lines = {path.relative_to(REPOSITORY).as_posix(): command_lines(path.read_text(encoding="utf-8")) for path in TEXTS}
    assert {name for name, found in lines.items() if any(line[0] == "nightly" for line in found)} >= {
        "docs/nightly.md",
        "examples/cron/nightly.sh",
        "examples/systemd/custvalue-nightly.service",
        "examples/airflow/custvalue_nightly.py",
        "examples/databricks/databricks.yml",
        "examples/docker/Dockerfile",
    }
    assert {name: [line for line in found if faults(line)] for name, found in lines.items() if any(map(faults, found))} == {}


def test_a_wrong_option_would_be_found():
    (line,) = command_lines("run `custvalue nightly -c x.yaml --as-off 2026-01-01` now")
    assert faults(line) == ["--as-off"]


@pytest.fixture
def answering(tmp_path):
    """Give a folder for PATH whose `custvalue` ends with the codes given, one after another, and remembers how it was called."""

    def made(*codes: int) -> Path:
        folder = tmp_path / "bin"
        folder.mkdir()
        (folder / "codes").write_text("".join(f"{code}\n" for code in codes), encoding="utf-8")
        script = f'#!/bin/sh\ncd {folder}\necho "$@" >> calls\nn=$(wc -l < calls)\nexit $(sed -n "${{n}}p" codes)\n'
        (folder / "custvalue").write_text(script, encoding="utf-8")
        (folder / "custvalue").chmod(0o755)
        return folder

    return made


CODES = [
    ((0,), 0, None),
    ((75, 75, 0), 0, None),
    ((3,), 3, "late or broken data"),
    ((75, 4), 4, "no usable model"),
    ((1,), 1, "unexpected"),
]


@pytest.mark.parametrize(("codes", "end", "alert"), [*CODES, ((75,) * 4, 75, "still not possible"), ((2,), 2, "config"), ((5,), 5, "lock")])
def test_the_script_tries_again_on_75_alone_and_tells_of_every_other_failure(answering, codes, end, alert):
    folder = answering(*codes)
    environment = os.environ | {"PATH": f"{folder}:{os.environ['PATH']}", "CUSTVALUE_PAUSE": "0", "CUSTVALUE_TRIES": "4"}
    done = subprocess.run(
        ["sh", EXAMPLES / "cron" / "nightly.sh", "a config.yaml", "2026-01-01"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == end
    assert (folder / "calls").read_text(encoding="utf-8").splitlines() == ["nightly -c a config.yaml --as-of 2026-01-01"] * len(codes)
    assert (alert in done.stdout) if alert else done.stdout == ""


def test_the_crontab_has_five_fields_and_no_percent_sign_that_cron_would_take_for_a_line_break():
    lines = (EXAMPLES / "cron" / "custvalue.cron").read_text(encoding="utf-8").splitlines()
    (entry,) = [line for line in lines if re.match(r"[\d*]", line)]
    assert re.fullmatch(r"([\d*/,-]+ ){5} ?/\S+/nightly\.sh /\S+\.yaml 2>>/\S+", entry)
    assert "%" not in entry


@pytest.mark.parametrize(("codes", "end", "alert"), CODES)
def test_the_dag_raises_what_airflow_tries_again_on_75_alone(answering, monkeypatch, codes, end, alert):
    tree = ast.parse((EXAMPLES / "airflow" / "custvalue_nightly.py").read_text(encoding="utf-8"))
    compile(tree, "custvalue_nightly.py", "exec")
    (function,) = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "run_custvalue"]
    constants = [node for node in tree.body if isinstance(node, ast.Assign)]
    retried, ended = type("Retried", (Exception,), {}), type("Ended", (Exception,), {})
    names = {"subprocess": subprocess, "AirflowException": retried, "AirflowFailException": ended}
    exec(compile(ast.Module([*constants, function], []), "dag", "exec"), names)  # noqa: S102 - our own file
    folder = answering(*codes)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    for code in codes:
        expected = retried if code == 75 else ended if code else None
        if expected is None:
            names["run_custvalue"](["nightly"])
        else:
            with pytest.raises(expected, match=f"exit code {code}"):
                names["run_custvalue"](["nightly"])


@pytest.mark.parametrize(("codes", "end", "alert"), CODES)
def test_the_databricks_script_tries_again_on_75_alone(codes, end, alert):
    found = runpy.run_path(str(EXAMPLES / "databricks" / "nightly.py"))["run_patiently"]
    left = list(codes)
    found.__globals__["run"] = lambda _: left.pop(0)
    assert found(["nightly"], tries=4, pause_seconds=0) == end
    assert left == []


def test_the_databricks_bundle_names_its_script_its_cluster_and_its_parameters():
    bundle = yaml.safe_load((EXAMPLES / "databricks" / "databricks.yml").read_text(encoding="utf-8"))
    assert bundle.keys() == {"bundle", "variables", "resources"}
    (job,) = bundle["resources"]["jobs"].values()
    known = {"name", "max_concurrent_runs", "schedule", "parameters", "email_notifications", "tasks", "job_clusters"}
    assert job.keys() == known
    (task,) = job["tasks"]
    assert task["max_retries"] == 0
    assert task["job_cluster_key"] in {cluster["job_cluster_key"] for cluster in job["job_clusters"]}
    assert (EXAMPLES / "databricks" / task["spark_python_task"]["python_file"]).is_file()
    text = json.dumps(task)
    assert set(re.findall(r"job\.parameters\.(\w+)", text)) == {parameter["name"] for parameter in job["parameters"]}
    assert set(re.findall(r"\$\{var\.(\w+)", text)) == bundle["variables"].keys()


def test_systemd_takes_the_units(require_part, tmp_path):
    require_part("systemd-analyze", shutil.which("systemd-analyze") is not None)
    for path in (EXAMPLES / "systemd").iterdir():
        shutil.copy(path, tmp_path)
    # the folder of a real installation is not here
    service = tmp_path / "custvalue-nightly.service"
    service.write_text(service.read_text(encoding="utf-8").replace("/srv/custvalue", str(tmp_path)), encoding="utf-8")
    units = [tmp_path / name for name in ("custvalue-nightly.service", "custvalue-nightly.timer", "custvalue-alert@x.service")]
    (tmp_path / "custvalue-alert@.service").rename(units[2])
    done = subprocess.run(["systemd-analyze", "verify", *units], capture_output=True, text=True, check=False)
    own = [line for line in done.stderr.splitlines() if str(tmp_path) in line or "custvalue" in line]
    assert own == []
    (when,) = re.findall(r"^OnCalendar=(.*)$", (EXAMPLES / "systemd" / "custvalue-nightly.timer").read_text(encoding="utf-8"), re.MULTILINE)
    told = subprocess.run(["systemd-analyze", "calendar", when], capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stderr


def test_systemd_tries_again_on_75_alone():
    text = (EXAMPLES / "systemd" / "custvalue-nightly.service").read_text(encoding="utf-8")
    assert "Restart=on-failure\n" in text
    assert "RestartPreventExitStatus=1 2 3 4 5\n" in text
    assert "OnFailure=custvalue-alert@%n.service\n" in text


def instructions() -> list[tuple[str, str]]:
    text = (EXAMPLES / "docker" / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    return [(line.split(" ", 1)[0], line.split(" ", 1)[1].strip()) for line in lines]


def test_the_image_is_made_from_files_that_are_there_and_let_through():
    kept = {
        line[1:] for line in (EXAMPLES / "docker" / "Dockerfile.dockerignore").read_text(encoding="utf-8").splitlines() if line[:1] == "!"
    }
    copied = [word for name, rest in instructions() if name == "COPY" and "--from" not in rest for word in rest.split()[:-1]]
    assert set(copied) == kept
    assert [name for name in copied if not (REPOSITORY / name).exists()] == []
    # hatchling reads these from the folder that pip builds
    assert {"pyproject.toml", "README.md", "LICENSE", "src", "configs"} <= set(copied)


def test_the_image_runs_custvalue_and_not_as_root():
    found = instructions()
    assert {name for name, _ in found} <= {"FROM", "WORKDIR", "COPY", "RUN", "ENV", "USER", "VOLUME", "ENTRYPOINT", "CMD"}
    last = dict(found)
    assert json.loads(last["ENTRYPOINT"]) == ["custvalue"]
    assert json.loads(last["CMD"]) == ["--help"]
    assert last["USER"] == "custvalue"
    minor = {rest.split()[0] for name, rest in found if name == "FROM"}
    assert minor == {"python:3.11-slim"}
    (install,) = [rest for name, rest in found if name == "RUN" and "/bin/pip install" in rest]
    assert "-c constraints-py311.txt" in install
    assert '".[database]"' in install


def test_python_examples_compile():
    for path in EXAMPLES.rglob("*.py"):
        compile(path.read_text(encoding="utf-8"), path.name, "exec")
