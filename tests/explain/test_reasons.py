"""Which reasons are shown, and in which order."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest

from custvalue.errors import ConfigError, DataError, ModelError
from custvalue.explain import LAST_RESORT, Reason, explain
from custvalue.features import FeatureColumn
from custvalue.wording import Catalogue

NIGHT = date(2026, 1, 1)
COLUMNS = {
    "revenue_mean_1m": "bill",
    "revenue_before_3m": "bill",
    "revenue_drop_3m": "bill",
    "data_mb_mean_3m": "data_use",
    "complaint_open": "complaint",
    "complaint_open_days": "complaint",
    "days_since_payment": "payment",
    "tenure_months": "tenure",
    "plan": "plan",
}
FACTS = {
    "revenue_mean_1m": 117.0,
    "revenue_before_3m": 198.0,
    "revenue_drop_3m": 1 - 117 / 198,
    "data_mb_mean_3m": 2048.0,
    "complaint_open": 1.0,
    "complaint_open_days": 6.0,
    "days_since_payment": 70.0,
    "tenure_months": 30.0,
    "plan": "Plan 99",
}


def declared(reasons: dict[str, str]) -> list[FeatureColumn]:
    return [FeatureColumn(name=name, en=name, zh=name, unit="count", null="none", reason=reason) for name, reason in reasons.items()]


def explained(catalogue: Catalogue, weights: dict[str, float], *, limit: int = 3, **facts: object) -> tuple[Reason, ...]:
    contributions = np.array([[weights.get(name, 0.0) for name in COLUMNS] + [-3.0]])
    frame = pd.DataFrame([{**FACTS, **facts}])
    return explain(contributions, frame, declared(COLUMNS), catalogue, currency="CNY", as_of=NIGHT, limit=limit)[0]


def codes(reasons: tuple[Reason, ...]) -> list[str]:
    return [reason.code for reason in reasons]


def test_the_strongest_come_first_with_the_words_of_the_catalogue(catalogue: Catalogue):
    found = explained(catalogue, {"complaint_open": 0.9, "revenue_drop_3m": 0.4, "days_since_payment": 0.2, "tenure_months": 0.1})
    assert [(r.code, r.weight) for r in found] == [("complaint", 0.9), ("bill", 0.4), ("payment", 0.2)]
    assert found[0].en == "Complaint open for 6 days"
    assert found[0].zh == "投诉已6天未闭环"
    assert found[1].en == "Bill last month ¥117, 41 % below the mean of the 2 months before (¥198)"


def test_columns_of_one_reason_count_together(catalogue: Catalogue):
    # three correlated columns of the bill, each weaker than the payment, are stronger in sum
    weights = {"revenue_mean_1m": 0.25, "revenue_before_3m": 0.125, "revenue_drop_3m": 0.25, "days_since_payment": 0.5}
    found = explained(catalogue, weights)
    assert [(r.code, r.weight) for r in found] == [("bill", 0.625), ("payment", 0.5)]


def test_columns_of_one_reason_may_cancel(catalogue: Catalogue):
    assert codes(explained(catalogue, {"revenue_mean_1m": 0.5, "revenue_drop_3m": -0.75, "days_since_payment": 0.1})) == ["payment"]


def test_what_lowers_the_risk_is_no_reason(catalogue: Catalogue):
    assert codes(explained(catalogue, {"complaint_open": -2.0, "days_since_payment": 0.1})) == ["payment"]


def test_what_hardly_raises_the_risk_is_no_reason(catalogue: Catalogue):
    assert codes(explained(catalogue, {"complaint_open": 0.04, "days_since_payment": 0.06})) == ["payment"]


def test_a_reason_that_cannot_be_said_is_passed_over(catalogue: Catalogue):
    weights = {"complaint_open": 2.0, "days_since_payment": 0.1}
    assert codes(explained(catalogue, weights, complaint_open=0.0)) == ["payment"]


def test_a_plain_fact_is_no_warning_however_much_it_raises_the_risk(catalogue: Catalogue):
    found = explained(catalogue, {"tenure_months": 2.0, "plan": 1.0, "data_mb_mean_3m": 1.0, "days_since_payment": 0.1})
    assert codes(found) == ["payment"]


def test_nearly_equal_ones_keep_the_order_of_the_catalogue(catalogue: Catalogue):
    order = [code for code in catalogue.reasons if code in ("complaint", "bill", "payment")]
    weights = {"days_since_payment": 0.53, "complaint_open": 0.5, "revenue_drop_3m": 0.48}
    assert codes(explained(catalogue, weights)) == order
    assert codes(explained(catalogue, {**weights, "days_since_payment": 0.7})) == ["payment", *(c for c in order if c != "payment")]


def test_without_a_warning_plain_facts_of_what_raises_the_risk_follow(catalogue: Catalogue):
    weights = {"tenure_months": 0.5, "plan": 0.25, "data_mb_mean_3m": -1.0, "complaint_open": -3.0, "days_since_payment": 0.1}
    found = explained(catalogue, weights, days_since_payment=10.0)
    assert [(r.code, r.en) for r in found] == [
        (LAST_RESORT, "No single fact stands out"),
        ("tenure", "Customer for 30 months"),
        ("plan", "Plan: Plan 99"),
    ]


def test_a_customer_of_whom_nothing_is_known_still_gets_one(catalogue: Catalogue):
    nothing = dict.fromkeys(FACTS)
    found = explained(catalogue, {"plan": 0.25, "tenure_months": 0.5}, **nothing)
    assert found == (Reason(LAST_RESORT, "No single fact stands out", "无突出单项原因，综合判断", 0.75),)


def test_limit(catalogue: Catalogue):
    weights = dict.fromkeys(COLUMNS, 0.1)
    assert len(explained(catalogue, weights, limit=1)) == 1
    assert len(explained(catalogue, weights, limit=2)) == 2
    with pytest.raises(ConfigError, match="limit must be at least 1"):
        explained(catalogue, weights, limit=0)


def test_a_sensitive_reason_drives_the_risk_but_is_never_shown(catalogue: Catalogue):
    words = catalogue.reasons["complaint"].model_copy(update={"sensitive": True})
    quiet = catalogue.model_copy(update={"reasons": {**catalogue.reasons, "complaint": words}})
    weights = {"complaint_open": 0.9, "days_since_payment": 0.1}
    assert codes(explained(catalogue, weights)) == ["complaint", "payment"]
    assert codes(explained(quiet, weights)) == ["payment"]


def test_shapes_must_fit(catalogue: Catalogue):
    columns, facts = declared(COLUMNS), pd.DataFrame([FACTS, FACTS])
    with pytest.raises(ModelError, match=r"shape \(2, 9\); 9 columns need \(customers, 10\)"):
        explain(np.zeros((2, 9)), facts, columns, catalogue, currency="CNY", as_of=NIGHT)
    with pytest.raises(ModelError, match="3 customers, facts for 2"):
        explain(np.zeros((3, 10)), facts, columns, catalogue, currency="CNY", as_of=NIGHT)
    with pytest.raises(ModelError, match="not finite"):
        explain(np.full((2, 10), np.nan), facts, columns, catalogue, currency="CNY", as_of=NIGHT)


def test_no_customers(catalogue: Catalogue):
    found = explain(np.zeros((0, 10)), pd.DataFrame([FACTS]).head(0), declared(COLUMNS), catalogue, currency="CNY", as_of=NIGHT)
    assert list(found) == []


def test_a_column_without_words_or_with_mixed_values_is_refused(catalogue: Catalogue):
    rain = declared({"rain": "weather"})
    with pytest.raises(ConfigError, match="no entry 'weather'"):
        explain(np.zeros((1, 2)), pd.DataFrame({"rain": [1.0]}), rain, catalogue, currency="CNY", as_of=NIGHT)
    mixed = pd.DataFrame({"plan": ["Plan 99", 5.0]})
    with pytest.raises(DataError, match="column plan holds text and numbers"):
        explain(np.ones((2, 2)), mixed, declared({"plan": "plan"}), catalogue, currency="CNY", as_of=NIGHT)


def test_reasons_are_a_sequence_and_a_table(catalogue: Catalogue):
    columns, facts = declared(COLUMNS), pd.DataFrame([FACTS, {**FACTS, "complaint_open": 0.0}])
    found = explain(np.full((2, 10), 0.5), facts, columns, catalogue, currency="CNY", as_of=NIGHT)
    assert [codes(found[0]), codes(found[-1])] == found.table["reason_codes"].to_pylist()
    assert list(found[1:]) == [found[1]]
    assert found.table["reasons_zh"].to_pylist()[0] == [reason.zh for reason in found[0]]
    with pytest.raises(IndexError):
        found[2]
