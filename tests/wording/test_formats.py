"""Numbers as people read them, in both languages."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from custvalue.wording import Catalogue, half_up, phrase
from custvalue.wording.formats import FITTING, NUMBER_FORMATS, halves_up


@pytest.mark.parametrize(
    ("amount", "currency", "en", "zh"),
    [
        (1234.5, "CNY", "¥1,235", "1,235元"),
        (10.0, "CNY", "¥10", "10元"),
        (9.99, "CNY", "¥9.99", "9.99元"),
        (9.996, "CNY", "¥10", "10元"),
        (0.0, "USD", "$0.00", "$0.00"),
        (-12.3, "USD", "-$12", "-$12"),
        (-0.004, "USD", "$0.00", "$0.00"),
        (117.0, "INR", "₹117", "₹117"),
        (8.125, "EUR", "€8.13", "€8.13"),
        (123.0, "KRW", "123 KRW", "123 KRW"),
        (-1.5, "KRW", "-1.50 KRW", "-1.50 KRW"),
    ],
)
def test_money(catalogue: Catalogue, amount: float, currency: str, en: str, zh: str):
    assert catalogue.money(amount, language="en", currency=currency) == en
    assert catalogue.money(amount, language="zh", currency=currency) == zh


@pytest.mark.parametrize(
    ("code", "facts", "en", "zh"),
    [
        ("tenure", {"tenure_months": 1.0}, "New customer, for 1 month", "新入网客户，在网1个月"),
        ("tenure", {"tenure_months": 1234.0}, "Customer for 1,234 months", "在网1,234个月"),
        ("contract", {"contract_days_to_end": 1.0}, "Contract ends in 1 day, on 2026-01-02", "合约1天后（2026-01-02）到期"),
        ("data_use", {"data_mb_mean_1m": 2150.4}, "Data last month 2.1 GB per 30 days", "上月流量2.1GB（按30天计）"),
        ("data_use", {"data_mb_mean_1m": 20_480.0}, "Data last month 20 GB per 30 days", "上月流量20GB（按30天计）"),
        ("data_use", {"data_mb_mean_1m": 37.0}, "Data last month 37 MB per 30 days", "上月流量37MB（按30天计）"),
        ("voice_use", {"voice_minutes_mean_1m": 2.45}, "Calls last month 2.5 minutes per 30 days", "上月通话2.5分钟（按30天计）"),
        ("voice_use", {"voice_minutes_mean_1m": 310.5}, "Calls last month 311 minutes per 30 days", "上月通话311分钟（按30天计）"),
        ("sms_use", {"sms_count_mean_3m": 12.4}, "Messages a month over 3 months: 12", "近3个月月均短信12条"),
        ("plan", {"plan": " Plan\n99 "}, "Plan: Plan 99", "当前套餐：Plan 99"),
        ("segment", {"segment": "household"}, "Segment: household", "客户类型：家庭"),
    ],
)
def test_quantities(catalogue: Catalogue, code: str, facts: dict[str, float | str], en: str, zh: str):
    said = {name: phrase(catalogue, code, dict(facts), language=name, currency="CNY", as_of=date(2026, 1, 1)) for name in ("en", "zh")}
    assert said == {"en": en, "zh": zh}


@given(cents=st.integers(-(10**9), 10**9))
def test_halves_go_away_from_zero_as_in_a_spreadsheet(cents: int):
    # Whole-number arithmetic on tenths of a unit: no float rounding can hide in the expectation.
    whole = (abs(cents) * 2 + 10) // 20 * (-1 if cents < 0 else 1)
    assert half_up(cents / 10, 0) == whole


numbers = st.one_of(st.integers(-(10**7), 10**7).map(lambda thousandths: thousandths / 1000), st.floats(-1e7, 1e7))


@given(values=st.lists(numbers, min_size=1, max_size=20), places=st.integers(0, 2))
def test_many_numbers_are_rounded_as_one_is(values: list[float], places: int):
    assert halves_up(np.array(values), places).tolist() == [float(half_up(value, places)) for value in values]


@given(values=st.lists(numbers, min_size=1, max_size=20), form=st.sampled_from(sorted(NUMBER_FORMATS)))
def test_numbers_that_stand_for_others_read_the_same(values: list[float], form: str):
    digits, few = NUMBER_FORMATS[form].digits, NUMBER_FORMATS[form].few(np.array(values))
    assert [digits(value) for value in few.tolist()] == [digits(value) for value in values]
    assert len(set(few.tolist())) <= len({digits(value) for value in values}) + 1  # gigabytes and megabytes may share their digits


def test_every_unit_that_can_be_shown_has_a_format():
    shown = {unit for units in FITTING.values() for unit in units}
    assert {"money", "months", "days", "count", "minutes", "MB", "share", "points", "category"} == shown
