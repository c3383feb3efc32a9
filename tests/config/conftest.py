from collections.abc import Callable
from pathlib import Path

import pytest

MINIMAL = "sources: {folder: data}\ntier_policy: tiers.yaml\nretention_policy: retention.yaml\n"


@pytest.fixture
def config_file(tmp_path: Path) -> Callable[..., Path]:
    """Write a config that is complete, with lines added at its end, or other text in its place."""

    def write(added: str = "", *, text: str = MINIMAL, name: str = "operator.yaml") -> Path:
        path = tmp_path / name
        path.write_text(text + added, encoding="utf-8")
        return path

    return write
