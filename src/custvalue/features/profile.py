"""Who the customer is: tenure, plan and its changes, segment, region. Nothing sensitive (age, sex) is a feature."""

from __future__ import annotations

from dataclasses import replace

import ibis
from ibis.expr.types import DateColumn, Value

from custvalue.features.blocks import Feature, View, divided, number
from custvalue.features.columns import FeatureColumn
from custvalue.features.monthly import with_lag
from custvalue.sources import Moment

_CATEGORIES = {
    "plan": ("Plan in force", "当前套餐", "plan"),
    "segment": ("Consumer, household or enterprise", "客户类型", "segment"),
    "region": ("Region", "地区", "region"),
}


def define(table: ibis.Table, view: View) -> tuple[ibis.Table, list[Feature]]:
    """Features from the customers row that is valid at the moment, and from the plans of those before it."""
    rows = view.customers
    changing = "plan" in table.columns
    if changing:
        rows = rows.left_join(_plan_changes(table, view), "customer_id", rname="{name}_changed")
    priced = changing and "billing" in view.base.tables and "rent" in view.base.tables["billing"].columns
    if priced:
        rents = view.base.keep(_rents(view))
        dearer = rents.rename(plan_before="plan", rent_before="rent")
        rows = rows.left_join(rents, "plan", rname="{name}_now").left_join(dearer, "plan_before", rname="{name}_then")
    tenure = FeatureColumn(
        name="tenure_months",
        en="Whole months since joining",
        zh="在网月数",
        unit="months",
        null="never",
        reason="tenure",
    )
    features = [Feature(tenure, _whole_months(rows.joined_on, view.moment))]
    for name, (en, zh, reason) in _CATEGORIES.items():
        if name in table.columns:
            column = FeatureColumn(name=name, en=en, zh=zh, unit="category", null="not known", reason=reason, kind="category")
            features.append(Feature(column, rows[name]))
    return rows, features + (_changes(rows, view) if changing else []) + ([_step(rows)] if priced else [])


def _whole_months(day: DateColumn, moment: Moment) -> Value:
    today = moment.day
    months = today.year * 12 + today.month - (day.year() * 12 + day.month()) - (day.day() > today.day).cast("int64")
    return number(months)


def _plan_changes(customers: ibis.Table, view: View) -> ibis.Table:
    """One row a customer whose plan ever changed: the last change, the plan before it, and the changes of the longest window."""
    today = view.moment.day
    versions = customers.filter((customers.valid_from <= today) & (customers.joined_on <= today) & customers.plan.notnull())
    before = versions.plan.lag().over(group_by="customer_id", order_by="valid_from")
    changes = versions.mutate(plan_before=before).filter(lambda t: t.plan != t.plan_before)
    nth = ibis.row_number().over(group_by="customer_id", order_by=ibis.desc("valid_from"))
    changes = changes.mutate(last=nth == 0)
    return changes.group_by("customer_id").agg(
        changed_on=changes.valid_from.max(),
        plan_before=changes.plan_before.max(where=changes["last"]),
        changes=(changes.valid_from > view.moment.months_back(view.longest).day).sum(),
    )


def _rents(view: View) -> ibis.Table:
    """Mean rent by plan, from the recent bills of customers who had the plan all the time."""
    bills = with_lag(view.base.tables["billing"], replace(view, windows=(view.recent,), delay_days=view.delays.get("billing", 0)))
    people = view.base.people
    steady = people.filter(people.valid_from <= view.moment.months_back(view.recent + 1).day).select("customer_id", "plan")
    rents = bills.select("customer_id", "rent").inner_join(steady, "customer_id").group_by("plan")
    return rents.agg(rent=lambda t: divided(t.rent.sum(), t.rent.count()))


def _changes(rows: ibis.Table, view: View) -> list[Feature]:
    since = FeatureColumn(
        name="months_since_plan_change",
        en="Whole months since the last change of plan",
        zh="距上次更换套餐月数",
        unit="months",
        null="no change is known",
        reason="plan_change",
    )
    count = FeatureColumn(
        name=f"plan_changes_{view.longest}m",
        en=f"Changes of plan in {view.longest} months",
        zh=f"近{view.longest}个月更换套餐次数",
        unit="count",
        null="never",
        reason="plan_change",
    )
    return [Feature(since, _whole_months(rows.changed_on, view.moment)), Feature(count, number(rows.changes).fill_null(0.0))]


def _step(rows: ibis.Table) -> Feature:
    column = FeatureColumn(
        name="plan_change_step",
        en="Rent of the plan less that of the one before, share of the latter",
        zh="当前套餐相对原套餐的月租变化幅度",
        unit="share",
        null="no change is known, or the rent of a plan is not",
        reason="plan_change",
    )
    return Feature(column, divided(rows.rent - rows.rent_before, rows.rent_before))
