"""Why a customer holds a tier, in a sentence or two."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Decimal
from typing import Any, Literal

import ibis.expr.types as ir

from custvalue.config import UNRATED, TierPolicyConfig, ready_configs
from custvalue.config.tier_rules import Axis, MatrixRule, PointsRule
from custvalue.errors import ConfigError
from custvalue.features import FeatureColumn
from custvalue.tiers.breakdown import breakdown, only_row, part_names
from custvalue.tiers.cuts import keep_cuts
from custvalue.tiers.scoring import Cuts, value_name
from custvalue.wording import Catalogue, load_catalogue

_FORMATS = {"months": "months", "days": "days", "minutes": "minutes", "mb": "gb", "share": "percent"}
"""Word in a feature's unit or name → how its value is written."""

_MONEY = "money"
"""Unit of the features that are amounts; they keep their cents here, so that the points can be worked out from what is said."""

_HELD_UNTIL_LATER = ("below_too_briefly", "grace")
"""Reasons that say by themselves until when a tier is kept; its validity is over then."""

Row = Mapping[str, Any]


def explain(
    facts: ir.Table,
    rating: ir.Table,
    customer_id: object,
    *,
    config: TierPolicyConfig,
    cuts: Cuts,
    catalogue: Catalogue | None,
    **said: Any,
) -> str:
    """Say why a customer holds a tier; see `TierPolicy.explain`, which is the public way in."""
    state = only_row(rating.filter(rating.customer_id == customer_id), customer_id, "the rating")
    given_by = state.get("policy_version")
    if given_by is not None and given_by != config.label:
        raise ConfigError(f"the tier was given by {given_by}, not by {config.label}. Explain it by the policy that gave it.")
    parts = breakdown(facts, config, customer_id)
    words = catalogue or load_catalogue(ready_configs() / "wording")
    return _Explanation(config, cuts, parts, state, words, **said).sentence()


