"""One pass over customers and offers, the worthiest first: who gets a slot while slots, stock and money last."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from custvalue.retention.assignment import Desk

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

_CHUNK = 50_000
"""Pairs at a time: what has run out before is sifted out of the next ones at once."""


@dataclass(frozen=True)
class Pairs:
    """Every customer with every offer worth making him, in the order in which they are tried.

    Attributes
    ----------
    customer, offer, place, kind : ndarray of int64, shape (n,)
        Number of the customer, of the offer, of the list competed for, and of the customer's kind (see `assignment.kinds_of`).
    worth, cost : ndarray of float64, shape (n,)
        Expected net value and expected cost, currency.
    held : ndarray of bool, shape (n,)
        Held out: tried like the others, takes nothing.
    """

    customer: Ints
    offer: Ints
    place: Ints
    kind: Ints
    worth: Floats
    cost: Floats
    held: Flags

    def __len__(self) -> int:
        """Pairs."""
        return len(self.customer)

    def pick(self, which: Flags | Ints | slice) -> Pairs:
        """Give some of the pairs."""
        names = ("customer", "offer", "place", "kind", "worth", "cost", "held")
        return Pairs(*(getattr(self, name)[which] for name in names))


@dataclass
class Supply:
    """What can run out.

    Attributes
    ----------
    room : ndarray of int64, shape (lists,)
        Slots left on each list.
    stock : ndarray of float64, shape (offers,)
        How often each offer can still be made.
    budget : float
        Expected cost that can still be met, currency.
    pool : int
        Which list is the pool's.
    desk : Desk
        Who takes the pool's customers.
    """

    room: Ints
    stock: Floats
    budget: float
    pool: int
    desk: Desk

    def last(self, pairs: Pairs) -> Flags:
        """Say of each pair whether slot, stock and money are there now."""
        return (self.room[pairs.place] > 0) & (self.stock[pairs.offer] > 0) & (pairs.cost <= self.budget)


@dataclass
class Outcome:
    """What became of each customer.

    Attributes
    ----------
    offer : ndarray of int64, shape (customers,)
        The offer with which he is, or being held out would be, listed; -1 where he is not.
    first : ndarray of bool, shape (customers,)
        Got a slot that was kept for urgent ones.
    manager : dict
        Who calls a customer of the pool, by the customer's number.
    """

    offer: Ints
    first: Flags
    manager: dict[int, str] = field(default_factory=dict)

    @classmethod
    def of(cls, customers: int) -> Outcome:
        """Begin with nobody."""
        return cls(np.full(customers, -1, dtype=np.int64), np.zeros(customers, dtype=bool))


def fill(pairs: Pairs, supply: Supply, outcome: Outcome, *, first: bool) -> None:
    """Go through the pairs in order; each customer gets the first offer for which slot, stock and money are there.

    A held-out customer gets his at the same place in the order under the same conditions, but uses up nothing: he would be listed
    exactly if he, and nobody else of the held-out, took part.

    Parameters
    ----------
    pairs : Pairs
        In order.
    supply, outcome : Supply, Outcome
        Changed in place.
    first : bool
        Whether these are slots kept for urgent customers.
    """
    for start in range(0, len(pairs), _CHUNK):
        chunk = pairs.pick(slice(start, start + _CHUNK))
        chunk = chunk.pick(supply.last(chunk) & (outcome.offer[chunk.customer] < 0))
        _fill(chunk, supply, outcome, first=first)
        if not supply.room.any():
            return


def _fill(pairs: Pairs, supply: Supply, outcome: Outcome, *, first: bool) -> None:
    room, stock, budget = supply.room.tolist(), supply.stock.tolist(), supply.budget
    listed: dict[int, int] = {}
    columns = (pairs.customer, pairs.offer, pairs.place, pairs.kind, pairs.worth, pairs.cost, pairs.held)
    for customer, offer, place, kind, worth, cost, held in zip(*(column.tolist() for column in columns), strict=True):
        if customer in listed or room[place] <= 0 or stock[offer] <= 0 or cost > budget:
            continue
        if place == supply.pool and not supply.desk.takes(kind):
            continue
        listed[customer] = offer
        if held:
            continue
        room[place] -= 1
        stock[offer] -= 1
        budget -= cost
        if place == supply.pool:
            outcome.manager[customer] = supply.desk.give(kind, worth)
    who = np.fromiter(listed, dtype=np.int64, count=len(listed))
    outcome.offer[who] = np.fromiter(listed.values(), dtype=np.int64, count=len(listed))
    outcome.first[who] = first
    supply.room[:], supply.stock[:], supply.budget = room, stock, budget
