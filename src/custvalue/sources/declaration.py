"""How a table of the contract is declared: its columns, their types and ranges, its key and its rhythm."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

MONEY = "DECIMAL(18,4)"
VOLUME = "DECIMAL(18,4)"


@dataclass(frozen=True)
class Column:
    """One column of a contract table.

    Attributes
    ----------
    name, dtype : str
        Contract name and SQL type. Money and volumes are DECIMAL so that sums are exact on every engine.
    unit : str
        Empty for texts, dates and flags.
    required : bool
        The column must be there.
    nullable : bool
        Values may be missing.
    minimum, maximum : float, optional
        Smallest and largest allowed value.
    allowed : tuple of str
        The only texts allowed, if any are given.
    hidden_until : str, optional
        A time column of the same row: before that moment nobody could know this value, so the cut blanks it.
    not_before : str, optional
        A time column of the same row that cannot lie after this one.
    refers : str, optional
        Table whose key this column names.
    """

    name: str
    dtype: str
    unit: str = ""
    required: bool = False
    nullable: bool = True
    minimum: float | None = None
    maximum: float | None = None
    allowed: tuple[str, ...] = ()
    hidden_until: str | None = None
    not_before: str | None = None
    refers: str | None = None

    @property
    def measured(self) -> bool:
        """Whether the column's usual level says something: amounts, volumes and counts."""
        return self.dtype == MONEY or self.unit in ("count", "days")


@dataclass(frozen=True)
class Table:
    """One table of the contract.

    Attributes
    ----------
    name : str
        Table name; also the file's stem.
    key : tuple of str
        Columns that identify a row. The same key may come again with a later ``available_at``: the latest known wins.
    event : str, optional
        Column of the row's event time (a ``month`` or ``day`` is over at its end); without one the table carries no
        ``available_at``.
    columns : tuple of Column
        In contract order.
    required : bool
        No run can do without it.
    announced : bool
        A row may be known before its event: a contract that starts next month, a departure with notice.
    steady : bool
        Rows come every day of the operator's life, so silence means a broken feed. Campaigns and surveys come in waves.
    """

    name: str
    key: tuple[str, ...]
    event: str | None
    columns: tuple[Column, ...]
    required: bool = False
    announced: bool = False
    steady: bool = False
    by_name: Mapping[str, Column] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_name", {column.name: column for column in self.columns})

    @property
    def monthly(self) -> bool:
        """Whether a row stands for a whole month."""
        return "month" in self.key

    @property
    def daily(self) -> bool:
        """Whether a row stands for a whole day."""
        return "day" in self.key

    @property
    def types(self) -> dict[str, str]:
        """Column → SQL type, with ``available_at`` where the table has an event time."""
        own = {column.name: column.dtype for column in self.columns}
        return own | {"available_at": "TIMESTAMP"} if self.event else own
