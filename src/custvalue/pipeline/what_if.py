"""What another tier policy would do: both played back over the last months, and the switch from one to the other on one day."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, timedelta

import ibis

from custvalue.config import Config, load_retention_policy
from custvalue.config.tier_rules import Cuts, PointsRule
from custvalue.errors import ConfigError, DataError
from custvalue.pipeline.comparison import Log, Note, WhatIf, costs_to_serve, migration_between, stability_of, tiers_at
from custvalue.pipeline.ratings import rating_store
from custvalue.pipeline.stages import Reporter, check
from custvalue.pipeline.tier_replay import RatingChain, ReplayPlan, carried_tiers, plan_replay, warm_up_months
from custvalue.pipeline.tiering import forget, tier_facts
from custvalue.sources import SourceTables
from custvalue.tiers import TierPolicy, needed_columns
from custvalue.tiers.measures.concentration import revenue_concentration
from custvalue.tiers.schedule import rating_period

_WINDOW = re.compile(r"_(\d+)m$")


def _silent(_: str) -> None:
    """Drop a log line: what the first day said would come again for every month."""


def what_if(config: Config, policy: TierPolicy, against: TierPolicy, as_of: date, *, months: int = 12, reporter: Reporter) -> WhatIf:
    """Compare a proposed tier policy with the one in force.

    Both are rated month by month over the last months, each from its own tiers. On the day itself the proposed one is applied to the tiers
    that the other gave: with its transition rule, protection and steps, as a switch on that day would be. Nothing is stored.

    Parameters
    ----------
    config : Config
        Tables, output folder (its stored cuts are used), retention policy (ARPU metric, channels, cost of a contact).
    policy, against : TierPolicy
        In force, and proposed; not fitted.
    as_of : date
        Day of the switch.
    months : int
        Months over which stability is measured; fewer where the tables do not reach back so far.
    reporter : Reporter
        Hears of every month.

    Raises
    ------
    ConfigError
        A policy reads what the tables do not give, or both bear the same name and version with different content.
    DataError
        The contract is broken, a feed is late, or nobody is active.
    """
    _refuse_edited_version(policy, against)
    tables = check(config, as_of, reporter=reporter)[0]
    reporter.start("what-if")
    metric = load_retention_policy(config.retention_policy).value.metric
    plan = _plan(tables, (policy, against), metric, as_of, months)
    chains, facts = _replayed(config, tables, (policy, against), plan, metric, reporter)
    if metric not in facts.columns:
        raise ConfigError(f"{config.retention_policy}: value.metric {metric!r} is no feature here. Take one of revenue_mean_*m.")
    found = _compared(config, tables, plan, chains, facts, metric, log=reporter.note)
    reporter.done("what-if", f"{policy.label} against {against.label}: {found.customers:,} customers, {found.plan.months} months")
    return found


def _refuse_edited_version(policy: TierPolicy, against: TierPolicy) -> None:
    if policy.label == against.label and policy.content_hash != against.content_hash:
        raise ConfigError(
            f"both policies call themselves {policy.label}, but their content differs. Raise the version of the proposed one: "
            "what becomes of tiers at a switch depends on it."
        )


def _plan(tables: SourceTables, policies: Sequence[TierPolicy], metric: str, as_of: date, months: int) -> ReplayPlan:
    read = [*needed_columns(*(policy.config for policy in policies)).features, metric]
    windows = [int(found[1]) for name in read if (found := _WINDOW.search(name))]
    first = tables.known(as_of)["billing"].month.min().to_pyarrow().as_py()
    if first is None:
        raise DataError(f"table billing holds no bill that was known at {as_of}, so tiers cannot be compared. Take a later date.")
    return plan_replay(
        tables.moment(as_of),
        months=months,
        warm_up=max(warm_up_months(policy.config) for policy in policies),
        first_month=first,
        window=max(windows, default=1),
        delay_days=tables.delay_days.get("billing", 0),
    )


def _replayed(
    config: Config, tables: SourceTables, policies: Sequence[TierPolicy], plan: ReplayPlan, metric: str, reporter: Reporter
) -> tuple[list[RatingChain], ibis.Table]:
    """Rate both policies on every day of the plan; the facts of a day are built once for both. Gives the last day's facts too."""
    chains: list[RatingChain] = []
    facts: ibis.Table | None = None
    for day in plan.days:
        if facts is not None:
            forget(tables, facts)
        facts = tier_facts(config, tables, day, policies, also=[metric], log=_silent if chains else reporter.note)
        if not chains:
            fitted = [fitted_policy(config, policy, facts, day, log=reporter.note) for policy in policies]
            chains = [RatingChain(tables.con, f"what_if_{i}", policy, log=reporter.note) for i, policy in enumerate(fitted)]
        for chain in chains:
            chain.rate(facts, day)
        reporter.note(f"{day}: rated under both policies")
    if facts is None:
        raise ValueError("a plan has at least one day")
    return chains, facts


