"""A comparison of tier policies as tables: the matrix, the moves, the tiers, and how calm both are."""

from __future__ import annotations

import numpy as np
import pandas as pd

from custvalue.app.report_tables import Cell, Kind, ReportTable, numbers, texts
from custvalue.app.what_if.summary import MONTHS_A_YEAR, summary_table
from custvalue.app.what_if.words import Words
from custvalue.config import UNRATED
from custvalue.errors import mask
from custvalue.pipeline.comparison import Migration, WhatIf
from custvalue.tiers import TierPolicy
from custvalue.tiers.measures.migration import direction

_MOST_COMPONENTS = 3
_LEAST_DIFFERENCE = 0.05
_TOP_SHARES = (0.01, 0.05, 0.10, 0.20, 0.30, 0.50)


def report_tables(result: WhatIf, words: Words) -> list[ReportTable]:
    """Give every table, in the order of reading."""
    return [
        summary_table(result, words),
        _matrix(result, result.switch, "switch", "customers", words),
        _matrix(result, result.switch, "switch", "revenue", words),
        _moves(result, words),
        _held(result, words),
        _matrix(result, result.long_run, "long_run", "customers", words),
        _matrix(result, result.long_run, "long_run", "revenue", words),
        _details(result, words),
        _tiers(result, words),
        _cuts(result, words),
        _spread(result, words),
        _monthly(result, words),
    ]


def _in_currency(name: str, result: WhatIf, words: Words) -> str:
    return f"{words(name)} {result.currency}"


def tiers_before(result: WhatIf) -> list[str]:
    """List the tiers of the policy in force, highest first, and after them what else customers hold."""
    known = [*result.policy.tiers, UNRATED]
    return [*known, *sorted({*result.switch.table["before"], *result.long_run.table["before"]} - set(known))]


def _matrix(result: WhatIf, migration: Migration, when: str, what: str, words: Words) -> ReportTable:
    column, factor = ("customers", 1) if what == "customers" else ("monthly_revenue", MONTHS_A_YEAR)
    kind: Kind = "count" if what == "customers" else "money"
    counts = migration.table.pivot_table(index="before", columns="after", values=column, aggfunc="sum", fill_value=0)
    after = [*result.against.tiers, UNRATED]
    counts = counts.reindex(index=tiers_before(result), columns=after, fill_value=0) * factor
    headers = (words("from_to", policy=result.policy.label, against=result.against.label), *map(words.tier, after), words("total"))
    rows = [(Cell(words.tier(str(tier))), *_amounts(kind, [*row, row.sum()])) for tier, row in counts.iterrows()]
    rows.append((Cell(words("total")), *_amounts(kind, [*counts.sum(), counts.to_numpy().sum()])))
    title = words(f"{when}_{what}") + (f" ({result.currency})" if what == "revenue" else "")
    return ReportTable("migration", title, headers, tuple(rows), on_terminal=what == "customers" or when == "switch")


def _amounts(kind: Kind, values: list[float]) -> tuple[Cell, ...]:
    return numbers(kind, [float(value) for value in values])


def _billed(row: pd.Series) -> tuple[Cell, ...]:
    """Customers, their bills a year, and the mean of the known bills a month."""
    arpu = row.monthly_revenue / row.known if row.known else None
    return (
        Cell(float(row.customers), "count"),
        Cell(MONTHS_A_YEAR * row.monthly_revenue if row.known else None, "money"),
        Cell(arpu, "money"),
    )


def _moves(result: WhatIf, words: Words) -> ReportTable:
    rows = [
        (
            *texts(words.tier(row.before), words.tier(row.after)),
            *texts(words(f"way_{direction(row.before, row.after, result.against.tiers)}"), words.reason(row.reason)),
            *_billed(row),
        )
        for _, row in result.switch.moves.iterrows()
    ]
    headers = (*map(words, ("from", "to", "way", "why", "customers")), *(_in_currency(name, result, words) for name in ("revenue", "arpu")))
    return ReportTable("moves", words("moves"), headers, tuple(rows), left=4)


def _held(result: WhatIf, words: Words) -> ReportTable:
    rows = [
        (*texts(words.tier(row.after), words.tier(row.earned), _held_by(row, result.against, words)), *_billed(row))
        for _, row in result.switch.held.iterrows()
    ]
    names = ("tier_held", "tier_earned", "why", "customers")
    headers = (*map(words, names), *(_in_currency(name, result, words) for name in ("revenue", "arpu")))
    return ReportTable("moves", words("held"), headers, tuple(rows), left=3)


def _held_by(row: pd.Series, policy: TierPolicy, words: Words) -> str:
    """Say what holds a tier; where the rating itself sees no fall, the tier's lower cut does."""
    by_cut = row.reason in ("stays", "renewed") and direction(row.earned, row.after, policy.tiers) == "up"
    return words("lower_cut") if by_cut else words.reason(row.reason)


