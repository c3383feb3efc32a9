"""What the network counts: calls, texts, data, days, peers."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from custvalue.simulate.activity import Presence, active_flags, draw_presence
from custvalue.simulate.catalogue import PORT_OUT, VOLUNTARY
from custvalue.simulate.draws import normals, poisson, uniforms
from custvalue.simulate.population import Population
from custvalue.simulate.scenarios import Scenario
from custvalue.simulate.timeline import Dates, Flags, Floats, Ints, Streams, Timeline

_DAYS_A_MONTH = 365.25 / 12
_DRIFT_KEPT = 0.8


@dataclass(frozen=True, kw_only=True)
class UsagePanel:
    """Use by month and customer, shape (months, customers), where there was service.

    Attributes
    ----------
    voice_minutes, data_mb : panel of int
        Hundredths of minutes and of MB.
    voice_ratio, data_ratio : panel of float
        Use in proportion to the customer's own level and the days in service, before season and trend: what bills follow.
    day_chance : panel of float
        Chance of using the network on a day.
    presence : Presence
        From when to when.
    """

    voice_minutes: Ints
    data_mb: Ints
    sms_count: Ints
    roaming_days: Ints
    active_days: Ints
    distinct_peers: Ints
    off_net_share: Floats
    voice_ratio: Floats
    data_ratio: Floats
    day_chance: Floats
    presence: Presence


class Network:
    """What counts each customer's use, own level × season × trend × noise × what intent has taken away, and keeps what it has counted.

    Parameters
    ----------
    people : Population
        Everybody, those included who join in months to come: nobody's luck depends on who comes after him.
    """

    def __init__(self, scenario: Scenario, people: Population, streams: Streams) -> None:
        self._scenario, self._people, self._streams = scenario, people, streams
        self._slow: dict[str, Floats] = {}
        self._months: list[dict[str, npt.NDArray[np.generic]]] = []

    def copy(self) -> Network:
        """Copy it, so that two courses of events can be counted from here on; what has been counted is shared."""
        other = copy.copy(self)
        other._slow, other._months = dict(self._slow), list(self._months)
        return other

    def count(self, symptoms: Sequence[Floats], left_on: Dates, kind: Ints, timeline: Timeline, customers: int) -> UsagePanel:
        """Count the months lived since the last time, and give all of them for the first customers.

        Parameters
        ----------
        symptoms : sequence of array of float
            Strength of everybody's symptoms in each month lived.
        left_on : array of datetime64[D]
            First day without service; NaT for those who stayed. Whoever leaves in one month is silent in no earlier one.
        kind : array of int
            How they left.
        """
        joined_on = self._people.joined_on
        presence = draw_presence(
            self._scenario.records.days, joined_on, left_on, np.isin(kind, (VOLUNTARY, PORT_OUT)), timeline, self._streams
        )
        if len(self._months) < timeline.months:
            service_days = timeline.service_days(joined_on, left_on)
            for month in range(len(self._months), timeline.months):
                self._months.append(self._pass_month(month, symptoms[month], presence, timeline, service_days[month]))
        panels = {name: np.stack([month[name][:customers] for month in self._months]) for name in self._months[0]}
        return UsagePanel(presence=Presence(joined_on[:customers], presence.silent_from[:customers]), **panels)

    @cached_property
    def _own_off_net(self) -> Floats:
        shares: Floats = self._streams("own off-net share").beta(4, 6, len(self._people))
        return shares

    def _pass_month(
        self, month: int, symptom: Floats, presence: Presence, timeline: Timeline, service_days: Ints
    ) -> dict[str, npt.NDArray[np.generic]]:
        """Count one month; every panel's row by name."""
        usage, people, n = self._scenario.usage, self._people, len(self._people)
        kept = 1 - symptom * people.depth
        season = self._scenario.season_of_use[timeline.calendar_month[month]]
        length = service_days * season / _DAYS_A_MONTH
        ratios = {
            "voice": kept * self._noise("voice", month, usage.voice_noise),
            "data": kept * self._noise("data", month, usage.data_noise),
        }
        voice = people.voice_minutes * ratios["voice"] * length * (1 + usage.voice_growth) ** month
        data = people.data_mb * ratios["data"] * length * (1 + usage.data_growth) ** month
        attachment = 1 - 0.5 / (1 + voice / 60 + data / 1_000)
        chance = (attachment * (1 - self._scenario.symptoms.activity * (1 - kept))).astype(np.float32)
        active = active_flags(presence, chance, timeline, self._streams, month).sum(axis=0)
        used = _used(month, active, service_days, presence, timeline)
        texts, roams, trip, peers = uniforms(self._streams, "other use", month, n, 4)
        roaming = (roams < usage.roaming) * (1 + poisson(trip, np.full(n, 3.0)))
        off_net = self._own_off_net + self._scenario.symptoms.off_net * symptom
        off_net = off_net + 0.03 * normals(self._streams, "off-net share", month, n)[0]
        return {
            "voice_minutes": np.rint(voice * used * 100).astype(np.int64),
            "data_mb": np.rint(data * used * 100).astype(np.int64),
            "sms_count": poisson(texts, people.sms * kept * length * used).astype(np.int32),
            "roaming_days": np.minimum(roaming, active).astype(np.int16),
            "active_days": active.astype(np.int16),
            "distinct_peers": poisson(peers, 2.2 * np.sqrt(voice * used)).astype(np.int32),
            "off_net_share": np.clip(off_net, 0, 1).round(4),
            "voice_ratio": (ratios["voice"] * used).astype(np.float32),
            "data_ratio": (ratios["data"] * used).astype(np.float32),
            "day_chance": chance,
        }

    def _noise(self, purpose: str, month: int, sigma: float) -> Floats:
        """Lognormal multiples with mean 1: a month's own noise, and a slow drift."""
        drift = self._scenario.usage.drift
        own, fresh = normals(self._streams, purpose, month, len(self._people), 2)
        before = self._slow.get(purpose)
        self._slow[purpose] = fresh if before is None else _DRIFT_KEPT * before + np.sqrt(1 - _DRIFT_KEPT**2) * fresh
        multiples: Floats = np.exp(sigma * own + drift * self._slow[purpose] - (sigma**2 + drift**2) / 2)
        return multiples


def _used(month: int, active: Ints, service_days: Ints, presence: Presence, timeline: Timeline) -> Floats:
    """Share of the days in service before silence began; 0 where no day was active at all."""
    first, after = timeline.first[month], timeline.first[month + 1]
    begin = np.maximum(presence.joined_on, first)
    open_days = np.maximum((np.minimum(presence.silent_from, after) - begin).astype(np.int64), 0)
    anything: Flags = (active > 0) & (service_days > 0)
    share: Floats = np.where(anything, np.minimum(open_days / np.maximum(service_days, 1), 1.0), 0.0)
    return share
