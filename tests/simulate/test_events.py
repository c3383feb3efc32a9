"""Events precede porting out, but most customers who ask do not go; service events follow from the other tables."""

from __future__ import annotations

import pandas as pd

Tables = dict[str, pd.DataFrame]


def of_type(tables: Tables, name: str) -> pd.DataFrame:
    return tables["events"][tables["events"]["event_type"] == name]


def test_porting_is_asked_for_weeks_before_and_authorised_days_before(tables: Tables) -> None:
    ports = tables["departures"].query("kind == 'port_out'")
    queries = of_type(tables, "port_query").merge(ports, on="customer_id")
    ahead = (queries["left_on"] - queries["occurred_at"]).dt.days
    asked = queries[ahead <= 60]["customer_id"].nunique() / len(ports)
    assert 0.65 < asked < 0.95
    assert 4 < ahead[ahead <= 60].median() < 25
    authorised = of_type(tables, "port_authorised").merge(tables["departures"], on="customer_id")
    assert len(authorised) == len(of_type(tables, "port_authorised"))
    assert (authorised["kind"] == "port_out").all()
    assert ((authorised["left_on"] - authorised["occurred_at"]).dt.days <= 7).all()
    assert 0.8 < len(authorised) / len(ports) < 0.98


def test_many_who_ask_stay(tables: Tables) -> None:
    queries = of_type(tables, "port_query")
    queries = queries[queries["occurred_at"] < pd.Timestamp("2025-03-01")]
    left_on = queries["customer_id"].map(tables["departures"].set_index("customer_id")["left_on"])
    leaves_soon = (left_on - queries["occurred_at"]).dt.days.between(0, 90).mean()
    assert 0.4 < leaves_soon < 0.85


def test_signals_are_a_hint_one_month_ahead_and_no_more(tables: Tables) -> None:
    """Share that leaves in the month after the next, with a signal in the month against without: a hint is worth a factor of two to six."""
    states = tables["states"].query("month <= '2025-03-01'")
    left_on = states["customer_id"].map(tables["departures"].query("kind in ('voluntary', 'port_out')").set_index("customer_id")["left_on"])
    begin = states["month"] + pd.DateOffset(months=2)
    there = ~(left_on <= begin)
    leaves = (left_on > begin) & (left_on <= states["month"] + pd.DateOffset(months=3))
    for name, most in (("port_query", 8), ("competitor_hotline", 6), ("call_forwarding", 4), ("bill_query", 3)):
        seen = of_type(tables, name).assign(month=lambda f: f["occurred_at"].dt.to_period("M").dt.to_timestamp())
        marked = pd.MultiIndex.from_frame(states[["customer_id", "month"]]).isin(pd.MultiIndex.from_frame(seen[["customer_id", "month"]]))
        factor = leaves[there & marked].mean() / leaves[there & ~marked].mean()
        assert 1.1 < factor < most, name


def test_roaming_is_where_usage_says_so(tables: Tables) -> None:
    roaming = of_type(tables, "roaming").assign(month=lambda f: f["occurred_at"].dt.to_period("M").dt.to_timestamp())
    both = tables["usage"].merge(roaming[["customer_id", "month"]], how="left", indicator=True)
    assert ((both["_merge"] == "both") == (both["roaming_days"] > 0)).all()


def test_who_is_suspended_owes_money_and_some_come_back(tables: Tables) -> None:
    spells = of_type(tables, "suspension").assign(month=lambda f: f["occurred_at"].dt.to_period("M").dt.to_timestamp())
    owed = spells.merge(tables["billing"], on=["customer_id", "month"])
    assert (owed["arrears"] > 0).mean() > 0.95
    statuses = tables["customers"][tables["customers"]["status"] == "suspended"]
    assert set(statuses["customer_id"]) == set(spells["customer_id"])
    left = tables["departures"].set_index("customer_id")["kind"].reindex(spells["customer_id"].unique())
    assert 0.1 < (left == "non_payment").mean() < 0.6


def test_a_change_of_plan_is_an_event_and_a_version(tables: Tables) -> None:
    customers = tables["customers"].sort_values(["customer_id", "valid_from"])
    changed = customers[(customers["plan"] != customers.groupby("customer_id")["plan"].shift()) & customers["customer_id"].duplicated()]
    events = of_type(tables, "plan_change")
    day = events["occurred_at"].dt.normalize().rename("valid_from")
    assert set(zip(changed["customer_id"], changed["valid_from"], strict=True)) == set(zip(events["customer_id"], day, strict=True))
