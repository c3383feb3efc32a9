"""What behaviour is told by: each service's share of a customer's use, scaled; as Ibis expressions, the same on every engine."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from operator import add
from typing import Literal

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from custvalue.tiers.scoring import number

Form = Literal["use", "share", "level"]

_USES = {"voice": "voice_minutes_mean", "data": "data_mb_mean", "sms": "sms_count_mean", "roaming": "roaming_days_mean"}
_SHARES = {"extras": "vas_share", "off_net": "off_net_share_mean"}
_BILL_INSTEAD = {"data": "data_share", "roaming": "roaming_share"}
_LEVELS = {"peers": "distinct_peers_mean"}
HOUSEHOLD_LINES = "household_lines"
MOST_FITTED = 50_000

_LONGEST = 12
_LEAST_SHARE, _MOST_OFF = 0.01, 3.0
_LEAST_KNOWN = 0.5
_NO_SPREAD = 1e-6
_NORMAL_QUARTILES = 1.349
"""Distance between the quartiles of a normal distribution of deviation 1."""


@dataclass(frozen=True)
class Signal:
    """One side of behaviour: a feature, and how it becomes a number of about the same spread as the others.

    ``use``: the service's share of all use, where a customer's use of each service is counted in multiples of the base's mean, so that
    minutes, megabytes and messages can be added. ``share``: a share as it is. Both as log-odds, shares below 1 % or above 99 % counting
    as that. ``level``: ``log(1 + value / typical)``. Then the centre is taken off, the scale divides, and what lies more than three
    scales out counts as three. What is unknown counts as the centre.

    Attributes
    ----------
    name : str
        Word in the wording catalogue: ``segments.more_<name>`` and ``segments.less_<name>``.
    column : str
        The feature.
    form : str
        See above.
    typical : float
        Of a use the mean, of a level the median of the values above zero; 1 for a share.
    centre, scale : float
        Median, and quartile distance / 1.349 (the standard deviation where the quartiles are equal).
    """

    name: str
    column: str
    form: Form
    typical: float = 1.0
    centre: float = 0.0
    scale: float = 1.0


def signal_columns() -> tuple[str, ...]:
    """Every feature column that signals and names of segments can be made of, whatever the config's windows."""
    stems = (*_USES.values(), *_BILL_INSTEAD.values(), *_SHARES.values(), *_LEVELS.values())
    return (*(f"{stem}_{window}m" for stem in stems for window in range(1, _LONGEST + 1)), HOUSEHOLD_LINES)


def find_signals(columns: Iterable[str]) -> tuple[Signal, ...]:
    """Choose the signals that a feature table gives: of each feature the longest window up to a year, for behaviour is a habit.

    Off-net shares and peers are there only where consent is mapped (`FeatureColumn.consent`). Charges stand in for the use of a service
    only where its use is not mapped.
    """
    given = set(columns)

    def longest(stem: str) -> str | None:
        return next((f"{stem}_{window}m" for window in range(_LONGEST, 0, -1) if f"{stem}_{window}m" in given), None)

    found: list[Signal] = []
    for name, stem in _USES.items():
        if column := longest(stem):
            found.append(Signal(name, column, "use"))
        elif name in _BILL_INSTEAD and (column := longest(_BILL_INSTEAD[name])):
            found.append(Signal(name, column, "share"))
    found += [Signal(name, column, "share") for name, stem in _SHARES.items() if (column := longest(stem))]
    found += [Signal(name, column, "level") for name, stem in _LEVELS.items() if (column := longest(stem))]
    return tuple(found)


def fit_signals(table: ir.Table, signals: Sequence[Signal]) -> tuple[tuple[Signal, ...], tuple[str, ...]]:
    """Find each signal's typical value, centre and scale in a table of few rows with ``customer_id``.

    Returns
    -------
    tuple
        The fitted signals, and one line for each that is left out: unknown for most customers, or the same for all.
    """
    kept, left_out = tuple(signals), list[str]()
    while kept:
        fitted, more = _fit(table, kept)
        left_out += more
        if len(fitted) == len(kept):
            return fitted, tuple(left_out)
        kept = fitted  # a use that is left out no longer counts as use
    return (), tuple(left_out)


def scale(table: ir.Table, signals: Sequence[Signal]) -> ir.Table:
    """Give ``customer_id`` and each fitted signal's scaled value, under its name."""
    values = _values(table, signals)
    return values.select(
        "customer_id",
        **{
            signal.name: ibis.greatest(
                ibis.least(((values[signal.name] - signal.centre) / signal.scale).fill_null(0.0), _MOST_OFF), -_MOST_OFF
            )
            for signal in signals
        },
    )


def by_customer(table: ir.Table) -> pd.DataFrame:
    """Fetch a table by customer, so that the order in which an engine gives rows decides nothing."""
    frame: pd.DataFrame = table.order_by("customer_id").to_pyarrow().to_pandas()
    return frame


