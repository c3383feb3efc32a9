"""What a challenger must show before it becomes champion."""

from __future__ import annotations

import math
import operator
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from custvalue.churn.evaluation import Interval
from custvalue.churn.slices import ALL, SliceQuality
from custvalue.config import PromotionConfig
from custvalue.errors import ModelError
from custvalue.tracking.comparison import Comparison

# Reloading may move to another machine, where the last digits of a sum differ.
RELOAD_TOLERANCE = 1e-9

_RELATIONS = {">": operator.gt, "<": operator.lt, "≤": operator.le, "≥": operator.ge}


@dataclass(frozen=True)
class Gate:
    """One gate: `value` must stand in the relation `sign` (``>``, ``<``, ``≤`` or ``≥``) to `limit`; None was not measured."""

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
        return bool(_RELATIONS[self.sign](self.value, self.limit))

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
    def rows(self) -> list[tuple[str, float | None, str, bool, str]]:
        """Gate, value, limit with its sign, passed, note: for a table."""
        return [(gate.gate, gate.value, f"{gate.sign} {gate.limit:.4g}", gate.passed, gate.note) for gate in self.gates]

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


def slice_gate(found: Sequence[SliceQuality], limits: PromotionConfig) -> Gate:
    """Judge the slice whose predicted rate lies farthest from the observed one, by the nearer end of the ratio's interval."""
    name = "worst slice: factor between observed and predicted rate"
    judged = [each for each in found if "ratio" in each.measures and each.dimension != ALL]
    if not judged:
        return Gate(name, 1.0, "≤", limits.max_slice_ratio, "no slice is large enough to be judged")
    worst = max(judged, key=lambda each: _off(each.measures["ratio"]))
    told = (
        f"{worst.dimension} {worst.value}: {worst.measures['observed'].value:.2%} left, {worst.measures['predicted'].value:.2%} predicted"
    )
    return Gate(name, _off(worst.measures["ratio"]), "≤", limits.max_slice_ratio, f"{told}; {len(judged)} slices judged")


def champion_gates(found: Comparison, limits: PromotionConfig) -> list[Gate]:
    """Judge a paired comparison with the champion; see `PromotionConfig`."""
    loss, drop = found.log_loss, found.auc_drop
    gates = [
        Gate("log loss, rise against the champion at worst", loss.high, "≤", limits.max_log_loss_increase, _percent(loss)),
        Gate(
            "AUC, fall against the champion at worst",
            drop.high,
            "≤",
            limits.max_auc_drop,
            f"{drop.value:+.4f} [{drop.low:+.4f} to {drop.high:+.4f}]",
        ),
    ]
    profit = found.profit_drop
    if profit is not None:
        limit = limits.max_profit_drop * abs(found.champion_profit)
        change = f"[{-profit.high:+,.0f} to {-profit.low:+,.0f}]"
        told = f"earns {found.champion_profit - profit.value:,.0f}, the champion {found.champion_profit:,.0f}, difference {change}"
        gates.append(Gate("profit at capacity, shown to fall by", profit.low, "≤", limit, told))
    gates.append(Gate("riskiest customers in common with the champion", found.overlap, "≥", limits.min_overlap, "share at capacity"))
    if found.slices:
        name, worst = max(found.slices.items(), key=lambda item: item[1].low)
        told = f"{name}: {_percent(worst)}; {len(found.slices)} slices judged"
        gates.append(Gate("worst slice: log loss shown to rise by", worst.low, "≤", limits.max_slice_increase, told))
    return gates


def leakage_gate(measured: Mapping[str, float]) -> Gate:
    """Judge what the leakage report of the training run refused."""
    checks = measured.get("leakage_checks")
    note = "" if checks is None else f"{checks:.0f} checks"
    return Gate("leaks found and not allowed", measured.get("leakage_refused"), "≤", 0, note)


def _off(ratio: Interval) -> float:
    if ratio.low > 1:
        return ratio.low
    return 1 / ratio.high if 0 < ratio.high < 1 else 1.0


def _percent(change: Interval) -> str:
    return f"{100 * change.value:+.2f} % [{100 * change.low:+.2f} to {100 * change.high:+.2f}]"


def log_loss(evaluation: Mapping[str, Any]) -> float | None:
    """Test log loss in nats, or None where it was not measured."""
    value = evaluation["metrics"]["log_loss"]["value"]
    return None if value is None else float(value)


def _entropy(share: float) -> float:
    return -sum(part * math.log(part) for part in (share, 1 - share) if part > 0)
