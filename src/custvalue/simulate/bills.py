"""What customers are charged; everything in whole cents."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from custvalue.simulate.behaviour import History
from custvalue.simulate.draws import uniforms
from custvalue.simulate.facts import plan_fees
from custvalue.simulate.population import Population
from custvalue.simulate.scenarios import Scenario
from custvalue.simulate.timeline import Dates, Floats, Ints, Streams, Timeline, days_after
from custvalue.simulate.usage import UsagePanel

_PARTS = ("voice", "sms", "data", "vas")
_ROAMING_DAY = 1_500
_TAX, _DEVICE_SHARE, _DEVICE, _INSTALMENTS_LEFT = 0.06, 0.06, 5_000, 4
_MOST_LATE_USE = 300


@dataclass(frozen=True, kw_only=True)
class BillPanel:
    """Bills in cents, shape (months, customers).

    ``revenue`` = rent + voice + sms + data + vas + roaming − discount; tax and instalments for a device come on top. In the month
    after leaving, a postpaid customer is charged for use that came in late and for the instalments left.
    """

    revenue: Ints
    rent: Ints
    voice: Ints
    sms: Ints
    data: Ints
    vas: Ints
    roaming: Ints
    device: Ints
    discount: Ints
    tax: Ints
    cost: Ints

    @property
    def due(self) -> Ints:
        """What the customer has to pay."""
        total: Ints = self.revenue + self.device + self.tax
        return total


def draw_bills(
    scenario: Scenario, population: Population, history: History, timeline: Timeline, use: UsagePanel, service_days: Ints, streams: Streams
) -> BillPanel:
    """Charge the plan's fee and the use beyond it, for the days in service, and once more after leaving."""
    n = len(population)
    share = service_days / timeline.days[:, None]
    fees = np.take_along_axis(plan_fees(scenario, timeline.months), history.plan.astype(np.int64), axis=1)
    rent = np.rint(fees * share).astype(np.int64)
    parts = _charged_for_use(scenario, population, history, use, share, streams)
    serving = service_days > 0
    device_luck, late_luck, late_sum = uniforms(streams, "device and final bill", None, n, 3)
    buys = device_luck < (0.0 if scenario.prepaid else _DEVICE_SHARE)
    device = np.where(buys & serving, _DEVICE, 0)
    if not scenario.prepaid:
        after = months_after_leaving(history.left_on, timeline) == 1
        late = late_luck < scenario.records.final_bills.late_use
        parts["data"] += np.where(after & late, 1 + (late_sum * _MOST_LATE_USE).astype(np.int64), 0)
        device += np.where(after & buys, _DEVICE * _INSTALMENTS_LEFT, 0)
    discount = np.where(history.discounted, np.rint(rent * scenario.money.discount), 0).astype(np.int64)
    roaming = use.roaming_days.astype(np.int64) * _ROAMING_DAY
    revenue = rent + sum(parts.values()) + roaming - discount
    return BillPanel(
        revenue=revenue,
        rent=rent,
        **parts,
        roaming=roaming,
        device=device,
        discount=discount,
        tax=np.rint(revenue * _TAX).astype(np.int64),
        cost=np.rint((200 + 0.25 * revenue + 0.0001 * use.data_mb) * serving).astype(np.int64),
    )


def months_after_leaving(left_on: Dates, timeline: Timeline) -> Ints:
    """Months since the last one with service, shape (months, customers); negative before it, and for those who stayed."""
    last = np.where(np.isnat(left_on), timeline.months + 1, timeline.index(days_after(left_on, -1)))
    months: Ints = np.arange(timeline.months)[:, None] - last
    return months


def _charged_for_use(
    scenario: Scenario, population: Population, history: History, use: UsagePanel, share: Floats, streams: Streams
) -> dict[str, Ints]:
    """Split what the customer's level leaves beyond the first plan's fee, and let each part follow the use it stands for."""
    first_fees = np.array(plan_fees(scenario, 1)[0])
    beyond = np.maximum(population.bill * 100 - first_fees[population.plan], 0) * history.beyond
    weights = streams("parts of a bill").dirichlet((2.0, 0.3, 3.0, 2.0), len(population))
    weights[:, 1] *= population.sms > 0
    weights /= weights.sum(axis=1, keepdims=True)
    extras = 1 - scenario.symptoms.extras * history.symptom * population.depth
    ratios = (use.voice_ratio, use.voice_ratio, use.data_ratio, extras)
    return {
        name: np.rint(beyond * weights[:, position] * ratio * share).astype(np.int64)
        for position, (name, ratio) in enumerate(zip(_PARTS, ratios, strict=True))
    }
