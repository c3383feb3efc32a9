"""Windows and ages of dated rows: everything counted back from the moment."""

from __future__ import annotations

from datetime import UTC

import ibis
from ibis.expr.types import Value

from custvalue.features.blocks import View, number
from custvalue.sources import Moment

_DAY_SECONDS = 86_400


def within(time: Value, view: View, months: int) -> Value:
    """Tell whether a UTC time lies in the last so many months."""
    start = view.moment.months_back(months).instant
    return time >= ibis.literal(start).cast("timestamp(6)")


def days_since(time: Value, moment: Moment) -> Value:
    """Whole days from a UTC time to the moment, as float64."""
    now = int(moment.instant.replace(tzinfo=UTC).timestamp())
    return number(((now - time.epoch_seconds()) / _DAY_SECONDS).floor())


def days_until(day: Value, moment: Moment) -> Value:
    """Days from the moment to a date, as float64."""
    return number(day.delta(ibis.literal(moment.day), unit="day"))
