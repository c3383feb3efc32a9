"""What a notebook calls: tables of any kind, a day and a config in, features and labelled snapshots out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date, datetime
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ibis
import pandas as pd
from pydantic import ValidationError

from custvalue import churn, features, publish
from custvalue.churn import TrainingFrame
from custvalue.config import Config, load_config, ready_configs
from custvalue.errors import ConfigError
from custvalue.sources import SourceTables, refuse_stale
from custvalue.sources import open_tables as open_files
from custvalue.sources.frames import open_frames

if TYPE_CHECKING:
    from custvalue.tracking import LoadedModel

Tables = Mapping[str, Any] | SourceTables | str | PathLike[str]
"""A dict of contract tables (pandas, Arrow, Ibis), opened tables, or a folder of Parquet or CSV files."""

Settings = Config | Mapping[str, Any] | str | PathLike[str] | None
"""A config, a part of one as a dict, a YAML file, or None for the defaults."""

Day = date | str
Log = Callable[[str], None]


def open_tables(tables: Tables, config: Settings = None, *, log: Log = lambda _: None) -> SourceTables:
    """Type and check contract tables once, for several calls of `build_features` and `training_frame`.

    Parameters
    ----------
    tables : dict, SourceTables, str or Path
        Contract tables by name (pandas, Arrow or Ibis), or a folder of ``customers.parquet``, ``billing.csv.gz`` …; with a config that
        has a mapping, the folder of its raw files. `custvalue.sources.CONTRACT` describes every table and column.
    config : Config, dict, str or Path, optional
        A `Config`, a YAML file, or only what differs from the defaults, with the file's keys: ``{"time_zone": "Asia/Shanghai"}``.
    log : callable, optional
        Takes one line of text at a time, for example ``print``.

    Raises
    ------
    ConfigError
        An argument is wrong.
    DataError
        The tables break the contract.
    """
    settings = _config(config)
    if isinstance(tables, SourceTables):
        return tables
    if isinstance(tables, str | PathLike):
        folder = Path(tables).resolve()
        sources = settings.sources.model_copy(update={"folder": folder})
        return open_files(settings.model_copy(update={"sources": sources}), log=log)
    if isinstance(tables, Mapping):
        return open_frames(tables, settings, log=log)
    raise ConfigError(
        f"tables must be a dict such as {{'customers': …, 'billing': …, 'departures': …}}, a folder, or what `open_tables` gave; "
        f"it is {type(tables).__name__}."
    )


def build_features(tables: Tables, as_of: Day, config: Settings = None, *, log: Log = lambda _: None) -> ibis.Table:
    """Build the features of every customer active at a day, from what was known then.

    Parameters
    ----------
    tables, config, log
        As for `open_tables`.
    as_of : date or str
        The features see what the warehouse knew at 00:00 of this day.

    Returns
    -------
    ibis.Table
        ``customer_id`` and one column a feature, not computed yet: ``.to_pandas()``, ``.to_pyarrow()`` and ``.to_parquet(path)`` do that.

    Raises
    ------
    ConfigError
        An argument is wrong.
    DataError
        The tables break the contract, or a feed had not arrived on that day.
    """
    day, settings = _day(as_of), _config(config)
    opened = open_tables(tables, settings, log=log)
    refuse_stale(opened, opened.moment(day))
    built = features.build_features(opened.known(day), opened.moment(day), settings.features, delay_days=opened.delay_days, log=log)
    return built.table


def training_frame(tables: Tables, as_of: Day, config: Settings = None, *, log: Log = lambda _: None) -> TrainingFrame:
    """Stack the labelled snapshots that can train at a day: who was active, what was known of them, and who left.

    Nothing in a row was known later than its snapshot, and every outcome was known at `as_of`. Who left by another kind, inside the gap,
    or was contacted meanwhile is left out and counted in ``frame.dropped``; see `ChurnConfig`.

    Parameters
    ----------
    tables, config, log
        As for `open_tables`. The config's ``churn`` says what counts as leaving, and when.
    as_of : date or str
        The day of training.

    Returns
    -------
    TrainingFrame
        It unpacks: ``X, y, customer, snapshot = training_frame(…)``. Categories are pandas categories, which LightGBM and
        ``HistGradientBoostingClassifier`` read as they are; ``X.attrs["columns"]`` tells each column's meaning and unit, and
        ``X.attrs["window_months"]`` the length of the outcome window, which is what `TimeSplit` purges.

    Raises
    ------
    ConfigError
        An argument is wrong.
    DataError
        The tables break the contract.
    ModelError
        No snapshot can train, or too few leavers are known.
    """
    day, settings = _day(as_of), _config(config)
    opened = open_tables(tables, settings, log=log)
    frame, columns, _ = churn.training_frame(opened, day, settings.churn, settings.features, log=log)
    X = frame.X.astype({column.name: "category" for column in columns if column.kind == "category"})
    X.attrs["columns"] = {column.name: f"{column.en} ({column.unit}); missing: {column.null}" for column in columns}
    X.attrs["window_months"] = settings.churn.gap_months + settings.churn.horizon_months
    return replace(frame, X=X)


def load_champion(config: Config | str | PathLike[str], *, tracking_uri: str | None = None) -> LoadedModel:
    """Load the model in production, verified against its registered checksums.

    Parameters
    ----------
    config : Config, str or Path
        Whose model; `Store.open` looks under its workspace.
    tracking_uri : str, optional
        Another MLflow store than the workspace's own.

    Raises
    ------
    ModelError
        No model was promoted yet, or its files differ from the registered ones.
    """
    from custvalue.tracking import Store

    settings = _config(config)
    store = Store.open(settings.workspace / "models", tracking_uri=tracking_uri, name=settings.name, create=False)
    return store.load("champion")


def read_published(config: Config | str | PathLike[str], as_of: Day | None = None) -> pd.DataFrame:
    """Read a night's scores, whole and verified, or nothing.

    Parameters
    ----------
    config : Config, str or Path
        Whose night.
    as_of : date or str, optional
        The night; the newest by default.

    Returns
    -------
    DataFrame
        One row a customer; ``attrs["lineage"]`` tells what the night was made from.

    Raises
    ------
    DataError
        Nothing is published for the night, or a file differs from its checksum.
    """
    return publish.read_published(_config(config).output, None if as_of is None else _day(as_of))


def _day(as_of: Day) -> date:
    if isinstance(as_of, str):
        try:
            return date.fromisoformat(as_of)
        except ValueError as error:
            raise ConfigError(f"as_of must be a day such as '2025-07-01'; it is {as_of!r}.") from error
    if isinstance(as_of, datetime):
        if as_of.time() != datetime.min.time() or as_of.tzinfo:
            raise ConfigError(
                f"as_of is a day, seen from its 00:00 in the config's time zone; {as_of} names another moment: give its date."
            )
        return as_of.date()
    if isinstance(as_of, date):
        return as_of
    raise ConfigError(f"as_of must be a date or a text such as '2025-07-01'; it is {as_of!r}.")


def _config(config: Settings) -> Config:
    if isinstance(config, Config):
        return config
    if isinstance(config, str | PathLike):
        try:
            return load_config(Path(config))
        except ConfigError as error:
            if "${" in str(error):
                raise ConfigError(f"{error} In Python: load_config(path, environ=os.environ).") from error
            raise
    if config is None or isinstance(config, Mapping):
        return _with_defaults(config or {})
    raise ConfigError(
        f"config must be a Config, a dict of its keys such as {{'churn': {{'gap_months': 0}}}}, a YAML file or None; "
        f"it is {type(config).__name__}."
    )


def _with_defaults(changes: Mapping[str, Any]) -> Config:
    """Fill in what an operator's YAML would say; the folder is a placeholder where tables are given."""
    ready, here = ready_configs(), Path().resolve()
    defaults: dict[str, Any] = {
        "name": "notebook",
        "workspace": here,
        "output": here / "output" / str(changes.get("name", "notebook")),
        "sources": {"folder": here},
        "tier_policy": ready / "tiers" / "consumer.yaml",
        "retention_policy": ready / "retention" / "default.yaml",
        "wording": ready / "wording",
    }
    sources = changes.get("sources")
    if isinstance(sources, Mapping):
        changes = {**changes, "sources": defaults["sources"] | dict(sources)}
    try:
        return Config.model_validate(defaults | dict(changes))
    except ValidationError as error:
        faults = [f"{'.'.join(map(str, fault['loc']))}: {fault['msg'].removeprefix('Value error, ')}" for fault in error.errors()]
        raise ConfigError(f"config: {'; '.join(faults)}.") from error