def fitted_policy(config: Config, policy: TierPolicy, facts: ibis.Table, day: date, *, log: Log) -> TierPolicy:
    """Load a policy's cuts from the output folder; where none are stored yet find them in the facts of a day, and store nothing."""
    folder = config.output / "tiers"
    stored = (folder / f"{policy.label}.json").exists()
    return policy.load(folder) if stored else policy.fit(facts, as_of=day, log=log)


def _tiers_in_force(
    config: Config, tables: SourceTables, chain: RatingChain, facts: ibis.Table, as_of: date, *, log: Log
) -> tuple[ibis.Table, date | None]:
    """Give the tiers that customers hold on the day: from the ratings stored, with the day of the one used, else from the replay."""
    policy, store = chain.policy, rating_store(config, chain.policy)
    newest = store.latest(before=as_of + timedelta(days=1))
    holds = newest is not None and newest.day >= rating_period(policy.config.rating, as_of) and newest.policy_version == policy.label
    if not holds:
        newest = store.latest(before=as_of)
    if newest is None:
        return chain.state, None
    stored = tables.con.read_parquet(store.path(newest.day)).drop("rated_on")
    kept = carried_tiers(facts, stored, as_of, policy.label)
    held = kept if holds else policy.assign(facts, as_of=as_of, previous=stored, log=log)
    return tables.con.create_table("what_if_in_force", held, temp=True, overwrite=True), newest.day


def _compared(
    config: Config, tables: SourceTables, plan: ReplayPlan, chains: Sequence[RatingChain], facts: ibis.Table, metric: str, *, log: Log
) -> WhatIf:
    as_of, (current, proposed) = plan.days[-1], chains
    retention, costs = load_retention_policy(config.retention_policy), costs_to_serve(tables, as_of)
    in_force, stored_on = _tiers_in_force(config, tables, current, facts, as_of, log=log)
    against = fitted_policy(config, TierPolicy(proposed.policy.config), facts, as_of, log=log)
    switched = tables.con.create_table(
        "what_if_switch", against.assign(facts, as_of=as_of, previous=in_force, log=log), temp=True, overwrite=True
    )
    shown = {"policy": (in_force, current.policy), "switch": (switched, against), "long_run": (proposed.state, proposed.policy)}
    return WhatIf(
        as_of=as_of,
        currency=config.currency,
        metric=metric,
        policy=current.policy,
        against=against,
        against_replayed=proposed.policy,
        plan=plan,
        switch=migration_between(in_force, switched, facts, (current.policy, against), metric=metric, log=_silent),
        long_run=migration_between(current.state, proposed.state, facts, (current.policy, proposed.policy), metric=metric, log=_silent),
        tiers={
            name: tiers_at(tiers, facts, policy, metric=metric, channels=retention.channels, costs=costs)
            for name, (tiers, policy) in shown.items()
        },
        stability={"policy": stability_of(current, plan), "against": stability_of(proposed, plan)},
        concentration=revenue_concentration(facts, metric=metric),
        contact_cost=retention.contact_cost,
        notes=tuple(_notes(plan, current.policy, proposed.policy, against, stored_on, costs is not None)),
    )


def _notes(
    plan: ReplayPlan, policy: TierPolicy, replayed: TierPolicy, against: TierPolicy, stored_on: date | None, cost_known: bool
) -> list[Note]:
    notes = [Note("from_nothing", {"day": str(plan.days[0])})]
    if policy.label == against.label:
        notes.append(Note("same_policy", {"policy": policy.label}))
    if stored_on is not None:
        notes.append(Note("in_force_stored", {"day": str(stored_on), "policy": policy.label}))
    else:
        notes.append(Note("in_force_replayed", {"day": str(plan.days[0]), "policy": policy.label}))
    if plan.months < plan.months_wanted:
        notes.append(Note("fewer_months", {"months": str(plan.months), "wanted": str(plan.months_wanted)}))
    if plan.warm_up < plan.warm_up_wanted:
        notes.append(Note("short_warm_up", {"months": str(plan.warm_up), "wanted": str(plan.warm_up_wanted)}))
    elif plan.warm_up:
        notes.append(Note("warm_up", {"months": str(plan.warm_up), "day": str(plan.days[0])}))
    for fitted in (policy, replayed, against):
        note = Note("cuts", {"policy": fitted.label, "day": str(fitted.fitted_as_of)})
        if any(cuts.kind != "thresholds" for cuts in _cuts(fitted)) and note not in notes:
            notes.append(note)
    if unknown := [tier for tier in policy.tiers if tier not in against.tiers]:
        notes.append(Note("unknown_tiers", {"policy": against.label, "tiers": ", ".join(unknown)}))
    if not cost_known:
        notes.append(Note("no_cost"))
    return notes


def _cuts(policy: TierPolicy) -> list[Cuts]:
    return [rule.cuts for rule in policy.config.rules.values() if isinstance(rule, PointsRule)]
