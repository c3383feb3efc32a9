"""The outcomes beside the main one, on a night: their champions, what they foretell, and which loss threatens a customer most."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from custvalue.churn import survival, urgency
from custvalue.churn.hazard import MONTH_AHEAD
from custvalue.config import MAIN, Config, RetentionPolicyConfig
from custvalue.errors import ModelError
from custvalue.features import FeatureSet
from custvalue.retention import discounted_months, saved_survival

if TYPE_CHECKING:
    from custvalue.tracking import LoadedModel, Store

_NON_PAYMENT = "non_payment"
_WORDED = (_NON_PAYMENT, "silence", "value_loss")


def load_outcomes(config: Config, store: Store, *, log: Callable[[str], None]) -> dict[str, LoadedModel]:
    """Load the champion of every outcome beside the main one; one line tells which have none.

    Raises
    ------
    ModelError
        A champion's files are missing or not the registered ones.
    """
    found, without = {}, []
    for name in config.outcomes:
        own = store.named(config.for_outcome(name).name)
        if own.find("champion") is None:
            without.append(name)
        else:
            found[name] = own.load("champion")
    if without:
        log(f"not scored, because no model was promoted: {', '.join(without)}; run custvalue train and promote with --outcome")
    return found


def check_features(config: Config, features: FeatureSet, model: LoadedModel) -> None:
    """Refuse a model that was trained on other features than are built now.

    Raises
    ------
    ModelError
        Names the columns that are missing or new.
    """
    if features.spec_hash == model.bundle.feature_spec_hash:
        return
    trained = [name for name, _ in model.bundle.columns if name != MONTH_AHEAD.name]
    built = [column.name for column in features.columns]
    missing = [name for name in trained if name not in built]
    added = [name for name in built if name not in trained]
    parts = [f"missing {missing[:3]}" if missing else "", f"added {added[:3]}" if added else ""]
    difference = ", ".join(part for part in parts if part) or "the meaning or the order of columns changed"
    raise ModelError(
        f"{model.name} v{model.version} was trained on other features than {config.name} builds now: {difference}. "
        "Restore the configuration and tables, or train again."
    )


def score_outcomes(config: Config, facts: pd.DataFrame, models: Mapping[str, LoadedModel], policy: RetentionPolicyConfig) -> pd.DataFrame:
    """Score customers with the champions of the outcomes beside the main one.

    Parameters
    ----------
    config : Config
        Its ``churn`` says how long a saved customer is known to stay.
    facts : DataFrame
        Features, one row a customer.
    models : mapping
        Outcome → its champion.
    policy : RetentionPolicyConfig
        Discount, and survival beyond what a hazard model sees.

    Returns
    -------
    DataFrame
        For each outcome ``probability_<outcome>``, within its own window; with a hazard ``first_month_share`` (see `churn.urgency`) and
        ``value_months`` (see `retention.discounted_months`).
    """
    scored = pd.DataFrame(index=facts.index)
    for name, model in models.items():
        if _is_hazard(model):
            survived = survival(model.bundle, facts)
            scored[f"probability_{name}"] = 1 - survived[:, -1]
            scored["first_month_share"] = urgency(survived)
            window = config.churn.gap_months + config.churn.horizon_months
            saved = saved_survival(survived, policy, gap_months=int(model.bundle.outcome["gap_months"]), window_months=window)
            scored["value_months"] = discounted_months(saved, policy)
        else:
            scored[f"probability_{name}"] = model.bundle.predict_proba(facts)
    return scored


def loss_columns(models: Mapping[str, LoadedModel]) -> dict[str, str]:
    """Name the losses that threaten a customer, each with the column of its probability; the main one first."""
    own = {_loss(name, model): f"probability_{name}" for name, model in models.items() if not _is_hazard(model)}
    return {MAIN: "probability"} | own


def riskiest(rows: pd.DataFrame, losses: Mapping[str, str], means: Mapping[str, float]) -> NDArray[np.object_]:
    """Name the loss whose chance is the largest multiple of its mean over all customers; of equal ones the first."""
    times = np.column_stack([rows[column] / means[column] for column in losses.values()])
    found: NDArray[np.object_] = np.array(list(losses), dtype=object)[times.argmax(axis=1)]
    return found


def outcome_lineage(models: Mapping[str, LoadedModel]) -> dict[str, dict[str, object]]:
    """Name the models behind the outcomes' probabilities."""
    return {outcome: {"name": model.name, "version": model.version, "digest": model.digest} for outcome, model in models.items()}


def _is_hazard(model: LoadedModel) -> bool:
    return bool(model.bundle.outcome["form"] == "hazard")


def _loss(name: str, model: LoadedModel) -> str:
    """Name the loss by its kind, for which there are words; whatever holds non-payment is that, so that no list tells more of it."""
    kinds = list(model.bundle.outcome["kinds"])
    if _NON_PAYMENT in kinds:
        return _NON_PAYMENT
    return kinds[0] if len(kinds) == 1 and kinds[0] in _WORDED else name
