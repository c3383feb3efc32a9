"""Windows and ages of dated rows: everything counted back from the moment."""

from __future__ import annotations

from datetime import UTC

import ibis
from ibis.expr.types import BooleanValue, Value

from custvalue.features.blocks import View, number
from custvalue.sources import Moment

DAY_SECONDS = 86_400


def within(time: Value, view: View, months: int) -> Value:
    """Tell whether a UTC time lies in the last so many months."""
    start = view.moment.months_back(months).instant
    return time >= ibis.literal(start).cast("timestamp(6)")


def seconds(time: Value) -> Value:
    """Whole seconds from 1970 to a UTC time, as int64; a fraction of a second is cut off, since engines do not agree on rounding it."""
    return time.truncate("s").epoch_seconds().cast("int64")


def days_since(time: Value, moment: Moment) -> Value:
    """Whole days from a UTC time to the moment, as float64."""
    now = int(moment.instant.replace(tzinfo=UTC).timestamp())
    return number(((now - seconds(time)) / DAY_SECONDS).floor())


def days_until(day: Value, moment: Moment) -> Value:
    """Days from the moment to a date, as float64."""
    return number(day.delta(ibis.literal(moment.day), unit="day"))


def with_everybody(rows: ibis.Table, view: View) -> ibis.Table:
    """Add a row of nulls for every customer without rows, so that his counts are zero rather than missing."""
    return view.customers.select("customer_id").left_join(rows, "customer_id").drop("customer_id_right")


def counted(flags: BooleanValue) -> Value:
    """Count the rows where something is true, as float64; unknown is not true."""
    return number(ibis.ifelse(flags, 1, None).count())
