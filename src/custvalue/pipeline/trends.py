"""What the page plots and tells of single customers beside their features: twelve months of bill, usage and complaints, and their tiers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

import ibis
import numpy as np
import pandas as pd

from custvalue.config import Config
from custvalue.pipeline.ratings import Rated, rating_store
from custvalue.sources import SourceTables, add_months
from custvalue.tiers import tier_history

MONTHS = 12
_SUMS = (("billing", "revenue", "bill"), ("usage", "data_mb", "data_mb"), ("usage", "voice_minutes", "voice_minutes"))


def customer_trends(tables: SourceTables, customers: Sequence[str], as_of: date) -> pd.DataFrame:
    """Give the last twelve whole months of some customers, as known on a night.

    Parameters
    ----------
    tables : SourceTables
        The operator's.
    customers : sequence of str
        Whose.
    as_of : date
        The night.

    Returns
    -------
    DataFrame
        By customer_id, in the order given: ``trend_months`` (ISO days, oldest first), ``trend_bill`` (currency), ``trend_data_mb``,
        ``trend_voice_minutes`` and ``trend_complaints`` (opened), each a list of twelve numbers, None where no row is known; a column is
        absent where its table is not mapped.
    """
    first = add_months(as_of.replace(day=1), -MONTHS)
    months = [add_months(first, place) for place in range(MONTHS)]
    known, wanted = tables.known(as_of), ibis.memtable(pd.DataFrame({"customer_id": pd.array(list(customers), dtype="string")}))
    found: dict[str, object] = {"trend_months": [[month.isoformat() for month in months]] * len(customers)}
    for table, column, name in _SUMS:
        if table in known and column in known[table].columns:
            rows = known[table].semi_join(wanted, "customer_id")
            rows = rows.filter(rows.month >= first, rows.month < add_months(first, MONTHS))
            totals = rows.group_by("customer_id", "month").agg(total=rows[column].sum().cast("float64"))
            found[f"trend_{name}"] = _by_month(totals.to_pandas(), customers, months, unknown=None)
    if "complaints" in known:
        rows = known["complaints"].semi_join(wanted, "customer_id")
        begins, ends = (tables.moment(day).instant for day in (first, add_months(first, MONTHS)))
        opened = rows.filter(rows.opened_at >= begins, rows.opened_at < ends).select("customer_id", "opened_at").to_pandas()
        local = opened.opened_at.dt.tz_localize("UTC").dt.tz_convert(tables.zone).dt.tz_localize(None)
        counted = opened.assign(month=local.dt.to_period("M").dt.to_timestamp()).groupby(["customer_id", "month"]).size()
        found["trend_complaints"] = _by_month(counted.rename("total").reset_index(), customers, months, unknown=0)
    return pd.DataFrame(found, index=pd.Index(list(customers), name="customer_id"))


def tier_stretches(config: Config, tables: SourceTables, rated: Rated, customers: Sequence[str]) -> pd.Series:
    """Give the tiers of some customers over the ratings that are kept, and the one that a night carries.

    Returns
    -------
    Series
        By customer_id, in the order given, ``tier_history``: a list of ``tier``, ``since`` (ISO day) and ``reason`` (code), newest first;
        empty for who was never rated.
    """
    store, day = rating_store(config, rated.policy), rated.manifest.day
    wanted = ibis.memtable(pd.DataFrame({"customer_id": pd.array(list(customers), dtype="string")}))
    kept = {each: tables.con.read_parquet(store.path(each)).semi_join(wanted, "customer_id") for each in store.days() if each < day}
    own = kept | {day: ibis.memtable(rated.table).semi_join(wanted, "customer_id")}
    stretches = tables.con.execute(tier_history(own)).sort_values("valid_from", ascending=False)
    told: dict[str, list[dict[str, str]]] = {}
    for row in stretches.itertuples():
        told.setdefault(str(row.customer_id), []).append(
            {"tier": str(row.tier), "since": pd.Timestamp(str(row.valid_from)).date().isoformat(), "reason": str(row.reason_code)}
        )
    values = [told.get(customer, []) for customer in customers]
    return pd.Series(values, index=pd.Index(list(customers), name="customer_id"), name="tier_history", dtype=object)


def _by_month(totals: pd.DataFrame, customers: Sequence[str], months: Sequence[date], *, unknown: float | None) -> list[list[float | None]]:
    """Spread the months of each customer out in a row."""
    spread = totals.assign(month=pd.to_datetime(totals["month"])).pivot(index="customer_id", columns="month", values="total")
    spread = spread.reindex(index=list(customers), columns=pd.to_datetime(list(months)))
    rows: Mapping[int, Sequence[float]] = dict(enumerate(spread.to_numpy(dtype="float64").tolist()))
    return [[unknown if np.isnan(value) else value for value in rows[place]] for place in range(len(customers))]
