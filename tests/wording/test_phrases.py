"""Reasons are facts: true, present, and told in the same words every night."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from custvalue.config import ready_configs
from custvalue.errors import ConfigError
from custvalue.wording import Catalogue, load_catalogue, phrase

CATALOGUE = load_catalogue(ready_configs() / "wording")
NIGHT = date(2026, 1, 1)


def said(code: str, **facts: float | str | None) -> tuple[str | None, str | None]:
    en, zh = (phrase(CATALOGUE, code, facts, language=name, currency="CNY", as_of=NIGHT) for name in ("en", "zh"))
    return en, zh


def drop(before: float, last: float, window: int, metric: str = "revenue") -> dict[str, float | str | None]:
    return {
        f"{metric}_mean_1m": last,
        f"{metric}_before_{window}m": before,
        f"{metric}_drop_{window}m": 1 - last / before,
    }


@pytest.mark.parametrize(
    ("code", "facts", "en", "zh"),
    [
        (
            "bill",
            drop(198, 117, 3),
            "Bill last month ¥117, 41 % below the mean of the 2 months before (¥198)",
            "上月消费117元，较前2个月月均198元下降41%",
        ),
        (
            "bill",
            drop(198, 117, 6),
            "Bill last month ¥117, 41 % below the mean of the 5 months before (¥198)",
            "上月消费117元，较前5个月月均198元下降41%",
        ),
        (
            "bill",
            drop(198, 117, 12),
            "Bill last month ¥117, 41 % below the mean of the 11 months before (¥198)",
            "上月消费117元，较前11个月月均198元下降41%",
        ),
        (
            "bill",
            drop(198, 117, 2),
            "Bill last month ¥117, 41 % below the month before (¥198)",
            "上月消费117元，较前一个月198元下降41%",
        ),
        (
            "bill",
            drop(100, 150, 3),
            "Bill last month ¥150, 50 % above the mean of the 2 months before (¥100)",
            "上月消费150元，较前2个月月均100元上涨50%",
        ),
        ("bill", drop(198, 0, 3), "Nothing billed last month; mean of the 2 months before ¥198", "上月无消费，前2个月月均198元"),
        (
            "data_use",
            drop(9216, 4096, 3, "data_mb"),
            "Data last month 4 GB per 30 days, 56 % below the mean of the 2 months before (9 GB)",
            "上月流量4GB（按30天计），较前2个月月均9GB下降56%",
        ),
        ("contract", {"contract_days_to_end": 18.0}, "Contract ends in 18 days, on 2026-01-19", "合约18天后（2026-01-19）到期"),
        (
            "contract",
            {"contract_days_to_end": 18.0, "contract_product": "Two year"},
            "Contract ends in 18 days, on 2026-01-19 (two years)",
            "合约18天后（2026-01-19）到期：两年期",
        ),
        (
            "contract",
            {"contract_days_to_end": None, "contract_ended_days": 40.0},
            "Out of contract since 2025-11-22, for 40 days",
            "合约已于2025-11-22到期，40天未续约",
        ),
        (
            "complaint",
            {"complaint_open": 1.0, "complaint_open_days": 6.0, "complaint_count_3m": 1.0},
            "Complaint open for 6 days",
            "投诉已6天未闭环",
        ),
        (
            "complaint",
            {"complaint_open": 1.0, "complaint_open_days": 6.0, "complaint_count_3m": 2.0},
            "Complaint open for 6 days; 2 complaints in 3 months",
            "投诉已6天未闭环，近3个月共投诉2次",
        ),
        ("complaint", {"complaint_open": 0.0, "complaint_count_3m": 2.0}, "2 complaints in 3 months", "近3个月投诉2次"),
        ("payment", {"days_since_payment": 70.0}, "No payment for 70 days", "已70天未缴费"),
        ("products", {"product_count": 1.0}, "Only one product held", "仅持有一项产品"),
        ("tenure", {"tenure_months": 3.0}, "New customer, for 3 months", "新入网客户，在网3个月"),
        ("discount_end", {"discount_days_to_end": 12.0}, "Discount ends in 12 days, on 2026-01-13", "优惠12天后（2026-01-13）到期"),
        (
            "arrears",
            {"arrears_last": 85.0, "arrears_months_12m": 3.0},
            "Arrears of ¥85; behind in 3 of 12 months",
            "欠费85元，近12个月有3个月欠费",
        ),
    ],
)
def test_the_words_of_a_fact(code: str, facts: dict[str, float | str | None], en: str, zh: str):
    assert said(code, **facts) == (en, zh)


@pytest.mark.parametrize(
    ("code", "facts"),
    [
        ("complaint", {"complaint_open": 0.0, "complaint_count_3m": 0.0, "days_since_complaint": 200.0}),
        ("arrears", {"arrears_last": 0.0, "arrears_months_12m": 0.0}),
        ("discount_end", {"discount_days_to_end": None}),
        ("roaming", {"roaming_days_mean_1m": 0.0, "roaming_days_mean_3m": 0.0}),
        ("balance", {"balance_last": float("nan")}),
        ("bill", {}),
    ],
)
def test_nothing_is_said_where_nothing_happened(code: str, facts: dict[str, float | str | None]):
    assert said(code, **facts) == (None, None)


def test_a_small_fall_is_not_called_a_drop():
    assert said("bill", **drop(100, 86, 3), revenue_mean_3m=95.0)[0] == "Bill averages ¥95 a month over 3 months"
    assert (
        said("bill", **drop(100, 85, 3), revenue_mean_3m=95.0)[0]
        == "Bill last month ¥85, 15 % below the mean of the 2 months before (¥100)"
    )


def test_what_is_less_than_all_never_reads_100_percent():
    assert (
        said("voice_use", **drop(2242, 7.7, 2, "voice_minutes"))[0]
        == "Calls last month 7.7 minutes per 30 days, 99 % below the month before (2,242 minutes)"
    )
    assert said("bill", **drop(100, 200, 2))[0] == "Bill last month ¥200, 100 % above the month before (¥100)"


def test_a_fall_from_next_to_nothing_is_not_told():
    assert said("data_use", **drop(90, 9, 3, "data_mb"), data_mb_mean_3m=63.0)[0] == "Data of 63 MB a month over 3 months"
    assert (
        said("data_use", **drop(100, 9, 3, "data_mb"))[0]
        == "Data last month 9 MB per 30 days, 91 % below the mean of the 2 months before (100 MB)"
    )


def test_a_negative_bill_is_no_percentage():
    assert said("bill", **drop(100, -20, 3)) == ("Bill last month -¥20", "上月消费-20元")


def test_a_later_contract_end_is_context_not_a_warning():
    facts = {"contract_days_to_end": 400.0}
    assert said("contract", **facts)[0] == "Contract runs until 2027-02-05"
    assert phrase(CATALOGUE, "contract", facts, language="en", currency="CNY", as_of=NIGHT, direction="risk") is None


def test_missing_value_and_missing_column_differ():
    # a null contract end is "none in force"; without the contracts table nobody knows
    assert said("contract", contract_days_to_end=None, contract_ended_days=None)[0] == "No contract in force"
    assert said("contract", contract_days_to_end=float("nan"), contract_ended_days=float("nan"))[0] == "No contract in force"
    assert said("contract") == (None, None)


def test_a_month_to_month_contract_is_named():
    facts = {"contract_days_to_end": None, "contract_ended_days": None, "contract_product": "Month-to-month"}
    assert said("contract", **facts) == ("Contract without an end date: month-to-month", "无固定期限合约：按月签约")


def test_no_payment_is_only_said_of_customers_who_were_there():
    assert said("payment", payment_count_12m=None, tenure_months=30.0)[0] == "No payment in 12 months"
    assert said("payment", payment_count_12m=None, tenure_months=4.0)[0] is None


def test_text_from_the_data_is_never_read_as_a_placeholder():
    assert said("plan", plan="{revenue_mean_1m:money}", revenue_mean_1m=5.0)[0] == "Plan: {revenue_mean_1m:money}"


@given(
    before=st.floats(1, 5000),
    last=st.floats(0, 5000),
    noise=st.dictionaries(st.text("abcdefg_", min_size=3), st.floats(allow_nan=True)),
)
def test_an_unchanged_fact_gives_the_same_words(before: float, last: float, noise: dict[str, float]):
    facts = drop(before, last, 3)
    assert said("bill", **facts) == said("bill", **{**noise, **facts})


@given(value=st.floats(0, 400))
def test_words_and_their_translation_appear_together(value: float):
    for code in CATALOGUE.reasons:
        facts = {"tenure_months": value, "contract_days_to_end": value, "balance_last": -value, "complaint_open": 1.0}
        en, zh = said(code, **facts)
        assert (en is None) == (zh is None)


def test_unknown_reason_language_and_label_are_told(catalogue: Catalogue):
    with pytest.raises(ConfigError, match="no entry 'weather'"):
        phrase(catalogue, "weather", {}, language="en", currency="CNY")
    with pytest.raises(ConfigError, match="language 'fr'"):
        phrase(catalogue, "overall", {}, language="fr", currency="CNY")
    with pytest.raises(ConfigError, match=r"no entry 'tiers\.bronze'"):
        catalogue.label("tiers.bronze", "en")
    with pytest.raises(ConfigError, match="needs values for count"):
        catalogue.label("texts.many", "en")


def test_labels(catalogue: Catalogue):
    tiers = ("diamond", "gold", "silver", "basic", "unrated")
    assert catalogue.names("tiers") == tiers
    assert [catalogue.label(f"tiers.{tier}", "zh") for tier in tiers] == ["钻石", "金", "银", "基础", "未评级"]
    assert catalogue.label("tiers.5A", "zh", default="5A") == "5A"
    assert catalogue.label("texts.many", "zh", count="12") == "共12位客户"
    assert catalogue.note("columns.due_by", "en") == "Last day for the first try."


def test_a_date_needs_the_night(catalogue: Catalogue):
    with pytest.raises(ConfigError, match="as_of is needed"):
        phrase(catalogue, "contract", {"contract_days_to_end": 18.0}, language="en", currency="CNY")


def test_offers_and_what_not_to_say(catalogue: Catalogue):
    assert catalogue.offer_names(["contract", "bill", "overage", "segment"], "en") == ("contract renewal", "a plan that fits")
    assert catalogue.offer_names(["contract"], "zh") == ("合约续签",)
    (rule,) = catalogue.not_to_say(["complaint", "segment"], "en")
    assert rule.startswith("Sell nothing while a complaint is open")


def test_what_nobody_may_say_is_told_to_all_alike(catalogue: Catalogue):
    quiet = [code for code, words in catalogue.reasons.items() if words.sensitive]
    assert {"port_query", "competitor", "call_forwarding", "peers", "off_net"} <= set(quiet)
    rules = catalogue.standing_rules("zh")
    assert len(rules) == len(quiet)
    assert "请勿提及客户与其他运营商的联系。" in rules


def test_no_sentence_claims_a_cause_or_shows_a_weight(catalogue: Catalogue):
    causes = ("because", "due to", "caused", "likely", "risk", "因为", "导致", "由于", "可能离网", "风险")
    for code, words in catalogue.reasons.items():
        for name, variant in words.variants.items():
            for template in (variant.en, variant.zh):
                text = "".join(part for part in template.parts if isinstance(part, str)).lower()
                assert not [cause for cause in causes if cause in text], f"{code}.{name}: {text}"


def test_a_warning_has_a_condition(catalogue: Catalogue):
    every = [(code, name, variant) for code, words in catalogue.reasons.items() for name, variant in words.variants.items()]
    assert [(code, name) for code, name, variant in every if variant.direction == "risk" and not variant.when] == []


def test_the_edition_tells_a_changed_word(catalogue: Catalogue):
    assert catalogue.edition == f"v{catalogue.version}-{catalogue.digest[:8]}"