def sample_customers(features: ir.Table | pd.DataFrame) -> pa.Table:
    """Take the customers with the lowest MD5 of their id, by id, with the columns that segments are made of."""
    wanted = [signal.column for signal in find_signals(features.columns)]
    wanted += [HOUSEHOLD_LINES] if HOUSEHOLD_LINES in features.columns else []
    if isinstance(features, pd.DataFrame):
        features = ibis.memtable(pa.Table.from_pandas(features[["customer_id", *wanted]], preserve_index=False))
    mixed = features.select("customer_id", *wanted).mutate(mixed=features.customer_id.hexdigest("md5"))
    chosen: pa.Table = mixed.order_by("mixed").limit(MOST_FITTED).drop("mixed").to_pyarrow()
    return chosen.sort_by("customer_id")


def scaled_values(table: ir.Table, signals: Sequence[Signal]) -> NDArray[np.float64]:
    """Fetch the scaled values, one row a customer, one column a signal, by customer."""
    return by_customer(scale(table, signals))[[signal.name for signal in signals]].to_numpy(dtype=np.float64)


def family_lines(table: ir.Table) -> NDArray[np.float64] | None:
    """Fetch 1 for each line of a household with several lines, else 0, by customer; None where households are not known."""
    if HOUSEHOLD_LINES not in table.columns:
        return None
    lines = by_customer(table.select("customer_id", HOUSEHOLD_LINES))[HOUSEHOLD_LINES]
    return (lines > 1).to_numpy().astype(np.float64)


def _fit(table: ir.Table, signals: tuple[Signal, ...]) -> tuple[tuple[Signal, ...], tuple[str, ...]]:
    raw = by_customer(_raw(table, signals)).astype(dict.fromkeys((signal.name for signal in signals), "float64"))
    signals = tuple(_with_typical(signal, raw[signal.name]) for signal in signals)
    values = by_customer(_values(table, signals)).astype(dict.fromkeys((signal.name for signal in signals), "float64"))
    fitted, left_out = [], []
    for signal in signals:
        known = float(raw[signal.name].notna().mean())
        centre, spread = _spread(values[signal.name].dropna())
        if not known >= _LEAST_KNOWN:
            left_out.append(f"{signal.column} is known of {known:.0%} of the customers only")
        elif spread == 0:
            left_out.append(f"{signal.column} is the same for all")
        else:
            fitted.append(replace(signal, centre=centre, scale=spread))
    return tuple(fitted), tuple(left_out)


def _raw(table: ir.Table, signals: Sequence[Signal]) -> ir.Table:
    return table.select("customer_id", **{signal.name: number(table, signal.column) for signal in signals})


def _values(table: ir.Table, signals: Sequence[Signal]) -> ir.Table:
    """Turn features into values of one kind, step by step: Ibis keeps the steps apart where writing one into the other would repeat it."""
    raw = _raw(table, signals)
    uses = [signal for signal in signals if signal.form == "use"]
    if uses:
        raw = raw.mutate(**{signal.name: ibis.greatest(raw[signal.name].fill_null(0.0), 0.0) / signal.typical for signal in uses})
        total = raw.mutate(total_use=reduce(add, (raw[signal.name] for signal in uses)))
        raw = total.mutate(**{signal.name: total[signal.name] / total.total_use.nullif(0.0) for signal in uses})
    # null is told apart first: greatest and least pass over it
    return raw.select(
        "customer_id",
        **{signal.name: raw[signal.name].isnull().ifelse(ibis.null("float64"), _value(raw[signal.name], signal)) for signal in signals},
    )


def _value(known: ir.FloatingValue, signal: Signal) -> ir.FloatingValue:
    if signal.form == "level":
        return (ibis.greatest(known, 0.0) / signal.typical + 1.0).ln()
    clipped = ibis.greatest(ibis.least(known, 1.0 - _LEAST_SHARE), _LEAST_SHARE)
    return (clipped / (1.0 - clipped)).ln()


def _with_typical(signal: Signal, values: pd.Series) -> Signal:
    positive = values[values > 0]
    if signal.form == "share" or positive.empty:
        return signal
    typical = values.clip(lower=0).mean() if signal.form == "use" else positive.median()
    return replace(signal, typical=_rounded(typical))


def _spread(values: pd.Series) -> tuple[float, float]:
    if values.empty:
        return 0.0, 0.0
    low, centre, high = np.quantile(values, [0.25, 0.5, 0.75])
    spreads = ((high - low) / _NORMAL_QUARTILES, values.std(ddof=0))
    return _rounded(centre), _rounded(next((spread for spread in spreads if spread > _NO_SPREAD), 0.0))


def _rounded(value: float) -> float:
    return float(np.format_float_positional(value, precision=9, fractional=False, trim="-"))
