"""Tables that a notebook already holds, opened as files are: typed, checked and cut like any other."""

from __future__ import annotations

import shutil
import tempfile
import weakref
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import ibis
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from custvalue.config import Config
from custvalue.errors import ConfigError, DataError
from custvalue.sources import CONTRACT, SourceTables, open_tables


def open_frames(frames: Mapping[str, Any], config: Config, *, log: Callable[[str], None] = lambda _: None) -> SourceTables:
    """Open contract tables that are in memory, or behind an Ibis connection.

    Each is written to a temporary Parquet file, which lives as long as the opened tables, so that they go the same way as an operator's
    files: nothing is checked less because it came from a notebook.

    Parameters
    ----------
    frames : mapping of str to table
        Contract table → pandas ``DataFrame``, Arrow ``Table``, Ibis table, or anything else that speaks the Arrow stream protocol (a
        Polars frame). Named levels of a pandas index count as columns.
    config : Config
        Time zone and reporting delays; its folder and mapping are not used.
    log : callable, optional
        Takes one line of text at a time.

    Raises
    ------
    ConfigError
        A name is no contract table, or a value is no table.
    DataError
        A frame does not convert to Arrow, or breaks the contract; see `open_tables`.
    """
    _refuse_unknown_names(frames)
    folder = Path(tempfile.mkdtemp(prefix="custvalue-"))
    try:
        for name, frame in frames.items():
            pq.write_table(_to_arrow(name, frame), folder / f"{name}.parquet")
        sources = config.sources.model_copy(update={"folder": folder, "mapping": None})
        tables = open_tables(config.model_copy(update={"sources": sources}), log=log)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    weakref.finalize(tables.con, shutil.rmtree, folder, ignore_errors=True)
    return tables


def _refuse_unknown_names(frames: Mapping[str, Any]) -> None:
    for name in frames:
        if name not in CONTRACT:
            near = get_close_matches(str(name), CONTRACT, n=1)
            meant = f"Did you mean {near[0]!r}? " if near else ""
            raise ConfigError(f"{name!r} is no contract table. {meant}These are: {', '.join(CONTRACT)}.")


def _to_arrow(name: str, frame: Any) -> pa.Table:
    try:
        if isinstance(frame, pa.Table):
            return frame
        if isinstance(frame, pd.DataFrame):
            return pa.Table.from_pandas(_flat(frame), preserve_index=False)
        if isinstance(frame, ibis.Table):
            return frame.to_pyarrow()
        if hasattr(frame, "__arrow_c_stream__") and not isinstance(frame, pd.Series):
            return pa.table(frame)
    except (pa.ArrowException, TypeError, ValueError) as error:
        raise DataError(f"table {name}: does not convert to Arrow: {error}. Give each column one type.") from error
    raise ConfigError(f"table {name} must be a pandas, Arrow or Ibis table; it is {type(frame).__name__}.")


def _flat(frame: pd.DataFrame) -> pd.DataFrame:
    """Named index levels as columns, periods as their first day, times with a zone as UTC."""
    if any(level is not None for level in frame.index.names):
        frame = frame.reset_index()
    periods = [name for name, dtype in frame.dtypes.items() if isinstance(dtype, pd.PeriodDtype)]
    zoned = [name for name, dtype in frame.dtypes.items() if isinstance(dtype, pd.DatetimeTZDtype)]
    frame = frame.copy(deep=False)
    for name in periods:
        frame[name] = frame[name].dt.to_timestamp()
    for name in zoned:
        frame[name] = frame[name].dt.tz_convert(None)
    return frame
