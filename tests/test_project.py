"""The project's own promises: pinned, layered, licensed, and free of the machine it was written on."""

from __future__ import annotations

import ast
import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

REPOSITORY = Path(__file__).parents[1]
PACKAGE = REPOSITORY / "src" / "custvalue"
RequirePart = Callable[[str, bool], None]

# Put together here, so that this file does not hold what it forbids.
FORBIDDEN_NAMES = ("pypi" + ".org", "python" + "hosted", "anaconda" + ".org", "index" + "-url")
FORBIDDEN_FOLDER = re.compile(r"(?:^|[^.$A-Za-z0-9_/-])/(?:" + "|".join(("wo" + "rk", "ro" + "ot", "fa" + "rm")) + ")/")


@pytest.fixture(scope="module")
def pyproject() -> dict[str, Any]:
    return tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def requirements(pyproject: dict[str, Any]) -> list[Requirement]:
    project = pyproject["project"]
    return [Requirement(line) for lines in (project["dependencies"], *project["optional-dependencies"].values()) for line in lines]


@pytest.fixture(scope="module")
def pins() -> dict[str, str]:
    lines = (REPOSITORY / "constraints-py311.txt").read_text(encoding="utf-8").splitlines()
    pairs = [line.split("==") for line in lines if not line.startswith("#")]
    return {canonicalize_name(name): version for name, version in pairs}


def rooms() -> set[str]:
    modules = {path.stem for path in PACKAGE.glob("*.py")} - {"__init__", "__main__"}
    return modules | {path.parent.name for path in PACKAGE.glob("*/__init__.py")}


def closure(requirements: list[Requirement]) -> set[str]:
    """Names of all installed distributions that the requirements pull in, extras and markers honoured."""
    waiting = [(requirement, extra) for requirement in requirements for extra in {"", *requirement.extras}]
    seen: set[tuple[str, str]] = set()
    while waiting:
        requirement, extra = waiting.pop()
        key = (canonicalize_name(requirement.name), extra)
        if key in seen:
            continue
        seen.add(key)
        for line in importlib.metadata.requires(requirement.name) or []:
            child = Requirement(line)
            if child.marker is None or child.marker.evaluate({"extra": extra}):
                waiting += [(child, wanted) for wanted in {"", *child.extras}]
    return {name for name, _ in seen}


def test_constraints_are_plain_pins_without_hosts() -> None:
    lines = (REPOSITORY / "constraints-py311.txt").read_text(encoding="utf-8").splitlines()
    pinned = [line for line in lines if not line.startswith("#")]
    assert len(pinned) > 50
    assert [line for line in pinned if not re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.+!]+", line)] == []


def test_every_direct_dependency_is_pinned_inside_its_range(requirements: list[Requirement], pins: dict[str, str]) -> None:
    outside = [str(r) for r in requirements if not r.specifier.contains(pins.get(canonicalize_name(r.name), "0"))]
    assert outside == []


def test_a_new_installation_holds_nothing_unpinned(
    requirements: list[Requirement], pins: dict[str, str], require_part: RequirePart
) -> None:
    require_part("CPython 3.11 on Linux", sys.version_info[:2] == (3, 11) and sys.platform == "linux")
    assert closure(requirements) - pins.keys() == set()


def test_every_room_says_what_it_is() -> None:
    files = [*PACKAGE.glob("*.py"), *PACKAGE.glob("*/__init__.py")]
    first_lines = {
        path.relative_to(PACKAGE).as_posix(): (ast.get_docstring(ast.parse(path.read_bytes())) or "").partition("\n")[0] for path in files
    }
    assert {name: line for name, line in first_lines.items() if len(line.split()) < 3} == {}


def test_layers_name_every_room(pyproject: dict[str, Any]) -> None:
    (contract,) = pyproject["tool"]["importlinter"]["contracts"]
    named = {name.strip().removeprefix("custvalue.") for layer in contract["layers"] for name in layer.split("|")}
    assert rooms() == named


