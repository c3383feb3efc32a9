"""A table against its own history: months that are missing, half there, there twice, or in another unit.

Every comparison is with the month before **and** with the usual month (the median of up to six before), and the milder of the two counts:
so a growing operator, a season or the month after a fault is not taken for one.
"""

from __future__ import annotations

import calendar
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from statistics import median
from typing import Any

from custvalue.config.sources import CheckLimits
from custvalue.errors import some
from custvalue.sources.declaration import Column, Table
from custvalue.sources.findings import Finding, Severity
from custvalue.sources.moment import add_months
from custvalue.sources.profile import Profile

_USUAL = 6
_HISTORY = 2
"""A month is judged when so many lie before it."""
ENOUGH = 100
"""Fewer rows than this say nothing of a month."""
_DEAD = 0.1
_NOTABLE = 2.0
_FULL, _THIN = 0.2, 0.1
_SOME_DAYS = 3

Entries = Sequence[Mapping[str, Any]]


def check_history(declared: Table, profile: Profile, limits: CheckLimits) -> list[Finding]:
    """Judge each month of a table by those before it."""
    found = [*_gaps(declared, profile), *_volumes(declared, profile, limits), *_copies(declared, profile)]
    for column in declared.columns:
        if f"filled {column.name}" in (profile.by_month[-1] if profile.by_month else {}):
            found += [*_levels(declared, column, profile, limits), *_emptied(declared, column, profile)]
    return found


def _finding(
    declared: Table, column: str, check: str, fault: str, remedy: str, *, severity: Severity = Severity.ERROR, rows: int = 0
) -> Finding:
    return Finding(declared.name, column, check, severity, fault, rows, (), remedy)


def _gaps(declared: Table, profile: Profile) -> Iterator[Finding]:
    time = declared.key[-1]
    remedy = "Load it, or allow `gap` for this table in sources.checks with the reason."
    if (declared.monthly or declared.daily) and profile.months:
        absent, month = [], profile.months[0]
        while month < profile.months[-1]:
            if month not in profile.months:
                absent.append(f"{month:%Y-%m}")
            month = add_months(month, 1)
        if absent:
            busy = median(entry["rows"] for entry in profile.by_month) >= ENOUGH
            fault = f"month(s) missing between others: {some(absent, 12)}"
            yield _finding(declared, time, "gap", fault, remedy, severity=Severity.ERROR if busy else Severity.WARN)
    if declared.daily:
        for month, entry in list(zip(profile.months, profile.by_month, strict=True))[1:-1]:
            absent_days = calendar.monthrange(month.year, month.month)[1] - entry["days"]
            if absent_days:
                severity = Severity.ERROR if absent_days > _SOME_DAYS else Severity.WARN
                yield _finding(declared, time, "gap", f"{absent_days} day(s) of {month:%Y-%m} missing", remedy, severity=severity)


def _whole_months(declared: Table, profile: Profile) -> tuple[tuple[date, ...], Entries]:
    """Months that can be compared by their number of rows: events may begin in mid-month and have not come to the end of the last one."""
    if declared.monthly:
        return profile.months, profile.by_month
    months = list(profile.months[1:-1])
    entries = list(profile.by_month[1:-1])
    if declared.steady and months:  # a month without any event does not show among the others
        filled = dict(zip(months, entries, strict=True))
        months = [add_months(months[0], i) for i in range((months[-1].year - months[0].year) * 12 + months[-1].month - months[0].month + 1)]
        entries = [filled.get(month, {"rows": 0}) for month in months]
    return tuple(months), entries


def ratio_to_before(values: Sequence[float], place: int) -> float | None:
    """How many times the month before and the usual month, whichever is nearer to one."""
    before = values[max(0, place - _USUAL) : place]
    if len(before) < _HISTORY or min(before[-1], median(before)) <= 0:
        return None
    last, usual = values[place] / before[-1], values[place] / median(before)
    if (last - 1) * (usual - 1) <= 0:
        return 1.0
    return min(last, usual) if last > 1 else max(last, usual)


