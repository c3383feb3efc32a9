"""Names, price lists and the clock of the synthetic operator; every name is visibly invented."""

from __future__ import annotations

TIME_ZONE = "Asia/Shanghai"
HOURS_AHEAD_OF_UTC = 8
"""The operator's clock; it knows no summer time."""

REGIONS = ("North 北区", "South 南区", "East 东区", "West 西区", "Central 中区", "Island 岛区")
REGION_SHARES = (0.24, 0.22, 0.2, 0.15, 0.14, 0.05)

SEGMENTS = ("consumer", "household", "enterprise")
HOUSEHOLD, ENTERPRISE = 1, 2

PLAN_FEES = (0, 9, 19, 29, 39, 59, 79, 99, 129, 169, 199, 299, 399, 599)
"""Currency a month, ascending; the first one charges for use alone."""
NEW_PLAN_FEES = (19, 35, 49, 69, 89, 119, 159, 239, 329)
"""All-inclusive plans, ascending, where a scenario launches them; they stand after the old ones in every list of plans."""
FIRST_NEW_PLAN = len(PLAN_FEES)
PLANS = (
    "Pay as you go 标准资费",
    *(f"Plan {fee} 套餐" for fee in PLAN_FEES[1:]),
    *(f"Infinite {fee} 畅享套餐" for fee in NEW_PLAN_FEES),
)

KINDS = ("contract", "bundle", "discount")
CONTRACT, BUNDLE, DISCOUNT = 0, 1, 2
PRODUCTS = {
    (CONTRACT, 12): "Contract 12 合约12个月",
    (CONTRACT, 24): "Contract 24 合约24个月",
    (BUNDLE, 24): "Broadband bundle 融合宽带",
    (BUNDLE, 36): "Family bundle 家庭融合",
    (DISCOUNT, 6): "Half-year discount 半年优惠",
    (DISCOUNT, 12): "Yearly discount 全年优惠",
}

CHANNELS = ("app", "auto_debit", "third_party", "shop", "bank")
CHANNEL_SHARES = (0.4, 0.2, 0.25, 0.08, 0.07)
AUTO_DEBIT = 1

COMPLAINT_CATEGORIES = ("billing", "network", "service", "marketing", "broadband")
COMPLAINT_SHARES = (0.32, 0.28, 0.18, 0.12, 0.1)
NETWORK = 1

DEPARTURES = ("voluntary", "port_out", "non_payment", "natural", "silence")
VOLUNTARY, PORT_OUT, NON_PAYMENT, NATURAL, SILENCE = 0, 1, 2, 3, 4
OWN_WILL = (VOLUNTARY, PORT_OUT, SILENCE)
"""Departures that intent causes."""

TREATMENTS = ("indifferent", "persuadable", "sleeping_dog")
INDIFFERENT, PERSUADABLE, SLEEPING_DOG = 0, 1, 2

ARMS = ("treated", "holdout")
TREATED, HOLDOUT = 0, 1

CONTACT_OUTCOMES = ("accepted", "refused", "deferred", "do_not_contact", "unreachable")
ACCEPTED, REFUSED, DEFERRED, DO_NOT_CONTACT, UNREACHABLE = 0, 1, 2, 3, 4
