"""Who the customers are: what does not change while they live through the months."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from custvalue.errors import ConfigError
from custvalue.simulate.catalogue import (
    CHANNEL_SHARES,
    ENTERPRISE,
    FIRST_NEW_PLAN,
    INDIFFERENT,
    NEW_PLAN_FEES,
    PERSUADABLE,
    PLAN_FEES,
    REGION_SHARES,
    REGIONS,
    SLEEPING_DOG,
)
from custvalue.simulate.draws import among, normals, uniforms
from custvalue.simulate.facts import PEOPLE, SHARD, OperatorFacts
from custvalue.simulate.neighbours import Belonging, group_customers, settle
from custvalue.simulate.scenarios import Scenario
from custvalue.simulate.timeline import Dates, Flags, Floats, Ints, Streams, days_after

_MAX_TENURE_MONTHS = 240
_DAYS_A_MONTH = 365.25 / 12
_OVERPAYS = 1.6


@dataclass(frozen=True, kw_only=True)
class Population:
    """Everybody of a shard who is a customer at some time, one element each: the first ones, then each month's joiners.

    Attributes
    ----------
    joined_on, joined_month : array
        Day, and month of the timeline; negative for those who were there at the start.
    region, segment, manager, channel : array of int
        Positions in the catalogue's tuples, and in the list of managers of the whole operator.
    account, household, community : array of int
        Position of the first member. Lines of one household or firm share an account; household is −1 outside households.
    birth_year : array of int
        0 where it was never asked.
    bill, data_mb, voice_minutes, sms : array of float
        Own level a month.
    plan : array of int
        First plan.
    own_risk, depth, complaint_rate, bad_payer : array of float
        Own log-odds of intent, share of use given up under intent, complaints a month, multiple of the chance to miss a payment.
    treatment : array of int
        What a contact does to this customer (`TREATMENTS`).
    """

    joined_on: Dates
    joined_month: Ints
    region: Ints
    segment: Ints
    manager: Ints
    channel: Ints
    account: Ints
    household: Ints
    community: Ints
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
    treatment: Ints

    def __len__(self) -> int:
        """Number of customers ever."""
        return len(self.joined_on)

    def first(self, count: int) -> Population:
        """Keep so many customers; they stand in order of the month in which they joined."""
        return Population(**{field.name: getattr(self, field.name)[:count] for field in fields(self)})


def draw_population(facts: OperatorFacts, customers: int, streams: Streams) -> Population:
    """Draw a shard's first customers and all who join later; who joins in a month depends on nothing that comes after it.

    Raises
    ------
    ConfigError
        More would join than a shard has room for.
    """
    cohorts: list[dict[str, npt.NDArray[Any]]] = []
    first: Belonging | None = None
    position = 0
    for month in range(-1, facts.timeline.months):
        joined_on = _joining_days(facts, month, customers, streams)
        drawn, belonging = _draw_cohort(facts, month, joined_on, first, position, streams)
        cohorts.append(drawn)
        first = first or belonging
        position += len(joined_on)
    if position > PEOPLE:
        raise ConfigError(
            f"{position:,} customers would join a shard over {facts.timeline.months} months, and identifiers leave room for {PEOPLE:,}. "
            "Simulate fewer months, or let fewer join (`joining`)."
        )
    population = {name: np.concatenate([cohort[name] for cohort in cohorts]) for name in cohorts[0]}
    manager = _managers(population["region"], facts.managers, streams.shard)
    return Population(**population, manager=manager)


def _draw_cohort(
    facts: OperatorFacts, month: int, joined_on: Dates, first: Belonging | None, position: int, streams: Streams
) -> tuple[dict[str, npt.NDArray[Any]], Belonging]:
    scenario, n = facts.scenario, len(joined_on)
    u = uniforms(streams, "people", month, n, width=8)
    region, segment = among(u[0], REGION_SHARES), among(u[1], scenario.segments)
    belonging = group_customers(scenario.groups, segment, region, streams, month)
    head = belonging.account
    if first is not None:
        belonging = settle(belonging, first, position, streams, month)
    bill, data_mb, voice_minutes, sms = _levels(scenario, segment, streams, month)
    plan = _first_plans(facts, bill, month)
    trait = normals(streams, "traits", month, n, width=5)
    shared = np.where(segment == ENTERPRISE, scenario.groups.shared_risk, 0.0)
    treatment = _treatments(scenario, bill, plan, u[7])
    return {
        "joined_on": joined_on,
        "joined_month": np.full(n, month),
        "region": region,
        "segment": segment,
        "channel": among(u[2], CHANNEL_SHARES),
        "account": belonging.account,
        "household": belonging.household,
        "community": belonging.community,
        "birth_year": _birth_years(facts, segment, trait[0], u[3]),
        "marketing_consent": u[4] >= 0.08,
        "traffic_data_consent": u[5] < 0.6,
        "bill": bill,
        "data_mb": data_mb,
        "voice_minutes": voice_minutes,
        "sms": sms,
        "plan": plan,
        "own_risk": scenario.intent.own_sd * (np.sqrt(shared) * trait[4][head] + np.sqrt(1 - shared) * trait[1]),
        "depth": _depths(scenario, streams, month, n) * (u[6] >= scenario.symptoms.silent_share),
        "complaint_rate": scenario.complaints * _spread(trait[2], scenario.complaint_spread),
        "bad_payer": _spread(trait[3], 1.0),
        "treatment": treatment,
    }, belonging


def _joining_days(facts: OperatorFacts, month: int, customers: int, streams: Streams) -> Dates:
    """Sorted days: long ago for the first customers (month −1), within the month for joiners."""
    timeline, scenario = facts.timeline, facts.scenario
    rng = streams("joining", month)
    if month >= 0:
        count = rng.poisson(customers * scenario.joining)
        return np.sort(days_after(timeline.first[month], rng.integers(0, timeline.days[month], count)))
    tenure = np.minimum(rng.exponential(scenario.tenure_mean_months, customers), _MAX_TENURE_MONTHS)
    return np.sort(days_after(timeline.first[0], -np.ceil(tenure * _DAYS_A_MONTH).astype(np.int64)))


def _spread(normal: Floats, sigma: float) -> Floats:
    """Lognormal multiples with mean 1."""
    multiples: Floats = np.exp(sigma * normal.astype(np.float64) - sigma**2 / 2)
    return multiples


def _depths(scenario: Scenario, streams: Streams, month: int, n: int) -> Floats:
    depths: Floats = streams("depths", month).beta(scenario.symptoms.depth_alpha, scenario.symptoms.depth_beta, n)
    return depths


def _managers(region: Ints, sizes: Ints, shard: int) -> Ints:
    """Deal each region's customers out to its managers in turn; a shard goes on where the shards before it end on average."""
    offsets = np.cumsum(sizes) - sizes
    manager = np.empty(len(region), dtype=np.int64)
    for index in range(len(REGIONS)):
        members = np.flatnonzero(region == index)
        begin = round(shard * SHARD * REGION_SHARES[index])
        manager[members] = offsets[index] + (begin + np.arange(len(members))) % sizes[index]
    return manager


