"""Where the tables come from: a folder of contract tables, or raw files and the mapping that turns them into these."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, PrivateAttr, field_validator, model_validator

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


CheckName = Literal["gap", "volume", "level", "copied", "repeated", "emptied", "late", "early", "order", "strangers"]
"""Checks of a table against its own history and against other tables; an operator may allow what they find, with a reason."""


class CheckLimits(Settings):
    """From where on a table is not believed.

    Attributes
    ----------
    volume_drop, volume_rise : float
        A month with less than this part, or more than this many times, of the rows of the month before **and** of the usual month (median
        of up to six). Growth and seasons stay far inside; half a file or a file loaded twice does not.
    level : float
        How many times larger or smaller the mean of a column's non-zero values may become from one month to the next. A currency
        (× 100, × 7) or a unit (× 60, × 1024) changes by more; a season or a new tariff by less.
    odd_rows : float
        Share of rows that may contradict themselves (known before they happened, closed before opened, left before joined). Up to
        this share, or ten rows, they are set right or noted; more are a fault of the feed.
    strangers : float
        Share of a table's rows whose customer may be missing from ``customers``; they are left out.
    """

    volume_drop: float = Field(default=0.5, gt=0, lt=1)
    volume_rise: float = Field(default=2.0, gt=1)
    level: float = Field(default=5.0, gt=1)
    odd_rows: float = Field(default=0.01, ge=0, le=1)
    strangers: float = Field(default=0.1, ge=0, le=1)


class TableChecks(Settings):
    """One table's own limits.

    Attributes
    ----------
    volume_drop, volume_rise, level, odd_rows, strangers : float, optional
        In place of the common limit; see `CheckLimits`.
    allow : dict
        Check → the reason why its findings do not refuse this table; the reason is logged and reported with each of them.
    """

    volume_drop: float | None = Field(default=None, gt=0, lt=1)
    volume_rise: float | None = Field(default=None, gt=1)
    level: float | None = Field(default=None, gt=1)
    odd_rows: float | None = Field(default=None, ge=0, le=1)
    strangers: float | None = Field(default=None, ge=0, le=1)
    allow: dict[CheckName, str] = Field(default_factory=dict)


class ChecksConfig(CheckLimits):
    """Limits of all tables, and what single tables have of their own.

    Attributes
    ----------
    tables : dict
        Table → `TableChecks`.
    """

    tables: dict[str, TableChecks] = Field(default_factory=dict)

    def limits(self, table: str) -> CheckLimits:
        """Give a table's limits."""
        own = self.tables.get(table, TableChecks()).model_dump(exclude={"allow"}, exclude_none=True)
        return CheckLimits(**self.model_dump(exclude={"tables"}) | own)

    def allowed(self, table: str) -> Mapping[str, str]:
        """Give the checks whose findings do not refuse a table, with the reasons."""
        return {str(name): reason for name, reason in self.tables.get(table, TableChecks()).allow.items()}


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
    checks : ChecksConfig
        From where on the tables are not believed.
    memory_limit : str, optional
        Most memory that the engine takes before it writes to disk, for example ``4GB``; by default its own, four fifths of the machine's.
    """

    folder: Path
    mapping: Path | None = None
    delay_days: dict[str, int] = Field(default_factory=dict)
    checks: ChecksConfig = ChecksConfig()
    memory_limit: str | None = Field(default=None, pattern=r"^[1-9][0-9]*(\.[0-9]+)? ?[MG]B$")
    _variables: dict[str, str] = PrivateAttr(default_factory=dict)

    def remember_variables(self, environ: Mapping[str, str]) -> None:
        """Keep the values for ``${NAME}`` in the mapping file; they may be secrets, so no dump or log shows them."""
        self._variables.update(environ)

    @property
    def variables(self) -> Mapping[str, str]:
        """Values for ``${NAME}`` in the mapping file."""
        return self._variables
