"""What explained the risk on a published night, and what rose since an earlier one."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pandas as pd

from custvalue import publish
from custvalue.errors import DataError
from custvalue.explain.portfolio import compare
from custvalue.publish.manifests import published_dates
from custvalue.sources import add_months

PORTFOLIO_FILE, PORTFOLIO_FIGURE = "reasons_by_group.parquet", "reasons_by_group.png"


def published_portfolio(output: Path, as_of: date) -> tuple[pd.DataFrame, date | None]:
    """Read what explained the risk on a published night, and what rose since the newest night that is one to two months older.

    Returns
    -------
    found : DataFrame
        What `explain.portfolio.compare` gives; without an earlier night what `portfolio` gave.
    earlier : date or None
        The night it is compared with.

    Raises
    ------
    DataError
        The night is not published, or damaged.
    """
    now = _read_portfolio(output, as_of)
    days = [day for day in published_dates(output) if add_months(as_of, -2) <= day <= add_months(as_of, -1)]
    return (compare(now, _read_portfolio(output, days[-1])), days[-1]) if days else (now, None)


def _read_portfolio(output: Path, as_of: date) -> pd.DataFrame:
    path = publish.published(output, as_of).folder / PORTFOLIO_FILE
    if not path.is_file():
        raise DataError(f"night {as_of} was published without {PORTFOLIO_FILE}; score it again with `custvalue nightly --force`.")
    return pd.read_parquet(path)
