"""Every number of a synthetic operator, by what it governs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Intent:
    """How the hidden intent to leave begins and ends.

    Attributes
    ----------
    base, near_expiry, in_contract, bundle, complaint, repeat, log_tenure, price_rise : float
        Log-odds of entering intent in a month. ``complaint`` counts each of the last three months' complaints up to three;
        ``log_tenure`` multiplies ln((1 + months) / 25), so that two years are neutral; ``near_expiry`` holds one month either side.
    region_month_sd, own_sd : float
        Spread of what a region shares in a month, and of what is each customer's own.
    exit : tuple of float
        Chance of leaving in a month, by full months since intent began; the last one repeats.
    recovery : float
        Chance that intent ends at a month's end without leaving.
    port_share : float
        Share of such departures that take the number along.
    """

    base: float = -3.4
    near_expiry: float = 0.9
    in_contract: float = -1.1
    bundle: float = -0.6
    complaint: float = 0.55
    repeat: float = 0.7
    log_tenure: float = -0.40
    price_rise: float = 0.5
    region_month_sd: float = 0.2
    own_sd: float = 0.7
    exit: tuple[float, ...] = (0.22, 0.44)
    recovery: float = 0.25
    port_share: float = 0.45


@dataclass(frozen=True, kw_only=True)
class Symptoms:
    """What intent does to behaviour, at full strength.

    Attributes
    ----------
    ramp : float
        Share of the way to full strength (or back to none) covered each month.
    depth_alpha, depth_beta : float
        Beta distribution of the share of use a customer gives up.
    silent_share : float
        Share of customers who show nothing beforehand.
    extras, activity : float
        Share of value-added services and of active days given up, relative to ``depth``.
    complaints : float
        Complaint rate rises by this multiple.
    off_net : float
        Rise of the share of calls to other networks.
    downgrade : float
        Added chance a month of moving to a smaller plan.
    """

    ramp: float = 0.6
    depth_alpha: float = 5.0
    depth_beta: float = 3.0
    silent_share: float = 0.05
    extras: float = 1.0
    activity: float = 0.5
    complaints: float = 1.2
    off_net: float = 0.08
    downgrade: float = 0.05


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """One kind of agreement: who holds one at the start, and how it is signed, renewed and ended.

    Attributes
    ----------
    held, at_joining, signed, renewed : float
        Share of the first customers who hold one; chance of signing on joining, in a month without, and when one ends.
    terms, weights : tuple
        Lengths in months and their shares.
    """

    held: float
    at_joining: float
    signed: float
    renewed: float
    terms: tuple[int, ...]
    weights: tuple[float, ...]


@dataclass(frozen=True, kw_only=True)
class Money:
    """Bills and payments, currency a month.

    Attributes
    ----------
    median, sigma : float
        Lognormal level of a customer's bill.
    near_zero_share, near_zero_most : float
        Share of SIM cards that hardly spend, and their most.
    enterprise_least, enterprise_tail : float
        Pareto scale and shape of enterprise lines' bills.
    plan_share : float
        A customer takes the largest plan whose fee is at most this share of the bill.
    discount : float
        A discount's share of the plan fee.
    missed, missed_again, cut_off : float
        Chance of missing a payment, of missing the next one too, and of being cut off after three in a row.
    late : float
        Share of payments made in the month's last days.
    """

    median: float = 36.0
    sigma: float = 0.72
    near_zero_share: float = 0.05
    near_zero_most: float = 5.0
    enterprise_least: float = 45.0
    enterprise_tail: float = 2.4
    plan_share: float = 0.75
    discount: float = 0.2
    missed: float = 0.02
    missed_again: float = 0.45
    cut_off: float = 0.5
    late: float = 0.08


@dataclass(frozen=True, kw_only=True)
class Usage:
    """Levels and month-to-month noise of use; noise is the sd of logs.

    Attributes
    ----------
    data_median_mb, data_sigma, voice_mean, voice_sigma : float
        Lognormal levels between customers, MB and minutes a month.
    spend_correlation : float
        Correlation of log use with the log bill.
    data_noise, voice_noise, drift : float
        Noise of a single month, and of a slow drift (autocorrelation 0.8) on top.
    data_growth, voice_growth : float
        Common trend a month.
    sms_users, sms_mean : float
        Share of customers who write texts at all, and their mean number.
    roaming : float
        Chance of roaming in a month.
    """

    data_median_mb: float = 8_600.0
    data_sigma: float = 1.08
    voice_mean: float = 250.0
    voice_sigma: float = 0.85
    spend_correlation: float = 0.45
    data_noise: float = 0.15
    voice_noise: float = 0.15
    drift: float = 0.1
    data_growth: float = 0.008
    voice_growth: float = -0.003
    sms_users: float = 0.35
    sms_mean: float = 14.0
    roaming: float = 0.03


@dataclass(frozen=True, kw_only=True)
class PriceRise:
    """A rise of list prices, ``at`` this share of the simulated months, for plans from a fee upward."""

    at: float
    fee_from: int
    rise: float


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """One synthetic operator.

    Attributes
    ----------
    joining : float
        New customers a month, as a share of the first ones; about as many as leave.
    tenure_mean_months : float
        Mean tenure of the first customers (exponential, at most twenty years).
    segments : tuple of float
        Shares of consumer, household and enterprise lines.
    customers_per_manager, daily_capacity : int
        A manager's customers and contacts a day.
    complaints, complaint_spread, repeats : float
        Complaints a month and customer, the spread of that rate's log, and the share complained about again within a month.
    late_rows, late_complaints : float
        Share of monthly rows and of complaints that reach the warehouse some days late.
    season_of_use : tuple of float
        Use a day by calendar month, January first, relative to an ordinary month.
    """

    intent: Intent = Intent()
    symptoms: Symptoms = Symptoms()
    money: Money = Money()
    usage: Usage = Usage()
    contract: Agreement = Agreement(held=0.5, at_joining=0.6, signed=0.03, renewed=0.6, terms=(12, 24), weights=(0.6, 0.4))
    bundle: Agreement = Agreement(held=0.3, at_joining=0.25, signed=0.004, renewed=0.75, terms=(24, 36), weights=(0.7, 0.3))
    discount: Agreement = Agreement(held=0.2, at_joining=0.3, signed=0.012, renewed=0.35, terms=(6, 12), weights=(0.5, 0.5))
    price_rises: tuple[PriceRise, ...] = (PriceRise(at=0.4, fee_from=59, rise=0.08),)
    joining: float = 0.015
    tenure_mean_months: float = 48.0
    segments: tuple[float, float, float] = (0.78, 0.17, 0.05)
    customers_per_manager: int = 500
    daily_capacity: int = 40
    complaints: float = 0.025
    complaint_spread: float = 0.8
    repeats: float = 0.15
    late_rows: float = 0.005
    late_complaints: float = 0.03
    season_of_use: tuple[float, ...] = (0.97, 0.88, 1.0, 1.0, 1.01, 1.02, 1.03, 1.03, 1.0, 0.95, 1.0, 1.01)


SCENARIOS: Mapping[str, Scenario] = {
    "postpaid": Scenario(),
}