def _levels(scenario: Scenario, segment: Ints, streams: Streams, month: int) -> tuple[Floats, Floats, Floats, Floats]:
    money, usage, n = scenario.money, scenario.usage, len(segment)
    spend, own_data, own_voice, own_sms = normals(streams, "levels", month, n, width=4).astype(np.float64)
    pareto, idles, idle_bill, texts = uniforms(streams, "kinds of level", month, n, width=4)
    bill = money.median * np.exp(money.sigma * spend)
    bill = np.where(segment == ENTERPRISE, money.enterprise_least * pareto ** (-1 / money.enterprise_tail), bill)
    idle = (idles < money.near_zero_share) & (segment != ENTERPRISE)
    bill = np.where(idle, 0.5 + idle_bill * (money.near_zero_most - 0.5), bill)
    quiet, rho = np.where(idle, 0.1, 1.0), usage.spend_correlation
    data = rho * spend + np.sqrt(1 - rho**2) * own_data
    voice = rho * spend + np.sqrt(1 - rho**2) * own_voice
    data_mb = quiet * usage.data_median_mb * np.exp(usage.data_sigma * data)
    voice_minutes = quiet * usage.voice_mean * np.exp(usage.voice_sigma * voice - usage.voice_sigma**2 / 2)
    sms = np.where(texts < usage.sms_users, usage.sms_mean * _spread(own_sms, 1.0), 0.0)
    return bill, data_mb, voice_minutes, sms


def _first_plans(facts: OperatorFacts, bill: Floats, month: int) -> Ints:
    """Largest plan within a share of the bill, from the price list of the month of joining."""
    most = bill * facts.scenario.money.plan_share
    if facts.launched(month):
        new = np.searchsorted(NEW_PLAN_FEES, most, side="right") - 1
        return np.where(new >= 0, FIRST_NEW_PLAN + new, 0)
    return np.searchsorted(PLAN_FEES, most, side="right") - 1


def _treatments(scenario: Scenario, bill: Floats, plan: Ints, luck: Floats) -> Ints:
    """Sleeping dogs are found most among those who pay much beyond their plan; the share over all stays the scenario's."""
    contacts = scenario.contacts
    fee = np.array(PLAN_FEES + NEW_PLAN_FEES)[plan]
    odds = np.where(bill > _OVERPAYS * np.maximum(fee, 1), contacts.overpaying, 1.0)
    dog = np.minimum(contacts.sleeping_dog * odds / max(odds.mean(), 1.0) if len(odds) else odds, 1.0)
    return np.select([luck < dog, luck > 1 - contacts.persuadable], [SLEEPING_DOG, PERSUADABLE], INDIFFERENT)


def _birth_years(facts: OperatorFacts, segment: Ints, normal: Floats, luck: Floats) -> Ints:
    this_year = facts.timeline.first[0].astype("datetime64[Y]").astype(np.int64) + 1970
    age = np.clip(np.rint(44 + 15 * normal), 18, 95).astype(np.int64)
    return np.where((luck < 0.11) | (segment == ENTERPRISE), 0, this_year - age)
