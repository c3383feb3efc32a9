"""Contracts, bundles, discounts and trials as rows, with what later versions say about their end."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from custvalue.simulate.arrow import DECIMAL, dates, money, names, shard_codes, times
from custvalue.simulate.catalogue import BUNDLE, CONTRACT, DISCOUNT, KINDS, PRODUCTS
from custvalue.simulate.draws import among, uniforms
from custvalue.simulate.feeds import next_midnight
from custvalue.simulate.suspension import departure_known
from custvalue.simulate.timeline import Dates, Flags, Ints, days_after
from custvalue.simulate.world import World

AGREEMENTS = (*KINDS, "trial")
TRIAL = len(KINDS)
TRIALS = ("Video pack trial 视频体验包", "Data pack trial 流量体验包", "Cloud trial 云盘体验包")
_PENALTY_MONTHS, _BUNDLE_PENALTY = 3, 10_000
_TRIAL_DAYS, _TRIAL_SHARES = (30, 91), (0.6, 0.4)
_CONVERTED_DAYS, _CONVERTED_FEE = 365, 1_000


@dataclass(frozen=True)
class AgreementRows:
    """Versions of agreements, one element each; ``number`` tells which versions belong together, −1 cents stand for no amount."""

    number: Ints
    customer: Ints
    kind: Ints
    product: Ints
    starts_on: Dates
    ends_on: Dates
    penalty: Ints
    fee: Ints
    known: Dates


def contracts_table(world: World) -> pa.Table:
    """A row when an agreement is signed, and a later version with another end: a trial goes on, or the customer has left.

    ``monthly_fee`` and ``penalty`` follow the plan in force when it was signed. The last version of a cancelled agreement ends the day
    before leaving: whoever reads it as if it had always been known reads the outcome.
    """
    begun, goes_on = _begun(world)
    rows = _joined([begun, _extended(begun, goes_on)])
    rows = _joined([rows, _cancelled(world, rows)])
    rows = _take(rows, np.lexsort((rows.known, rows.number)))
    return pa.table(
        {
            "contract_id": shard_codes("K", world.shard, rows.number),
            "customer_id": world.customer_ids(rows.customer),
            "kind": names(AGREEMENTS, rows.kind),
            "product": names((*PRODUCTS.values(), *TRIALS), rows.product),
            "starts_on": dates(rows.starts_on),
            "ends_on": dates(rows.ends_on),
            "penalty": _amount(rows.penalty),
            "monthly_fee": _amount(rows.fee),
            "available_at": times(rows.known),
        }
    )


def _signed(world: World) -> AgreementRows:
    timeline, history = world.timeline, world.history
    left = history.left_on[history.agreements.customer]
    end = np.where(np.isnat(left), timeline.first[-1], left)
    signed = history.agreements.take(history.agreements.starts_on < end)
    month = np.maximum(timeline.index(signed.starts_on), 0)
    fee = world.operator.fees[month, history.plan[month, signed.customer]]
    penalty = np.select([signed.kind == CONTRACT, signed.kind == BUNDLE], [_PENALTY_MONTHS * fee, _BUNDLE_PENALTY], -1)
    product = np.full(len(fee), -1)
    for position, (kind, months) in enumerate(PRODUCTS):
        product[(signed.kind == kind) & (signed.months == months)] = position
    return AgreementRows(
        number=np.arange(len(fee)),
        customer=signed.customer,
        kind=signed.kind,
        product=product,
        starts_on=signed.starts_on,
        ends_on=signed.ends_on,
        penalty=penalty,
        fee=np.where(signed.kind == DISCOUNT, -1, fee),
        known=np.maximum(next_midnight(signed.starts_on), timeline.first[0]),
    )


def _begun(world: World) -> tuple[AgreementRows, Ints]:
    """First versions in order of their first day, numbered so; and the positions of trials that go on, paid."""
    signed, (trials, converted) = _signed(world), _trials(world)
    rows = _joined([signed, trials])
    order = np.lexsort((rows.kind, rows.customer, rows.starts_on))
    converts = np.concatenate([np.zeros(len(signed.number), dtype=np.bool_), converted])[order]
    return _take(rows, order, number=np.arange(len(order))), np.flatnonzero(converts)


def _trials(world: World) -> tuple[AgreementRows, Flags]:
    """Free trials, one at a time, and which of them go on, paid."""
    timeline, settings, n = world.timeline, world.scenario.records.dealings, len(world.population)
    until = np.where(np.isnat(world.history.left_on), timeline.first[-1], world.history.left_on)
    busy = np.full(n, np.datetime64("1900-01-01", "D"))
    log, converts = [], []
    for month in range(timeline.months):
        luck, day, term, product, goes_on = uniforms(world.streams, "trials", month, n, 5)
        on = days_after(timeline.first[month], (day * timeline.days[month]).astype(np.int64))
        who = np.flatnonzero((luck < settings.trials) & (on >= world.population.joined_on) & (on < until) & (busy < on))
        ends_on = days_after(on[who], np.array(_TRIAL_DAYS)[among(term[who], _TRIAL_SHARES)] - 1)
        paid = goes_on[who] < settings.converted
        busy[who] = days_after(ends_on, np.where(paid, _CONVERTED_DAYS, 0))
        nothing = np.full(len(who), -1)
        which = len(PRODUCTS) + (product[who] * len(TRIALS)).astype(np.int64)
        kind, free = np.full(len(who), TRIAL), np.zeros(len(who), dtype=np.int64)
        log.append(AgreementRows(nothing, who, kind, which, on[who], ends_on, nothing, free, next_midnight(on[who])))
        converts.append(paid & (ends_on < until[who]))
    return _joined(log), np.concatenate(converts)


def _extended(begun: AgreementRows, which: Ints) -> AgreementRows:
    """Later version of trials that go on: a year more, for a fee, known when the trial is over."""
    return _take(
        begun,
        which,
        ends_on=days_after(begun.ends_on[which], _CONVERTED_DAYS),
        fee=np.full(len(which), _CONVERTED_FEE),
        known=next_midnight(begun.ends_on[which]),
    )


def _cancelled(world: World, rows: AgreementRows) -> AgreementRows:
    """What was in force on the day of leaving ends the day before it, in a version that is known with the departure."""
    left = world.history.left_on[rows.customer]
    last = np.ones(len(rows.number), dtype=np.bool_)
    by_number = np.lexsort((rows.known, rows.number))
    last[by_number[:-1]] = rows.number[by_number[1:]] != rows.number[by_number[:-1]]
    cut = np.flatnonzero(last & ~np.isnat(left) & (rows.ends_on >= left))
    known = np.maximum(departure_known(world)[rows.customer[cut]], days_after(rows.known[cut], 1))
    return _take(rows, cut, ends_on=days_after(left[cut], -1), known=known)


def _take(rows: AgreementRows, which: Ints, **changed: Ints | Dates) -> AgreementRows:
    kept = {field.name: getattr(rows, field.name)[which] for field in fields(AgreementRows)}
    return AgreementRows(**(kept | changed))


def _joined(parts: list[AgreementRows]) -> AgreementRows:
    return AgreementRows(*(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(AgreementRows)))


def _amount(cents: Ints) -> pa.Array:
    return pc.if_else(pa.array(cents >= 0), money(cents), pa.scalar(None, DECIMAL))
