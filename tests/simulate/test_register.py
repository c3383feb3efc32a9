"""The register changes over time: status, managers, regions, consent, and numbers that pass on."""

from __future__ import annotations

import pandas as pd
import pytest

Tables = dict[str, pd.DataFrame]


def versions(tables: Tables) -> pd.DataFrame:
    rows = tables["customers"].sort_values(["customer_id", "valid_from"])
    before = rows.groupby("customer_id")[["region", "manager_id", "marketing_consent", "status"]].shift()
    return rows.join(before.add_suffix("_before"))


def test_an_account_is_closed_by_leaving_and_known_only_afterwards(tables: Tables) -> None:
    closed = tables["customers"][tables["customers"]["status"] == "closed"].merge(tables["departures"], on="customer_id")
    assert len(closed) == len(tables["departures"])
    assert (closed["valid_from"] == closed["left_on"]).all()
    assert (closed["available_at_x"] > closed["left_on"]).all()
    assert (closed["available_at_x"] >= closed["available_at_y"]).all()


def test_silence_is_seen_after_forty_days_and_closed_after_ninety(prepaid: Tables) -> None:
    left_on = prepaid["departures"].query("kind == 'silence'").set_index("customer_id")["left_on"]
    for status, days in (("silent", 40), ("closed", 90)):
        rows = prepaid["customers"][(prepaid["customers"]["status"] == status) & prepaid["customers"]["customer_id"].isin(left_on.index)]
        assert len(rows) > 100
        assert ((rows["valid_from"] - rows["customer_id"].map(left_on)).dt.days == days).all()


def test_versions_are_known_in_their_order(tiny: Tables) -> None:
    rows = tiny["customers"].sort_values(["customer_id", "valid_from"])
    assert (rows["available_at"] >= rows.groupby("customer_id")["available_at"].shift().fillna(rows["available_at"])).all()


def test_customers_move_with_a_new_manager_there(tables: Tables) -> None:
    rows = versions(tables).dropna(subset=["region_before"])
    moved = rows[rows["region"] != rows["region_before"]]
    assert 0.001 < len(moved) / len(tables["usage"]) < 0.003
    assert (moved["manager_id"] != moved["manager_id_before"]).all()


def test_managers_change_within_the_region(tables: Tables) -> None:
    rows = versions(tables).dropna(subset=["region_before"])
    passed = rows[(rows["manager_id"] != rows["manager_id_before"]) & (rows["region"] == rows["region_before"])]
    assert len(passed) > 50
    region = tables["managers"].drop_duplicates("manager_id").set_index("manager_id")["region"]
    assert (passed["manager_id"].map(region) == passed["region"]).all()


def test_managers_are_away_for_weeks_and_come_back(tiny: Tables) -> None:
    away = tiny["managers"].dropna(subset=["absent_from"])
    assert len(away) > 0
    assert (away["absent_from"] >= away["valid_from"]).all()
    assert (away["absent_to"] - away["absent_from"]).dt.days.between(5, 21).all()
    assert set(tiny["managers"].loc[tiny["managers"]["absent_from"].isna(), "manager_id"]) == set(tiny["managers"]["manager_id"])


def test_consent_is_withdrawn_and_never_given_again(tiny: Tables) -> None:
    rows = versions(tiny).dropna(subset=["marketing_consent_before"])
    withdrawn = rows[rows["marketing_consent_before"].astype(bool) & ~rows["marketing_consent"]]
    assert len(withdrawn) > 3
    assert not (~rows["marketing_consent_before"].astype(bool) & rows["marketing_consent"]).any()
    reached = tiny["contacts"].query("reached == True").merge(withdrawn[["customer_id", "valid_from"]], on="customer_id")
    assert set(reached["customer_id"]) == set(withdrawn["customer_id"])
    called = tiny["contacts"].query("arm == 'treated'").merge(withdrawn[["customer_id", "valid_from"]], on="customer_id")
    assert (called["contacted_at"].dt.normalize() <= called["valid_from"]).all()


@pytest.mark.parametrize("operator", ["tables", "tiny"])
def test_a_number_passes_on_after_ninety_days(operator: str, request: pytest.FixtureRequest) -> None:
    tables: Tables = request.getfixturevalue(operator)
    directory = tables["directory"].merge(tables["customers"].drop_duplicates("customer_id", keep="last")[["customer_id", "joined_on"]])
    left_on = tables["departures"].groupby("customer_id")["left_on"].min()
    shared = directory[directory["msisdn"].duplicated(keep=False)].sort_values(["msisdn", "joined_on"])
    assert len(shared) > 20
    given = shared.assign(free=shared["customer_id"].map(left_on)).groupby("msisdn")
    gap = (shared["joined_on"] - given["free"].shift()).dt.days[shared["msisdn"].duplicated()]
    assert (gap >= 90).all()


def test_ids_are_used_again_only_where_the_scenario_says_so(tables: Tables, reusing: Tables) -> None:
    """Someone else's departure then lies before the new customer joined."""
    for operator, again in ((tables, False), (reusing, True)):
        joined = operator["customers"].groupby("customer_id")["joined_on"].agg(["min", "max", "nunique"])
        reused = joined[joined["nunique"] > 1]
        assert (len(reused) > 3) == again
        departures = operator["departures"].merge(reused, left_on="customer_id", right_index=True)
        earlier = departures[departures["left_on"] < departures["max"]]
        assert set(earlier["customer_id"]) == set(reused.index)
        assert ((earlier["max"] - earlier["left_on"]).dt.days >= 90).all()
    for name in ("billing", "usage", "daily"):
        assert not reusing[name].duplicated(["customer_id", "day" if name == "daily" else "month"]).any()
    assert reusing["directory"]["customer_id"].is_unique
    assert set(reusing["directory"]["customer_id"]) == set(reusing["customers"]["customer_id"])


def test_grades_follow_revenue_and_change_at_half_years(tables: Tables) -> None:
    history = tables["tier_history"].sort_values(["customer_id", "valid_from"])
    assert set(history["valid_from"].dt.strftime("%Y-%m-%d")) == {"2024-01-01", "2024-07-01", "2025-01-01"}
    first = history[history["valid_from"] == "2024-01-01"]
    shares = first["tier"].value_counts(normalize=True)
    for grade, share in {"basic": 0.5, "silver": 0.3, "gold": 0.15, "diamond": 0.05}.items():
        assert share - 0.04 < shares[grade] < share + 0.04
    revenue = tables["billing"].query("month < '2024-04-01'").groupby("customer_id")["revenue"].mean()
    by_grade = revenue.groupby(first.set_index("customer_id")["tier"]).median()
    assert by_grade["basic"] < by_grade["silver"] < by_grade["gold"] < by_grade["diamond"]
    again = history["customer_id"].duplicated()
    same = (history["tier"] == history.groupby("customer_id")["tier"].shift()) & again
    assert (history.loc[same, "policy_version"] == "grades-2").all()
    joined = tables["customers"].drop_duplicates("customer_id").set_index("customer_id")["joined_on"]
    assert ((history["valid_from"] - history["customer_id"].map(joined)).dt.days >= 182).all()
