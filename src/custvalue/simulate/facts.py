"""What all shards of an operator share: prices, the regions' good and bad months, managers, the cut into shards."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from custvalue.simulate.catalogue import FIRST_NEW_PLAN, NEW_PLAN_FEES, PLAN_FEES, REGION_SHARES, REGIONS
from custvalue.simulate.scenarios import Scenario
from custvalue.simulate.timeline import Flags, Floats, Ints, Streams, Timeline

SHARD = 25_000
"""Most first customers of a shard."""
PEOPLE = 300_000
"""Most customers that a shard may ever have; identifiers leave room for so many."""


@dataclass(frozen=True, kw_only=True)
class OperatorFacts:
    """What is the same for every customer.

    Attributes
    ----------
    scenario, timeline : Scenario, Timeline
        The numbers, and all months that may be lived.
    streams : Streams
        Shared luck, of shard −1.
    customers : int
        First customers of all shards together.
    fees : array of int, shape (months, plans)
        Fee of each plan in cents.
    shock : array of float, shape (months, regions)
        Log-odds of intent that a region shares in a month, network trouble included.
    trouble : array of bool, shape (months, regions)
        A region's network fails.
    managers : array of int, shape (regions,)
        Managers of each region.
    """

    scenario: Scenario
    timeline: Timeline
    streams: Streams
    customers: int
    fees: Ints
    shock: Floats
    trouble: Flags
    managers: Ints

    @property
    def manager_region(self) -> Ints:
        """Region of each manager."""
        regions: Ints = np.repeat(np.arange(len(REGIONS)), self.managers)
        return regions

    def shard_sizes(self) -> list[int]:
        """First customers of each shard: full ones, and one with the rest."""
        full, rest = divmod(self.customers, SHARD)
        return [SHARD] * full + ([rest] if rest else [])

    def dearer(self, month: int) -> Flags:
        """Whether each plan's list price was raised in a month or the two before it."""
        recent = range(max(month - 2, 1), min(month + 1, self.timeline.months))
        rises: Flags = np.zeros(self.fees.shape[1], dtype=np.bool_)
        for past in recent:
            rises |= self.fees[past] > self.fees[past - 1]
        return rises

    def launched(self, month: int) -> bool:
        """Whether the new plans are on sale."""
        return self.scenario.launch is not None and month >= self.scenario.launch.month


def gather_facts(scenario: Scenario, timeline: Timeline, *, customers: int, seed: int) -> OperatorFacts:
    """Draw what depends on the seed and on the size of the whole operator alone."""
    streams = Streams(seed)
    months = range(timeline.months)
    trouble = np.array([streams("network trouble", month).random(len(REGIONS)) for month in months]) < scenario.trouble
    own = np.array([streams("region shocks", month).standard_normal(len(REGIONS)) for month in months])
    managers = np.rint(customers * np.array(REGION_SHARES) / scenario.customers_per_manager)
    return OperatorFacts(
        scenario=scenario,
        timeline=timeline,
        streams=streams,
        customers=customers,
        fees=plan_fees(scenario, timeline.months),
        shock=scenario.intent.region_month_sd * own + scenario.trouble_shock * trouble,
        trouble=trouble,
        managers=np.maximum(managers, 1).astype(np.int64),
    )


def plan_fees(scenario: Scenario, months: int) -> Ints:
    """Fee of each plan in each month, in cents, shape (months, plans); a price rise spares the new plans."""
    first = np.array(PLAN_FEES + NEW_PLAN_FEES) * 100
    fees = np.tile(first, (months, 1))
    for rise in scenario.price_rises:
        dearer = np.flatnonzero(first[:FIRST_NEW_PLAN] >= rise.fee_from * 100)
        fees[rise.month :, dearer] = np.rint(fees[rise.month :, dearer] * (1 + rise.rise)).astype(np.int64)
    return fees
