"""The household and the account: lines together, members who left, their complaints, and the customer's share of the revenue."""

from __future__ import annotations

from dataclasses import replace

import ibis
from ibis.expr.types import Value

from custvalue.features.blocks import Feature, View, divided, number
from custvalue.features.columns import FeatureColumn
from custvalue.features.complaints import countable
from custvalue.features.dated import within
from custvalue.features.monthly import with_lag

_GROUPS = {"household": ("household", "家庭"), "account": ("account", "账户")}


def define(table: ibis.Table, view: View) -> tuple[ibis.Table, list[Feature]]:
    """Features of the households and accounts that the customers row valid at the moment names.

    What is said of members leaves the customer himself out.
    """
    groups = [name for name in _GROUPS if f"{name}_id" in table.columns]
    everybody = view.base.keep(_own_facts(view, groups))
    rows = everybody.semi_join(view.customers, "customer_id")
    for name in groups:
        key = f"{name}_id"
        together = everybody.filter(everybody[key].notnull()).group_by(key)
        facts = [fact for fact in everybody.columns if fact.startswith("own_")]
        sums = together.agg(**{f"{name}_{fact.removeprefix('own_')}": everybody[fact].sum() for fact in facts})
        rows = rows.left_join(view.base.keep(sums), key, rname=f"{{name}}_of_{name}")
    return rows, [feature for name in groups for feature in _features(rows, name, view)]


def _own_facts(view: View, groups: list[str]) -> ibis.Table:
    """One row a customer, also of those who left: exact numbers that a group adds up."""
    tables, people = view.base.tables, view.base.people
    rows = people.select("customer_id", *(f"{name}_id" for name in groups), own_lines=ibis.ifelse(people.active, 1, None).cast("int64"))
    facts = [_departures(view)]
    if "complaints" in tables:
        complaints = countable(tables["complaints"], view)
        recent = complaints.filter(within(complaints.opened_at, view, view.recent))
        facts.append(recent.group_by("customer_id").agg(own_complaints=recent.count()))
    if "billing" in tables:
        bills = with_lag(tables["billing"], replace(view, windows=(view.recent,), delay_days=view.delays.get("billing", 0)))
        facts.append(bills.group_by("customer_id").agg(own_revenue=bills.revenue.sum()))
    for fact in facts:
        rows = rows.left_join(fact, "customer_id", rname="{name}_again").drop("customer_id_again")
    return rows


def _departures(view: View) -> ibis.Table:
    moment, left = view.moment, view.base.tables["departures"]
    happened = left.filter(left.left_on <= moment.day)
    counts = {
        f"own_left_{window}": (happened.left_on > moment.months_back(window).day).sum() for window in view.windows if window >= view.recent
    }
    return happened.group_by("customer_id").agg(**counts)


def _features(rows: ibis.Table, name: str, view: View) -> list[Feature]:
    en, zh = _GROUPS[name]
    key = rows[f"{name}_id"]

    def others(fact: str) -> Value:
        rest = number(rows[f"{name}_{fact}"]).fill_null(0.0) - number(rows[f"own_{fact}"]).fill_null(0.0)
        return ibis.ifelse(key.notnull(), rest, None)

    features = [_feature(name, "lines", f"Lines in service in the {en}", f"{zh}内在网号码数", "count", number(rows[f"{name}_lines"]))]
    for window in view.windows:
        if window >= view.recent:
            words = f"Other lines of the {en} that left in {window} month(s)", f"近{window}个月{zh}内其他离网号码数"
            features.append(_feature(name, f"left_{window}m", *words, "count", others(f"left_{window}")))
    recent = view.recent
    if "own_complaints" in rows.columns:
        words = f"Complaints of the {en}'s other lines in {recent} month(s)", f"近{recent}个月{zh}内其他号码投诉次数"
        features.append(_feature(name, f"complaints_{recent}m", *words, "count", others("complaints")))
    if "own_revenue" in rows.columns:
        total = rows[f"{name}_revenue"]
        share = ibis.ifelse(total > 0, divided(rows.own_revenue, total), None)
        words = f"Bills of the {en} in {recent} month(s)", f"近{recent}个月{zh}账单总额"
        features.append(_feature(name, f"revenue_{recent}m", *words, "money", number(total)))
        words = f"Share of the {en}'s bills in {recent} month(s)", f"近{recent}个月本号码占{zh}账单比重"
        features.append(_feature(name, f"revenue_share_{recent}m", *words, "share", share))
    return features


def _feature(name: str, suffix: str, en: str, zh: str, unit: str, value: Value) -> Feature:
    column = FeatureColumn(
        name=f"{name}_{suffix}", en=en, zh=zh, unit=unit, null=f"no {_GROUPS[name][0]}, or nothing is known of it", reason=name
    )
    return Feature(column, value)
