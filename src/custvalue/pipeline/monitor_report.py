"""All that monitoring tells of one night: drift, what came true, what is foretold, lists, reasons, tiers, and the alerts of all that."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import pandas as pd
import pyarrow.parquet as pq

from custvalue.churn import Interval
from custvalue.config import Config, load_alert_rules, load_tier_policy
from custvalue.errors import DataError
from custvalue.monitoring import (
    Alert,
    Comparison,
    Finding,
    Profile,
    Reference,
    canary,
    compare,
    estimated,
    list_turnover,
    raise_alerts,
    tier_migration,
)
from custvalue.monitoring.turnover import FACTS
from custvalue.pipeline.monitor_figures import comparison, drift_figures, reason_figures, records, tier_figures, turnover_figures
from custvalue.pipeline.monitoring import read_profile, verified_night
from custvalue.pipeline.realised import NightOutcome, judge_nights, plain, realised_figures
from custvalue.pipeline.reasons import PORTFOLIO_FILE, published_portfolio
from custvalue.pipeline.stages import Reporter, check
from custvalue.publish import Published
from custvalue.publish.manifests import published_dates
from custvalue.publish.reading import SCORES
from custvalue.retention import LISTED
from custvalue.sources import SourceTables

NO_PROFILE, NO_REFERENCE, FIRST_NIGHT, NO_OUTCOMES, NO_REASONS = "no_profile", "no_reference", "first_night", "no_outcomes", "no_reasons"
"""Notes: why a part of the report is missing."""


@dataclass(frozen=True, eq=False)
class MonitorReport:
    """What monitoring found.

    Attributes
    ----------
    name, as_of : str, date
        Of the config, and the day whose knowledge the report rests on.
    night : Published
        The newest published night up to that day.
    before : date or None
        The night published before it.
    now, profile_before, reference : Profile, Profile, Reference; each or None
        What was counted of the two nights, and what the model was trained on.
    comparisons : tuple of Comparison
        Every column and the score.
    findings : tuple of Finding
        Those beyond a limit.
    judged : tuple of NightOutcome
        Nights whose outcomes are known, oldest first.
    foretold : mapping
        Measure → estimate for tonight's customers.
    turnover, migration, reasons : DataFrame
        See `list_turnover`, `tier_migration` and `explain.portfolio.compare`; empty where there is nothing to compare with.
    reasons_before : date or None
        The night that `reasons` are compared with.
    order : tuple of str
        Tiers, highest first.
    notes : tuple of str
        Why a part is missing.
    alerts : tuple of Alert
    """

    name: str
    as_of: date
    night: Published
    before: date | None
    now: Profile | None
    profile_before: Profile | None
    reference: Reference | None
    comparisons: tuple[Comparison, ...]
    findings: tuple[Finding, ...]
    judged: tuple[NightOutcome, ...]
    foretold: Mapping[str, Interval]
    turnover: pd.DataFrame
    migration: pd.DataFrame
    reasons: pd.DataFrame
    reasons_before: date | None
    order: tuple[str, ...]
    notes: tuple[str, ...]
    alerts: tuple[Alert, ...] = ()

    @property
    def metrics(self) -> dict[str, float]:
        """Every figure by name, which alert rules and MLflow read; what is not finite is left out."""
        found = {
            "night.days_behind": float((self.as_of - self.night.as_of).days),
            "findings": float(len(self.findings)),
            **drift_figures(self.now, self.profile_before, self.comparisons, self.findings),
            **{f"estimated.{name}": interval.value for name, interval in self.foretold.items() if name != "ratio"},
            **realised_figures(self.judged),
            **turnover_figures(self.turnover),
            **tier_figures(self.migration, self.order),
            **reason_figures(self.reasons),
        }
        return {name: value for name, value in found.items() if math.isfinite(value)}

    def to_json(self) -> str:
        """Write everything for machines; nothing in it names a customer."""
        return json.dumps(
            {
                "name": self.name,
                "as_of": self.as_of.isoformat(),
                "night": self.night.as_of.isoformat(),
                "run_id": self.night.run_id,
                "before": None if self.before is None else self.before.isoformat(),
                "alerts": [
                    {"rule": each.rule.name, "metric": each.metric, "value": each.value, "message": each.told("en")} for each in self.alerts
                ],
                "findings": [finding.to_dict() for finding in self.findings],
                "metrics": self.metrics,
                "drift": [comparison(each) for each in self.comparisons],
                "realised": [night.to_dict() for night in self.judged],
                "estimated": plain(self.foretold),
                "lists": records(self.turnover),
                "tiers": records(self.migration),
                "reasons": records(self.reasons),
                "notes": list(self.notes),
            },
            ensure_ascii=False,
            indent=1,
            allow_nan=False,
        )


def monitor_report(
    config: Config,
    as_of: date,
    *,
    reference: Callable[[Published], Reference | None],
    reporter: Reporter,
    tables: SourceTables | None = None,
) -> MonitorReport:
    """Look at the newest published night up to a day, with what is known at that day.

    Parameters
    ----------
    config, as_of
        A late feed does not stop it: what is known counts.
    reference : callable
        Gives what the model that scored a night was trained on; None where nobody knows any more.
    reporter : Reporter
    tables : SourceTables, optional
        The operator's tables where they are open already.

    Raises
    ------
    DataError
        No night is published up to the day, a night is damaged, or the tables break the contract.
    ConfigError
        The alert rules are faulty.
    """
    rules = load_alert_rules(config.alerts).rules
    days = [day for day in published_dates(config.output) if day <= as_of]
    if not days:
        raise DataError(f"{config.output}: no night is published up to {as_of}. Run `custvalue nightly --as-of {as_of}`.")
    night = verified_night(config.output, days[-1])
    before = verified_night(config.output, days[-2]) if len(days) > 1 else None
    tables = tables or check(config, None, reporter=reporter)[0]
    reporter.start("monitor")
    judged = judge_nights(config, tables, as_of, log=reporter.note)
    report = _gathered(config, as_of, night, before, judged, reference)
    report = replace(report, alerts=tuple(raise_alerts(report.metrics, rules)))
    counts = {"findings": len(report.findings), "alerts": len(report.alerts)}
    told = f"night {night.as_of}: {counts['findings']} finding(s), {counts['alerts']} alert(s); {len(judged)} night(s) judged by outcomes"
    reporter.done("monitor", told, **counts)
    return report


def _gathered(
    config: Config,
    as_of: date,
    night: Published,
    before: Published | None,
    judged: tuple[NightOutcome, ...],
    reference: Callable[[Published], Reference | None],
) -> MonitorReport:
    now, profile_before = read_profile(night.folder), None if before is None else read_profile(before.folder)
    trained_on = reference(night) if now is not None and now.reference else None
    if trained_on is not None and now is not None and trained_on.id != now.reference:
        trained_on = None
    reasons, reasons_before = _reasons(config, night)
    missing = {NO_PROFILE: now is None, NO_REFERENCE: now is not None and trained_on is None, FIRST_NIGHT: before is None}
    missing |= {NO_OUTCOMES: not judged, NO_REASONS: reasons.empty}
    return MonitorReport(
        name=config.name,
        as_of=as_of,
        night=night,
        before=None if before is None else before.as_of,
        now=now,
        profile_before=profile_before,
        reference=trained_on,
        comparisons=() if now is None else tuple(compare(now, profile_before, trained_on, config.monitoring)),
        findings=() if now is None else tuple(canary(now, profile_before, trained_on, config.monitoring)),
        judged=judged,
        foretold={} if now is None else estimated(now.scores),
        turnover=pd.DataFrame() if before is None else _turnover(night, before),
        migration=pd.DataFrame() if before is None else _migration(night, before),
        reasons=reasons,
        reasons_before=reasons_before,
        order=tuple(load_tier_policy(config.tier_policy).tiers),
        notes=tuple(name for name, holds in missing.items() if holds),
    )


def _turnover(night: Published, before: Published) -> pd.DataFrame:
    listed = [_listed(each) for each in (night, before)]
    either = listed[0] | listed[1]
    now, then = (_scores(each, list(FACTS), [("customer_id", "in", either)]) for each in (night, before))
    return list_turnover(now, then)


def _listed(night: Published) -> set[str]:
    return set(_scores(night, ["customer_id"], [("decision", "==", LISTED)]).customer_id)


def _scores(night: Published, columns: list[str], filters: list[tuple[str, str, Any]]) -> pd.DataFrame:
    if filters[0][2] == set():
        filters = [("customer_id", "==", "")]  # an empty set has no type to compare with
    return pd.DataFrame(pq.read_table(night.folder / SCORES, columns=columns, filters=filters).to_pandas())


def _migration(night: Published, before: Published) -> pd.DataFrame:
    now, then = (pq.read_table(each.folder / SCORES, columns=["customer_id", "tier"]) for each in (night, before))
    return tier_migration(now, then)


def _reasons(config: Config, night: Published) -> tuple[pd.DataFrame, date | None]:
    if not (night.folder / PORTFOLIO_FILE).is_file():
        return pd.DataFrame(), None
    return published_portfolio(config.output, night.as_of)
