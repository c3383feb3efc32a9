"""The catalogue, held against every column that features may have."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import date
from functools import cache
from pathlib import Path

import ibis

from custvalue.config import FeaturesConfig
from custvalue.errors import ConfigError
from custvalue.explain.portfolio_plot import LABELS
from custvalue.features import FeatureColumn, build_features
from custvalue.sources import CONTRACT, Moment
from custvalue.wording import Catalogue, KnownColumns, load_catalogue, windowless

_TYPES = {"VARCHAR": "string", "DATE": "date", "TIMESTAMP": "timestamp(6)", "BOOLEAN": "boolean", "INTEGER": "int32", "BIGINT": "int64"}
_WINDOWS = (1, 3, 12)
"""Every set of windows has some of the columns of this one, but for the numbers in their names."""

_ANY = "any"


def load_wording(folder: Path) -> Catalogue:
    """Read the wording and hold it against every column that features may have, mapped tonight or not.

    Raises
    ------
    ConfigError
        The faults of `load_catalogue`; a sentence speaks of a column that no feature has, or writes it in a format that its unit does not
        fit; a column's reason has no words, or words have no column. Each is told with its line. A label of the portfolio's figure is
        missing.
    """
    found = b"".join(path.read_bytes() for path in sorted(folder.glob("*.yaml")))
    return _load(folder, hashlib.sha256(found).hexdigest())


@cache
def _load(folder: Path, _digest: str) -> Catalogue:
    """Read it once for each state of its files: a run asks several times."""
    catalogue = load_catalogue(folder, columns=known_columns())
    missing = [f"portfolio.{name}" for name in LABELS if name not in catalogue.names("portfolio")]
    if missing:
        raise ConfigError(f"{folder / 'labels.yaml'}: no entry for {', '.join(missing)}. Add them with en and zh.")
    return catalogue


@cache
def known_columns() -> KnownColumns:
    """Gather units and reasons of all columns of an operator who maps every table and column of the contract."""
    columns = declared(_WINDOWS).values()
    return KnownColumns(
        units={windowless(column.name): column.unit for column in columns},
        reasons={column.reason: column.name for column in columns},
        own={"product_": f"product_{_ANY}", "complaint_about_": f"complaint_about_{_ANY}_<w>m"},
    )


def declared(windows: tuple[int, ...], products: tuple[str, ...] = (_ANY,)) -> Mapping[str, FeatureColumn]:
    """Give the columns of such an operator, by name, for a set of windows; no data are read."""
    tables = {
        name: ibis.table(
            {c.name: _TYPES.get(c.dtype, c.dtype.lower()) for c in table.columns} | {"available_at": "timestamp(6)"}, name=name
        )
        for name, table in CONTRACT.items()
    }
    settings = FeaturesConfig(windows=windows, products=products, complaint_categories=(_ANY, "network", "billing"))
    return {column.name: column for column in build_features(tables, Moment(date(2026, 1, 1)), settings).columns}
