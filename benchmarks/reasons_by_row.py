"""Reasons worked out one customer after the other in plain Python: the peer of ``reasons.py``, and a second opinion in the tests.

The wording file is read, its conditions judged and its numbers written anew, with whole-number arithmetic.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from functools import cached_property
from typing import Any

import yaml

from custvalue.config import ready_configs

NIGHT = date(2026, 1, 1)
SIGNS = {">=": operator.ge, "<=": operator.le, ">": operator.gt, "<": operator.lt, "==": operator.eq, "!=": operator.ne}
RAW = yaml.safe_load((ready_configs() / "wording" / "reasons.yaml").read_text(encoding="utf-8"))
LABELS = yaml.safe_load((ready_configs() / "wording" / "labels.yaml").read_text(encoding="utf-8"))
Facts = dict[str, Any]


def rounded(value: float, places: int, scale: Fraction = Fraction(1)) -> str:
    """Fifteen significant digits, halves away from zero, in whole-number arithmetic."""
    exact = Fraction(f"{value:.15g}") * scale * 10**places
    whole = int(abs(exact) + Fraction(1, 2))
    digits = f"{whole:0{places + 1}d}"
    head, tail = (digits[:-places], "." + digits[-places:]) if places else (digits, "")
    return ("-" if exact < 0 and whole else "") + f"{int(head):,}{tail}"


def quantity(value: float) -> str:
    """One decimal below ten where it is not whole, else none."""
    return rounded(value, 0) if abs(value) >= 9.95 else re.sub(r"\.0$", "", rounded(value, 1))


def money(value: float) -> str:
    """No decimals from ten up, two below."""
    return rounded(value, 0 if abs(value) >= 9.995 else 2)


def percent(value: float) -> str:
    """Whole percent; less than all never reads 100."""
    digits = rounded(value, 0, Fraction(100))
    return f"{digits.replace('100', '99') if digits in ('100', '-100') and abs(value) < 1 else digits}"


def plural(singular: str, many: str, zh: str) -> Callable[[Any, str], str]:
    """A quantity with its unit."""
    return lambda value, language: (
        f"{quantity(value)}{zh}" if language == "zh" else f"{quantity(value)} {singular if quantity(value) == '1' else many}"
    )


def amount(value: float, language: str) -> str:
    """An amount with its currency."""
    digits = money(value)
    minus, digits = ("-", digits[1:]) if digits.startswith("-") else ("", digits)
    return f"{minus}{digits}元" if language == "zh" else f"{minus}¥{digits}"


def volume(mb: float, language: str) -> str:
    """Gigabytes, or megabytes below a tenth of one."""
    number, unit = (quantity(mb / 1024), "GB") if abs(mb) >= 102.4 else (quantity(mb), "MB")
    return f"{number}{unit}" if language == "zh" else f"{number} {unit}"


DATES = {"date_ahead": 1, "date_ago": -1}
WRITTEN: dict[str, Callable[[Any, str], str]] = {
    "money": amount,
    "percent": lambda value, language: f"{percent(value)}{'%' if language == 'zh' else ' %'}",
    "negated_percent": lambda value, language: f"{percent(-value)}{'%' if language == 'zh' else ' %'}",
    "days": plural("day", "days", "天"),
    "months": plural("month", "months", "个月"),
    "minutes": plural("minute", "minutes", "分钟"),
    "times": lambda value, language: "once" if (language, quantity(value)) == ("en", "1") else plural("", "times", "次")(value, language),
    "count": lambda value, _: quantity(value),
    "gb": volume,
    "text": lambda text, language: LABELS["values"].get(text, {}).get(language, text),
}


@dataclass(frozen=True)
class Sentence:
    """A variant as it stands in the file, for one window."""

    code: str
    name: str
    when: tuple[str, ...]
    direction: str
    texts: dict[str, str]

    @cached_property
    def places(self) -> list[tuple[str, str]]:
        """Facts shown, and how."""
        return re.findall(r"\{(\w+):(\w+)\}", self.texts["en"])

    @cached_property
    def facts(self) -> set[str]:
        """All facts that it speaks of."""
        asked = {name for condition in self.when for name in names_in(condition)}
        return asked | {name for name, _ in self.places}

    def holds(self, facts: Facts) -> bool:
        """Whether it is true of a customer."""
        return all(true(condition, facts) for condition in self.when) and all(facts.get(name) is not None for name, _ in self.places)

    def said(self, facts: Facts, language: str, night: date = NIGHT) -> str:
        """The sentence with the customer's facts."""

        def shown(match: re.Match[str]) -> str:
            value, form = facts[match[1]], match[2]
            return str(night + timedelta(days=DATES[form] * round(value))) if form in DATES else WRITTEN[form](value, language)

        return re.sub(r"\{(\w+):(\w+)\}", shown, self.texts[language])


