"""Telephone numbers, and customer ids, that pass from one who left to one who joins later."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from custvalue.simulate.catalogue import SILENCE
from custvalue.simulate.draws import uniforms
from custvalue.simulate.scenarios import Scenario
from custvalue.simulate.timeline import Dates, Flags, Ints, Streams, days_after


@dataclass(frozen=True)
class Numbers:
    """Whose number and whose id each customer carries, as a position among all customers of the shard.

    Attributes
    ----------
    telephone, customer : array of int
        The customer's own position, or that of the first one to have had the number or id.
    """

    telephone: Ints
    customer: Ints


def draw_numbers(scenario: Scenario, joined_on: Dates, joins_later: Flags, left_on: Dates, kind: Ints, streams: Streams) -> Numbers:
    """Hand rested numbers to joiners, the longest rested first.

    Parameters
    ----------
    joined_on, left_on : array of datetime64[D]
        NaT in ``left_on`` for those who stayed.
    joins_later : array of bool
        Who was not there at the start.
    kind : array of int
        Kind of departure; silence is known only when its period is over, and the number rests from then on.
    """
    n, registry = len(joined_on), scenario.records.registry
    luck = uniforms(streams, "recycled numbers", None, n)[0]
    rests = registry.quarantine_days + np.where(kind == SILENCE, scenario.records.days.silence_known_after, 0)
    free_from = days_after(left_on, rests)
    leavers = np.flatnonzero(~np.isnat(left_on))
    leavers = leavers[np.lexsort((leavers, free_from[leavers]))]
    takers = np.flatnonzero(joins_later & (luck < max(scenario.recycled_numbers, scenario.reused_ids)))
    takers = takers[np.lexsort((takers, joined_on[takers]))]
    telephone, customer = np.arange(n), np.arange(n)
    given = 0
    for taker in takers:
        if given < len(leavers) and free_from[leavers[given]] <= joined_on[taker]:
            former = leavers[given]
            given += 1
            if luck[taker] < scenario.recycled_numbers:
                telephone[taker] = telephone[former]
            if luck[taker] < scenario.reused_ids:
                customer[taker] = customer[former]
    return Numbers(telephone=telephone, customer=customer)
