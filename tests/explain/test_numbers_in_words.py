"""Whatever the facts and the model, the numbers in a sentence are the customer's own."""

from __future__ import annotations

import re
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml
from hypothesis import given
from hypothesis import strategies as st

from custvalue.config import ready_configs
from custvalue.explain import Reason, explain
from custvalue.features import FeatureColumn
from custvalue.wording import load_catalogue

WORDING = ready_configs() / "wording"
CATALOGUE = load_catalogue(WORDING)
METRICS = {"revenue": "bill", "data_mb": "data_use", "voice_minutes": "voice_use", "active_days": "activity", "discount": "discount"}
OTHERS = {
    "tenure_months": "tenure",
    "days_since_payment": "payment",
    "payment_count_3m": "payment",
    "payment_amount_3m": "payment",
    "complaint_open": "complaint",
    "complaint_open_days": "complaint",
    "complaint_count_3m": "complaint",
    "contract_days_to_end": "contract",
    "contract_ended_days": "contract",
    "arrears_last": "arrears",
    "balance_last": "balance",
    "product_count": "products",
    "plan": "plan",
}
SHAPES = ("mean_1m", "mean_3m", "before_2m", "drop_2m", "before_3m", "drop_3m", "before_12m", "drop_12m")
REASONS = {f"{metric}_{shape}": reason for metric, reason in METRICS.items() for shape in SHAPES} | OTHERS
COLUMNS = [FeatureColumn(name=name, en=name, zh=name, unit="count", null="none", reason=reason) for name, reason in REASONS.items()]

amounts = st.one_of(st.just(0.0), st.integers(0, 3_000_000).map(lambda thousandths: thousandths / 1000))
wholes = st.integers(0, 400).map(float)


@st.composite
def customers(draw: st.DrawFn) -> dict[str, Any]:
    facts: dict[str, Any] = {name: draw(st.none() | wholes) for name in OTHERS}
    facts["balance_last"] = draw(st.none() | st.integers(-50_000, 50_000).map(lambda cents: cents / 100))
    facts["plan"] = draw(st.none() | st.sampled_from(["Plan 99", "Fiber optic", "a{b}"]))
    for metric in METRICS:
        last = draw(amounts)
        facts |= {f"{metric}_mean_1m": last, f"{metric}_mean_3m": draw(st.none() | amounts)}
        for window in (2, 3, 12):
            before = draw(st.none() | amounts)
            facts[f"{metric}_before_{window}m"] = before
            facts[f"{metric}_drop_{window}m"] = 1 - last / before if before else None
    return facts


def rounded(value: float, places: int, scale: Fraction = Fraction(1)) -> str:
    """Fifteen significant digits, halves away from zero, in whole-number arithmetic."""
    exact = Fraction(f"{value:.15g}") * scale * 10**places
    whole = int(abs(exact) + Fraction(1, 2))
    digits = f"{whole:0{places + 1}d}"
    head, tail = (digits[:-places], "." + digits[-places:]) if places else (digits, "")
    return ("-" if exact < 0 and whole else "") + f"{int(head):,}{tail}"


def quantity(value: float) -> str:
    return rounded(value, 0) if abs(value) >= 9.95 else re.sub(r"\.0$", "", rounded(value, 1))


def with_unit(singular: str, plural: str) -> Callable[[float], str]:
    return lambda value: f"{quantity(value)} {singular if quantity(value) == '1' else plural}"


def money(value: float) -> str:
    digits = rounded(value, 0 if abs(value) >= 9.995 else 2)
    return f"-¥{digits[1:]}" if digits.startswith("-") else f"¥{digits}"


def percent(value: float) -> str:
    digits = rounded(value, 0, Fraction(100))
    return f"{'99' if digits == '100' and value < 1 else digits} %"


FORMATS: dict[str, Callable[[Any], str]] = {
    "money": money,
    "percent": percent,
    "negated_percent": lambda value: percent(-value),
    "days": with_unit("day", "days"),
    "months": with_unit("month", "months"),
    "minutes": with_unit("minute", "minutes"),
    "count": quantity,
    "gb": lambda mb: f"{quantity(mb / 1024)} GB" if mb >= 102.4 else f"{quantity(mb)} MB",
    "text": {"Plan 99": "Plan 99", "Fiber optic": "fibre optic", "a{b}": "a{b}"}.__getitem__,
}


def sentences(path: Path) -> dict[str, list[str]]:
    """The English templates as they stand in the file, one a window."""
    found: dict[str, list[str]] = {}
    for code, words in yaml.safe_load(path.read_text(encoding="utf-8"))["reasons"].items():
        for variant in words["variants"].values():
            windows = variant.get("windows", [0])
            found.setdefault(code, []).extend(variant["en"].replace("<w-1>", str(w - 1)).replace("<w>", str(w)) for w in windows)
    return found


SENTENCES = sentences(WORDING / "reasons.yaml")


def possible(code: str, facts: dict[str, Any]) -> set[str]:
    texts = set()
    for sentence in SENTENCES[code]:
        places = re.findall(r"\{(\w+):(\w+)\}", sentence)
        if all(facts.get(name) is not None for name, _ in places):
            texts.add(re.sub(r"\{(\w+):(\w+)\}", lambda m: FORMATS[m[2]](facts[m[1]]), sentence))
    return texts


def explained(customers: list[dict[str, Any]], seed: int) -> list[tuple[Reason, ...]]:
    contributions = np.random.default_rng(seed).normal(size=(len(customers), len(COLUMNS) + 1))
    return explain(contributions, pd.DataFrame(customers, columns=list(REASONS)), COLUMNS, CATALOGUE, currency="CNY")


@given(facts=customers(), seed=st.integers(0, 2**32 - 1))
def test_every_sentence_shows_the_facts(facts: dict[str, Any], seed: int):
    reasons = explained([facts], seed)[0]
    assert 1 <= len(reasons) <= 3
    assert len({reason.code for reason in reasons}) == len(reasons)
    for reason in reasons:
        assert reason.en in possible(reason.code, facts), reason
        assert not re.search(r"[{}<>]", reason.en.replace("a{b}", "") + reason.zh.replace("a{b}", ""))
        # the Chinese sentence shows the same digits, but for those of the window and of the plan's name
        shown = [set(re.findall(r"\d+(?:[,.]\d+)*", text)) for text in (reason.en, reason.zh)]
        assert shown[0] == shown[1], reason


@given(people=st.lists(customers(), min_size=2, max_size=5), seed=st.integers(0, 2**32 - 1), order=st.randoms())
def test_reasons_do_not_depend_on_the_order_or_number_of_rows(people: list[dict[str, Any]], seed: int, order: Any):
    contributions = np.random.default_rng(seed).normal(size=(len(people), len(COLUMNS) + 1))
    frame = pd.DataFrame(people, columns=list(REASONS))
    together = explain(contributions, frame, COLUMNS, CATALOGUE, currency="CNY")
    shuffled = order.sample(range(len(people)), len(people))
    again = explain(contributions[shuffled], frame.iloc[shuffled], COLUMNS, CATALOGUE, currency="CNY")
    assert again == [together[i] for i in shuffled]
    alone = explain(contributions[:1], frame.head(1), COLUMNS, CATALOGUE, currency="CNY")
    assert alone == together[:1]