def names_in(condition: str) -> list[str]:
    """Facts that a condition compares."""
    fact, _, bound = condition.split(maxsplit=2)
    return [fact, bound.split("*")[1].strip()] if "*" in bound else [fact]


def bound_of(bound: str) -> Any:
    """A threshold, a text or a number."""
    name = bound.removeprefix("-").strip()
    if name in RAW["thresholds"]:
        return RAW["thresholds"][name] * (-1 if bound.startswith("-") else 1)
    return bound[1:-1] if bound[0] in "'\"" else float(bound)


def true(condition: str, facts: Facts) -> bool:
    """Whether a condition holds."""
    fact, sign, bound = condition.split(maxsplit=2)
    if sign == "is":
        return fact in facts and (facts[fact] is None) == (bound == "missing")
    number, _, times = (part.strip() for part in bound.partition("*"))
    if facts.get(fact) is None or (times and facts.get(times) is None):
        return False
    return bool(SIGNS[sign](facts[fact], bound_of(number) * (facts[times] if times else 1) if times else bound_of(number)))


def sentences() -> Iterator[Sentence]:
    """All variants of the file, one for each window."""
    for code, words in RAW["reasons"].items():
        for name, variant in words.get("variants", {}).items():
            for w in variant.get("windows", [0]):

                def at(text: str, w: int = w) -> str:
                    return text.replace("<w-1>", str(w - 1)).replace("<w>", str(w))

                when = tuple(at(condition) for condition in variant.get("when", []))
                texts = {language: at(variant[language]) for language in ("en", "zh")}
                yield Sentence(code, f"{name}_{w}m" if w else name, when, variant.get("direction", "risk"), texts)


SENTENCES = list(sentences())
BY_CODE: dict[tuple[str, str], list[Sentence]] = {}
for _one in SENTENCES:
    BY_CODE.setdefault((_one.code, _one.direction), []).append(_one)


def first_true(code: str, direction: str, facts: Facts) -> Sentence | None:
    """The sentence that the file gives first to a customer with these facts."""
    return next((one for one in BY_CODE.get((code, direction), ()) if one.facts <= facts.keys() and one.holds(facts)), None)


def reasons_of(weights: dict[str, float], facts: Facts, night: date, limit: int = 3) -> list[tuple[str, str, str]]:
    """Code and both sentences of a customer's reasons, from what each reason adds to the log-odds."""
    coarse = {code: round(weights.get(code, 0.0) / 0.1) for code in RAW["reasons"]}
    raising = sorted((code for code, steps in coarse.items() if steps > 0), key=lambda code: -coarse[code])
    found = [(code, one) for code in raising if (one := first_true(code, "risk", facts))][:limit]
    if not found:
        plain = [(code, one) for code in raising if (one := first_true(code, "context", facts))]
        found = [("overall", BY_CODE["overall", "context"][0]), *plain[: limit - 1]]
    return [(code, one.said(facts, "en", night), one.said(facts, "zh", night)) for code, one in found]
