"""The data contract: every table's columns, types, units and keys, and when a row could be known."""

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
    minimum : float, optional
        Smallest allowed value.
    allowed : tuple of str
        The only texts allowed, if any are given.
    hidden_until : str, optional
        A time column of the same row: before that moment nobody could know this value, so the cut blanks it.
    """

    name: str
    dtype: str
    unit: str = ""
    required: bool = False
    nullable: bool = True
    minimum: float | None = None
    allowed: tuple[str, ...] = ()
    hidden_until: str | None = None


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
    """

    name: str
    key: tuple[str, ...]
    event: str | None
    columns: tuple[Column, ...]
    required: bool = False
    by_name: Mapping[str, Column] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_name", {column.name: column for column in self.columns})

    @property
    def monthly(self) -> bool:
        """Whether a row stands for a whole month."""
        return "month" in self.key


def _key(name: str, dtype: str = "VARCHAR") -> Column:
    return Column(name, dtype, required=True, nullable=False)


def _text(name: str, *, allowed: tuple[str, ...] = (), required: bool = False) -> Column:
    return Column(name, "VARCHAR", required=required, nullable=not required, allowed=allowed)


def _money(name: str, *, minimum: float | None = None) -> Column:
    return Column(name, MONEY, "money", minimum=minimum)


def _volume(name: str, unit: str) -> Column:
    return Column(name, VOLUME, unit, minimum=0)


def _count(name: str, unit: str = "count") -> Column:
    return Column(name, "BIGINT", unit, minimum=0)


_BILL_PARTS = ("rent", "voice", "sms", "data", "vas", "roaming", "device", "discount", "tax", "cost")
DEPARTURE_KINDS = ("voluntary", "port_out", "non_payment", "natural", "silence")

_TABLES = (
    Table(
        "customers",
        ("customer_id", "valid_from"),
        "valid_from",
        (
            _key("customer_id"),
            _key("valid_from", "DATE"),
            _text("account_id"),
            _text("household_id"),
            _text("segment", allowed=("consumer", "household", "enterprise")),
            Column("joined_on", "DATE", required=True, nullable=False),
            _text("region"),
            Column("birth_year", "BIGINT", "year", minimum=1890),
            _text("plan"),
            _text("manager_id"),
            Column("marketing_consent", "BOOLEAN"),
            Column("traffic_data_consent", "BOOLEAN"),
            _text("status", allowed=("active", "silent", "suspended", "closed")),
        ),
        required=True,
    ),
    Table(
        "billing",
        ("customer_id", "month"),
        "month",
        (
            _key("customer_id"),
            _key("month", "DATE"),
            Column("revenue", MONEY, "money", required=True, nullable=False),
            *(_money(part) for part in _BILL_PARTS),
            _money("arrears", minimum=0),
        ),
        required=True,
    ),
    Table(
        "usage",
        ("customer_id", "month"),
        "month",
        (
            _key("customer_id"),
            _key("month", "DATE"),
            _volume("voice_minutes", "minutes"),
            _count("sms_count"),
            _volume("data_mb", "MB"),
            _count("roaming_days", "days"),
            _count("active_days", "days"),
            _count("distinct_peers"),
            Column("off_net_share", "DOUBLE", "share", minimum=0),
        ),
    ),
    Table(
        "daily",
        ("customer_id", "day"),
        "day",
        (
            _key("customer_id"),
            _key("day", "DATE"),
            _money("balance"),
            _volume("voice_minutes", "minutes"),
            _volume("data_mb", "MB"),
            Column("active", "BOOLEAN"),
        ),
    ),
    Table(
        "payments",
        ("payment_id",),
        "paid_at",
        (
            _key("payment_id"),
            _key("customer_id"),
            Column("paid_at", "TIMESTAMP", required=True, nullable=False),
            Column("amount", MONEY, "money", required=True, nullable=False),
            _text("channel"),
            _money("balance_after"),
        ),
    ),
    Table(
        "complaints",
        ("complaint_id",),
        "opened_at",
        (
            _key("complaint_id"),
            _key("customer_id"),
            Column("opened_at", "TIMESTAMP", required=True, nullable=False),
            Column("first_response_at", "TIMESTAMP", hidden_until="first_response_at"),
            Column("closed_at", "TIMESTAMP", hidden_until="closed_at"),
            _text("category"),
            Column("level", "BIGINT", minimum=0),
            Column("escalated", "BOOLEAN"),
            Column("justified", "BOOLEAN", hidden_until="closed_at"),
            _text("repeat_of"),
        ),
    ),
    Table(
        "surveys",
        ("survey_id",),
        "asked_at",
        (
            _key("survey_id"),
            _key("customer_id"),
            Column("asked_at", "TIMESTAMP", required=True, nullable=False),
            Column("answered_at", "TIMESTAMP", hidden_until="answered_at"),
            _text("kind"),
            Column("score", "BIGINT", "points", minimum=1, hidden_until="answered_at"),
        ),
    ),
    Table(
        "contracts",
        ("contract_id",),
        "starts_on",
        (
            _key("contract_id"),
            _key("customer_id"),
            _text("kind", allowed=("contract", "bundle", "discount", "trial"), required=True),
            _text("product"),
            Column("starts_on", "DATE", required=True, nullable=False),
            Column("ends_on", "DATE"),  # the last day in force
            _money("penalty"),
            _money("monthly_fee"),
        ),
    ),
    Table(
        "events",
        ("event_id",),
        "occurred_at",
        (
            _key("event_id"),
            _key("customer_id"),
            _text("event_type", required=True),
            Column("occurred_at", "TIMESTAMP", required=True, nullable=False),
        ),
    ),
    Table(
        "contacts",
        ("contact_id",),
        "contacted_at",
        (
            _key("contact_id"),
            _key("customer_id"),
            _text("campaign_id"),
            Column("contacted_at", "TIMESTAMP", required=True, nullable=False),
            Column("randomised", "BOOLEAN"),
            _text("arm", allowed=("treated", "holdout")),
            _text("offer"),
            Column("reached", "BOOLEAN"),
            _text("outcome"),
        ),
    ),
    Table(
        "departures",
        ("customer_id", "left_on"),
        "left_on",
        (_key("customer_id"), _key("left_on", "DATE"), _text("kind", allowed=DEPARTURE_KINDS, required=True)),
        required=True,
    ),
    Table(
        "tier_history",
        ("customer_id", "valid_from"),
        "valid_from",
        (_key("customer_id"), _key("valid_from", "DATE"), _text("tier", required=True), _text("policy_version")),
    ),
    Table(
        "managers",
        ("manager_id", "valid_from"),
        None,
        (
            _key("manager_id"),
            _key("valid_from", "DATE"),
            _text("name"),
            _text("team"),
            _text("lead_id"),
            _text("region"),
            _text("language"),
            _count("daily_capacity"),
            _text("tiers"),
            Column("absent_from", "DATE"),
            Column("absent_to", "DATE"),
        ),
    ),
    Table("directory", ("customer_id",), None, (_key("customer_id"), _text("crm_id"), _text("name"), _text("msisdn"))),
)

CONTRACT: Mapping[str, Table] = {table.name: table for table in _TABLES}
REQUIRED = tuple(table.name for table in _TABLES if table.required)
RESTRICTED = ("directory",)
"""Tables that no model code may read."""