def test_every_ready_yaml_file_parses() -> None:
    files = [path for pattern in ("*.yaml", "*.yml") for path in (REPOSITORY / "configs").rglob(pattern)]
    contents = {path.relative_to(REPOSITORY): yaml.safe_load(path.read_text(encoding="utf-8")) for path in files}
    assert contents
    assert [path for path, content in contents.items() if not isinstance(content, dict | list)] == []


def test_license_is_the_whole_apache_text() -> None:
    words = (REPOSITORY / "LICENSE").read_text(encoding="utf-8").split()
    text = " ".join(words)
    assert text.startswith("Apache License Version 2.0, January 2004 http://www.apache.org/licenses/ TERMS AND")
    assert [f"{n}." in words for n in range(1, 10)] == [True] * 9
    assert "END OF TERMS AND CONDITIONS APPENDIX: How to apply the Apache License to your work." in text
    assert text.endswith("See the License for the specific language governing permissions and limitations under the License.")


def test_no_file_names_a_registry_or_a_folder_of_one_machine(require_part: RequirePart) -> None:
    require_part("git, with the repository's .git", bool(shutil.which("git")) and (REPOSITORY / ".git").exists())
    command = ["git", "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=REPOSITORY, check=True, capture_output=True, text=True).stdout
    files = [path for name in listed.split("\0") if name and (path := REPOSITORY / name).is_file()]
    assert PACKAGE / "errors.py" in files
    offending = []
    for path in files:
        for number, line in enumerate(path.read_bytes().decode("utf-8", errors="replace").splitlines(), start=1):
            if any(name in line.lower() for name in FORBIDDEN_NAMES) or FORBIDDEN_FOLDER.search(line):
                offending.append(f"{path.relative_to(REPOSITORY)}:{number}: {line.strip()[:100]}")
    assert offending == []


@pytest.fixture
def make(tmp_path: Path, require_part: RequirePart) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run make on a copy of the files that it reads, in a folder where nothing is installed."""
    require_part("make", shutil.which("make") is not None)
    for name in ("Makefile", "pyproject.toml", "constraints-py311.txt"):
        shutil.copy(REPOSITORY / name, tmp_path / name)
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("MAKE", "MFLAGS"))}

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(["make", *arguments], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)

    return run


@pytest.mark.parametrize(("target", "stamp"), [("demo", ".installed"), ("test", ".installed-dev")])
def test_make_installs_once_and_again_when_the_pins_change(make, tmp_path: Path, target: str, stamp: str) -> None:
    assert "pip install" in make("-n", target).stdout
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv" / stamp).touch()
    assert "pip install" not in make("-n", target).stdout
    os.utime(tmp_path / "constraints-py311.txt", (4e9, 4e9))
    assert "pip install" in make("-n", target).stdout


@pytest.mark.parametrize("target", ["demo", "test"])
def test_a_failed_set_up_is_told_and_not_taken_for_done(make, tmp_path: Path, target: str) -> None:
    done = make(target, "PYTHON=no-such-python")
    assert done.returncode != 0
    assert "custvalue needs Python 3.11 or newer; 'no-such-python'" in done.stderr
    assert list(tmp_path.rglob(".installed*")) == []


def test_make_alone_lists_every_target(make) -> None:
    (phony,) = re.findall(r"^\.PHONY: (.*)$", (REPOSITORY / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert re.findall(r"^  make (\w+)", make().stdout, re.MULTILINE) == phony.split()


def test_the_wheel_holds_the_ready_configs(tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "-q",
        "--no-deps",
        "--no-build-isolation",
        "--wheel-dir",
        str(tmp_path),
        str(REPOSITORY),
    ]
    subprocess.run(command, check=True)
    (wheel,) = tmp_path.glob("custvalue-*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    shipped = {path.relative_to(REPOSITORY).as_posix() for path in (REPOSITORY / "configs").rglob("*.yaml")}
    assert shipped
    assert {f"custvalue/{name}" for name in shipped} - names == set()
    assert "custvalue/py.typed" in names