@dataclass(frozen=True)
class _Explanation:
    """What is known of one customer's tier, and the words to say it with; the fields are the arguments of `TierPolicy.explain`."""

    config: TierPolicyConfig
    cuts: Cuts
    parts: Row
    state: Row
    catalogue: Catalogue
    language: str
    complaint: str | None
    as_of: date | None
    columns: Sequence[FeatureColumn]
    currency: str | None

    def sentence(self) -> str:
        """Say it: the tier and its score, what the next one needs, what protects it; then why, where something happened."""
        tier, code = self.state["tier"], str(self.state["reason_code"])
        head = self._say("since", tier=self._tier(tier), since=_month(self.state["valid_from"]))
        said = [] if tier == UNRATED else [self._score(), *self._cuts(), *self._protection()]
        told = [text for text in said if text]
        first = self._say("colon").join([head, self._say("semicolon").join(told)]) if told else head
        stop = self._say("stop")
        if code == "stays":
            return first + stop
        why = self._say("colon").join([self._reason(code), *self._details(code)])
        space = " " if self.language == "en" else ""
        return f"{first}{stop}{space}{why[:1].upper()}{why[1:]}{stop}"

    # what the score is made of

    def _score(self) -> str:
        place, name = self._rule()
        rule = self.config.rules[name]
        if isinstance(rule, MatrixRule):
            said = self._say("comma").join(self._band(axis) for axis in (rule.rows, rule.columns))
        else:
            score = _shown(self.parts[f"score_{place}"], ROUND_FLOOR)
            said = self._say("score", score=score, parts=self._say("comma").join(self._points(place, rule)))
        earned = self.state.get("earned") or self.state["tier"]
        return said if earned == self.state["tier"] else self._say("alone", score=said, tier=self._tier(earned))

    def _points(self, place: int, rule: PointsRule) -> list[str]:
        def said(kind: Literal["component", "factor"], name: str, metric: str) -> str:
            value, given = (self.parts[column] for column in part_names(place, kind, name))
            words = {"component": "part", "factor": "factor"}[kind]
            return self._say(words, **self._metric(metric, value), given=_shown(given))

        components = [said("component", name, part.metric) for name, part in rule.components.items()]
        return components + [said("factor", name, part.metric) for name, part in rule.factors.items()]

    def _band(self, axis: Axis) -> str:
        value = self.parts[value_name(axis.metric, axis.roll_up)]
        reached = [(low, name) for name, low in axis.at_least.items() if value is not None and value >= low]
        return self._say("matrix", **self._metric(axis.metric, value), band=max(reached)[1] if reached else axis.otherwise)

    def _rule(self) -> tuple[int, str]:
        """Give the place and name of the rule that earns the best tier, the first of equals, as the score is written."""
        return min(enumerate(self.config.rules), key=lambda each: (self._rank(*each), each[0]))

    def _rank(self, place: int, name: str) -> int:
        if name not in self.cuts:
            return int(self.parts[f"matrix_{place}"])
        reached = [rank for rank, cut in enumerate(self.cuts[name].values()) if self.parts[f"score_{place}"] >= cut]
        return min(reached, default=len(self.config.tiers) - 1)

    def _cuts(self) -> list[str]:
        place, name = self._rule()
        if name not in self.cuts:
            return []
        held, score = self.config.tiers.index(self.state["tier"]), self.parts[f"score_{place}"]
        told = []
        if self.state.get("earned") in self.config.tiers and held < self.config.tiers.index(self.state["earned"]):
            cut = keep_cuts(self.config, self.cuts)[name][self.state["tier"]]
            told += [self._say("kept_from", tier=self._tier(self.state["tier"]), points=_shown(cut, ROUND_CEILING))] if score < cut else []
        if held > 0 and score < (cut := self.cuts[name][self.config.tiers[held - 1]]):
            told.append(self._say("needs", tier=self._tier(self.config.tiers[held - 1]), points=_shown(cut, ROUND_CEILING)))
        return told

    # what keeps it

    def _protection(self) -> list[str]:
        if self.state["tier"] == self.config.tiers[-1]:
            return []
        until = self._until()
        care, protection = self.state.get("care_priority") or 0, self.config.protection
        if care == 2 and protection.open_complaint:
            words = "complaint_unnamed" if self.complaint is None else "complaint_named"
            which = self._say(words, id=str(self.complaint))
            return [self._say("until_and_complaint" if until else "complaint", until=until, complaint=which)]
        told = [self._say("until", until=until)] if until else []
        if self.state["reason_code"] == "protected_justified_complaint" or (care == 1 and protection.justified_within_days):
            days = self.catalogue.quantity(protection.justified_within_days, "days", language=self.language)
            told.append(self._say("justified", days=days))
        return told

    def _until(self) -> str:
        until, code = _day(self.state.get("valid_until")), self.state["reason_code"]
        over = until is None or (self.as_of is not None and until <= self.as_of) or code in (*_HELD_UNTIL_LATER, "transition")
        return "" if over else _month(until)

    def _details(self, code: str) -> list[str]:
        def months(value: float) -> str:
            return self.catalogue.quantity(value, "months", language=self.language)

        stability, state = self.config.stability, self.state
        values = {
            "below_too_briefly": {"since": _month(state.get("below_since")), "months": months(stability.months_before_downgrade)},
            "grace": {"until": _month(state.get("grace_until"))},
            "transition": {"until": _month(state.get("valid_until"))},
        }
        if code == "unrated_short_tenure":
            values[code] = {"tenure": months(self.parts["tenure"]), "months": months(self.config.eligibility.min_tenure_months)}
        return [self._say(code, **values[code])] if code in values else []

    # words

    def _say(self, text: str, **values: str) -> str:
        return self.catalogue.label(f"tier_texts.{text}", self.language, **values)

    def _tier(self, name: str) -> str:
        return self.catalogue.label(f"tiers.{name}", self.language, default=name)

    def _reason(self, code: str) -> str:
        if code.startswith("adjusted_"):
            return self.catalogue.label("tier_reasons.adjusted", self.language, name=code.removeprefix("adjusted_"))
        return self.catalogue.label(f"tier_reasons.{code}", self.language)

    def _metric(self, metric: str, value: float | None) -> dict[str, str]:
        declared = next((column for column in self.columns if column.name == metric), None)
        stem = re.sub(r"_\d+m$", "", metric)
        name = metric if declared is None else declared.zh if self.language == "zh" else declared.en
        name = self.catalogue.label(f"tier_metrics.{stem}", self.language, default=name)
        if value is None:
            return {"metric": name, "value": self._say("unknown")}
        if declared is not None and declared.unit == _MONEY and self.currency is not None:
            pattern = self.catalogue.money_pattern(language=self.language, currency=self.currency)
            return {"metric": name, "value": pattern.replace("{}", _shown(value))}
        words = [declared.unit.lower()] if declared is not None else stem.split("_")
        form = next((_FORMATS[word] for word in words if word in _FORMATS), None)
        return {"metric": name, "value": _shown(value) if form is None else self.catalogue.quantity(value, form, language=self.language)}


def _day(value: Any) -> date | None:
    return value.date() if isinstance(value, datetime) else value


def _month(value: Any) -> str:
    day = _day(value)
    return "" if day is None else Catalogue.month(day)


def _shown(value: float, rounding: str = ROUND_HALF_EVEN) -> str:
    """Write points with up to two decimals; a score is rounded down and a cut up, so that none seems to be reached that is not."""
    exact = Decimal(f"{value:.15g}").quantize(Decimal("0.01"), rounding=rounding)
    text = f"{exact:,f}".rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text
