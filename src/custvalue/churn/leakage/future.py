"""Features that change once the future is taken out of the warehouse."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import date

import ibis
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from custvalue.churn.leakage.evidence import Evidence
from custvalue.churn.leakage.findings import Finding
from custvalue.errors import mask
from custvalue.features import build_features
from custvalue.sources import CONTRACT, Moment, cut
from custvalue.sources.contract import RESTRICTED

_TOLERANCE = 1e-9


def find(evidence: Evidence) -> Iterator[Finding]:
    """Build one snapshot again on tables that hold nothing known later, and compare with the training frame.

    The middle one: most tables have begun by then, half of the history is still to be removed, and one is cheap.
    """
    day = evidence.snapshots[len(evidence.snapshots) // 2]
    for name, count, example in differences(evidence, day, past_tables(evidence, day)):
        yield Finding(
            name,
            f"{count:,} value(s) of snapshot {day} change when rows and values known later are removed, for example {example}.",
            "The column reads what nobody knew at the snapshot: read the table through `SourceTables.known`, "
            "and give it an `available_at`.",
        )


def past_tables(evidence: Evidence, day: date) -> dict[str, ibis.Table]:
    """Tables as they stood at a day: later rows are not there, and values that only later days held are empty."""
    moment, revised = evidence.moment(day), evidence.opened.revised
    return {
        name: cut(_without_future(evidence.whole(name), name, moment), CONTRACT[name], moment, revised=name in revised)
        for name in evidence.opened.rows
        if name not in RESTRICTED
    }


def differences(
    evidence: Evidence, day: date, tables: Mapping[str, ibis.Table], *, only: Collection[str] | None = None
) -> Iterator[tuple[str, int, str]]:
    """Give each column of the frame that comes out otherwise when built from other tables: its name, how often, and an example.

    With `only`, columns of other names are not looked at.
    """
    built = build_features(tables, evidence.moment(day), evidence.features, delay_days=evidence.opened.delay_days, only=only)
    rows = evidence.frame.snapshot == np.datetime64(day)
    customers = evidence.frame.customer[rows]
    rebuilt = built.table.to_pyarrow().to_pandas().set_index("customer_id").reindex(customers)
    for column in evidence.columns:
        if only is not None and column.name not in only:
            continue
        seen = evidence.frame.X[column.name][rows]
        there = rebuilt[column.name] if column.name in rebuilt else pd.Series([None] * len(customers), dtype=object)
        if (different := _unequal(seen, there)).any():
            first = int(np.flatnonzero(different)[0])
            example = f"customer {mask(customers[first])}: {seen.iloc[first]} instead of {there.iloc[first]}"
            yield column.name, int(different.sum()), example


def _without_future(table: ibis.Table, name: str, moment: Moment) -> ibis.Table:
    declared = CONTRACT[name]
    if declared.event is None:
        return table.filter(table.valid_from <= moment.day) if "valid_from" in table.columns else table
    instant = ibis.literal(moment.instant).cast("timestamp(6)")
    rows = table.filter(table.available_at <= instant)
    hidden = {column.name: column.hidden_until for column in declared.columns if column.hidden_until and column.name in rows.columns}
    return rows.mutate(
        **{
            name: ibis.ifelse(rows[until] <= instant, rows[name], ibis.null(rows[name].type()))
            for name, until in hidden.items()
            if until in rows.columns
        }
    )


def _unequal(seen: pd.Series, there: pd.Series) -> NDArray[np.bool_]:
    if pd.api.types.is_numeric_dtype(seen) and pd.api.types.is_numeric_dtype(there):
        left, right = seen.to_numpy(dtype=np.float64, na_value=np.nan), there.to_numpy(dtype=np.float64, na_value=np.nan)
        close: NDArray[np.bool_] = np.isclose(left, right, rtol=_TOLERANCE, atol=_TOLERANCE, equal_nan=True)
        return ~close
    texts = [values.astype(object).where(values.notna(), "").astype(str).to_numpy(dtype=object) for values in (seen, there)]
    unequal: NDArray[np.bool_] = texts[0] != texts[1]
    return unequal
