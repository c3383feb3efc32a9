"""What a manager is told of each listed customer beside the figures: the signal, what to offer, what to say and what not."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import pandas as pd

from custvalue.config.retention import RetentionPolicyConfig
from custvalue.config.triggers import TriggerRules
from custvalue.explain import Reason
from custvalue.wording import LANGUAGES, Catalogue


def spoken_reasons(reasons: Sequence[Sequence[Reason]], catalogue: Catalogue) -> list[list[Reason]]:
    """Give the reasons as they may be shown: sensitive ones are neither named nor coded.

    `explain` passes sensitive reasons over; this holds for whatever else may have given the reasons.
    """
    neutral = Reason("", catalogue.label("texts.neutral", "en"), catalogue.label("texts.neutral", "zh"), 0.0)
    shown = []
    for own in reasons:
        kept = [reason for reason in own if not catalogue.reason(reason.code).sensitive]
        shown.append(kept if kept or not own else [neutral])
    return shown


def telling(
    listed: pd.DataFrame,
    reasons: Sequence[Sequence[Reason]],
    *,
    as_of: date,
    catalogue: Catalogue,
    policy: RetentionPolicyConfig,
    rules: TriggerRules,
) -> pd.DataFrame:
    """Give the words that stand beside each listed customer.

    A sensitive trigger, or one that the rules do not know, is told by its urgency alone.

    Parameters
    ----------
    listed : DataFrame
        The listed, with ``trigger``, ``urgency`` and ``offer`` where known.
    reasons : sequence
        Their reasons as shown, in the same order.
    as_of : date
        The night.
    catalogue, policy, rules : Catalogue, RetentionPolicyConfig, TriggerRules
        The operator's.

    Returns
    -------
    DataFrame
        In the same order ``trigger``, ``offer_words``, ``talking_points`` and ``do_not_say`` (lists of text), each with ``_en`` and
        ``_zh`` (``trigger_words_en``), ``best_time`` (outside the quiet hours, in the operator's zone) and ``cooldown_until``: after a call
        tonight there is no other before that day.
    """
    triggers, urgencies, offers = (_codes(listed, name) for name in ("trigger", "urgency", "offer"))
    columns: dict[str, object] = {}
    for language in LANGUAGES:
        known = [policy.offers.get(code) if code else None for code in offers]
        points = [list(getattr(offer.talking_points, language)) if offer else [] for offer in known]
        signals = [_signal(*both, rules, catalogue, language) for both in zip(triggers, urgencies, strict=True)]
        rules_said = [_not_to_say(*both, catalogue, policy, rules, language) for both in zip(triggers, reasons, strict=True)]
        columns[f"trigger_words_{language}"] = pd.array(signals, dtype="string")
        columns[f"offer_words_{language}"] = pd.array(
            [getattr(offer.label, language) if offer else None for offer in known], dtype="string"
        )
        columns[f"talking_points_{language}"] = points
        columns[f"do_not_say_{language}"] = rules_said
    quiet = policy.rules.quiet_hours
    return pd.DataFrame(columns).assign(
        best_time=f"{quiet.ends}–{quiet.begins}", cooldown_until=pd.Timestamp(as_of + timedelta(days=policy.rules.cooldown_days))
    )


def _signal(trigger: str | None, urgency: str | None, rules: TriggerRules, catalogue: Catalogue, language: str) -> str | None:
    if trigger is None:
        return None
    known = rules.triggers.get(trigger)
    if known is None or known.sensitive:
        return catalogue.label("texts.call_first" if urgency == "red" else "texts.call_soon", language)
    return catalogue.label(f"triggers.{trigger}", language, default=trigger)


def _not_to_say(
    trigger: str | None, reasons: Sequence[Reason], catalogue: Catalogue, policy: RetentionPolicyConfig, rules: TriggerRules, language: str
) -> list[str]:
    """What nobody may hear first; then what this customer's reasons and trigger forbid."""
    known = rules.triggers.get(trigger) if trigger else None
    codes = [reason.code for reason in reasons if reason.code]
    if known is not None and known.reason is not None and not known.sensitive:
        codes = [known.reason, *codes]
    said = [*getattr(policy.rules.do_not_say, language), *catalogue.standing_rules(language), *catalogue.not_to_say(codes, language)]
    return list(dict.fromkeys(said))


def _codes(listed: pd.DataFrame, name: str) -> list[str | None]:
    if name not in listed.columns:
        return [None] * len(listed)
    return [None if pd.isna(value) else str(value) for value in listed[name]]
