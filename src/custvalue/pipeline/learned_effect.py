"""The effect of a contact, as contacts made and withheld by lot teach it when a model is trained."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from custvalue.churn import TrainingFrame, find_snapshots
from custvalue.churn.classifier import ChurnClassifier, LeakageWarning
from custvalue.churn.reporting import dated
from custvalue.config import Config, RetentionPolicyConfig
from custvalue.engines import in_background
from custvalue.features import FeatureColumn, build_features
from custvalue.pipeline.exposures import first_listings, published_until
from custvalue.retention.lots import contact_outcomes, differing_chances, with_outcomes
from custvalue.retention.uplift import learn_effect, too_few
from custvalue.retention.uplift_model import RISK, Learned
from custvalue.sources import SourceTables, add_months

_MOST_MONTHS = 24
"""Older contacts teach nothing of today's customers, and each month's features must be built."""
_FOLDS, _ROUNDS, _STAYERS_KEPT = 2, 300, 0.3
"""What tells the risk of strangers may be rough and must be quick."""
_NEEDED = ("randomised", "arm")


def learn_from_lots(
    config: Config,
    tables: SourceTables,
    as_of: date,
    frame: TrainingFrame,
    columns: Sequence[FeatureColumn],
    policy: RetentionPolicyConfig,
    *,
    log: Callable[[str], None],
) -> Learned:
    """Learn what a contact does to each customer, from contacts made and withheld by lot whose outcomes are over and reported.

    Parameters
    ----------
    config, tables, as_of
        Whose contacts, and the day whose knowledge counts.
    frame, columns : TrainingFrame, sequence of FeatureColumn
        The labelled snapshots that the churn model learns from; the effect is learnt from the same columns and the risk.
    policy : RetentionPolicyConfig
        Names what may not decide.
    log : callable
        Takes one line of text at a time.

    Returns
    -------
    Learned
        Without a model where the contacts do not suffice; it says why.

    Notes
    -----
    Features are those of the first day of its month on which a lot was drawn, so never of a later day than the contact. The risk is told
    by models that have not seen the customer, as the champion's would know how the lot ended for him.
    """
    drawn = _outcomes(config, tables, as_of)
    given = _arrays(drawn)
    if lacking := too_few(**given):
        return lacking
    if differing := differing_chances(drawn):
        return Learned(None, f"cannot learn: {differing}; using the stated parameters", len(drawn), int(drawn["left"].sum()))
    names = [column.name for column in columns]
    rows = pd.concat(_with_features(config, tables, drawn, names), ignore_index=True)
    log(f"effect of contacts: {len(rows):,} made or withheld by lot, seen on {rows['seen'].nunique()} days")
    rows[RISK] = _strangers_risk(rows, frame, names, config)
    allowed = [(column.name, column.kind) for column in columns if not policy.is_sensitive(column.name)]
    seed = config.churn.seed
    return learn_effect(rows, **_arrays(rows), accepted=rows["accepted"], columns=[*allowed, (RISK, "number")], seed=seed)


def _arrays(rows: pd.DataFrame) -> dict[str, Any]:
    day = rows["day"].to_numpy(dtype="datetime64[D]")
    return {"left": rows["left"], "contacted": rows["contacted"], "customer": rows["customer_id"], "day": day}


def _outcomes(config: Config, tables: SourceTables, as_of: date) -> pd.DataFrame:
    """Give what became of the drawn: of the contacts table or of the published nights, whichever has more leavers in its smaller group."""
    churn, known = config.churn, tables.known(as_of)
    newest = find_snapshots(tables, as_of, churn, config.features).newest
    until = add_months(newest, churn.gap_months + churn.horizon_months)
    own = dated(known["departures"].filter(known["departures"].kind.isin(churn.kinds)))
    departures = own.select("customer_id", left_on="day").to_pandas()
    span: dict[str, Any] = {"until": pd.Timestamp(until), "window_days": (until - newest).days}
    listings = first_listings(published_until(config.output, newest))
    nights = pd.DataFrame(
        {
            "customer_id": listings["customer_id"],
            "day": pd.to_datetime(listings["night"]),
            "contacted": listings["listed"].astype(bool),
            "accepted": False,
            "draw": listings["campaign"].astype(str) + " " + listings["stratum"].astype(str),
        }
    )
    found = [with_outcomes(nights, departures, **span)]
    contacts = known.get("contacts")
    if contacts is not None and set(_NEEDED) <= set(contacts.columns):
        rows = contacts.filter(contacts.randomised).to_pandas()
        local = pd.to_datetime(rows["contacted_at"]).dt.tz_localize("UTC").dt.tz_convert(tables.zone).dt.tz_localize(None)
        found.append(contact_outcomes(rows.assign(contacted_at=local), departures, **span))
    best = max(found, key=_least_leavers)
    oldest = pd.Timestamp(add_months(newest, -_MOST_MONTHS))
    return best[best["day"] >= oldest].sort_values(["day", "customer_id"], ignore_index=True)


def _least_leavers(rows: pd.DataFrame) -> float:
    return float(min(rows.loc[rows["contacted"] == arm, "left"].sum() for arm in (True, False)))


def _with_features(config: Config, tables: SourceTables, drawn: pd.DataFrame, names: list[str]) -> Iterator[pd.DataFrame]:
    """Join what was known of the drawn on their month's first day of a draw; who was not in service then is left out."""
    seen = drawn["day"].groupby(drawn["day"].dt.to_period("M")).transform("min")
    with in_background(tables.con) as compute:
        for stamp, own in drawn.groupby(seen):
            day = pd.Timestamp(str(stamp)).date()
            built = build_features(tables.known(day), tables.moment(day), config.features, delay_days=tables.delay_days)
            everybody = compute(built.table).result()
            known = everybody.filter(pc.is_in(everybody["customer_id"], pa.array(own["customer_id"], pa.string()))).to_pandas()
            yield own.assign(seen=day).merge(known.reindex(columns=["customer_id", *names]), on="customer_id")


def _strangers_risk(rows: pd.DataFrame, frame: TrainingFrame, names: list[str], config: Config) -> np.ndarray:
    """Give each row's chance of leaving by a model that has learnt from other customers alone."""
    settings, customers = config.churn, pd.Index(rows["customer_id"].unique())
    fold = np.random.default_rng(settings.seed).permutation(len(customers)) % _FOLDS
    risk = np.full(len(rows), np.nan)
    for number in range(_FOLDS):
        own = customers[fold == number]
        others = frame.take(~pd.Index(frame.customer).isin(own))
        model = ChurnClassifier(
            max_rounds=min(_ROUNDS, settings.max_rounds),
            stayers_kept=min(_STAYERS_KEPT, settings.stayers_kept),
            random_state=settings.seed,
            n_jobs=settings.threads,
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", LeakageWarning)  # training has judged the same columns before
            model.fit(others.X[names], others.y, groups=others.customer)
        held = rows["customer_id"].isin(own).to_numpy()
        risk[held] = model.predict_proba(rows.loc[held, names])[:, 1]
    return risk
