"""What became of published nights' customers, once their outcome window is over, beside what the scores foretold."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import pandas as pd

from custvalue.churn import Interval, Outcome, find_snapshots, label, treated
from custvalue.config import Config
from custvalue.errors import ModelError
from custvalue.monitoring import Outcomes, estimated, realised
from custvalue.pipeline.monitoring import verified_night
from custvalue.publish.manifests import published_dates
from custvalue.publish.reading import SCORES
from custvalue.sources import SourceTables, add_months

Measures = Mapping[str, Interval]
LEAST_LEAVERS = 20
"""Of fewer a tier's bootstrap interval is too narrow to alarm anybody."""


@dataclass(frozen=True)
class NightOutcome:
    """One published night whose outcomes are known.

    Attributes
    ----------
    night : date
    model : str
        Name and version that scored it.
    customers, leavers : int
        Judged, and those of them who left.
    called : int
        Left out because a campaign reached them meanwhile, where the model tells who leaves if nobody calls (``churn.treated: drop``).
    otherwise : int
        Left out because they left by another kind, inside the gap, or are not known.
    measures, foretold : mapping
        Measure → what came true, and what the scores of the same customers foretold; see `monitoring.realised` and `monitoring.estimated`.
    by_tier : mapping
        Tier → what came true among its customers.
    leavers_by_tier : mapping
        Tier → how many of them left.
    """

    night: date
    model: str
    customers: int
    leavers: int
    called: int
    otherwise: int
    measures: Measures
    foretold: Measures
    by_tier: Mapping[str, Measures]
    leavers_by_tier: Mapping[str, int]

    def to_dict(self) -> dict[str, Any]:
        """Everything as JSON values."""
        return {
            "night": self.night.isoformat(),
            "model": self.model,
            "customers": self.customers,
            "leavers": self.leavers,
            "called": self.called,
            "otherwise": self.otherwise,
            "measures": plain(self.measures),
            "foretold": plain(self.foretold),
            "by_tier": {tier: plain(found) for tier, found in self.by_tier.items()},
            "leavers_by_tier": dict(self.leavers_by_tier),
        }


def plain(measures: Measures) -> dict[str, dict[str, float | None]]:
    """Give measures as JSON values; what is undefined is null."""
    return {
        name: {part: None if pd.isna(value) else value for part, value in vars(interval).items()} for name, interval in measures.items()
    }


def judge_nights(config: Config, tables: SourceTables, as_of: date, *, log: Callable[[str], None]) -> tuple[NightOutcome, ...]:
    """Judge published nights by what is known of their outcomes at a day, oldest first.

    Of each month the first night is judged, of the last ``config.monitoring.months`` months: a night's customers are nearly those of the
    night before.
    """
    try:
        newest = find_snapshots(tables, as_of, config.churn, config.features).newest
    except ModelError as error:
        log(f"no night is judged: {error}")
        return ()
    after = max(add_months(newest, -config.monitoring.months), config.churn.outcomes_recorded_after or date.min)
    first: dict[tuple[int, int], date] = {}
    for day in published_dates(config.output):
        if after < day <= newest:
            first.setdefault((day.year, day.month), day)
    return tuple(_judge(config, tables, night, as_of) for night in first.values())


def _judge(config: Config, tables: SourceTables, night: date, as_of: date) -> NightOutcome:
    published = verified_night(config.output, night)
    scores = pd.read_parquet(published.folder / SCORES, columns=["customer_id", "probability", "tier"])
    became = label(tables, night, as_of, config.churn).to_pandas()
    rows = scores.merge(became, on="customer_id", how="left", validate="1:1")
    known = rows.outcome.isin([Outcome.STAYED, Outcome.LEFT])
    called = pd.Series(False, index=rows.index)
    if config.churn.treated == "drop" and (contacted := treated(tables, night, as_of, config.churn)) is not None:
        called = known & rows.customer_id.isin(contacted.to_pandas().customer_id)
    judged = rows[known & ~called]
    whole = _outcomes(judged)
    resamples, seed = config.churn.bootstrap, config.churn.seed
    tiers = {str(tier): _outcomes(own) for tier, own in judged.groupby("tier", sort=True)}
    model = published.lineage.get("model", {})
    return NightOutcome(
        night=night,
        model=f"{model.get('name', '')} v{model.get('version', '')}",
        customers=whole.customers,
        leavers=whole.leavers,
        called=int(called.sum()),
        otherwise=int((~known).sum()),
        measures=realised(whole, resamples=resamples, seed=seed),
        foretold=estimated(whole.rows, draws=resamples, seed=seed),
        by_tier={tier: realised(own, resamples=resamples, seed=seed) for tier, own in tiers.items()},
        leavers_by_tier={tier: own.leavers for tier, own in tiers.items()},
    )


def _outcomes(rows: pd.DataFrame) -> Outcomes:
    return Outcomes.of(rows.outcome == Outcome.LEFT, rows.probability)


def realised_figures(judged: Sequence[NightOutcome]) -> dict[str, float]:
    """Name the figures of the newest night that is judged, for alert rules."""
    if not judged or not judged[-1].measures:
        return {}
    newest = judged[-1]
    found: dict[str, float] = {"realised.leavers": float(newest.leavers), "realised.customers": float(newest.customers)}
    told = [(f"tier.{tier}.", own) for tier, own in newest.by_tier.items() if newest.leavers_by_tier[tier] >= LEAST_LEAVERS]
    measured = [("", newest.measures), *told]
    for prefix, measures in measured:
        for name, interval in measures.items():
            found |= {f"realised.{prefix}{name}{part}": value for part, value in _parts(interval).items()}
    found["realised.auc_shortfall"] = newest.foretold["auc"].value - newest.measures["auc"].high
    return found


def _parts(interval: Interval) -> dict[str, float]:
    return {"": interval.value, "_low": interval.low, "_high": interval.high}
