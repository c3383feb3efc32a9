"""What the record keeps of a model's test rows: the slices they belong to, what a contact is worth, and the champion's opinion of them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from custvalue.churn import ModelBundle, TrainedModel
from custvalue.churn.outcomes import first_departures
from custvalue.churn.slices import LEAVERS_ONLY, bands
from custvalue.config import Config, RetentionPolicyConfig, load_retention_policy
from custvalue.errors import ConfigError, ModelError
from custvalue.features import current_customers
from custvalue.metrics import Floats
from custvalue.retention.contact import policy_contact_value
from custvalue.sources import SourceTables
from custvalue.tiers import TierPolicy

if TYPE_CHECKING:
    from custvalue.tracking import JudgedRows, Rival, Store

Log = Callable[[str], None]

TENURE_MONTHS, AGE_YEARS = (6, 12, 24, 60), (25, 35, 45, 55, 65)
"""Where bands of tenure and age begin."""

_OF_FEATURES = ("segment", "region")


def slice_values(model: TrainedModel, tables: SourceTables, policy: TierPolicy, as_of: date, *, log: Log) -> pd.DataFrame:
    """Tell which slices each test row belongs to, as far as the tables know.

    ``snapshot``; ``tier``, what the policy in force would have given on the snapshot's features, because tiers of that day need not be
    kept; ``segment`` and ``region``; ``tenure`` in months and ``age`` in years, in bands; ``kind`` of departure, of leavers alone. The
    year of birth is read here and nowhere else: no model learns from it.
    """
    test, X = model.test, model.test_features
    found = pd.DataFrame({"snapshot": test["snapshot"].dt.strftime("%Y-%m-%d")})
    tiers = _tiers(test, X, policy, log)
    if tiers is not None:
        found["tier"] = tiers
    for name in _OF_FEATURES:
        if name in X.columns:
            found[name] = X[name].to_numpy(dtype=object)
    found["tenure"] = bands(X["tenure_months"], TENURE_MONTHS).to_numpy()
    ages = _ages(test, tables)
    if ages is not None:
        found["age"] = bands(ages, AGE_YEARS).to_numpy()
    found[LEAVERS_ONLY] = _kinds(test, tables, as_of)
    return found


def judged_rows(config: Config, model: TrainedModel, slices: pd.DataFrame, store: Store, *, log: Log) -> JudgedRows:
    """Put together what promotion compares versions on; the champion is scored on the same rows, if there is one and it can be.

    Raises
    ------
    ConfigError
        The retention policy is faulty.
    """
    from custvalue.tracking.judged import SLICE_PREFIX, JudgedRows, without_identities

    rows = model.test[["snapshot", "customer", "y", "probability"]].reset_index(drop=True)
    scored, rival, why = _rival(model.test_features, store, threads=config.churn.threads)
    if why:
        log(f"not compared with the champion: {why}")
    rows["rival"] = scored
    worth = contact_worth(model.test_features, load_retention_policy(config.retention_policy))
    if worth is not None:
        rows["worth_left"], rows["worth_stayed"] = worth
    rows = rows.join(slices.reset_index(drop=True).add_prefix(SLICE_PREFIX))
    return JudgedRows(
        rows=without_identities(rows, seed=config.churn.seed),
        capacity_share=config.churn.capacity_share,
        learnt_until=learnt_until(model.bundle),
        rival=rival,
        why_no_rival=why,
    )


def contact_worth(X: pd.DataFrame, policy: RetentionPolicyConfig) -> tuple[Floats, Floats] | None:
    """Tell what contacting each row is worth under a policy, if it leaves and if it stays; None where the policy's metric is no column."""
    if policy.value.metric not in X.columns:
        return None
    arpu = X[policy.value.metric].to_numpy(dtype=np.float64)
    return policy_contact_value(1.0, arpu, policy), policy_contact_value(0.0, arpu, policy)


def learnt_until(bundle: ModelBundle) -> date:
    """Give the newest snapshot that a model learnt from: booster, stopping or calibrator."""
    slices = bundle.trained.get("slices", {})
    days = [day for name, part in slices.items() if name != "test" and isinstance(part, dict) for day in part.get("snapshots", ())]
    return date.fromisoformat(max(days or bundle.trained.get("snapshots") or [bundle.trained["as_of"]]))


def _rival(X: pd.DataFrame, store: Store, *, threads: int) -> tuple[np.ndarray | float, Rival | None, str]:
    from custvalue.tracking import Rival

    if store.find("champion") is None:
        return float("nan"), None, ""
    try:
        champion = store.load("champion")
        scored = champion.bundle.predict_proba(X, num_threads=threads)
    except ModelError as error:
        return float("nan"), None, f"it cannot score these rows ({error})"
    return scored, Rival(champion.version, champion.digest, learnt_until(champion.bundle)), ""


def _tiers(test: pd.DataFrame, X: pd.DataFrame, policy: TierPolicy, log: Log) -> pd.Series | None:
    tiers = pd.Series(index=test.index, dtype=object)
    for day, rows in test.groupby("snapshot").groups.items():
        facts = X.loc[rows].assign(customer_id=test.loc[rows, "customer"])
        try:
            rated = policy.assign(facts, as_of=pd.Timestamp(day).date())  # type: ignore[arg-type]
        except ConfigError as error:
            log(f"quality by tier is not told: {error}")
            return None
        tiers.loc[rows] = rated["tier"].to_numpy()
    return tiers


def _ages(test: pd.DataFrame, tables: SourceTables) -> pd.Series | None:
    ages = pd.Series(np.nan, index=test.index)
    for day, rows in test.groupby("snapshot").groups.items():
        today = pd.Timestamp(day).date()  # type: ignore[arg-type]
        customers = current_customers(tables.known(today)["customers"], tables.moment(today))
        if "birth_year" not in customers.columns:
            return None
        born = customers.select("customer_id", "birth_year").to_pandas().set_index("customer_id")["birth_year"]
        ages.loc[rows] = today.year - test.loc[rows, "customer"].map(born).astype(float)
    return ages


def _kinds(test: pd.DataFrame, tables: SourceTables, as_of: date) -> pd.Series:
    """Kind of departure of each leaver."""
    kinds = pd.Series(index=test.index, dtype=object)
    for day, rows in test[test["y"] == 1].groupby("snapshot").groups.items():
        first = first_departures(tables, pd.Timestamp(day).date(), as_of)  # type: ignore[arg-type]
        kind = first.filter(first.kind.notnull()).select("customer_id", "kind").to_pandas().set_index("customer_id")["kind"]
        kinds.loc[rows] = test.loc[rows, "customer"].map(kind)
    return kinds
