"""Numbers of a scenario that govern what systems record: money, use, surveys, feeds."""

from __future__ import annotations

from custvalue.config.base import Settings
from custvalue.simulate.drivers import Above, Month, Share


class Money(Settings):
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

    median: Above = 36.0
    sigma: float = 0.72
    near_zero_share: Share = 0.05
    near_zero_most: Above = 5.0
    enterprise_least: Above = 45.0
    enterprise_tail: Above = 2.4
    plan_share: Share = 0.75
    discount: Share = 0.2
    missed: Share = 0.02
    missed_again: Share = 0.45
    cut_off: Share = 0.5
    late: Share = 0.08


class Usage(Settings):
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


class Surveys(Settings):
    """Who is asked how satisfied they are.

    Attributes
    ----------
    nps, after_complaint, yearly : float
        Chance of being asked in a month, after a complaint, and in the year's survey.
    answered : float
        Share of surveys that are answered; more by the very satisfied and by the dissatisfied.
    """

    nps: Share = 0.03
    after_complaint: Share = 0.6
    yearly: Share = 0.15
    answered: Share = 0.22


class Feeds(Settings):
    """Where the usage feed fails.

    Attributes
    ----------
    outages : float
        Share of region-months whose usage is lost or weeks late.
    late_usage_month, late_usage_days : int
        A month of the simulation whose whole usage comes so many days late.
    missing_usage_month, missing_usage_region : int
        A month of the simulation whose usage never comes for a region (position in the catalogue).
    """

    outages: Share = 0.005
    late_usage_month: Month | None = None
    late_usage_days: Month = 9
    missing_usage_month: Month | None = None
    missing_usage_region: Month = 2
