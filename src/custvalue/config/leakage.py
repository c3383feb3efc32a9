"""Settings of the leakage report: what may pass although it looks like a leak, and why."""

from __future__ import annotations

from pydantic import Field, field_validator

from custvalue.config.base import Settings


class LeakageConfig(Settings):
    """Overrides of the leakage report.

    Attributes
    ----------
    allow : dict
        What a finding names (a check, a feature column, ``table.column`` or ``table.column=value``) → the reason why it is no leak.
        The reason is logged with every training.
    """

    allow: dict[str, str] = Field(default_factory=dict)

    @field_validator("allow")
    @classmethod
    def _with_a_reason(cls, value: dict[str, str]) -> dict[str, str]:
        if bare := [name for name, reason in value.items() if len(reason.split()) < 3]:
            raise ValueError(
                f"say in a few words why {', '.join(bare)} is no leak, for example 'known at the snapshot: the date is announced'"
            )
        return value
