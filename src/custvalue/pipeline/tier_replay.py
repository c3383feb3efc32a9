"""A tier policy played back month by month: every rating made from the one before, kept on the engine, never stored."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

import ibis
from ibis.backends.duckdb import Backend

from custvalue.config import UNRATED, TierPolicyConfig
from custvalue.sources import Moment, add_months, month_index
from custvalue.tiers import TierPolicy
from custvalue.tiers.schedule import rating_period

Log = Callable[[str], None]


def _silent(_: str) -> None:
    """Drop a log line: what the first rating said would come again every month."""


@dataclass(frozen=True)
class ReplayPlan:
    """Which days are rated.

    Attributes
    ----------
    days : tuple of date
        Oldest first, a month apart; the last is the day of the switch.
    warm_up : int
        Steps from day to day that come before the ones that are measured.
    months_wanted, warm_up_wanted : int
        Steps that would be taken if the tables reached back far enough.
    """

    days: tuple[date, ...]
    warm_up: int
    months_wanted: int
    warm_up_wanted: int

    @property
    def months(self) -> int:
        """Steps that are measured."""
        return len(self.days) - 1 - self.warm_up


def plan_replay(moment: Moment, *, months: int, warm_up: int, first_month: date, window: int, delay_days: int = 0) -> ReplayPlan:
    """Choose the days to rate: as many months as asked, and before them as many to warm up as the tables allow.

    The first rating of a policy starts the validity of all customers at once, and nobody falls before it ends. Ratings to warm up let that
    pass before stability is measured.

    Parameters
    ----------
    moment : Moment
        Of the switch.
    months, warm_up : int
        Steps wanted.
    first_month : date
        First day of the first month with a bill.
    window : int
        Longest window, months, that a policy reads: no day is rated on which it is not full, except that of the switch.
    delay_days : int
        Days until a bill is known.

    Examples
    --------
    >>> plan = plan_replay(Moment(date(2025, 7, 1)), months=3, warm_up=12, first_month=date(2025, 1, 1), window=2)
    >>> [str(day) for day in plan.days], plan.warm_up, plan.months
    (['2025-03-01', '2025-04-01', '2025-05-01', '2025-06-01', '2025-07-01'], 1, 3)
    """
    known = month_index(moment.newest_month(delay_days)) - month_index(first_month) + 1
    steps = min(months + warm_up, max(0, known - window))
    days = tuple(add_months(moment.day, -back) for back in range(steps, -1, -1))
    return ReplayPlan(days, max(0, steps - months), months, warm_up)


def warm_up_months(config: TierPolicyConfig) -> int:
    """Months that a customer who is below his tier from the start takes to fall, at the longest; no warm-up needs more."""
    rules = config.stability
    return rules.validity_months + rules.months_before_downgrade - 1 + rules.grace_months


class RatingChain:
    """The ratings of one policy, each made from the one before.

    Parameters
    ----------
    con : Backend
        The engine that holds the facts.
    name : str
        Begins the names of the temporary tables.
    policy : TierPolicy
        Fitted.
    log : callable, optional
        Hears what the policy logs.
    """

    def __init__(self, con: Backend, name: str, policy: TierPolicy, *, log: Log = _silent) -> None:
        self.policy = policy
        self._con, self._name, self._log = con, name, log
        self._state: ibis.Table | None = None
        self._rated_on: date | None = None
        self._ratings: list[ibis.Table] = []

    @property
    def state(self) -> ibis.Table:
        """What `TierPolicy.assign` gave last, one row a customer."""
        if self._state is None:
            raise RuntimeError("nothing is rated yet")
        return self._state

    @property
    def ratings(self) -> ibis.Table:
        """Every rating: customer_id, tier, care_priority, place (from 0)."""
        return ibis.union(*self._ratings) if len(self._ratings) > 1 else self._ratings[0]

    def rate(self, facts: ibis.Table, day: date) -> None:
        """Rate a day, or carry the rating of the period that the day lies in."""
        place = len(self._ratings)
        due = self._rated_on is None or rating_period(self.policy.config.rating, day) > self._rated_on
        if due:
            rated = self.policy.assign(facts, as_of=day, previous=self._state, log=self._log if place == 0 else _silent)
            self._rated_on = day
        else:
            rated = carried_tiers(facts, self.state, day, self.policy.label)
        # two names in turn: a table cannot be made in the place of one that it is made from
        self._state = self._con.create_table(f"{self._name}_state_{place % 2}", rated, temp=True, overwrite=True)
        kept = self._state.select("customer_id", "tier", "care_priority", place=ibis.literal(place, type="int64"))
        self._ratings.append(self._con.create_table(f"{self._name}_rating_{place}", kept, temp=True, overwrite=True))


def carried_tiers(facts: ibis.Table, state: ibis.Table, day: date, label: str) -> ibis.Table:
    """Give the customers of a day the tiers of an earlier rating; whom that did not know is `unrated`, reason ``not_rated_yet``."""
    held = state.rename(holder="customer_id")
    joined = facts.select("customer_id").left_join(held, [("customer_id", "holder")]).drop("holder")
    return joined.mutate(
        tier=joined.tier.fill_null(UNRATED),
        valid_from=joined.valid_from.fill_null(ibis.literal(day)),
        reason_code=joined.reason_code.fill_null("not_rated_yet"),
        policy_version=joined.policy_version.fill_null(label),
        care_priority=joined.care_priority.fill_null(0),
        earned=joined.earned.fill_null(UNRATED),
    )
