"""A comparison of tier policies in short: one sentence, and a table of measures beside each other."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from custvalue.app.report_tables import Cell, Kind, ReportTable
from custvalue.app.what_if.words import Words
from custvalue.config import UNRATED
from custvalue.pipeline.comparison import Migration, Stability, WhatIf
from custvalue.tiers.measures.migration import direction

MONTHS_A_YEAR = 12
_CHANNELS = ("manager", "message", "self_service")


def moved(migration: Migration, order: tuple[str, ...]) -> dict[str, tuple[int, float]]:
    """Count who goes which way: direction → customers, and what they are billed a year."""
    table = migration.table
    ways = [direction(before, after, order) for before, after in zip(table["before"], table["after"], strict=True)]
    sums = table.groupby(ways)[["customers", "monthly_revenue"]].sum()
    return {
        way: (int(sums.customers.get(way, 0)), MONTHS_A_YEAR * float(sums.monthly_revenue.get(way, 0.0)))
        for way in ("up", "down", "renamed", "stays")
    }


def verdict(result: WhatIf, words: Words) -> list[str]:
    """Say what would happen, in a sentence or two."""
    if result.policy.label == result.against.label:
        return [words("same")]
    found, later = moved(result.switch, result.against.tiers), moved(result.long_run, result.against.tiers)
    said = [] if found["renamed"][0] else [words("nobody_moves")]
    if found["up"][0] or found["down"][0]:
        counts = {way: f"{found[way][0]:,}" for way in ("up", "down")}
        said = [words("verdict", customers=f"{result.customers:,}", at_stake=words.money(found["down"][1]), **counts)]
    if found["renamed"][0]:
        said.append(words("verdict_renamed", renamed=f"{found['renamed'][0]:,}"))
    if later["up"][0] or later["down"][0]:
        counts = {way: f"{later[way][0]:,}" for way in ("up", "down")}
        said.append(words("verdict_long_run", day=str(result.plan.days[0]), at_stake=words.money(later["down"][1]), **counts))
    return said


def summary_table(result: WhatIf, words: Words) -> ReportTable:
    """Give the measures of both policies: in force, after the switch, and in the long run."""
    headers = (words("measure"), *(words.view(result, name) for name in result.tiers))
    rows = [(Cell(name), *(Cell(value, kind) for value in values)) for name, kind, values in _measures(result, words)]
    return ReportTable("summary", words("summary"), headers, tuple(rows))


def _measures(result: WhatIf, words: Words) -> Iterator[tuple[str, Kind, list[float | None]]]:
    tables = list(result.tiers.values())
    yield words("rated"), "count", [float(table.customers[table.tier != UNRATED].sum()) for table in tables]
    yield words("top_customers"), "share", [float(table.share[:2].sum()) for table in tables]
    yield words("top_revenue"), "share", [float(table.revenue_share[:2].sum(min_count=1)) for table in tables]
    for channel in _CHANNELS:
        yield words(f"served_{channel}"), "count", [_served(table, channel) for table in tables]
    yield (
        f"{words('one_contact')} ({result.currency})",
        "money",
        [None if (served := _served(table, "manager")) is None else result.contact_cost * served for table in tables],
    )
    if "monthly_cost" in tables[0].columns:
        yield (
            f"{words('cost_year')} ({result.currency})",
            "money",
            [MONTHS_A_YEAR * float(table.monthly_cost.sum()) for table in tables],
        )
    calm = (result.stability["policy"], result.stability["against"])
    for name, columns in {"changed": ("up", "down"), "rises": ("up",), "falls": ("down",)}.items():
        before, after = (monthly_share(found, *columns) for found in calm)
        yield words(name), "share", [before, None, after]
    yield words("flip_flops"), "share", [calm[0].flip_flops.rate, None, calm[1].flip_flops.rate]
    falls = [float(found.changes["protected_down"].sum()) if len(found.changes) else None for found in calm]
    yield words("protected_falls"), "count", [falls[0], None, falls[1]]
    yield words("gini"), "ratio", [result.concentration.gini] * len(tables)


def _served(table: pd.DataFrame, channel: str) -> float | None:
    """Count the customers of a channel; None where nobody says who serves some of them."""
    unsaid = table.channel.isna() & (table.customers > 0)
    return None if unsaid.any() else float(table.customers[table.channel == channel].sum())


def monthly_share(found: Stability, *columns: str) -> float | None:
    """Give the mean share of customers a month that make such a change; None where no month is measured."""
    steps = int(found.changes["customers"].sum())
    return float(found.changes[list(columns)].to_numpy().sum()) / steps if steps else None
