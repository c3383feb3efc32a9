"""Which reasons are shown, and in which order."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from custvalue.errors import ConfigError, ModelError
from custvalue.explain import LAST_RESORT, Reason, check_reasons, explain
from custvalue.features import FeatureColumn
from custvalue.wording import Catalogue, load_catalogue

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
    return explain(contributions, frame, declared(COLUMNS), catalogue, currency="CNY", limit=limit)[0]


def codes(reasons: tuple[Reason, ...]) -> list[str]:
    return [reason.code for reason in reasons]


def test_the_strongest_come_first_with_the_words_of_the_catalogue(catalogue: Catalogue):
    found = explained(catalogue, {"complaint_open": 0.9, "revenue_drop_3m": 0.4, "tenure_months": 0.2, "plan": 0.1})
    assert [(r.code, r.weight) for r in found] == [("complaint", 0.9), ("bill", 0.4), ("tenure", 0.2)]
    assert found[0].en == "Complaint open for 6 days"
    assert found[0].zh == "投诉已6天未闭环"
    assert found[1].en == "Bill last month ¥117, 41 % below the mean of the 2 months before (¥198)"


def test_columns_of_one_reason_count_together(catalogue: Catalogue):
    # three correlated columns of the bill, each weaker than the payment, are stronger in sum
    weights = {"revenue_mean_1m": 0.25, "revenue_before_3m": 0.125, "revenue_drop_3m": 0.25, "days_since_payment": 0.5}
    found = explained(catalogue, weights)
    assert [(r.code, r.weight) for r in found] == [("bill", 0.625), ("payment", 0.5)]


def test_columns_of_one_reason_may_cancel(catalogue: Catalogue):
    assert codes(explained(catalogue, {"revenue_mean_1m": 0.5, "revenue_drop_3m": -0.75, "plan": 0.1})) == ["plan"]


def test_what_lowers_the_risk_is_no_reason(catalogue: Catalogue):
    assert codes(explained(catalogue, {"complaint_open": -2.0, "plan": 0.1})) == ["plan"]


def test_a_reason_that_cannot_be_said_is_passed_over(catalogue: Catalogue):
    assert codes(explained(catalogue, {"complaint_open": 2.0, "plan": 0.1}, complaint_open=0.0)) == ["plan"]


def test_ties_go_by_code(catalogue: Catalogue):
    weights = {"plan": 0.5, "complaint_open": 0.5, "tenure_months": 0.5, "days_since_payment": 0.5}
    assert codes(explained(catalogue, weights)) == ["complaint", "payment", "plan"]


def test_without_a_raising_fact_plain_facts_follow_by_size(catalogue: Catalogue):
    weights = {"tenure_months": -0.5, "plan": -0.25, "data_mb_mean_3m": -1.0, "complaint_open": -3.0, "days_since_payment": -0.1}
    found = explained(catalogue, weights, days_since_payment=10.0)
    # the open complaint is a warning, not a plain fact: it is not said where it lowered the risk
    assert [(r.code, r.weight, r.en) for r in found] == [
        ("data_use", -1.0, "Data of 2 GB a month over 3 months"),
        ("tenure", -0.5, "Customer for 30 months"),
        ("plan", -0.25, "Tariff: Plan 99"),
    ]


def test_a_customer_of_whom_nothing_is_known_still_gets_one(catalogue: Catalogue):
    nothing = dict.fromkeys(FACTS)
    found = explained(catalogue, {"plan": 0.25, "tenure_months": 0.5}, **nothing)
    assert found == (Reason(LAST_RESORT, "No single fact stands out", "无突出单项原因，综合判断", 0.75),)


def test_limit(catalogue: Catalogue):
    weights = dict.fromkeys(COLUMNS, 0.1)
    assert len(explained(catalogue, weights, limit=1)) == 1
    assert len(explained(catalogue, weights, limit=5)) == 5
    with pytest.raises(ConfigError, match="limit must be at least 1"):
        explained(catalogue, weights, limit=0)


def test_a_sensitive_reason_drives_the_risk_but_is_never_shown(catalogue: Catalogue):
    words = catalogue.reasons["complaint"].model_copy(update={"sensitive": True})
    quiet = catalogue.model_copy(update={"reasons": {**catalogue.reasons, "complaint": words}})
    assert codes(explained(quiet, {"complaint_open": 0.9, "plan": 0.1})) == ["plan"]


def test_shapes_must_fit(catalogue: Catalogue):
    columns, facts = declared(COLUMNS), pd.DataFrame([FACTS, FACTS])
    with pytest.raises(ModelError, match=r"shape \(2, 9\); 2 customers and 9 columns need \(2, 10\)"):
        explain(np.zeros((2, 9)), facts, columns, catalogue, currency="CNY")
    with pytest.raises(ModelError, match="need"):
        explain(np.zeros((3, 10)), facts, columns, catalogue, currency="CNY")
    with pytest.raises(ModelError, match="not finite"):
        explain(np.full((2, 10), np.nan), facts, columns, catalogue, currency="CNY")


def test_no_customers(catalogue: Catalogue):
    assert explain(np.zeros((0, 10)), pd.DataFrame([FACTS]).head(0), declared(COLUMNS), catalogue, currency="CNY") == []


def test_a_reason_without_words_is_told_before_the_run(catalogue: Catalogue, tmp_path: Path):
    check_reasons(declared(COLUMNS), catalogue)
    with pytest.raises(ConfigError, match=r"lacks 1 reason\(s\): 'weather' \(column rain\)"):
        check_reasons(declared({**COLUMNS, "rain": "weather", "wind": "weather"}), catalogue)
    without = catalogue.model_copy(update={"reasons": {k: v for k, v in catalogue.reasons.items() if k != LAST_RESORT}})
    with pytest.raises(ConfigError, match=f"needs '{LAST_RESORT}'"):
        check_reasons(declared(COLUMNS), without)


def test_last_resort_must_hold_for_everybody(catalogue: Catalogue, tmp_path: Path):
    (tmp_path / "reasons.yaml").write_text(
        "reasons:\n  overall:\n    variants:\n      a: {direction: context, when: [plan is present], en: x, zh: x}\n", encoding="utf-8"
    )
    labels = Path(__file__).parents[2] / "configs" / "wording" / "labels.yaml"
    (tmp_path / "labels.yaml").write_bytes(labels.read_bytes())
    with pytest.raises(ConfigError, match="no conditions"):
        check_reasons([], load_catalogue(tmp_path))
