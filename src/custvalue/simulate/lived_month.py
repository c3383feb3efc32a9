"""What one month of a played operator brought."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import cached_property

import pyarrow as pa


@dataclass(frozen=True)
class Month:
    """What one month brought.

    Attributes
    ----------
    month : date
        Its first day.
    contacts : pyarrow.Table
        ``customer_id``, ``reached``, ``outcome`` of everybody called.
    departures : pyarrow.Table
        ``customer_id``, ``left_on``, ``kind`` of everybody who left in the month. The operator's own warehouse learns it later.
    """

    month: date
    contacts: pa.Table
    departures: pa.Table
    _charge: Callable[[], pa.Table]

    @cached_property
    def revenue(self) -> pa.Table:
        """``customer_id``, ``revenue`` of everybody charged for the month; worked out when it is first asked for."""
        return self._charge()
