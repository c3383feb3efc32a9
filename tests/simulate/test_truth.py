"""The truth agrees with what happened, both oracles are calibrated, and no pipeline reads any of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from custvalue import build_features
from custvalue.errors import DataError
from custvalue.simulate import simulate

Tables = dict[str, pd.DataFrame]
OWN_WILL = ("voluntary", "port_out", "silence")


def with_departure(tables: Tables) -> pd.DataFrame:
    """States with the day and kind of the departure that ends the customer's service."""
    states = tables["states"].merge(tables["departures"][["customer_id", "left_on", "kind"]], on="customer_id", how="left")
    states["as_of"] = states["month"] + pd.offsets.MonthBegin(1)
    return states


def test_the_arm_that_was_taken_is_what_happened(tables: Tables) -> None:
    states = with_departure(tables)
    states = states[states["called"].notna()]
    until = states["as_of"] + pd.DateOffset(months=3)
    happened = states["kind"].isin(OWN_WILL) & (states["left_on"] <= until)
    taken = np.where(states["called"].astype(bool), states["left_if_called"], states["left_if_not_called"])
    assert (taken == happened).all()
    called = states["called"].astype(bool)
    calls = tables["contacts"].query("arm == 'treated'")
    made = pd.MultiIndex.from_arrays([calls["customer_id"], calls["contacted_at"].dt.normalize()])
    assert (pd.MultiIndex.from_frame(states[["customer_id", "as_of"]]).isin(made) == called).all()
    assert 0.01 < called.mean() < 0.08


def test_outcomes_are_unknown_where_three_months_are_not_over(tables: Tables) -> None:
    states = tables["states"]
    known = states["month"] < states["month"].max() - pd.DateOffset(months=2)
    assert (states["left_if_called"].notna() == known).all()


def test_a_call_changes_little_on_average_and_much_by_kind_of_customer(tables: Tables) -> None:
    states = tables["states"].dropna(subset=["called"])
    shares = states.drop_duplicates("customer_id")["treatment"].value_counts(normalize=True)
    assert 0.10 <= shares["persuadable"] <= 0.15
    assert 0.05 <= shares["sleeping_dog"] <= 0.08
    effect = (states["left_if_not_called"].astype(float) - states["left_if_called"].astype(float)).groupby(states["treatment"]).mean()
    assert effect["persuadable"] > 0.005
    assert effect["sleeping_dog"] < -0.005
    assert effect["indifferent"] == 0
    picked = states[states["called"].astype(bool)]
    gain = picked["chance_if_not_called"].mean() - picked["chance_if_called"].mean()
    assert 0.0 < gain < 0.02


@pytest.mark.parametrize("arm", ["called", "not_called"])
def test_chances_of_both_arms_are_calibrated(tables: Tables, arm: str) -> None:
    states = tables["states"].dropna(subset=["called"])
    came = states[f"left_if_{arm}"].astype(float)
    chance = states[f"chance_if_{arm}"]
    assert chance.mean() == pytest.approx(came.mean(), rel=0.08)
    for treatment in ("persuadable", "sleeping_dog"):
        rows = states["treatment"] == treatment
        assert chance[rows].mean() == pytest.approx(came[rows].mean(), rel=0.2)


def test_who_sees_less_ranks_worse_but_is_calibrated(tables: Tables) -> None:
    """Gap 1, horizon 1: below the oracle on the hidden state, above the plain symptom of use; mean and slope near the truth."""
    states = with_departure(tables)
    states = states[(states["month"] >= "2024-07-01") & (states["month"] <= "2025-04-01")]
    there = states[~(states["left_on"] <= states["as_of"] + pd.DateOffset(months=1))]
    leaves = there["kind"].isin(OWN_WILL) & (there["left_on"] <= there["as_of"] + pd.DateOffset(months=2))
    hidden, observed = (roc_auc_score(leaves, there[f"{who}_gap1_horizon1"]) for who in ("leaving", "observed"))
    assert 0.78 <= hidden <= 0.85
    assert 0.70 <= observed <= hidden - 0.02
    assert there["observed_gap1_horizon1"].mean() == pytest.approx(leaves.mean(), rel=0.15)
    top = there["observed_gap1_horizon1"] >= there["observed_gap1_horizon1"].quantile(0.9)
    assert there.loc[top, "observed_gap1_horizon1"].mean() == pytest.approx(leaves[top].mean(), rel=0.25)


def test_windows_of_an_oracle_grow(tables: Tables) -> None:
    for who in ("leaving", "observed"):
        windows = tables["states"][[f"{who}_gap1_horizon{months}" for months in (1, 2, 3)]].to_numpy()
        assert (np.diff(windows, axis=1) >= 0).all()
        assert (windows >= 0).all()
        assert (windows <= 1).all()


def read(folder: Path) -> pd.DataFrame:
    """Everything that a model would see of the last snapshot."""
    features = build_features(folder, "2025-01-01", {"time_zone": "Asia/Shanghai"}).to_pandas()
    return features.sort_values("customer_id", ignore_index=True)


def test_drivers_are_what_the_tables_show_at_a_months_end(tables: Tables) -> None:
    drivers = tables["drivers"]
    assert len(drivers) == len(tables["states"])
    month = drivers["month"].max() - pd.DateOffset(months=3)
    rows, as_of = drivers[drivers["month"] == month].set_index("customer_id"), month + pd.DateOffset(months=1)
    contracts = tables["contracts"].query("kind == 'contract'")
    running = contracts[(contracts["starts_on"] <= as_of) & (contracts["ends_on"] > as_of)].customer_id
    bound = rows.index.isin(running)
    assert 0.1 < bound.mean() < 0.9
    lately = tables["complaints"].query("category not in ('cancellation', 'win_back')")
    lately = lately[(lately["opened_at"] >= as_of - pd.DateOffset(months=3)) & (lately["opened_at"] < as_of)]
    count = lately.groupby("customer_id").size().reindex(rows.index).fillna(0).to_numpy()
    joined = tables["customers"].drop_duplicates("customer_id").set_index("customer_id").joined_on.reindex(rows.index)
    months = ((as_of.year - joined.dt.year) * 12 + as_of.month - joined.dt.month).to_numpy()
    shown = {
        "in_contract": np.where(bound, -1.1, 0.0),
        "complaint": 0.55 * np.minimum(count, 3),
        "log_tenure": -0.4 * np.log((1 + months) / 25),
    }
    # the register and the tickets know nearly, not quite, what the lives were
    agreed = {name: float(np.isclose(rows[name], values).mean()) for name, values in shown.items()}
    assert min(agreed.values()) > 0.9, agreed


def test_the_pipeline_never_reads_the_truth(tmp_path: Path) -> None:
    """Features are the same where the truth is no Parquet at all; another file spoilt in the same way stops them."""
    folder = tmp_path / "tables"
    simulate(folder, customers=300, months=12, seed=1, scenario="tiny")
    before = read(folder)
    (folder / "truth" / "states.parquet").write_bytes(b"whoever reads this fails")
    pd.testing.assert_frame_equal(read(folder), before)
    (folder / "usage.parquet").write_bytes(b"whoever reads this fails")
    with pytest.raises(DataError, match="usage"):
        read(folder)
