"""Who the customers are: what does not change while they live through the months."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from custvalue.simulate.catalogue import (
    CHANNEL_SHARES,
    CHANNELS,
    ENTERPRISE,
    HOUSEHOLD,
    PLAN_FEES,
    REGION_SHARES,
    REGIONS,
    SEGMENTS,
)
from custvalue.simulate.scenarios import Scenario
from custvalue.simulate.timeline import Dates, Flags, Floats, Ints, Streams, Timeline, days_after

_MAX_TENURE_MONTHS = 240
_DAYS_A_MONTH = 365.25 / 12


@dataclass(frozen=True, kw_only=True)
class Population:
    """Everybody who is a customer at some time, one element each.

    Attributes
    ----------
    joined_on, joined_month : array
        Day, and month of the timeline; negative for those who were there at the start.
    region, segment, manager, channel : array of int
        Positions in the catalogue's tuples, and in the list of managers.
    account, household : array of int
        Lines of one household or firm share an account; household is −1 outside households.
    birth_year : array of int
        0 where it was never asked.
    bill, data_mb, voice_minutes, sms : array of float
        Own level a month.
    plan : array of int
        First plan.
    own_risk, depth, complaint_rate, bad_payer : array of float
        Own log-odds of intent, share of use given up under intent, complaints a month, multiple of the chance to miss a payment.
    """

    joined_on: Dates
    joined_month: Ints
    region: Ints
    segment: Ints
    manager: Ints
    manager_region: Ints
    channel: Ints
    account: Ints
    household: Ints
    birth_year: Ints
    marketing_consent: Flags
    traffic_data_consent: Flags
    bill: Floats
    data_mb: Floats
    voice_minutes: Floats
    sms: Floats
    plan: Ints
    own_risk: Floats
    depth: Floats
    complaint_rate: Floats
    bad_payer: Floats

    def __len__(self) -> int:
        """Number of customers ever."""
        return len(self.joined_on)


def draw_population(scenario: Scenario, timeline: Timeline, customers: int, streams: Streams) -> Population:
    """Draw the first customers and all who join later."""
    joined_on = _joining_days(scenario, timeline, customers, streams("joining"))
    n = len(joined_on)
    rng = streams("people")
    region = rng.choice(len(REGIONS), n, p=REGION_SHARES)
    segment = rng.choice(len(SEGMENTS), n, p=scenario.segments)
    account, household = _accounts(segment, region, streams("accounts"))
    manager, manager_region = _managers(region, customers, scenario.customers_per_manager)
    bill, data_mb, voice_minutes, sms = _levels(scenario, segment, streams("levels"))
    traits = streams("traits")
    symptoms = scenario.symptoms
    return Population(
        joined_on=joined_on,
        joined_month=np.maximum(timeline.index(joined_on), -1),
        region=region,
        segment=segment,
        manager=manager,
        manager_region=manager_region,
        channel=rng.choice(len(CHANNELS), n, p=CHANNEL_SHARES),
        account=account,
        household=household,
        birth_year=_birth_years(timeline, segment, streams("birth years")),
        marketing_consent=rng.random(n) >= 0.08,
        traffic_data_consent=rng.random(n) < 0.6,
        bill=bill,
        data_mb=data_mb,
        voice_minutes=voice_minutes,
        sms=sms,
        plan=np.searchsorted(PLAN_FEES, bill * scenario.money.plan_share, side="right") - 1,
        own_risk=traits.normal(0, scenario.intent.own_sd, n),
        depth=traits.beta(symptoms.depth_alpha, symptoms.depth_beta, n) * (traits.random(n) >= symptoms.silent_share),
        complaint_rate=scenario.complaints * _spread(traits, scenario.complaint_spread, n),
        bad_payer=_spread(traits, 1.0, n),
    )


def _joining_days(scenario: Scenario, timeline: Timeline, customers: int, rng: np.random.Generator) -> Dates:
    tenure = np.minimum(rng.exponential(scenario.tenure_mean_months, customers), _MAX_TENURE_MONTHS)
    there = np.sort(days_after(timeline.first[0], -np.ceil(tenure * _DAYS_A_MONTH).astype(np.int64)))
    month = np.repeat(np.arange(timeline.months), rng.poisson(customers * scenario.joining, timeline.months))
    joiners = days_after(timeline.first[month], rng.integers(0, timeline.days[month]))
    return np.concatenate([there, np.sort(joiners)])


def _spread(rng: np.random.Generator, sigma: float, n: int) -> Floats:
    """Lognormal multiples with mean 1."""
    multiples: Floats = np.exp(rng.normal(-(sigma**2) / 2, sigma, n))
    return multiples


def _accounts(segment: Ints, region: Ints, rng: np.random.Generator) -> tuple[Ints, Ints]:
    """Group household lines by two to four and enterprise lines by three to twelve, within a region."""
    group = np.arange(len(segment))
    for kind, least, most in ((HOUSEHOLD, 2, 4), (ENTERPRISE, 3, 12)):
        members = np.flatnonzero(segment == kind)
        members = members[np.argsort(region[members], kind="stable")]
        ends = np.cumsum(rng.integers(least, most + 1, len(members)))
        cut = np.searchsorted(ends, np.arange(len(members)), side="right")
        opens = np.flatnonzero((np.diff(cut, prepend=-1) != 0) | (np.diff(region[members], prepend=-1) != 0))
        group[members] = np.repeat(members[opens], np.diff(opens, append=len(members)))
    household = np.where(segment == HOUSEHOLD, group, -1)
    return group, household


def _managers(region: Ints, customers: int, per_manager: int) -> tuple[Ints, Ints]:
    """Give each region managers for its share of the first customers, and deal its customers out in turn."""
    sizes = np.maximum(np.rint(customers * np.array(REGION_SHARES) / per_manager), 1).astype(np.int64)
    offsets = np.cumsum(sizes) - sizes
    manager = np.empty(len(region), dtype=np.int64)
    for index in range(len(REGIONS)):
        members = np.flatnonzero(region == index)
        manager[members] = offsets[index] + np.arange(len(members)) % sizes[index]
    return manager, np.repeat(np.arange(len(REGIONS)), sizes)


def _levels(scenario: Scenario, segment: Ints, rng: np.random.Generator) -> tuple[Floats, Floats, Floats, Floats]:
    money, usage, n = scenario.money, scenario.usage, len(segment)
    spend = rng.standard_normal(n)
    bill = money.median * np.exp(money.sigma * spend)
    bill = np.where(segment == ENTERPRISE, money.enterprise_least * (1 + rng.pareto(money.enterprise_tail, n)), bill)
    idle = (rng.random(n) < money.near_zero_share) & (segment != ENTERPRISE)
    bill = np.where(idle, rng.uniform(0.5, money.near_zero_most, n), bill)
    quiet = np.where(idle, 0.1, 1.0)

    def correlated() -> Floats:
        rho = usage.spend_correlation
        mixed: Floats = rho * spend + np.sqrt(1 - rho**2) * rng.standard_normal(n)
        return mixed

    data_mb = quiet * usage.data_median_mb * np.exp(usage.data_sigma * correlated())
    voice = quiet * usage.voice_mean * np.exp(usage.voice_sigma * correlated() - usage.voice_sigma**2 / 2)
    sms = np.where(rng.random(n) < usage.sms_users, usage.sms_mean * _spread(rng, 1.0, n), 0.0)
    return bill, data_mb, voice, sms


def _birth_years(timeline: Timeline, segment: Ints, rng: np.random.Generator) -> Ints:
    this_year = timeline.first[0].astype("datetime64[Y]").astype(np.int64) + 1970
    age = np.clip(np.rint(rng.normal(44, 15, len(segment))), 18, 95).astype(np.int64)
    unknown = (rng.random(len(segment)) < 0.11) | (segment == ENTERPRISE)
    return np.where(unknown, 0, this_year - age)