def _details(result: WhatIf, words: Words) -> ReportTable:
    rows = []
    for when, migration in {"at_switch": result.switch, "at_long_run": result.long_run}.items():
        moved = migration.table[migration.table.before != migration.table.after]
        for _, row in moved.iterrows():
            pair = (row.before, row.after)
            kept = migration.examples[(migration.examples.before == row.before) & (migration.examples.after == row.after)]
            shown = texts(_components(migration, pair, words), ", ".join(mask(who) for who in kept.customer_id))
            rows.append((*texts(words(when), words.tier(row.before), words.tier(row.after)), *_billed(row), *shown))
    money = (_in_currency(name, result, words) for name in ("revenue", "arpu"))
    headers = (*map(words, ("when", "from", "to", "customers")), *money, *map(words, ("points", "examples")))
    return ReportTable("moves", words("details"), headers, tuple(rows), left=3, on_terminal=False)


def _components(migration: Migration, pair: tuple[str, str], words: Words) -> str:
    """Name the components whose mean points differ most between the policies."""
    old, new = (_points(table, pair) for table in (migration.points, migration.points_against))
    if not old and not new:
        return words("no_points")
    names = sorted({*old, *new}, key=lambda name: (-abs(new.get(name, 0.0) - old.get(name, 0.0)), name))
    told = [name for name in names if abs(new.get(name, 0.0) - old.get(name, 0.0)) >= _LEAST_DIFFERENCE][:_MOST_COMPONENTS]
    parts = [f"{name} {Cell(old.get(name), 'points').shown} → {Cell(new.get(name), 'points').shown}" for name in told]
    return "; ".join(parts) or words("same_points")


def _points(table: pd.DataFrame, pair: tuple[str, str]) -> dict[str, float]:
    own = table[(table.before == pair[0]) & (table.after == pair[1])]
    several = own["rule"].nunique() > 1
    names = own["rule"] + "." + own["component"] if several else own["component"]
    return {str(name): float(points) for name, points in zip(names, own["points"], strict=True)}


def _tiers(result: WhatIf, words: Words) -> ReportTable:
    priced = "monthly_cost" in result.tiers["policy"].columns
    rows = []
    for name, table in result.tiers.items():
        for _, row in table.iterrows():
            revenue = MONTHS_A_YEAR * _revenue(result, name, row.tier)
            cells = [
                *texts(words(f"at_{name}"), words.tier(row.tier), words.channel(row.channel)),
                Cell(row.answer_within_hours, "quantity"),
                Cell(float(row.customers), "count"),
                *numbers("share", [row.share]),
                Cell(revenue, "money"),
                *numbers("share", [row.revenue_share]),
                Cell(row.arpu, "money"),
            ]
            rows.append((*cells, Cell(MONTHS_A_YEAR * row.monthly_cost if row.cost_known else None, "money")) if priced else tuple(cells))
    names = ("when", "tier", "channel", "hours", "customers", "share")
    headers = [*map(words, names), _in_currency("revenue", result, words), words("revenue_share"), _in_currency("arpu", result, words)]
    if priced:
        headers.append(_in_currency("cost_year", result, words))
    return ReportTable("tiers", words("tiers"), tuple(headers), tuple(rows), left=3)


def _revenue(result: WhatIf, name: str, tier: str) -> float:
    table, side = {
        "policy": (result.switch.table, "before"),
        "switch": (result.switch.table, "after"),
        "long_run": (result.long_run.table, "after"),
    }[name]
    return float(table.monthly_revenue[table[side] == tier].sum())


def _cuts(result: WhatIf, words: Words) -> ReportTable:
    shown: dict[tuple[str, object], TierPolicy] = {}
    for policy in (result.policy, result.against, result.against_replayed):
        shown.setdefault((policy.label, repr(policy.cuts)), policy)
    rows = [
        (*texts(policy.label, rule, words.tier(tier), str(policy.fitted_as_of)), Cell(float(cut), "points"))
        for policy in shown.values()
        for rule, cuts in (policy.cuts or {}).items()
        for tier, cut in cuts.items()
    ]
    return ReportTable("tiers", words("cuts"), tuple(map(words, ("view", "rule", "tier", "found_on", "cut"))), tuple(rows), left=4)


def _spread(result: WhatIf, words: Words) -> ReportTable:
    curve = result.concentration.curve
    found = [float("nan")] * len(_TOP_SHARES) if curve.empty else np.interp(_TOP_SHARES, curve.customer_share, curve.revenue_share)
    rows = [(*numbers("share", [top]), *numbers("share", [float(share)])) for top, share in zip(_TOP_SHARES, found, strict=True)]
    return ReportTable("tiers", words("spread"), (words("top_share"), words("revenue_share")), tuple(rows), left=0)


def _monthly(result: WhatIf, words: Words) -> ReportTable:
    sides = {"policy": result.policy.label, "against": result.against.label}
    headers = [words("month"), words("customers")]
    for label in sides.values():
        headers += [words(name, policy=label) for name in ("up_of", "down_of", "changed_of")]
    both = result.stability["policy"].changes.merge(result.stability["against"].changes, on="day", suffixes=("_policy", "_against"))
    rows = []
    for _, row in both.iterrows():
        cells = [Cell(str(row.day)), Cell(float(row.customers_policy), "count")]
        for side in sides:
            up, down, customers = (float(row[f"{name}_{side}"]) for name in ("up", "down", "customers"))
            cells += [Cell(up, "count"), Cell(down, "count"), Cell((up + down) / customers if customers else None, "share")]
        rows.append(tuple(cells))
    return ReportTable("stability", words("monthly"), tuple(headers), tuple(rows), on_terminal=False)
