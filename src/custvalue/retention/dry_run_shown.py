"""A dry run as tables in words: what whoever approves it reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from custvalue.retention.dry_run import Basis, Campaign, DryRun, Warned
from custvalue.wording import Catalogue

_BAND = ("save_halved", "save_doubled", "harm_none", "harm_doubled", "reach_less", "reach_more")


@dataclass(frozen=True)
class Section:
    """A table: title, headers (none where the rows speak for themselves) and rows, all texts."""

    title: str
    headers: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def sections(run: DryRun, catalogue: Catalogue, *, language: str, currency: str, offers: Mapping[str, str]) -> list[Section]:
    """Put a dry run into tables.

    Parameters
    ----------
    run : DryRun
    catalogue : Catalogue
        Labels.
    language : str
        ``en`` or ``zh``.
    currency : str
        Code of the money.
    offers : mapping
        What each offer is called, by code.
    """

    def say(name: str, **values: str) -> str:
        return catalogue.label(f"dry_run.{name}", language, **values)

    def names(section: str, code: str) -> str:
        return catalogue.label(f"{section}.{code}", language, default=code)

    reach = run.reach
    money = [
        (say("contacts"), f"{reach.contacts:,}"),
        (say("customers_covered"), f"{reach.customers:,}"),
        (say("reached"), f"{reach.reached:,.0f}"),
        (say("contact_cost"), _money(reach.contact_cost, currency)),
        (say("offer_cost"), _money(reach.offer_cost, currency)),
        (say("net_value"), _money(reach.net_value, currency)),
        (say("by_chance"), f"{reach.low:,.0f} … {_money(reach.high, currency)}"),
        (say("effect"), _basis(run.basis, catalogue, language)),
        *((say(name), _money(worth, currency)) for name in _BAND if (worth := reach.band.get(name)) is not None),
    ]
    decisions = [(names("decisions", code), f"{count:,}") for code, count in run.decisions.items() if count]
    group_headers = (say("customers"), say("listed"), say("would_be"), say("net_value"))
    found = [
        Section(say("reach"), (), tuple(money)),
        Section(say("decisions"), (say("decision"), say("customers")), tuple(decisions)),
        *(
            Section(
                say(f"by_{name}"), (say(name), *group_headers), tuple((names("tiers", each), *_group(row)) for each, row in groups.items())
            )
            for name, groups in run.groups.items()
        ),
        Section(
            say("campaigns"),
            (say("campaign"), say("customers"), say("listed"), say("would_be"), say("rate"), say("rate_called"), say("needs")),
            tuple((name, *_campaign(each)) for name, each in run.campaigns.items()),
        ),
        Section(
            say("offers"),
            (say("offer"), say("may_take"), say("made")),
            tuple((offers.get(code, code), _count(each["may_take"]), _count(each["made"])) for code, each in run.offers.items()),
        ),
    ]
    if run.warnings:
        found.append(Section(say("warnings"), (), tuple((warned(each, catalogue, language),) for each in run.warnings)))
    return found


def _basis(basis: Basis, catalogue: Catalogue, language: str) -> str:
    """Say what the expected effect of a contact rests on."""
    values = {"contacts": f"{basis.contacts:,}", "leavers": f"{basis.leavers:,}"}
    return catalogue.label(f"dry_run_effects.{basis.source}", language, **values)


def warned(warning: Warned, catalogue: Catalogue, language: str) -> str:
    """Say a warning in words."""
    values = {"about": warning.about, "needs": f"{warning.needs:,}", "has": f"{warning.has:,}"}
    return catalogue.label(f"dry_run_warnings.{warning.code}", language, **values)


def _money(amount: float, currency: str) -> str:
    return f"{amount:,.0f} {currency}"


def _count(number: int | None) -> str:
    return "-" if number is None else f"{number:,}"


def _group(row: Mapping[str, float]) -> tuple[str, ...]:
    return tuple(f"{row[name]:,.0f}" for name in ("customers", "listed", "would_be", "net_value"))


def _campaign(each: Campaign) -> tuple[str, ...]:
    rates = ("-" if rate is None else f"{rate:.1%}" for rate in (each.rate, each.rate_called))
    return (f"{each.customers:,}", f"{each.listed:,}", f"{each.held_out:,}", *rates, _count(each.needs))
