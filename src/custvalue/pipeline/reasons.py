"""Reasons of everybody who is scored, and what they add up to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from custvalue import publish
from custvalue.churn import ModelBundle
from custvalue.errors import DataError
from custvalue.explain import Reasons, explain, weights_by_reason
from custvalue.explain.portfolio import compare, portfolio, portfolio_sums
from custvalue.explain.portfolio_plot import save_portfolio
from custvalue.pipeline.stages import Features
from custvalue.publish.manifests import published_dates
from custvalue.sources import add_months
from custvalue.wording import Catalogue

REASONS_FILE, PORTFOLIO_FILE, PORTFOLIO_FIGURE = "reasons.parquet", "reasons_by_group.parquet", "reasons_by_group.png"
DIMENSIONS = ("tier", "region", "segment")
"""What the portfolio groups customers by, where it is known."""

_BATCH = 50_000


@dataclass(frozen=True)
class NightReasons:
    """Reasons of one night.

    Attributes
    ----------
    table : pyarrow.Table
        ``customer_id``, ``reason_codes``, ``reasons_en``, ``reasons_zh``, ``reason_weights``, one row a customer.
    portfolio : DataFrame
        What `explain.portfolio.portfolio` gives for the whole base.
    """

    table: pa.Table
    portfolio: pd.DataFrame

    def of(self, customers: Sequence[str]) -> Reasons:
        """Give the reasons of some customers, in the order given."""
        places = pd.Index(self.table["customer_id"].to_pandas()).get_indexer(pd.Index(customers))
        return Reasons(self.table.take(pa.array(places)))

    def save(self, folder: Path, catalogue: Catalogue, *, language: str, tiers: Sequence[str]) -> None:
        """Write the reasons, the portfolio and its figure into a night's folder."""
        pq.write_table(self.table, folder / REASONS_FILE)
        self.portfolio.astype({"group": "string"}).to_parquet(folder / PORTFOLIO_FILE, index=False)
        save_portfolio(folder / PORTFOLIO_FIGURE, self.portfolio, catalogue, language=language, groups=tiers)


def explain_everyone(
    features: Features,
    scored: pd.DataFrame,
    bundle: ModelBundle,
    catalogue: Catalogue,
    *,
    currency: str,
    as_of: date,
) -> NightReasons:
    """Say why each customer's risk is what it is, and how much of the base's risk each reason explains.

    Parameters
    ----------
    features : Features
        Of every active customer.
    scored : DataFrame
        ``customer_id``, ``probability`` and ``tier`` of the same.
    bundle : ModelBundle
        The model that scored them.
    catalogue, currency, as_of
        As for `explain`.
    """
    facts = features.frame.reset_index(drop=True)
    known = scored.set_index("customer_id").loc[facts.customer_id].reset_index()
    groups = pd.DataFrame({name: place[name] for name in DIMENSIONS for place in (known, facts) if name in place.columns})
    tables, sums = [], []
    for start in range(0, len(facts), _BATCH):
        part = slice(start, start + _BATCH)
        own = facts.iloc[part]
        contributions = bundle.contributions(own)
        reasons = explain(contributions, own, features.columns, catalogue, currency=currency, as_of=as_of)
        codes, weights = weights_by_reason(contributions, features.columns, catalogue)
        sums.append(portfolio_sums(codes, weights, known.probability.iloc[part].to_numpy(), reasons, groups.iloc[part]))
        tables.append(reasons.table.add_column(0, "customer_id", pa.array(own.customer_id)))
    return NightReasons(pa.concat_tables(tables), portfolio(sums))


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
