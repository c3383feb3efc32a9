"""Settings of the feature blocks."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, field_validator

from custvalue.config.base import Settings


class FeaturesConfig(Settings):
    """Which windows features look back over, and which products get a column of their own.

    Attributes
    ----------
    windows : tuple of int
        Months, ascending, from 1. The longest one bounds what any block may see of the past.
    products : tuple of str
        Products (``contracts.product``) that get a yes/no column each.
    complaint_categories : tuple of str
        Categories (``complaints.category``, in any case) that are counted on their own besides all complaints.
    departing_categories : tuple of str
        Categories that announce a departure, such as the ticket that asks for it: no feature counts them.
    """

    windows: tuple[Annotated[int, Field(ge=1, le=60)], ...] = (1, 3, 6, 12)
    products: tuple[str, ...] = ()
    complaint_categories: tuple[str, ...] = ("network", "billing")
    departing_categories: tuple[str, ...] = ("cancellation", "win_back")

    @field_validator("windows")
    @classmethod
    def _ascending(cls, value: tuple[int, ...]) -> tuple[int, ...]:
        if not value or value[0] != 1 or list(value) != sorted(set(value)):
            raise ValueError("windows must ascend and start with 1, for example [1, 3, 6, 12]")
        return value
