"""What the network counts: calls, texts, data, days, peers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from custvalue.simulate.behaviour import History
from custvalue.simulate.population import Population
from custvalue.simulate.scenarios import Scenario
from custvalue.simulate.timeline import Floats, Ints, Streams, Timeline

_DAYS_A_MONTH = 365.25 / 12
_DRIFT_KEPT = 0.8


@dataclass(frozen=True, kw_only=True)
class UsagePanel:
    """Use by month and customer, shape (months, customers), where there was service.

    Attributes
    ----------
    voice_minutes, data_mb : panel of float
        Minutes and MB.
    voice_ratio, data_ratio : panel of float
        Use in proportion to the customer's own level and the days in service, before season and trend: what bills follow.
    """

    voice_minutes: Floats
    data_mb: Floats
    sms_count: Ints
    roaming_days: Ints
    active_days: Ints
    distinct_peers: Ints
    off_net_share: Floats
    voice_ratio: Floats
    data_ratio: Floats


def draw_usage(
    scenario: Scenario, population: Population, history: History, timeline: Timeline, service_days: Ints, streams: Streams
) -> UsagePanel:
    """Draw each month's use: own level × season × trend × noise × what intent has taken away."""
    usage, symptoms = scenario.usage, scenario.symptoms
    kept = 1 - history.symptom * population.depth.astype(np.float32)
    voice_ratio = kept * _noise(streams("voice"), kept.shape, usage.voice_noise, usage.drift)
    data_ratio = kept * _noise(streams("data"), kept.shape, usage.data_noise, usage.drift)
    season = np.array(scenario.season_of_use)[timeline.calendar_month, None]
    length = service_days * season / _DAYS_A_MONTH
    elapsed = np.arange(timeline.months)[:, None]
    voice = population.voice_minutes * voice_ratio * length * (1 + usage.voice_growth) ** elapsed
    data = population.data_mb * data_ratio * length * (1 + usage.data_growth) ** elapsed
    rng = streams("other use")
    roams = rng.random(kept.shape) < usage.roaming
    attachment = 1 - 0.5 / (1 + voice / 60 + data / 1_000)
    active = rng.binomial(service_days, attachment * (1 - symptoms.activity * (1 - kept)))
    own_off_net = rng.beta(4, 6, len(population))
    return UsagePanel(
        voice_minutes=voice,
        data_mb=data,
        sms_count=rng.poisson(population.sms * kept * length),
        roaming_days=np.minimum(roams * (1 + rng.poisson(3, kept.shape)), service_days),
        active_days=active,
        distinct_peers=rng.poisson(2.2 * np.sqrt(voice)),
        off_net_share=np.clip(own_off_net + symptoms.off_net * history.symptom + rng.normal(0, 0.03, kept.shape), 0, 1).round(4),
        voice_ratio=voice_ratio,
        data_ratio=data_ratio,
    )


def _noise(rng: np.random.Generator, shape: tuple[int, ...], sigma: float, drift: float) -> Floats:
    """Lognormal multiples with mean 1: a month's own noise, and a slow drift."""
    slow = np.empty(shape, dtype=np.float32)
    slow[0] = rng.standard_normal(shape[1], dtype=np.float32)
    for month in range(1, shape[0]):
        fresh = rng.standard_normal(shape[1], dtype=np.float32)
        slow[month] = _DRIFT_KEPT * slow[month - 1] + np.sqrt(1 - _DRIFT_KEPT**2) * fresh
    log = sigma * rng.standard_normal(shape, dtype=np.float32) + drift * slow - (sigma**2 + drift**2) / 2
    multiples: Floats = np.exp(log)
    return multiples
