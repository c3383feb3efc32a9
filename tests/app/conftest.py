from __future__ import annotations

import os
from pathlib import Path

import pytest
import yaml

from custvalue.app.cli import run

REPOSITORY = Path(__file__).parents[2]

# A developer's own key or name must not reach the tests.
for name in ("CUSTVALUE_TOKEN_KEY", "CUSTVALUE_ACTOR"):
    os.environ.pop(name, None)


@pytest.fixture(scope="session")
def tables(tmp_path_factory) -> Path:
    """Tables of a very small operator; never change them."""
    folder = tmp_path_factory.mktemp("tables") / "op"
    assert run(["simulate", str(folder), "--customers", "300", "--months", "8", "--seed", "3"]) == 0
    return folder


@pytest.fixture
def config(tables, tmp_path) -> Path:
    """A config for the small operator."""
    content = {
        "currency": "CNY",
        "time_zone": "Asia/Shanghai",
        "sources": {"folder": str(tables)},
        "features": {"windows": [1, 3]},
        "tier_policy": str(REPOSITORY / "configs" / "tiers" / "consumer.yaml"),
        "retention_policy": str(REPOSITORY / "configs" / "retention" / "default.yaml"),
    }
    path = tmp_path / "small.yaml"
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    return path
