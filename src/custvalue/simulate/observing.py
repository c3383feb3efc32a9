"""The oracle on what can be observed: the hidden intent filtered from use, complaints, plans and staying, by one who knows the rules."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy.special import betaincinv, roots_hermitenorm

from custvalue.simulate.catalogue import FIRST_NEW_PLAN
from custvalue.simulate.drivers import Symptoms
from custvalue.simulate.intent import carry_forward, sigmoid
from custvalue.simulate.living import DOWNGRADES
from custvalue.simulate.timeline import Flags, Floats
from custvalue.simulate.world import World

_CALM, _FADING, _INTENT = 0, 1, 2
_LEAST_USE = 0.02
_RISKS, _DEPTHS = 3, 3
_OFF_NET_NOISE = 0.03
_MONTHS_OF_INTENT = 3


def observed_chances(world: World, ahead: int) -> Iterator[Floats]:
    """Filter each month's chances of leaving from what an operator could see.

    A forward filter over the hidden state (calm, fading after a recovery, intent in its first, second or a later month), the customer's
    own risk and the share of use that intent takes away, both on a few points of their distributions. Each month the state moves by the
    true chances of entry (but for own risk and what calls have changed, which nobody sees), is weighed by the likelihood of the month's
    minutes, data, off-net share, complaints and plan, and by the customer's staying.

    Approximations: the customer's usual use and usual rate of complaints are taken as known, as a long history would show them, which
    favours this oracle. Against it, the slow drift of use counts as noise of single months, entering intent while fading begins from
    nothing, and renewals, payments, surveys, events and the answers to calls are left out.

    Yields
    ------
    array, shape (ahead, customers)
        A month's chances of leaving by own will in each of the next months.
    """
    watcher = _Filter(world)
    for month in range(world.timeline.months):
        watcher.see_month(month)
        yield watcher.leaving(month, ahead)


class _Filter:
    """Chances of all hidden states, shape (states, risks, depths, customers)."""

    def __init__(self, world: World) -> None:
        self._world = world
        scenario, n = world.scenario, len(world.population)
        nodes, risk_weights = roots_hermitenorm(_RISKS)
        self._risk = (scenario.intent.own_sd * nodes).astype(np.float32)
        self._depth, depth_weights = _depths(scenario.symptoms)
        self._symptom = _symptoms(scenario.symptoms)
        weights = np.multiply.outer(risk_weights / risk_weights.sum(), depth_weights)
        self._chances = np.zeros((_INTENT + _MONTHS_OF_INTENT, *weights.shape, n), dtype=np.float32)
        self._chances[_CALM] = weights[:, :, None]
        self._own_off_net = np.zeros(n)
        self._off_net_seen = np.zeros(n)

    def see_month(self, month: int) -> None:
        """Move by a month, and weigh what it showed."""
        world = self._world
        serving = world.service_days[month] > 0
        settled = (world.population.joined_month < month) & serving
        self._move(month, settled)
        likelihood = self._likelihood(month)
        weighed = self._chances * likelihood[:, None]
        stays = 1 - self._exits()[:, None, None, None]
        weighed *= np.where(settled, stays, 1.0).astype(np.float32)
        total = weighed.sum(axis=(0, 1, 2))
        known = serving & (total > 0)
        self._chances = np.where(known, weighed / np.where(known, total, 1.0), self._chances)
        self._recover(settled)

    def leaving(self, month: int, ahead: int) -> Floats:
        """Chances of leaving in each of the next months, summed over all that may be so."""
        settings, last = self._world.scenario.intent, len(self._world.scenario.intent.exit) - 1
        entry = self._entry(month + 1)
        leaving = np.zeros((ahead, len(self._world.population)))
        for risk in range(len(self._risk)):
            within = self._chances[_INTENT:, risk].sum(axis=1).astype(np.float64)
            mass = self._chances[:, risk].sum(axis=(0, 1)).astype(np.float64)
            # The first month of intent is over when its state is seen at the month's end.
            ages = np.zeros((last + 1, within.shape[1]))
            for age in range(_MONTHS_OF_INTENT):
                ages[min(age + 1, last)] += within[age]
            share = ages / np.maximum(mass, 1e-12)
            leaving += mass * carry_forward(settings, np.broadcast_to(entry[risk], (ahead, len(mass))), share)
        return leaving

    def _entry(self, month: int) -> Floats:
        """Chance of entering intent in a month by own risk, from what was known at its begin; shape (risks, customers)."""
        history = self._world.history
        if month == 0:
            return np.full((len(self._risk), len(self._world.population)), sigmoid(np.array(self._world.scenario.intent.base)))
        seen = history.entry[month - 1] - self._world.population.own_risk - history.nudge[month - 1]
        return sigmoid(seen + self._risk[:, None])

    def _exits(self) -> Floats:
        chances = np.array(self._world.scenario.intent.exit)
        ages = chances[np.minimum(np.arange(_MONTHS_OF_INTENT), len(chances) - 1)]
        return np.concatenate([np.zeros(_INTENT), ages]).astype(np.float32)

    def _move(self, month: int, settled: Flags) -> None:
        enters = np.where(settled, self._entry(month), 0.0).astype(np.float32)[:, None]
        before, moved = self._chances, np.zeros_like(self._chances)
        moved[:_INTENT] = before[:_INTENT] * (1 - enters)
        moved[_INTENT] = before[:_INTENT].sum(axis=0) * enters
        moved[_INTENT + 1 : -1] = before[_INTENT:-2]
        moved[-1] = before[-2:].sum(axis=0)
        self._chances = moved

    def _recover(self, settled: Flags) -> None:
        """End the month: who was fading is calm, and some who intended to leave fade."""
        share = np.where(settled, self._world.scenario.intent.recovery, 0.0).astype(np.float32)
        self._chances[_CALM] += self._chances[_FADING]
        self._chances[_FADING] = share * self._chances[_INTENT:].sum(axis=0)
        self._chances[_INTENT:] *= 1 - share

    def _likelihood(self, month: int) -> Floats:
        """Likelihood of what the month showed, up to a factor, shape (states, depths, customers)."""
        world, symptoms = self._world, self._world.scenario.symptoms
        history, usage = world.history, world.scenario.usage
        launch = world.scenario.launch
        scale = np.where(history.plan[month] >= FIRST_NEW_PLAN, launch.symptoms, 1.0) if launch else np.ones(len(world.population))
        shown = self._symptom[:, None] * scale
        log = np.zeros((len(shown), len(self._depth), shown.shape[1]))
        kept = np.log(np.maximum(1 - shown[:, None] * self._depth[:, None], _LEAST_USE))
        for ratio, noise in ((world.use.voice_ratio, usage.voice_noise), (world.use.data_ratio, usage.data_noise)):
            variance = max(noise**2 + usage.drift**2, _LEAST_USE**2)
            seen = np.log(np.maximum(ratio[month], _LEAST_USE)) + variance / 2
            log -= (seen - kept) ** 2 / (2 * variance)
        calls = symptoms.complaints * self._symptom[:, None]
        alone = history.complaint_count[month] * np.log1p(calls) - world.population.complaint_rate * calls
        alone -= self._off_net_distance(month, shown) / 2
        alone[_FADING:] += self._smaller_plan(month) * (np.arange(len(alone) - 1) != _INTENT - 1)[:, None]
        log += alone[:, None]
        likelihood: Floats = np.exp(log - log.max(axis=(0, 1))).astype(np.float32)
        return likelihood

    def _off_net_distance(self, month: int, shown: Floats) -> Floats:
        """Squared distance of the off-net share from the customer's own mean so far, in its variances; 0 in the first month."""
        share, seen = self._world.use.off_net_share[month], self._off_net_seen
        serving = self._world.service_days[month] > 0
        own = self._own_off_net / np.maximum(seen, 1)
        variance = _OFF_NET_NOISE**2 * (1 + 1 / np.maximum(seen, 1))
        distance = np.where(seen > 0, (share - own - self._world.scenario.symptoms.off_net * shown) ** 2 / variance, 0.0)
        self._own_off_net = self._own_off_net + share * serving
        self._off_net_seen = seen + serving
        return distance

    def _smaller_plan(self, month: int) -> Floats:
        """Log of how much likelier a move to a smaller plan is under intent, for those who made one at the month's begin."""
        history = self._world.history
        if month == 0:
            return np.zeros(len(self._world.population))
        now, before = history.plan[month].astype(np.int64), history.plan[month - 1].astype(np.int64)
        return np.where(now == before - 1, np.log1p(self._world.scenario.symptoms.downgrade / DOWNGRADES), 0.0)


def _symptoms(symptoms: Symptoms) -> Floats:
    """Strength of the symptoms in each hidden state."""
    rising = 1 - (1 - symptoms.ramp) ** np.arange(1, _MONTHS_OF_INTENT + 1)
    return np.concatenate([[0.0, rising[-1] * (1 - symptoms.ramp)], rising])


def _depths(symptoms: Symptoms) -> tuple[Floats, Floats]:
    """Points of the distribution of the share of use given up, and their weights; the first one stands for who shows nothing."""
    at = (np.arange(_DEPTHS) + 0.5) / _DEPTHS
    points = np.concatenate([[0.0], betaincinv(symptoms.depth_alpha, symptoms.depth_beta, at)])
    weights = np.concatenate([[symptoms.silent_share], np.full(_DEPTHS, (1 - symptoms.silent_share) / _DEPTHS)])
    return points, weights
