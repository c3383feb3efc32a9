"""What a training ran on, as text that can be compared: Python, platform and package versions; nothing of this machine's name or paths."""

from __future__ import annotations

import json
import os
import platform
from importlib.metadata import PackageNotFoundError, requires, version
from typing import Any

FILE = "environment.json"


def environment(*, threads: int) -> str:
    """Describe the environment as JSON; the packages are those that custvalue itself asks for.

    Parameters
    ----------
    threads : int
        Threads that the booster trained with; a model is repeatable only with the same number.
    """
    told: dict[str, Any] = {
        "python": platform.python_version(),
        "implementation": platform.python_implementation(),
        "system": platform.system(),
        "release": platform.release(),
        "machine": platform.machine(),
        "libc": " ".join(platform.libc_ver()).strip(),
        "cpus": os.cpu_count(),
        "threads": threads,
        "packages": _packages(),
    }
    return json.dumps(told, indent=2)


def _packages() -> dict[str, str]:
    wanted = {"custvalue"}
    for line in requires("custvalue") or []:
        requirement, _, marker = line.partition(";")
        if "extra" not in marker:
            wanted.add(_name(requirement))
    found = {}
    for package in sorted(wanted):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def _name(requirement: str) -> str:
    end = next((place for place, letter in enumerate(requirement) if not (letter.isalnum() or letter in "-_.")), len(requirement))
    return requirement[:end]
