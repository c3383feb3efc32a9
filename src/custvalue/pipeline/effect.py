"""What a campaign's calls earned: its customers from the published nights, their outcomes from the tables, and both compared."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from custvalue.config import Config, RetentionPolicyConfig, load_retention_policy
from custvalue.errors import DataError
from custvalue.pipeline.exposures import Exposures, follow, known_contacts, published_until, read_exposures, with_contacts
from custvalue.pipeline.scorecard import order_flags, recorded_contacts, recorded_orders
from custvalue.pipeline.stages import Reporter, check
from custvalue.publish import Published
from custvalue.publish.reading import SCORES
from custvalue.retention.effect import PERIODS, Estimate, Measured, measure, process_scorecard, team_scorecard
from custvalue.retention.managers import POOL
from custvalue.sources import SourceTables

NO_CONTACTS, NO_COSTS, NIGHTS_SKIPPED, ARM_CHANGED, CENSORED, NOT_COMPARED, CONTAMINATED = (
    "no_contacts", "no_costs", "nights_skipped", "arm_changed", "censored", "not_compared", "contaminated",
)  # fmt: skip
"""Notes: what a reader must know of the comparison; each with a count, where there is one."""


@dataclass(frozen=True, eq=False)
class EffectReport:
    """What a campaign did, as far as it is known at a day.

    Attributes
    ----------
    name, campaign, as_of : str, str, date
        Of the config, of the campaign, and the day whose knowledge counts.
    months : int
        How long each customer was watched.
    nights : tuple of date
        Nights that listed the campaign.
    runs : tuple of str
        Their run ids.
    policies : tuple of str
        Versions of the retention policy that made them, oldest first.
    universal : int
        Held-out customers compared who are held out of every campaign.
    measured : Measured
    teams, managers : mapping
        ``month``, ``quarter`` and ``year`` → `team_scorecard` and `process_scorecard`; without those of which nothing is known.
    notes : mapping
        Note → how many customers or nights it is about.
    """

    name: str
    campaign: str
    as_of: date
    months: int
    nights: tuple[date, ...]
    runs: tuple[str, ...]
    policies: tuple[str, ...]
    universal: int
    measured: Measured
    teams: Mapping[str, pd.DataFrame]
    managers: Mapping[str, pd.DataFrame]
    notes: Mapping[str, int]

    @property
    def metrics(self) -> dict[str, float]:
        """The campaign's figures by name; what is not known is left out."""
        found = self.measured
        told = {"left": found.left, "kept": found.kept, "complier": found.complier, "revenue": found.revenue}
        told |= {} if found.money is None else {"net": found.money.net}
        told |= {"naive.others": found.naive.others, "naive.before": found.naive.before}
        figures = {f"{name}{part}": value for name, own in told.items() for part, value in _parts(own).items()}
        figures |= {"listed": float(found.listed), "held_out": float(found.held_out), "detectable": found.judgement.detectable}
        figures |= {"left_listed": found.left_listed, "left_held_out": found.left_held_out, "reached": found.reached}
        figures |= {"needs": float(found.judgement.needs)} if found.judgement.needs else {}
        return {name: value for name, value in figures.items() if math.isfinite(value)}

    def to_json(self) -> str:
        """Write everything for machines; nothing in it names a customer."""
        told = asdict(self) | {"measured": asdict(self.measured), "metrics": self.metrics}
        return json.dumps(_plain(told), ensure_ascii=False, indent=1, allow_nan=False)


def effect_report(
    config: Config, campaign: str, as_of: date, *, months: int | None = None, cluster: str = "unit", reporter: Reporter
) -> EffectReport:
    """Compare a campaign's listed customers with those who would have been listed, from each one's first night on.

    Parameters
    ----------
    config, campaign, as_of
        Nights up to the day, and what the tables knew then.
    months : int, optional
        How long each customer is watched; gap and horizon of ``churn`` by default.
    cluster : str
        ``manager_id`` where managers were randomised, ``unit`` (household or account) otherwise.
    reporter : Reporter

    Raises
    ------
    ConfigError
        No published night lists the campaign.
    DataError
        Nobody's months are over yet, there is nobody to compare with, a night is damaged, or the tables break the contract.
    """
    policy = load_retention_policy(config.retention_policy)
    watched = months or config.churn.gap_months + config.churn.horizon_months
    exposed = read_exposures(published_until(config.output, as_of), campaign)
    tables, _ = check(config, None, reporter=reporter)
    reporter.start("effect")
    frame, notes = _followed(config, tables, exposed, policy, as_of, watched)
    measured = measure(
        frame,
        others_left=_others(config, tables, exposed, as_of, watched),
        planned=_planned(frame, policy),
        margin=policy.value.margin,
        cluster=cluster,
        seed=config.churn.seed,
    )
    leaked = int((frame["reached"] & ~frame["listed"]).sum()) if "reached" in frame.columns else 0
    notes |= {NOT_COMPARED: measured.not_compared, CONTAMINATED: leaked}
    report = EffectReport(
        name=config.name,
        campaign=campaign,
        as_of=as_of,
        months=watched,
        nights=tuple(night.as_of for night in exposed.nights),
        runs=tuple(night.run_id for night in exposed.nights),
        policies=tuple(dict.fromkeys(map(_policy_of, exposed.nights))),
        universal=int((frame["universal"] & ~frame["listed"]).sum()),
        measured=measured,
        teams=_by_team(frame),
        managers=_by_manager(config, tables, campaign, as_of),
        notes={name: count for name, count in notes.items() if count},
    )
    verdict = measured.judgement.verdict.replace("_", " ")
    told = f"{campaign}: {measured.listed} listed, {measured.held_out} held out, {len(exposed.nights)} night(s): {verdict}"
    reporter.done("effect", told, listed=measured.listed, held_out=measured.held_out, verdict=measured.judgement.verdict)
    return report


