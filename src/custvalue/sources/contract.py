"""The data contract: every table's columns, types, units and keys."""

from __future__ import annotations

from collections.abc import Mapping

from custvalue.sources.declaration import MONEY, VOLUME, Column, Table


def _key(name: str, dtype: str = "VARCHAR") -> Column:
    return Column(name, dtype, required=True, nullable=False)


def _text(name: str, *, allowed: tuple[str, ...] = (), required: bool = False) -> Column:
    return Column(name, "VARCHAR", required=required, nullable=not required, allowed=allowed)


def _money(name: str, *, minimum: float | None = None) -> Column:
    return Column(name, MONEY, "money", minimum=minimum)


def _volume(name: str, unit: str) -> Column:
    return Column(name, VOLUME, unit, minimum=0)


def _count(name: str, unit: str = "count", *, maximum: float | None = None) -> Column:
    return Column(name, "BIGINT", unit, minimum=0, maximum=maximum)


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
            Column("manager_id", "VARCHAR", refers="managers"),
            Column("marketing_consent", "BOOLEAN"),
            Column("traffic_data_consent", "BOOLEAN"),
            _text("status", allowed=("active", "silent", "suspended", "closed", "deceased")),
        ),
        required=True,
        announced=True,
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
            _count("roaming_days", "days", maximum=31),
            _count("active_days", "days", maximum=31),
            _count("distinct_peers"),
            Column("off_net_share", "DOUBLE", "share", minimum=0, maximum=1),
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
        steady=True,
    ),
    Table(
        "complaints",
        ("complaint_id",),
        "opened_at",
        (
            _key("complaint_id"),
            _key("customer_id"),
            Column("opened_at", "TIMESTAMP", required=True, nullable=False),
            Column("first_response_at", "TIMESTAMP", hidden_until="first_response_at", not_before="opened_at"),
            Column("closed_at", "TIMESTAMP", hidden_until="closed_at", not_before="opened_at"),
            _text("category"),
            Column("level", "BIGINT", minimum=0),
            Column("escalated", "BOOLEAN"),
            Column("justified", "BOOLEAN", hidden_until="closed_at"),
            Column("repeat_of", "VARCHAR", refers="complaints"),
        ),
        steady=True,
    ),
    Table(
        "surveys",
        ("survey_id",),
        "asked_at",
        (
            _key("survey_id"),
            _key("customer_id"),
            Column("asked_at", "TIMESTAMP", required=True, nullable=False),
            Column("answered_at", "TIMESTAMP", hidden_until="answered_at", not_before="asked_at"),
            _text("kind"),
            Column("score", "BIGINT", "points", minimum=1, maximum=10, hidden_until="answered_at"),
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
            Column("ends_on", "DATE", not_before="starts_on"),  # the last day in force
            _money("penalty"),
            _money("monthly_fee"),
        ),
        announced=True,
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
        steady=True,
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
        announced=True,
    ),
    Table(
        "tier_history",
        ("customer_id", "valid_from"),
        "valid_from",
        (_key("customer_id"), _key("valid_from", "DATE"), _text("tier", required=True), _text("policy_version")),
        announced=True,
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
            Column("lead_id", "VARCHAR", refers="managers"),
            _text("region"),
            _text("language"),
            _count("daily_capacity"),
            _text("tiers"),
            Column("absent_from", "DATE"),
            Column("absent_to", "DATE", not_before="absent_from"),
        ),
    ),
    Table("directory", ("customer_id",), None, (_key("customer_id"), _text("crm_id"), _text("name"), _text("msisdn"))),
)

CONTRACT: Mapping[str, Table] = {table.name: table for table in _TABLES}
REQUIRED = tuple(table.name for table in _TABLES if table.required)
RESTRICTED = ("directory",)
"""Tables that no model code may read."""
