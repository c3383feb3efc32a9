"""What a challenger must show before it becomes champion."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from custvalue.config import PromotionConfig
from custvalue.errors import ModelError

# Reloading may move to another machine, where the last digits of a sum differ.
RELOAD_TOLERANCE = 1e-9


@dataclass(frozen=True)
class Gate:
    """One gate: `value` must stand in the relation `sign` (``>``, ``<`` or ``≤``) to `limit`; None was not measured."""

    gate: str
    value: float | None
    sign: str
    limit: float
    note: str = ""

    @property
    def passed(self) -> bool:
        """Whether the value keeps the limit; what was not measured does not."""
        if self.value is None or not math.isfinite(self.value):
            return False
        return {">": self.value > self.limit, "<": self.value < self.limit, "≤": self.value <= self.limit}[self.sign]

    def __str__(self) -> str:
        value = "not measured" if self.value is None else f"{self.value:.4g}"
        return f"{'✓' if self.passed else '✗'} {self.gate} {value}, must be {self.sign} {self.limit:.4g}" + (
            f" ({self.note})" if self.note else ""
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for the promotion log."""
        return {**asdict(self), "passed": self.passed}


@dataclass(frozen=True)
class Verdict:
    """Outcome of `Store.promote`.

    Attributes
    ----------
    name, version : str, int
        The registered model and the version judged.
    champion : int or None
        The champion before.
    gates : tuple of Gate
        Empty when the version was champion already.
    notes : tuple of str
        What a reader should know beside the gates.
    already : bool
        The version was champion already, and nothing was changed.
    """

    name: str
    version: int
    champion: int | None
    gates: tuple[Gate, ...] = ()
    notes: tuple[str, ...] = ()
    already: bool = False

    @property
    def passed(self) -> bool:
        """Whether every gate is passed."""
        return all(gate.passed for gate in self.gates)

    @property
    def rows(self) -> list[tuple[str, float | None, str, bool]]:
        """Gate, value, limit with its sign, passed: for a table."""
        return [(gate.gate, gate.value, f"{gate.sign} {gate.limit:.4g}", gate.passed) for gate in self.gates]

    def __str__(self) -> str:
        if self.already:
            return f"version {self.version} of {self.name!r} is champion already; nothing was changed."
        failed = sum(not gate.passed for gate in self.gates)
        if failed:
            said = f"failed {failed} of {len(self.gates)} gates and does not become champion"
        else:
            said = "passed every gate and is champion" + (f" after version {self.champion}" if self.champion else "")
        lines = [f"version {self.version} of {self.name!r} {said}", *self.gates, *self.notes]
        return "\n  ".join(str(line) for line in lines)


def quality_gates(evaluation: Mapping[str, Any], limits: PromotionConfig) -> list[Gate]:
    """Gates on the version's own test slice: AUC, calibration, and log loss against the base rate's.

    Parameters
    ----------
    evaluation : mapping
        ``Evaluation.to_dict()``. Log loss is in nats; a constant forecast of the base rate b scores
        −b·ln b − (1 − b)·ln(1 − b).
    limits : PromotionConfig

    Raises
    ------
    ModelError
        The evaluation lacks a number that a gate needs.
    """
    try:
        auc, excess = evaluation["metrics"]["auc"]["low"], evaluation["metrics"]["calibration_excess"]["value"]
        loss, base = log_loss(evaluation), float(evaluation["base_rate"])
    except (KeyError, TypeError) as error:
        raise ModelError(f"evaluation.json lacks {error}, so the gates cannot be judged. Train again.") from error
    limit = limits.max_log_loss_ratio * _entropy(base)
    return [
        Gate("AUC, lower end of its interval", auc, ">", limits.min_auc),
        Gate("calibration error above a perfect model's", excess, "≤", limits.max_calibration_excess),
        Gate("log loss, against the base rate's", loss, "<", limit),
    ]


def champion_gate(evaluation: Mapping[str, Any], champion: Mapping[str, Any], limits: PromotionConfig) -> Gate:
    """Log loss against the champion's on the same rows."""
    best = log_loss(champion)
    if best is None:
        return Gate("log loss, against the champion's", None, "<", math.inf, "the champion's was not measured")
    return Gate("log loss, against the champion's", log_loss(evaluation), "<", limits.max_log_loss_ratio * best)


def log_loss(evaluation: Mapping[str, Any]) -> float | None:
    """Test log loss in nats, or None where it was not measured."""
    value = evaluation["metrics"]["log_loss"]["value"]
    return None if value is None else float(value)


def _entropy(share: float) -> float:
    return -sum(part * math.log(part) for part in (share, 1 - share) if part > 0)
