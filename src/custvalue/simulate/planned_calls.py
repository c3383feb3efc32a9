"""From whom a caller of `Operator.step` wants called to plans of the shards; and who bears which id."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pyarrow as pa

from custvalue.simulate.campaigns import Plan
from custvalue.simulate.contact_lists import Names, read_contacts, read_days, refuse
from custvalue.simulate.facts import PEOPLE
from custvalue.simulate.numbers import draw_numbers
from custvalue.simulate.shards import Shard
from custvalue.simulate.timeline import Ints, days_after
from custvalue.simulate.world import group_ids


def plan_calls(shards: Sequence[Shard], contacts: Iterable[str] | Mapping[str, str | None], days: Mapping[str, int]) -> list[Plan]:
    """Give each shard's plan of the coming month; for what is given and refused see `Operator.step`."""
    facts, lived = shards[0].facts, shards[0].months
    ids, number, offer = read_contacts(contacts, [offer.name for offer in facts.scenario.contacts.offers])
    of_shard = number // PEOPLE
    refuse(ids[of_shard >= len(shards)], len(ids), "unknown")
    day = read_days(ids, days, last=int(facts.timeline.days[lived]))
    rows = [of_shard == shard.number for shard in shards]
    return [_plan(shard, number[own] % PEOPLE, offer[own], day[own], ids[own]) for shard, own in zip(shards, rows, strict=True)]


def _plan(shard: Shard, number: Ints, offer: Ints, day: Ints, ids: Names) -> Plan:
    people = len(shard.people)
    refuse(ids[number >= people], len(ids), "unknown")
    who = _now_held_by(shard)[number]
    there, allowed = shard.in_service()[who], shard.may_be_called()[who]
    refuse(ids[~there], len(ids), f"not in service on {shard.facts.timeline.first[shard.months]}")
    refuse(ids[~allowed], len(ids), "of customers who do not allow marketing")
    plan = Plan.nobody(people)
    plan.offer[who], plan.day[who] = offer, day
    return plan


def without_late_calls(shard: Shard, plan: Plan) -> Shard | None:
    """Live the coming month, on a copy, with the calls of its first day alone; None where there are no others.

    Raises
    ------
    ConfigError
        Somebody has left before he is called.
    """
    if not plan.late.any():
        return None
    untouched = shard.copy()
    untouched.pass_month(plan.only(~plan.late))
    who = np.flatnonzero(plan.late)
    called_on = days_after(np.full(len(who), shard.facts.timeline.first[shard.months]), plan.day[who])
    gone = (untouched.state.left_month[who] == shard.months) & (untouched.state.left_on[who] <= called_on)
    refuse(ids_of(shard, who[gone]).to_pylist(), len(who), "not in service on the day of their call")
    return untouched


def ids_of(shard: Shard, who: Ints) -> pa.Array:
    """Identifiers of customers by position, as of the months that a shard has lived."""
    return group_ids("C", shard.number, _first_holder(shard)[who])


def _first_holder(shard: Shard) -> Ints:
    """Whose position each customer's id carries: the own one, unless ids are used again."""
    people = shard.people
    if not shard.facts.scenario.reused_ids:
        return np.arange(len(people))
    left_on = np.where(shard.state.left_month < shard.months, shard.state.left_on, np.datetime64("NaT"))
    numbers = draw_numbers(shard.facts.scenario, people.joined_on, people.joined_month >= 0, left_on, shard.state.kind, shard.streams)
    return numbers.customer


def _now_held_by(shard: Shard) -> Ints:
    """Who holds the id of each position now; who joined last, where it has been used again."""
    holder = np.arange(len(shard.people))
    who = np.flatnonzero(shard.people.joined_month < shard.months)
    holder[_first_holder(shard)[who]] = who
    return holder
