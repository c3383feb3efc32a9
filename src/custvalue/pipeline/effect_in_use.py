"""Which effect of a contact a night counts with: the policy's own parameters, or what was learnt with the champion."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from custvalue.config import RetentionPolicyConfig
from custvalue.retention.uplift_model import EffectModel, Learned

if TYPE_CHECKING:
    from custvalue.tracking import LoadedModel

_UNTAUGHT = (
    "cannot learn: {name} v{version} was trained while the policy stated its effects; using the stated parameters until "
    "`custvalue train` and `custvalue promote` bring another"
)


@dataclass(frozen=True, eq=False)
class EffectInUse:
    """Where a night's effect of a contact comes from.

    Attributes
    ----------
    source : str
        ``stated`` or ``learned``, as the policy asks; ``too_few`` or ``untaught`` where it asks for a learned one and the stated one holds,
        because contacts by lot do not suffice, or the champion was trained without.
    told : str
        The same in one line; empty where nothing else than the stated one is asked for.
    model : EffectModel or None
        What was learnt.
    digest : str
        Of the learnt effect as it was registered; empty where there is none.
    contacts, leavers : int
        Contacts by lot that were looked at, and who of them left.
    """

    source: Literal["stated", "learned", "too_few", "untaught"]
    told: str = ""
    model: EffectModel | None = None
    digest: str = ""
    contacts: int = 0
    leavers: int = 0

    @classmethod
    def of(cls, policy: RetentionPolicyConfig, champion: LoadedModel) -> EffectInUse:
        """Take what the policy asks for, as far as the champion has it."""
        if policy.effect == "stated":
            return cls("stated")
        if champion.effect is None:
            return cls("untaught", _UNTAUGHT.format(name=champion.name, version=champion.version))
        found = Learned.from_json(champion.effect)
        source: Literal["learned", "too_few"] = "learned" if found.model else "too_few"
        return cls(source, f"effects: {found.told}", found.model, champion.effect_digest, found.contacts, found.leavers)

    @property
    def lineage(self) -> dict[str, Any]:
        """What a night's manifest says of it; nothing where the policy states its effects."""
        return {} if self.source == "stated" else {"effect": {"source": self.source, "told": self.told, "digest": self.digest}}