def _volumes(declared: Table, profile: Profile, limits: CheckLimits) -> Iterator[Finding]:
    if declared.announced:  # plans, contracts and departures change when the operator decides so
        return
    months, entries = _whole_months(declared, profile)
    counts = [float(entry["rows"]) for entry in entries]
    for place, month in enumerate(months):
        ratio = ratio_to_before(counts, place)
        if ratio is None or median(counts[max(0, place - _USUAL) : place]) < ENOUGH:
            continue
        if ratio < limits.volume_drop or ratio > limits.volume_rise:
            fault = f"{int(counts[place]):,} row(s) in {month:%Y-%m}, {_times(ratio)} of the months before"
            remedy = "Load the whole month once, or allow `volume` for this table in sources.checks with the reason."
            broken = declared.monthly or (declared.steady and ratio < min(_DEAD, limits.volume_drop))
            yield _finding(declared, declared.key[-1], "volume", fault, remedy, severity=Severity.ERROR if broken else Severity.WARN)


def _times(ratio: float) -> str:
    return f"{ratio:.0%}" if ratio < 1 else f"{ratio:.1f} times those"


def _levels(declared: Table, column: Column, profile: Profile, limits: CheckLimits) -> Iterator[Finding]:
    if not column.measured:
        return
    known = [
        (month, float(entry[f"sum {column.name}"]) / entry[f"moved {column.name}"])
        for month, entry in zip(profile.months, profile.by_month, strict=True)
        if (entry[f"moved {column.name}"] or 0) >= ENOUGH
    ]
    means = [mean for _, mean in known]
    for place, (month, mean) in enumerate(known):
        ratio = ratio_to_before(means, place)
        if ratio is None or 1 / _NOTABLE <= ratio <= _NOTABLE:
            continue
        broken = not 1 / limits.level <= ratio <= limits.level
        told = f"{ratio:,.1f} times" if ratio > 1 else f"1/{1 / ratio:,.1f} of"
        fault = f"mean of the values that are not zero is {mean:,.4g} in {month:%Y-%m}, {told} what it was"
        remedy = "Look for a change of currency or unit, convert it in the mapping, or allow `level` for this table with the reason."
        yield _finding(declared, column.name, "level", fault, remedy, severity=Severity.ERROR if broken else Severity.WARN)


def _emptied(declared: Table, column: Column, profile: Profile) -> Iterator[Finding]:
    if column.hidden_until is not None:  # what is still open in the newest months is empty by nature
        return
    shares = [entry[f"filled {column.name}"] / entry["rows"] for entry in profile.by_month]
    for place, month in enumerate(profile.months):
        before = shares[max(0, place - _USUAL) : place]
        rows = profile.by_month[place]["rows"]
        if len(before) < _HISTORY or rows < ENOUGH or min(median(before), before[-1]) < _FULL:
            continue
        if shares[place] < _THIN * median(before):
            severity = Severity.ERROR if shares[place] == 0 else Severity.WARN
            fault = f"filled in {shares[place]:.0%} of {month:%Y-%m}, before in {median(before):.0%}"
            remedy = "Deliver the column, or allow `emptied` for this table in sources.checks with the reason."
            yield _finding(declared, column.name, "emptied", fault, remedy, severity=severity)


def _copies(declared: Table, profile: Profile) -> Iterator[Finding]:
    """A month that is the one before with another date: as many rows, and every sum the same."""
    if not declared.monthly:
        return
    for before, entry, month in zip(profile.by_month, profile.by_month[1:], profile.months[1:], strict=False):
        same = _sums(before) == _sums(entry) and len(_sums(entry)) > 1
        if same and before["rows"] == entry["rows"] >= ENOUGH:
            remedy = "Load the right file, or allow `copied` for this table in sources.checks with the reason."
            fault = f"every sum of {month:%Y-%m} equals that of the month before"
            yield _finding(declared, declared.key[-1], "copied", fault, remedy, rows=entry["rows"])


def _sums(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in entry.items() if name.startswith("sum ") and value}
