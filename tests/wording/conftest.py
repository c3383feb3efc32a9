from __future__ import annotations

import pytest

from custvalue.config import ready_configs
from custvalue.wording import Catalogue, load_catalogue


@pytest.fixture(scope="session")
def catalogue() -> Catalogue:
    return load_catalogue(ready_configs() / "wording")
