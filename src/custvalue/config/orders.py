"""Where work orders are kept, and when they are pressed."""

from __future__ import annotations

from pydantic import Field, SecretStr, field_validator

from custvalue.config.base import Settings


class OrdersConfig(Settings):
    """The store of work orders.

    Attributes
    ----------
    url : str, optional
        ``postgresql://user:password@host/database`` for teams; write it as ``${CUSTVALUE_ORDERS:-}``, because it is a secret. It is never
        shown. Without it the orders are in the SQLite file ``orders.db`` of the output folder.
    tries : int
        Calls without an answer after which an order counts as unreachable.
    defer_days : int
        Days until a customer who asked to be called later is due again.
    escalate_days : int
        Days past its term after which an order is escalated.
    """

    url: SecretStr | None = None
    tries: int = Field(default=3, ge=1)
    defer_days: int = Field(default=7, ge=1)
    escalate_days: int = Field(default=3, ge=0)

    @field_validator("url")
    @classmethod
    def _empty_is_none(cls, value: SecretStr | None) -> SecretStr | None:
        return value if value is not None and value.get_secret_value().strip() else None
