"""Contract tables from Parquet as they were known at a moment, only the columns asked for."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

KEYS: Mapping[str, tuple[str, ...]] = {
    "customers": ("customer_id", "valid_from"),
    "billing": ("customer_id", "month"),
    "usage": ("customer_id", "month"),
    "daily": ("customer_id", "day"),
    "payments": ("payment_id",),
    "complaints": ("complaint_id",),
    "surveys": ("survey_id",),
    "contracts": ("contract_id",),
    "events": ("event_id",),
    "contacts": ("contact_id",),
    "departures": ("customer_id", "left_on"),
}
HIDDEN: Mapping[str, Mapping[str, str]] = {
    "complaints": {"justified": "closed_at", "first_response_at": "first_response_at", "closed_at": "closed_at"},
    "surveys": {"score": "answered_at", "answered_at": "answered_at"},
}
"""Values that nobody could know before a time in the same row; the time itself last."""
IDENTIFIERS = ("payment_id", "complaint_id", "survey_id", "contract_id", "event_id", "contact_id", "repeat_of")
"""Texts that hardly ever repeat."""


@dataclass(frozen=True)
class Known:
    """An operator's folder, seen from a moment.

    Attributes
    ----------
    folder : Path
        Holds ``<table>.parquet``.
    as_of : date
        The day; its first instant is the moment.
    zone : str
        The operator's time zone.
    revised : collection of str, optional
        Tables where a key may come again; where it is not told, every table is searched.
    """

    folder: Path
    as_of: date
    zone: str
    revised: Collection[str] | None = None

    @cached_property
    def day(self) -> pd.Timestamp:
        """The as-of day as pandas has it."""
        return pd.Timestamp(self.as_of)

    @cached_property
    def instant(self) -> pd.Timestamp:
        """The moment as naive UTC."""
        return self.midnight(self.day)

    def midnight(self, day: pd.Timestamp) -> pd.Timestamp:
        """First instant of a day in the operator's zone, as naive UTC."""
        return day.tz_localize(self.zone).tz_convert("UTC").tz_localize(None)

    def months_ago(self, months: int) -> pd.Timestamp:
        """First instant of the same day so many months before, as naive UTC; a day that the month lacks becomes its last."""
        return self.midnight(self.day - pd.DateOffset(months=months))

    def columns(self, table: str) -> list[str]:
        """Columns of a table; none where it is not there."""
        path = self.folder / f"{table}.parquet"
        return pq.read_schema(path).names if path.exists() else []

    def read(self, table: str, columns: Sequence[str], *, among: Sequence[tuple[str, str, object]] = ()) -> pd.DataFrame:
        """Read the columns that are there, of the latest known version of each row.

        Parameters
        ----------
        table : str
            Contract table, which must be there.
        columns : sequence of str
            Columns wanted; those that the file lacks are left out, and those that nobody can tell since when they were known.
        among : sequence of tuple, optional
            Filters on columns of the key, as `pyarrow.parquet.read_table` takes them.

        Returns
        -------
        pandas.DataFrame
            Money, volumes and flags as float64, texts as categories, dates and times as datetime64.
        """
        there, key = self.columns(table), KEYS[table]
        searched = self.revised is None or table in self.revised
        unknowable = {name for name, until in HIDDEN.get(table, {}).items() if until not in there}
        hidden = {name: until for name, until in HIDDEN.get(table, {}).items() if name in columns and {name, until} <= set(there)}
        wanted = {*columns, *hidden.values(), *(key if searched else ())} - unknowable
        arrow = pq.read_table(
            self.folder / f"{table}.parquet",
            columns=[name for name in there if name in wanted or (searched and name == "available_at")],
            filters=[("available_at", "<=", self.instant.to_pydatetime()), *among],
            read_dictionary=["customer_id"],
        )
        frame = to_pandas(arrow)
        if searched:
            frame = latest(frame, key)
        for name, until in hidden.items():
            frame[name] = frame[name].where(frame[until] <= self.instant)
        return frame[[name for name in columns if name in frame]]


def to_pandas(arrow: pa.Table) -> pd.DataFrame:
    """Turn decimals and flags into float64 and repeated texts into categories; Python objects would be ten times slower."""
    columns = {}
    for field in arrow.schema:
        column = arrow[field.name]
        arrow = arrow.drop_columns([field.name])  # each column's memory is given back as soon as it is turned
        if pa.types.is_decimal(field.type):
            column = column.cast(pa.float64())
        elif pa.types.is_boolean(field.type):
            column = column.cast(pa.int8()).cast(pa.float64())
        elif pa.types.is_string(field.type) and field.name not in IDENTIFIERS:
            column = column.dictionary_encode()
        columns[field.name] = column.unify_dictionaries()
    return pa.table(columns).to_pandas(date_as_object=False, self_destruct=True)


def latest(frame: pd.DataFrame, key: Sequence[str]) -> pd.DataFrame:
    """Keep the version of each key that became known last."""
    if frame.duplicated(list(key)).any():
        frame = frame.sort_values("available_at", kind="stable").drop_duplicates(list(key), keep="last")
    return frame.drop(columns="available_at")


def month_number(days: pd.Series) -> np.ndarray:
    """Months since 1970 of dates."""
    return days.to_numpy().astype("datetime64[M]").astype(np.int64)
