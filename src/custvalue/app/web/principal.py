"""Who asks, and what they may do: one table from role to permissions."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from custvalue.config.page import PageConfig, RoleName


class Permission(StrEnum):
    """What a page or a click may need."""

    ORDERS = "orders"
    """See the orders in one's scope: one's own, or one's team's."""
    RECORD = "record"
    """Record what came of a contact."""
    EXPORT = "export"
    """Download what one may see."""
    REVEAL = "reveal"
    """See a customer's full number; given by the config's ``page.reveal``."""
    TEAM = "team"
    """See the team's load, scorecard and effect; reassign orders."""
    APPROVE = "approve"
    """Approve a campaign's dry run."""
    PORTFOLIO = "portfolio"
    """See figures of the whole base, none of a single customer."""
    AUDIT = "audit"
    """See who looked at what."""


PERMISSIONS = MappingProxyType[RoleName, frozenset[Permission]](
    {
        "manager": frozenset({Permission.ORDERS, Permission.RECORD, Permission.EXPORT}),
        "lead": frozenset(
            {Permission.ORDERS, Permission.RECORD, Permission.EXPORT, Permission.TEAM, Permission.APPROVE, Permission.PORTFOLIO}
        ),
        "analyst": frozenset({Permission.PORTFOLIO}),
        "admin": frozenset({Permission.AUDIT, Permission.PORTFOLIO}),
    }
)
"""Role → permissions."""
ROLES = tuple(PERMISSIONS)


@dataclass(frozen=True)
class Principal:
    """A signed-in user.

    Attributes
    ----------
    user : str
        Name of the account.
    role : str
        One of `ROLES`.
    manager_id, team : str, optional
        Whose orders they see: a manager those of `manager_id`, a lead those of `team`.
    permissions : frozenset
        What they may do.
    """

    user: str
    role: RoleName
    manager_id: str | None
    team: str | None
    permissions: frozenset[Permission]

    def may(self, permission: Permission) -> bool:
        """Tell whether they may."""
        return permission in self.permissions


def make_principal(user: str, role: RoleName, manager_id: str | None, team: str | None, config: PageConfig) -> Principal:
    """Give the principal of an account; see `Principal`."""
    revealing = {Permission.REVEAL} if role in config.reveal and Permission.ORDERS in PERMISSIONS[role] else set()
    return Principal(user, role, manager_id, team, PERMISSIONS[role] | revealing)
