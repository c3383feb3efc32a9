"""What the parts of a retention policy must agree on: tiers, offers, campaigns, and what may not decide."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import date
from typing import TYPE_CHECKING

from custvalue.config.conditions import Condition
from custvalue.config.faults import Fault, Place

if TYPE_CHECKING:
    from custvalue.config.campaigns import Campaign
    from custvalue.config.offers import Offer
    from custvalue.config.retention import RetentionPolicyConfig

_CODE = re.compile(r"[a-z0-9][a-z0-9_-]*")


def name_faults(policy: RetentionPolicyConfig) -> Iterator[Fault]:
    """Codes are plain, and tiers are those that have a channel."""
    for section in ("offers", "campaigns"):
        for name in getattr(policy, section):
            if not _CODE.fullmatch(name):
                yield (section, name), f"{name!r} must be written in small letters, digits, - and _"
    named: list[tuple[Place, str]] = [(("by_tier", tier), tier) for tier in policy.by_tier]
    named += [(("holdout", "by_tier", tier), tier) for tier in policy.holdout.by_tier]
    named += [(("offers", code, "tiers", at), tier) for code, offer in policy.offers.items() for at, tier in enumerate(offer.tiers)]
    for place, tier in named:
        if tier not in policy.channels:
            yield place, f"channels name no tier {tier!r}; they name {', '.join(policy.channels) or 'none'}"


def offer_faults(policy: RetentionPolicyConfig) -> Iterator[Fault]:
    """Some campaign makes every offer, to somebody who may take it."""
    for code, offer in policy.offers.items():
        place = ("offers", code)
        if policy.campaigns and all(campaign.offers is not None and code not in campaign.offers for campaign in policy.campaigns.values()):
            yield place, "no campaign makes this offer, so nobody may take it: add it to a campaign's offers, or remove it"
        tiers = [tier for tier in (offer.tiers or policy.channels) if tier in policy.channels]
        if offer.channel and tiers and all(policy.channels[tier] != offer.channel for tier in tiers):
            told = f"no tier that may take it ({', '.join(tiers)}) is served on channel {offer.channel!r}"
            yield (*place, "channel"), f"{told}, so nobody may take it: correct channel or tiers"
        if offer.open_to_all and (limits := [name for name in ("tiers", "reasons", "when") if getattr(offer, name)]):
            yield (*place, "open_to_all"), f"an offer that is limited by {', '.join(limits)} is not open to all: drop one of them"


def campaign_faults(policy: RetentionPolicyConfig) -> Iterator[Fault]:
    """Campaigns make offers of the catalogue, and none stands where an earlier one leaves it nobody."""
    for name, campaign in policy.campaigns.items():
        for at, code in enumerate(campaign.offers or ()):
            if code not in policy.offers:
                yield ("campaigns", name, "offers", at), f"no offer is called {code!r}; there are {', '.join(policy.offers)}"
    names = list(policy.campaigns)
    for at, name in enumerate(names):
        for earlier in names[:at]:
            if _leaves_nobody(policy.campaigns[earlier], policy.campaigns[name]):
                told = f"{earlier!r} above has no conditions and claims every customer as long as this one runs"
                yield ("campaigns", name), f"{told}: move this one up, or give {earlier!r} conditions"
                break


def _leaves_nobody(earlier: Campaign, later: Campaign) -> bool:
    begins = (earlier.starts_on or date.min) <= (later.starts_on or date.min)
    return not earlier.when and begins and (later.ends_on or date.max) <= (earlier.ends_on or date.max)


def sensitive_faults(policy: RetentionPolicyConfig) -> Iterator[Fault]:
    """No campaign, offer or parameter asks for what is on the deny-list."""
    asking: list[tuple[str, str, Campaign | Offer]] = [("offers", code, offer) for code, offer in policy.offers.items()]
    asking += [("campaigns", name, campaign) for name, campaign in policy.campaigns.items()]
    for section, name, each in asking:
        yield from _denied(policy, (section, name, "when"), each.when)
    reasons: list[tuple[Place, str]] = [(("by_reason", reason), reason) for reason in policy.by_reason]
    reasons += [(("offers", code, "reasons", at), name) for code, offer in policy.offers.items() for at, name in enumerate(offer.reasons)]
    yield from ((place, _refusal(reason)) for place, reason in reasons if policy.is_sensitive(reason))


def _denied(policy: RetentionPolicyConfig, place: Place, conditions: Sequence[Condition]) -> Iterator[Fault]:
    for at, condition in enumerate(conditions):
        yield from (((*place, at), _refusal(fact)) for fact in condition.facts if policy.is_sensitive(fact))


def _refusal(name: str) -> str:
    return f"{name!r} is on the list of sensitive attributes, which may not decide who is contacted or what is offered: drop it"
