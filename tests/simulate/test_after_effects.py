"""What is planted around departures so that careless readers are fooled, and the limits it keeps to."""

from __future__ import annotations

import pandas as pd

Tables = dict[str, pd.DataFrame]


def tickets(tables: Tables, category: str) -> pd.DataFrame:
    rows = tables["complaints"].drop_duplicates("complaint_id")
    return rows[rows["category"] == category].merge(tables["departures"], on="customer_id", how="left")


def test_cancellation_tickets_announce_departures_by_days(tables: Tables) -> None:
    raised = tickets(tables, "cancellation")
    ahead = (raised["left_on"] - raised["opened_at"].dt.normalize()).dt.days
    assert ahead.between(1, 14).all()
    willing = tables["departures"].query("kind in ('voluntary', 'port_out')")
    assert 0.25 < len(raised) / len(willing) < 0.45


def test_win_back_calls_follow_departures(tables: Tables) -> None:
    raised = tickets(tables, "win_back")
    later = (raised["opened_at"].dt.normalize() - raised["left_on"]).dt.days
    assert len(raised) > 100
    assert later.between(3, 30).all()


def test_a_bill_after_leaving_holds_late_use_alone(tables: Tables) -> None:
    after = tables["billing"].merge(tables["departures"][["customer_id", "left_on", "kind"]], on="customer_id")
    after = after[after["month"] >= after["left_on"]]
    assert len(after) > 500
    assert ((after["month"] - after["left_on"]).dt.days < 62).all()
    assert (after["revenue"] == after["data"]).all()
    assert after["revenue"].max() <= 3
    assert (after["rent"] == 0).all()
    assert (after["revenue"] + after["device"] + after["arrears"] > 0).all()


def test_debts_grow_after_a_cut_off(tables: Tables) -> None:
    cut_off = tables["departures"].query("kind == 'non_payment'")
    bills = tables["billing"].merge(cut_off[["customer_id", "left_on"]], on="customer_id").sort_values("month")
    last = bills[bills["month"] < bills["left_on"]].groupby("customer_id")["arrears"].last()
    after = bills[bills["month"] >= bills["left_on"]].groupby("customer_id")["arrears"].first()
    both = pd.concat({"last": last, "after": after}, axis=1).dropna()
    assert len(both) > 50
    assert (both["after"] >= both["last"]).all()
    assert (both["after"] > both["last"]).mean() > 0.9


def test_the_final_version_of_a_contract_knows_the_departure(tables: Tables) -> None:
    contracts = tables["contracts"].sort_values("available_at")
    final = contracts.drop_duplicates("contract_id", keep="last").merge(tables["departures"], on="customer_id", suffixes=("", "_left"))
    running = final[final["ends_on"] == final["left_on"] - pd.Timedelta(days=1)]
    assert len(running) > 300
    assert (final["ends_on"] < final["left_on"]).all()
    first = contracts.drop_duplicates("contract_id").set_index("contract_id")
    revised = running[running["contract_id"].map(first["ends_on"]) != running["ends_on"]]
    assert len(revised) / len(running) > 0.9
    assert (revised["available_at"] > revised["left_on"]).all()


def test_silence_leaves_empty_months_until_it_is_known(prepaid: Tables) -> None:
    silent = prepaid["departures"].query("kind == 'silence'")[["customer_id", "left_on"]]
    for name, columns in (("usage", ["voice_minutes", "data_mb", "sms_count", "active_days", "roaming_days"]), ("billing", ["revenue"])):
        after = prepaid[name].merge(silent, on="customer_id")
        after = after[after["month"] >= after["left_on"]]
        assert len(after) > 300
        assert (after[columns] == 0).all(axis=None)
        assert ((after["month"] - after["left_on"]).dt.days < 90).all()


def test_trials_are_short_free_and_some_go_on(tables: Tables) -> None:
    trials = tables["contracts"].query("kind == 'trial'").sort_values("available_at")
    first, last = trials.drop_duplicates("contract_id"), trials.drop_duplicates("contract_id", keep="last")
    assert set((first["ends_on"] - first["starts_on"]).dt.days + 1) == {30, 91}
    assert (first["monthly_fee"] == 0).all()
    goes_on = last[last["monthly_fee"] > 0]
    assert 0.1 < len(goes_on) / len(last) < 0.4
    over = goes_on["contract_id"].map(first.set_index("contract_id")["ends_on"])
    assert (goes_on["available_at"] > over).all()
