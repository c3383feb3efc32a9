"""Where the tables come from: a folder of contract tables, or raw files and the mapping that turns them into these."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import Field, field_validator, model_validator

from custvalue.config.base import Settings


class RawInput(Settings):
    """One raw input of a mapping: a file, a table behind an Ibis backend, or a SELECT over the inputs above it.

    Attributes
    ----------
    path : str, optional
        Parquet, CSV or CSV.gz file, or a glob of them, relative to the data folder.
    backend, table : str, optional
        An Ibis connection URL (``postgres://…``, ``sqlite://…``, ``duckdb://…``) and the table to read there.
    sql : str, optional
        A SELECT over earlier inputs, for what several tables need.
    cast : dict
        Column → DuckDB type. CSV columns arrive as text; a value that does not convert stops the run with examples.
    """

    path: str | None = None
    backend: str | None = None
    table: str | None = None
    sql: str | None = None
    cast: dict[str, str] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, value: Any) -> Any:
        return {"path": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _one_place(self) -> RawInput:
        if [self.path, self.backend, self.sql].count(None) != 2 or (self.backend is None) != (self.table is None):
            raise ValueError("give one of `path`, `sql`, or `backend` with `table`")
        return self


class Unpivot(Settings):
    """Wide monthly columns (``arpu_6``, ``arpu_7``) turned into one row a month.

    Attributes
    ----------
    months : dict
        First day of the month → the text that stands for it in column names.
    columns : dict
        Contract column → SQL expression with ``{}`` for that text, and ``{month}`` for the month as a date.
    """

    months: dict[str, str]
    columns: dict[str, str]

    @field_validator("months", mode="before")
    @classmethod
    def _plain_yaml(cls, value: Any) -> Any:
        # YAML reads 2014-06-01 as a date and 6 as a number
        return {str(day): str(text) for day, text in value.items()} if isinstance(value, dict) else value


class TableMapping(Settings):
    """How one contract table is made from raw inputs.

    Attributes
    ----------
    from_ : str, optional
        The raw input to read (``from`` in YAML).
    rename : dict
        Contract column → raw column.
    columns : dict
        Contract column → SQL expression over the raw columns.
    unpivot : Unpivot, optional
        Wide months to rows.
    where : str, optional
        SQL condition on the contract's columns: which rows to keep.
    sql : str, optional
        A whole SELECT over the raw inputs, in place of all the above.
    """

    from_: str | None = Field(default=None, alias="from")
    rename: dict[str, str] = Field(default_factory=dict)
    columns: dict[str, str] = Field(default_factory=dict)
    unpivot: Unpivot | None = None
    where: str | None = None
    sql: str | None = None

    @model_validator(mode="after")
    def _one_way(self) -> TableMapping:
        if (self.sql is None) == (self.from_ is None):
            raise ValueError("give either `sql`, or `from` with `rename`, `columns` or `unpivot`")
        if self.sql is not None and (self.rename or self.columns or self.unpivot or self.where):
            raise ValueError("`sql` stands alone: put renames and expressions into the SELECT")
        return self


class SourceMapping(Settings):
    """A mapping file: raw inputs, the contract tables made from them, and what a reader should know about them."""

    inputs: dict[str, RawInput]
    tables: dict[str, TableMapping]
    caveats: tuple[str, ...] = ()


class SourcesConfig(Settings):
    """Where a config's tables are.

    Attributes
    ----------
    folder : Path
        Folder of the contract tables (``billing.parquet``, ``billing.csv.gz`` …) or of the mapping's raw files.
    mapping : Path, optional
        A `SourceMapping` file.
    delay_days : dict
        Table → days after the event until the warehouse knows a row, where it has no ``available_at`` of its own.
        For monthly tables it also tells which month is the newest to expect.
    """

    folder: Path
    mapping: Path | None = None
    delay_days: dict[str, int] = Field(default_factory=dict)
