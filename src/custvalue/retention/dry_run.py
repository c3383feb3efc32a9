"""What a night of calls would reach, cost and earn, whom it leaves out and why, before anybody is called."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from custvalue.publish.digests import run_id


@dataclass(frozen=True)
class Reach:
    """What the contacts reach, cost and earn.

    Attributes
    ----------
    contacts, customers : int
        Rows on lists, and the customers whom they cover.
    reached : float
        Contacts expected to reach somebody.
    contact_cost, offer_cost, net_value : float
        Expected, currency.
    low, high : float
        Between these the net value lies with 95 % by chance alone, if every parameter is right; see `dry_run_figures.chance_interval`.
    band : dict
        What the lists earn if a parameter is wrong; see `sensitivity.sensitivity`. None where it cannot be said.
    """

    contacts: int
    customers: int
    reached: float
    contact_cost: float
    offer_cost: float
    net_value: float
    low: float
    high: float
    band: dict[str, float | None]


@dataclass(frozen=True)
class Campaign:
    """One campaign's night.

    Attributes
    ----------
    customers : int
        Whom it concerns and no earlier campaign of the file took.
    claimed : int
        Of them, those whom a later campaign concerns too.
    listed, held_out : int
        Slots taken, and held-out customers who would have taken one.
    rate, rate_called : float, optional
        Chance of leaving of these without a call, and with one if the parameters are right.
    needs : int, optional
        Listed and held-out customers, in such shares, of whom such a difference is seen with 80 % power; see `effect.power.required_size`.
    """

    customers: int
    claimed: int
    listed: int
    held_out: int
    rate: float | None
    rate_called: float | None
    needs: int | None


@dataclass(frozen=True)
class Warned:
    """Something to look at before approving: a code of ``dry_run_warnings`` in labels.yaml, and what it is about."""

    code: str
    about: str = ""
    needs: int = 0
    has: int = 0


@dataclass(frozen=True)
class Basis:
    """What the expected effect of a contact rests on.

    Attributes
    ----------
    source : str
        A code of ``dry_run_effects`` in labels.yaml.
    contacts, leavers : int
        Contacts made and withheld by lot that were looked at, and who of them left.
    """

    source: str = "stated"
    contacts: int = 0
    leavers: int = 0


STATED = Basis()


@dataclass(frozen=True)
class DryRun:
    """A night as it would be.

    Attributes
    ----------
    night : str
        The day, yyyy-mm-dd.
    policy, policy_digest : str
        The retention policy's label, and its file's SHA-256.
    decisions : dict
        Customers by decision, all of `DECISIONS`.
    reach : Reach
    offers : dict
        Offer → customers who may take it (None where that is not known) and contacts in which it is made.
    groups : dict
        ``tier`` and, where known, ``region`` → name → customers, contacts, would-be contacts, and the contacts' net value.
    campaigns : dict
        Name → `Campaign`.
    warnings : tuple of Warned
    basis : Basis
    """

    night: str
    policy: str
    policy_digest: str
    decisions: dict[str, int]
    reach: Reach
    offers: dict[str, dict[str, int | None]]
    groups: dict[str, dict[str, dict[str, float]]]
    campaigns: dict[str, Campaign]
    warnings: tuple[Warned, ...]
    basis: Basis = STATED

    @property
    def id(self) -> str:
        """Name of the dry run: a hash of all it says, 16 hexadecimal digits."""
        return run_id(self.to_dict())

    def to_dict(self) -> dict[str, Any]:
        """Give it as JSON values."""
        return asdict(self) | {"warnings": [asdict(each) for each in self.warnings]}

    @classmethod
    def from_dict(cls, told: Mapping[str, Any]) -> DryRun:
        """Read what `to_dict` gave."""
        made = {
            "reach": Reach(**told["reach"]),
            "campaigns": {name: Campaign(**each) for name, each in told["campaigns"].items()},
            "warnings": tuple(Warned(**each) for each in told["warnings"]),
            "basis": Basis(**told.get("basis", {})),
        }
        return cls(**{**told, **made})
