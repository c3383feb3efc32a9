"""A starter workspace: ready configs and the folders that they name."""

from __future__ import annotations

import shutil
from pathlib import Path

from custvalue.config import ready_configs
from custvalue.errors import ConfigError

_README = """# A custvalue workspace

- `configs/` holds one YAML file an operator (start from `demo.yaml`), tier policies, retention policies, wording and source mappings.
- `data/` is for your tables, `output/` for published nights, `models/` for the MLflow store.

Start with

    custvalue check -c configs/demo.yaml
"""


def create_workspace(folder: Path) -> list[Path]:
    """Copy the ready configs into a new or empty folder.

    Returns
    -------
    list of Path
        What was made.

    Raises
    ------
    ConfigError
        The folder holds something already, or cannot be written; nothing is changed then.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ConfigError(f"{folder} is not an empty folder. Name a new one; nothing was written.")
    try:
        shutil.copytree(ready_configs(), folder / "configs", dirs_exist_ok=True)
        for name in ("data", "models", "output"):
            (folder / name).mkdir()
        (folder / "README.md").write_text(_README, encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{folder}: cannot be written ({error.strerror}). Name a folder that you may write to.") from error
    return sorted(folder.iterdir())
