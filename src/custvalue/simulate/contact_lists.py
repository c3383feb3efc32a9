"""Reads whom a caller of `Operator.step` wants called."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from custvalue.errors import ConfigError, mask, some
from custvalue.simulate.timeline import Ints

Names = np.ndarray[Any, np.dtype[np.object_]]
_CUSTOMER_ID = re.compile(r"C(\d{8})")


def read_contacts(contacts: Iterable[str] | Mapping[str, str | None], offers: Sequence[str]) -> tuple[Names, Ints, Ints]:
    """Read customer ids, their numbers, and the positions of the offers; without an offer it is the first one.

    Raises
    ------
    ConfigError
        An id comes twice or is none; an offer is unknown.
    """
    wanted = dict(contacts) if isinstance(contacts, Mapping) else _once(contacts)
    if strange := sorted({offer for offer in wanted.values() if offer is not None and offer not in offers}):
        raise ConfigError(f"unknown offer(s) {some(strange)}; there are: {', '.join(offers)}.")
    matches = {customer: _CUSTOMER_ID.fullmatch(str(customer)) for customer in wanted}
    refuse([customer for customer, match in matches.items() if not match], len(wanted), "no customer ids")
    number = np.array([int(match[1]) - 1 for match in matches.values() if match], dtype=np.int64)
    refuse([customer for customer, found in zip(wanted, number, strict=True) if found < 0], len(wanted), "no customer ids")
    offer = np.array([0 if name is None else offers.index(name) for name in wanted.values()], dtype=np.int8)
    return np.array(list(wanted), dtype=object), number, offer


def read_days(ids: Names, days: Mapping[str, int], *, last: int) -> Ints:
    """Give each contact's days from the month's first day, 0 where no day is told.

    Raises
    ------
    ConfigError
        A day is none of the month, or is told of somebody who is not called.
    """
    if strange := sorted({str(day) for day in days.values() if not 1 <= day <= last}):
        raise ConfigError(f"unknown day(s) {some(strange)}; the month's days are 1 to {last}.")
    refuse(sorted(set(days) - set(ids)), len(days), "given a day, but not called")
    return np.array([days.get(customer, 1) - 1 for customer in ids], dtype=np.int64)


def refuse(faulty: Iterable[str], of: int, what: str) -> None:
    """Stop if there is any faulty contact.

    Raises
    ------
    ConfigError
        There is; the message tells how many and shows some, masked.
    """
    if found := [mask(customer) for customer in faulty]:
        raise ConfigError(
            f"{len(found):,} of {of:,} contacts are {what}: {some(found)}. Leave them out; `may_be_called` tells who may be called."
        )


def _once(contacts: Iterable[str]) -> dict[str, str | None]:
    wanted: dict[str, str | None] = {}
    twice = []
    for customer in contacts:
        if customer in wanted:
            twice.append(customer)
        wanted[customer] = None
    refuse(twice, len(wanted) + len(twice), "named twice")
    return wanted