def _followed(
    config: Config, tables: SourceTables, exposed: Exposures, policy: RetentionPolicyConfig, as_of: date, months: int
) -> tuple[pd.DataFrame, dict[str, int]]:
    frame = follow(tables, exposed.frame, as_of, months=months, kinds=config.churn.kinds)
    censored = int((~frame["complete"]).sum())
    if censored == len(frame):
        raise DataError(
            f"campaign {exposed.frame['campaign'].iloc[0]!r}: of {len(frame)} customers, first listed from {exposed.nights[0].as_of} on, "
            f"nobody's {months} months are over, billed and reported at {as_of}. Take a later date, or fewer --months."
        )
    frame = frame[frame["complete"]].reset_index(drop=True)
    contacts = known_contacts(tables, frame, as_of)
    if contacts is None:
        contacts = recorded_contacts(config, tables, as_of)
    if "contact_cost" not in frame.columns:
        frame["contact_cost"] = policy.contact_cost
    notes = {CENSORED: censored, ARM_CHANGED: exposed.changed, NIGHTS_SKIPPED: len(exposed.skipped), NO_CONTACTS: int(contacts is None)}
    notes[NO_COSTS] = int("offer_cost" not in frame.columns or contacts is None)
    frame = with_contacts(tables, frame, contacts, months=months)
    return frame.assign(team=_teams(tables, frame, as_of)), notes


def _policy_of(night: Published) -> str:
    """Tell which version of the retention policy made a night; every row of it says so."""
    part = min((night.folder / SCORES).glob("*.parquet"))
    return str(pq.ParquetFile(part).read_row_group(0, columns=["retention_policy"])["retention_policy"][0])


def _teams(tables: SourceTables, frame: pd.DataFrame, as_of: date) -> pd.Series:
    managers = tables.known(as_of).get("managers")
    if managers is None or "team" not in managers.columns or "manager_id" not in frame.columns:
        return pd.Series(None, frame.index, dtype="object")
    rows = managers.to_pandas()
    newest = rows.sort_values("valid_from").groupby("manager_id").tail(1) if "valid_from" in rows.columns else rows
    return frame["manager_id"].replace(POOL, None).map(newest.set_index("manager_id")["team"])


def _planned(frame: pd.DataFrame, policy: RetentionPolicyConfig) -> float | None:
    """Give the change of the rate that the policy's own parameters promise; None where they promise none."""
    p0 = float(frame.loc[~frame["listed"], "left"].mean())
    promised = -policy.reach * (p0 * policy.save - (1 - p0) * policy.harm)
    return promised if promised < 0 else None


def _others(config: Config, tables: SourceTables, exposed: Exposures, as_of: date, months: int) -> Sequence[float]:
    """Tell who left of the first night's customers whom the campaign neither listed nor held out."""
    night = exposed.nights[0]
    base = pd.read_parquet(night.folder / SCORES, columns=["customer_id"])
    others = base[~base["customer_id"].isin(exposed.frame["customer_id"])].assign(night=night.as_of)
    if others.empty:
        return []
    found = follow(tables, others, as_of, months=months, kinds=config.churn.kinds)
    return list(found.loc[found["complete"], "left"])


def _by_team(frame: pd.DataFrame) -> dict[str, pd.DataFrame]:
    return {by: team_scorecard(frame[frame["team"].notna()], by=by) for by in PERIODS} if frame["team"].notna().any() else {}


def _by_manager(config: Config, tables: SourceTables, campaign: str, as_of: date) -> dict[str, pd.DataFrame]:
    orders = recorded_orders(config)
    if orders is None:
        return {}
    flags = order_flags(orders, tables, campaign, as_of, settings=config.scorecard)
    return {by: process_scorecard(flags, config.scorecard, by=by) for by in PERIODS} if len(flags) else {}


def _parts(estimate: Estimate) -> dict[str, float]:
    return {"": estimate.value, "_low": estimate.low, "_high": estimate.high}


def _plain(value: Any) -> Any:
    """Give JSON values; what is not finite is null."""
    if isinstance(value, pd.DataFrame):
        return [_plain(row) for row in value.to_dict("records")]
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(inner) for inner in value]
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, np.generic):
        return _plain(value.item())
    return None if isinstance(value, float) and not math.isfinite(value) else value
