"""Surveys: who is asked, who answers, and what."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import pyarrow as pa
from scipy.special import ndtr

from custvalue.simulate.arrow import counts, names, shard_codes, times
from custvalue.simulate.catalogue import COMPLAINT_CATEGORIES
from custvalue.simulate.dealings import Tickets, draw_tickets
from custvalue.simulate.draws import normals, uniforms, uniforms_by_month
from custvalue.simulate.feeds import next_midnight
from custvalue.simulate.recording import Satisfaction
from custvalue.simulate.timeline import Dates, Flags, Floats, Ints, days_after
from custvalue.simulate.world import World

SURVEY_KINDS = ("nps", "yearly", "after_complaint", "first_contact")
NPS, YEARLY, AFTER_COMPLAINT, FIRST_CONTACT = 0, 1, 2, 3
"""``first_contact`` asks whether the first contact solved it: 10 is yes, 1 is no."""
_OWN_SHARE = 0.55
_YES, _NO = 10, 1
_UNSOLVED, _SOLVED = 2.0, 0.85
_MEAN_DAYS_TO_ANSWER = 1.5
_OPENS, _OPEN_SECONDS = 9 * 3600, 11 * 3600


@dataclass(frozen=True)
class Asked:
    """Surveys, one element each; ``score`` is what an answer would be."""

    customer: Ints
    asked_at: Dates
    kind: Ints
    score: Ints


def surveys_table(world: World) -> pa.Table:
    """A row when a customer is asked, and a later one with the answer, if one comes: most never answer."""
    asked = draw_surveys(world)
    luck = uniforms_by_month(world.streams, "answers", world.timeline.index(asked.asked_at), 2)
    waits = (-_MEAN_DAYS_TO_ANSWER * 86_400 * np.log(luck[1])).astype(np.int64).astype("timedelta64[s]")
    answered_at = asked.asked_at + waits
    left = world.history.left_on[asked.customer]
    there = answered_at < np.where(np.isnat(left), world.timeline.first[-1], left)
    settings, chance = world.scenario.records.satisfaction, world.scenario.surveys.answered
    answers: Flags = there & (luck[0] < answer_chance(settings, chance, asked.score))
    which = np.concatenate([np.arange(len(answers)), np.flatnonzero(answers)])
    told = np.repeat([False, True], [len(answers), answers.sum()])
    order = np.lexsort((told, which))
    which, told = which[order], told[order]
    asking_known = next_midnight(asked.asked_at[which])
    answer_known = np.maximum(next_midnight(answered_at[which]), days_after(asking_known, 1))
    return pa.table(
        {
            "survey_id": shard_codes("S", world.shard, which),
            "customer_id": world.customer_ids(asked.customer[which]),
            "asked_at": times(asked.asked_at[which]),
            "answered_at": times(np.where(told, answered_at[which], np.datetime64("NaT"))),
            "kind": names(SURVEY_KINDS, asked.kind[which]),
            "score": counts(asked.score[which], missing=~told),
            "available_at": times(np.where(told, answer_known, asking_known)),
        }
    )


def answer_chance(settings: Satisfaction, answered: float, score: Ints) -> Floats:
    """Chance of an answer by what it would be: higher at both ends, and ``answered`` on average over customers at ease."""
    low, high = ndtr((4.5 - settings.mean) / settings.spread), 1 - ndtr((8.5 - settings.mean) / settings.spread)
    usual = 1 + low * (settings.dissatisfied - 1) + high * (settings.delighted - 1)
    odds = np.select([score <= 4, score >= 9], [settings.dissatisfied, settings.delighted], 1.0)
    chance: Floats = np.minimum(answered * odds / usual, 1.0)
    return chance


def draw_surveys(world: World) -> Asked:
    """Ask customers at random month by month, and some of those whose complaint was closed."""
    tickets = draw_tickets(world)
    complaints = tickets.category < len(COMPLAINT_CATEGORIES)
    asked = [_asked_at_random(world, tickets, complaints), *_asked_after_complaints(world, tickets, complaints)]
    joined = Asked(*(np.concatenate([getattr(part, field.name) for part in asked]) for field in fields(Asked)))
    order = np.lexsort((joined.kind, joined.customer, joined.asked_at))
    return Asked(*(getattr(joined, field.name)[order] for field in fields(Asked)))


def _asked_at_random(world: World, tickets: Tickets, complaints: Flags) -> Asked:
    settings, timeline, n = world.scenario.surveys, world.timeline, len(world.population)
    opened = timeline.index(tickets.opened_at)
    log = []
    for month in range(timeline.months):
        luck, day, second = uniforms(world.streams, "surveys", month, n, 3)
        kind = np.select([luck < settings.nps, luck > 1 - settings.yearly / 12], [NPS, YEARLY], -1)
        who = np.flatnonzero((kind >= 0) & (world.service_days[month] > 0))
        kept_day = world.history.kept_day[month]
        days = np.where(kept_day > 0, kept_day, world.service_days[month])
        recent = complaints & (opened >= month - 3) & (opened < month)
        told = np.bincount(tickets.customer[recent], minlength=n)[who]
        on = days_after(
            np.maximum(timeline.first[month], world.population.joined_on[who]),
            (day[who] * days[who]).astype(np.int64),
        )
        score = _scores(world, who, np.full(len(who), month), told, 0.0, normals(world.streams, "scores", month, n)[0][who])
        log.append(Asked(who, _at(on, second[who]), kind[who], score))
    return Asked(*(np.concatenate([getattr(part, field.name) for part in log]) for field in fields(Asked)))


def _asked_after_complaints(world: World, tickets: Tickets, complaints: Flags) -> list[Asked]:
    """Ask the day after closing how satisfied the customer is, and whether the first contact solved it."""
    timeline = world.timeline
    left = world.history.left_on[tickets.customer]
    closed = np.flatnonzero(complaints & tickets.closes & ~_after_a_late_call(world, tickets))
    month = timeline.index(tickets.closed_at[closed])
    luck, second, fresh, doubt = uniforms_by_month(world.streams, "surveys after complaints", month, 4)
    on = days_after(tickets.closed_at[closed], 1)
    end = np.where(np.isnat(left[closed]), timeline.first[-1], left[closed])
    asks = (luck < world.scenario.surveys.after_complaint) & (on < end)
    which, month, fresh = closed[asks], np.minimum(month[asks], timeline.months - 1), fresh[asks]
    who, moment = tickets.customer[which], _at(on[asks], second[asks])
    made_again = (tickets.repeat_of[which] >= 0) | (_first_repeats(tickets)[which] < moment)
    normal = np.sqrt(12) * (fresh - 0.5)
    score = _scores(world, who, month, np.ones(len(who), dtype=np.int64), _UNSOLVED * made_again, normal)
    solved = ~made_again & (doubt[asks] < _SOLVED)
    return [
        Asked(who, moment, np.full(len(who), AFTER_COMPLAINT), score),
        Asked(who, moment, np.full(len(who), FIRST_CONTACT), np.where(solved, _YES, _NO)),
    ]


def _after_a_late_call(world: World, tickets: Tickets) -> Flags:
    """Whether a complaint was closed in the rest of a month in which only a late call kept the customer.

    Nobody is asked about it: luck goes by the order of what is asked about, and what was known before the call must not change.
    """
    timeline = world.timeline
    month = np.clip(timeline.index(tickets.closed_at), 0, timeline.months - 1)
    would_leave = world.history.kept_day[month, tickets.customer]
    into = (tickets.closed_at.astype("datetime64[D]") - timeline.first[month]).astype(np.int64)
    found: Flags = (would_leave > 0) & (into >= would_leave)
    return found


def _first_repeats(tickets: Tickets) -> Dates:
    """When each complaint was first made again; NaT where it was not."""
    moments = np.full(len(tickets.customer), np.datetime64("NaT"), dtype="datetime64[s]")
    repeats = np.flatnonzero(tickets.repeat_of >= 0)[::-1]  # the earliest is written last
    moments[tickets.repeat_of[repeats]] = tickets.opened_at[repeats]
    return moments


def _scores(world: World, who: Ints, month: Ints, complaints: Ints, lost: Floats | float, fresh: Floats) -> Ints:
    """Satisfaction on ten points: a level of one's own, what the symptoms and complaints take away, and the day's mood."""
    settings = world.scenario.records.satisfaction
    own = normals(world.streams, "own satisfaction", None, len(world.population))[0][who]
    spread = settings.spread * (np.sqrt(_OWN_SHARE) * own + np.sqrt(1 - _OWN_SHARE) * fresh)
    level = settings.mean + spread - settings.intent * world.history.symptom[month, who]
    score = np.rint(level - settings.complaint * np.minimum(complaints, 3) - lost)
    points: Ints = np.clip(score, 1, 10).astype(np.int64)
    return points


def _at(days: Dates, luck: Floats) -> Dates:
    moments: Dates = days.astype("datetime64[s]") + (_OPENS + (luck * _OPEN_SECONDS).astype(np.int64)).astype("timedelta64[s]")
    return moments
