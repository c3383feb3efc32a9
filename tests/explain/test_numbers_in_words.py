"""Whatever the facts and the model, the numbers in a sentence are the customer's own."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from custvalue.config import ready_configs
from custvalue.explain import LAST_RESORT, Reason, explain
from custvalue.features import FeatureColumn
from custvalue.wording import Facts, Speaker, load_catalogue

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
from reasons_by_row import NIGHT, RAW, SENTENCES, Sentence, bound_of, names_in, reasons_of, true

CATALOGUE = load_catalogue(ready_configs() / "wording")
SPEAKER = Speaker(CATALOGUE, currency="CNY", as_of=NIGHT)
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


def explained(customers: list[dict[str, Any]], contributions: np.ndarray) -> list[tuple[Reason, ...]]:
    frame = pd.DataFrame(customers, columns=list(REASONS))
    return list(explain(contributions, frame, COLUMNS, CATALOGUE, currency="CNY", as_of=NIGHT))


def drawn(rows: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(rows, len(COLUMNS) + 1))


@given(facts=customers(), seed=st.integers(0, 2**32 - 1))
def test_the_strongest_true_warnings_are_said_with_the_customers_own_facts(facts: dict[str, Any], seed: int):
    contributions = drawn(1, seed)
    weights = dict.fromkeys(RAW["reasons"], 0.0)
    for column, value in zip(COLUMNS, contributions[0], strict=False):
        weights[column.reason] += value
    (found,) = explained([facts], contributions)
    assert [(reason.code, reason.en, reason.zh) for reason in found] == reasons_of(weights, facts, NIGHT)
    assert 1 <= len(found) <= 3
    plain = found[0].code == LAST_RESORT
    assert [reason.weight for reason in found[plain:]] == pytest.approx([weights[reason.code] for reason in found[plain:]], abs=1e-6)


@given(people=st.lists(customers(), min_size=2, max_size=5), seed=st.integers(0, 2**32 - 1), order=st.randoms())
def test_reasons_do_not_depend_on_the_order_or_number_of_rows(people: list[dict[str, Any]], seed: int, order: Any):
    contributions = drawn(len(people), seed)
    together = explained(people, contributions)
    shuffled = order.sample(range(len(people)), len(people))
    assert explained([people[i] for i in shuffled], contributions[shuffled]) == [together[i] for i in shuffled]
    assert explained(people[:1], contributions[:1]) == together[:1]


def candidates(sentence: Sentence, name: str, others: dict[str, Any]) -> list[Any]:
    """Values about the bounds of a fact's conditions, and some more."""
    if any(place == (name, "text") for place in sentence.places) or any(f"{name} {sign}= '" in c for c in sentence.when for sign in "=!"):
        return ["Plan 99", "Fiber optic", *(bound_of(c.split(maxsplit=2)[2]) for c in sentence.when if c.startswith(f"{name} == '"))]
    found = [0.0, 1.0, 2.0, 3.0, 8.125, 9.996, 17.0, 117.49, 1234.5]
    for condition in sentence.when:
        fact, sign, bound = condition.split(maxsplit=2)
        if fact == name and sign == "is":
            found.append(None)
        elif fact == name:
            number, _, times = (part.strip() for part in bound.partition("*"))
            edge = bound_of(number) * (others[times] if times else 1)
            found += [edge, edge + 1, edge - 1, edge * 2, edge / 2, edge * 1.004] if isinstance(edge, float) else []
    return found


def customer_of(sentence: Sentence, luck: np.random.Generator, broken: str | None = None) -> dict[str, Any] | None:
    """Facts of which the sentence is true; or of which all of it is true but one condition."""
    factors = {names_in(condition)[1] for condition in sentence.when if len(names_in(condition)) > 1}
    facts: dict[str, Any] = {}
    for name in sorted(sentence.facts, key=lambda name: name not in factors):
        own = [condition for condition in sentence.when if names_in(condition)[0] == name]

        def right(value: Any, own: list[str] = own, name: str = name) -> bool:
            tried = facts | {name: value}
            shown = value is not None or name not in {place for place, _ in sentence.places}
            return shown and all(true(condition, tried) != (condition == broken) for condition in own)

        choices = [value for value in candidates(sentence, name, facts) if right(value)]
        if not choices:
            return None
        facts[name] = choices[luck.integers(len(choices))]
    return facts


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_variant_shows_the_customers_own_numbers(language: str):
    luck = np.random.default_rng(11)
    for sentence in SENTENCES:
        variant = CATALOGUE.reasons[sentence.code].variants[sentence.name]
        for _ in range(4):
            facts = customer_of(sentence, luck)
            assert facts is not None, f"{sentence.code}.{sentence.name} can be true of nobody"
            one = Facts.of_one(facts)
            assert variant.fits(one)[0], (sentence, facts)
            said = SPEAKER.say(variant, one, language)[0].as_py()
            assert said == sentence.said(facts, language), facts
            assert not re.search(r"[{}<>]", said)


def test_no_variant_is_said_where_one_condition_fails_or_one_fact_is_unknown():
    luck, broken = np.random.default_rng(12), 0
    for sentence in SENTENCES:
        variant = CATALOGUE.reasons[sentence.code].variants[sentence.name]
        for condition in sentence.when:
            facts = customer_of(sentence, luck, broken=condition)
            if facts is not None:
                broken += 1
                assert not variant.fits(Facts.of_one(facts))[0], (sentence, condition, facts)
        whole = customer_of(sentence, luck)
        assert whole is not None
        for name, _ in sentence.places:
            assert not variant.fits(Facts.of_one(whole | {name: None}))[0]
            assert not variant.fits(Facts.of_one({n: v for n, v in whole.items() if n != name}))[0]
    assert broken > len(SENTENCES)  # most conditions can be broken alone
