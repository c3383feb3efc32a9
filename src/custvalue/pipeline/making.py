"""One night's content: everybody scored, tonight's lists, reasons, and where it came from."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from custvalue import publish
from custvalue.config import Config, load_retention_policy, load_trigger_rules
from custvalue.engines import within_memory
from custvalue.explain import load_wording
from custvalue.lists import check_formats, check_labels
from custvalue.pipeline.assembling import write_portfolio, write_profile, write_scores
from custvalue.pipeline.base_scoring import BaseFacts, timed
from custvalue.pipeline.carrying import carried_rating
from custvalue.pipeline.choosing import Chosen, choose_lists, read_decided
from custvalue.pipeline.duty_file import write_duty
from custvalue.pipeline.list_files import ListMaker, write_would_be
from custvalue.pipeline.monitoring import model_reference, newest_before
from custvalue.pipeline.night_content import Keys, Night
from custvalue.pipeline.orders import manager_teams
from custvalue.pipeline.outcomes import check_features
from custvalue.pipeline.ratings import Rated
from custvalue.pipeline.scoring import Scorer
from custvalue.pipeline.stages import Reporter
from custvalue.retention import Duty, alarm_notes, consent_notes, policy_notes, rule_notes, told_counts
from custvalue.retention.approvals import pending
from custvalue.retention.dry_run import Basis
from custvalue.retention.dry_run_figures import dry_run
from custvalue.sources import SourceTables

if TYPE_CHECKING:
    from custvalue.pipeline.spark_scoring import SparkFacts
    from custvalue.tracking import LoadedModel


def make_night(
    config: Config,
    as_of: date,
    folder: Path,
    *,
    model: LoadedModel,
    run_id: str,
    keys: Keys,
    tables: SourceTables,
    reporter: Reporter,
    rated: Rated,
    outcomes: Mapping[str, LoadedModel] | None = None,
    standing: pd.DataFrame | None = None,
    live: Collection[str] | None = None,
    stale: str = "",
    work: publish.Work,
) -> Night:
    """Score every active customer and choose tonight's contacts, with reasons for everybody.

    Customers are ranked by the main outcome's `model`; what the champions of `outcomes` (see `load_outcomes`) foretell stands beside it.

    Parameters
    ----------
    config, as_of, tables, rated
        Whose night, and the rating that holds on it.
    folder : Path
        Gets the night's files.
    model, outcomes : LoadedModel, mapping
        The champions.
    run_id : str
        Stands in every row.
    keys : Keys
    reporter : Reporter
        Hears of every step.
    standing : DataFrame, optional
        What work orders tell of customers; see `retention.deciding.decide`.
    live : collection of str, optional
        Campaigns that may call; see `campaigns_on`. Without it the night is a dry run of all of them.
    stale : str
        Late feeds that were let pass; stands in every row.
    work : Work
        The run's parts.

    Raises
    ------
    ModelError
        The model was trained on other features than the config now builds.
    DataError
        Nobody is active.
    TryAgainError
        Memory or disk do not suffice.
    """
    policy, rules = load_retention_policy(config.retention_policy), load_trigger_rules(config.triggers)
    catalogue, outcomes = load_wording(config.wording), outcomes or {}
    check_labels(catalogue)
    check_formats(config.lists)
    managers = tables.known(as_of).get("managers")
    staff = managers.to_pandas() if managers is not None else None
    duty = Duty.of(staff, policy, as_of=as_of)
    clock: dict[str, float] = {}
    reporter.start("features")
    with timed(clock, "features"), within_memory(tables.con, "features"):
        facts = _open_facts(config, as_of, tables, rated, work, dispute_categories=rules.dispute_categories, log=reporter.note)
    for each in (model, *outcomes.values()):
        check_features(config, facts.built, each)
    scorer = Scorer(
        config,
        as_of,
        facts.built.columns,
        model,
        outcomes,
        policy,
        duty,
        rules,
        catalogue,
        holdout_key=keys.holdout,
        standing=standing,
        reference=model_reference(model),
    )
    work.begin(facts.layout)
    parts, found = facts.score(scorer, work, clock=clock, reporter=reporter)
    facts.close()
    _tell_scored(facts, scorer, run_id, (len(parts), found), clock, reporter)
    reporter.start("lists")
    chosen = choose_lists(parts, scorer, live=live, log=reporter.note)
    _tell_chosen(facts, scorer, chosen, reporter)
    maker = ListMaker(config, scorer, tables, rated, chosen, keys.token, newest_before(config.output, as_of, alert=reporter.alert))
    lineage = _row_lineage(as_of, run_id, facts, scorer, rated, stale)
    written = write_scores(folder, parts, chosen, scorer, lineage, asked=maker.listed_before)
    rows = maker.write(folder, written.listed, parts, written.decisions)
    write_duty(folder, staff, manager_teams(tables, as_of), as_of=as_of)
    write_would_be(folder, chosen.choice.would_be, written.reason_codes)
    write_portfolio(folder, parts, catalogue, language=config.language, tiers=rated.policy.tiers)
    write_profile(folder, parts)
    worth = f"net value {rows.net_value.sum():,.0f} {config.currency}"
    told = "; ".join(filter(None, [f"{len(rows):,} contacts on {rows.manager_id.nunique()} list(s), {worth}", scorer.effect.told]))
    reporter.done("lists", told, effect=scorer.effect.source, **chosen.counts)
    tried = None
    if live is None:
        digest = publish.file_digest(config.retention_policy)
        effect = scorer.effect
        basis = Basis(effect.source, effect.contacts, effect.leavers)
        tried = dry_run(read_decided(parts), chosen.choice, policy, digest=digest, as_of=as_of, basis=basis)
    return Night(folder, tables, rated, tried)


def _open_facts(
    config: Config,
    as_of: date,
    tables: SourceTables,
    rated: Rated,
    work: publish.Work,
    *,
    dispute_categories: Sequence[str],
    log: Callable[[str], None],
) -> BaseFacts | SparkFacts:
    if config.engine == "duckdb":
        return BaseFacts(config, as_of, tables, rated, dispute_categories=dispute_categories, log=log)
    from custvalue.pipeline.spark_scoring import SparkFacts

    folder = work.folder.with_name(f"{work.folder.name}-spark")
    return SparkFacts(config, as_of, tables, rated, dispute_categories=dispute_categories, folder=folder, log=log)


def campaigns_on(config: Config, as_of: date) -> dict[str, str]:
    """Name the campaigns that run on a day; of those that may not call it says what is missing and what to run, of the others nothing."""
    policy, digest = load_retention_policy(config.retention_policy), publish.file_digest(config.retention_policy)
    return {name: " ".join(pending(config.output, [name], digest)) for name in policy.campaigns_on(as_of)}


def _tell_chosen(facts: BaseFacts | SparkFacts, scorer: Scorer, chosen: Chosen, reporter: Reporter) -> None:
    policy, rules = scorer.policy, scorer.rules
    lines = [*consent_notes(facts.customer_columns), *policy_notes(policy, facts.columns, scorer.catalogue.reasons)]
    lines += [*rule_notes(rules, facts.columns), *alarm_notes(chosen.met, facts.total, rules)]
    for line in [*lines, *scorer.duty.notes(chosen.customers), told_counts(chosen.counts)]:
        reporter.note(line)


def _tell_scored(
    facts: BaseFacts | SparkFacts, scorer: Scorer, run_id: str, made: tuple[int, int], clock: Mapping[str, float], reporter: Reporter
) -> None:
    parts, found = made
    text = f"{len(facts.built.columns)} columns for {facts.total:,} active customers"
    reporter.done("features", text, run_id=run_id, customers=facts.total, seconds=clock["features"])
    told = ", ".join(f"{each.name} v{each.version}" for each in (scorer.model, *scorer.outcomes.values()))
    again = f"; {found} of {parts} parts found from a run before" if found else ""
    text = f"{facts.total:,} customers with reasons by {told}{again}"
    seconds = clock.get("score", 0.0)
    reporter.done("score", text, parts=parts, found=found, model_version=scorer.model.version, seconds=seconds)


def _row_lineage(as_of: date, run_id: str, facts: BaseFacts | SparkFacts, scorer: Scorer, rated: Rated, stale: str) -> dict[str, Any]:
    """What every row says of where it came from."""
    model = scorer.model
    lineage: dict[str, Any] = {
        "as_of": as_of,
        "run_id": run_id,
        "model_name": model.name,
        "model_version": model.version,
        "model_id": model.digest,
        "feature_spec_hash": facts.built.spec_hash,
        "tier_policy": rated.policy.label,
        "retention_policy": scorer.policy.label,
        "wording": scorer.catalogue.edition,
        "code_version": version("custvalue"),
    }
    if scorer.outcomes:
        lineage["outcome_models"] = ", ".join(f"{each.name} v{each.version}" for each in scorer.outcomes.values())
    return lineage | {"allowed_stale": stale}


def carry_rating(config: Config, tables: SourceTables, as_of: date, reporter: Reporter) -> Rated:
    """Give the rating that holds on a night, and tell of it; see `carried_rating`."""
    reporter.start("tiers")
    with within_memory(tables.con, "tiers"):
        rated = carried_rating(config, tables, as_of, log=reporter.note)
    label, day = rated.policy.label, rated.manifest.day
    text = f"{day}: {rated.manifest.rows:,} customers rated by {label}{' before' if rated.kept else ''}"
    reporter.done("tiers", text, policy=label, rated=day.isoformat())
    return rated
