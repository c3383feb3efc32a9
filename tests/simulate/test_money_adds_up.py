"""Bills are the sum of their parts, and payments settle them."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from custvalue.simulate import simulate
from custvalue.simulate.arrow import money, volume


def test_revenue_is_the_sum_of_its_parts(tables: dict[str, pd.DataFrame]) -> None:
    bill = tables["billing"]
    parts = bill[["rent", "voice", "sms", "data", "vas", "roaming"]].sum(axis=1) - bill["discount"]
    np.testing.assert_allclose(bill["revenue"], parts, atol=1e-6)
    assert (bill["revenue"] >= 0).all()
    assert (bill["discount"] <= bill["rent"]).all()


def test_amounts_are_whole_cents(folder: Path) -> None:
    amounts = pq.read_table(folder / "billing.parquet", columns=["revenue"])["revenue"].slice(0, 500).to_pylist()
    assert all(amount == amount.quantize(Decimal("0.01")) for amount in amounts)


def test_paid_and_owed_balance_to_the_cent(tables: dict[str, pd.DataFrame]) -> None:
    """For those who joined later the ledger is closed: credit − arrears = paid − bills of the months before."""
    bill = tables["billing"].assign(due=lambda frame: frame[["revenue", "tax", "device"]].sum(axis=1))
    people = tables["customers"].drop_duplicates("customer_id")
    bill = bill[bill["customer_id"].isin(people.loc[people["joined_on"] >= pd.Timestamp("2024-01-01"), "customer_id"])]
    paid = tables["payments"].assign(month=tables["payments"]["paid_at"].dt.to_period("M").dt.to_timestamp())
    ledger = bill.merge(paid[["customer_id", "month", "amount", "balance_after"]], how="left").sort_values("month")
    ledger["amount"] = ledger["amount"].fillna(0)
    sums = ledger.groupby("customer_id")
    before = sums["due"].cumsum() - ledger["due"]
    standing = sums["amount"].cumsum() - before
    paying = ledger["balance_after"].notna()
    assert paying.sum() > 1_000
    np.testing.assert_allclose(standing[paying], ledger.loc[paying, "balance_after"], atol=1e-6)
    np.testing.assert_allclose(np.maximum(-standing, 0), ledger["arrears"], atol=1e-6)
    assert (ledger["arrears"] > 0).any()


def test_who_is_cut_off_owes_money_and_who_goes_has_settled(tables: dict[str, pd.DataFrame]) -> None:
    left = tables["departures"]
    last = tables["billing"].sort_values("month").drop_duplicates("customer_id", keep="last")
    owed = left.merge(last, on="customer_id").set_index("kind")["arrears"]
    assert (owed["non_payment"] > 0).mean() > 0.95
    assert (owed["voluntary"] > 0).mean() < 0.5


def test_bills_of_those_who_move_fall_after_a_tariff_launch(tmp_path: Path) -> None:
    scenario = tmp_path / "launch.yaml"
    scenario.write_text("launch: {month: 3, moves: 0.3}\nprice_rises: []\ndaily_months: 1\n")
    simulate(tmp_path / "out", customers=600, months=8, seed=2, scenario=scenario)
    customers, bill = (pq.read_table(tmp_path / "out" / f"{name}.parquet").to_pandas() for name in ("customers", "billing"))
    moved = customers[customers["plan"].str.startswith("Infinite") & (customers["joined_on"] < date(2024, 1, 1))]
    moved_on = bill["customer_id"].map(moved.groupby("customer_id")["valid_from"].min())
    assert moved_on.min() > date(2024, 4, 1)
    bill = bill.assign(revenue=bill["revenue"].astype(float), new=bill["month"] >= moved_on)[moved_on.notna()]
    by_customer = bill.pivot_table(index="customer_id", columns="new", values="revenue")
    assert len(by_customer) > 150
    ratio = (by_customer[True] / by_customer[False]).median()
    assert 0.6 < ratio < 0.95


def test_some_payments_are_late_and_auto_debit_never(tables: dict[str, pd.DataFrame]) -> None:
    late = tables["payments"]["paid_at"].dt.day > 20
    assert 0.02 <= late.mean() <= 0.12
    assert not late[tables["payments"]["channel"] == "auto_debit"].any()


def test_decimals_match_arrows_own_conversion() -> None:
    cents = np.array([0, 1, -1, 123_456_789, -5_000_000_000])
    expected = pa.array([Decimal(int(value)) / 100 for value in cents], type=pa.decimal128(18, 4))
    assert money(cents).equals(expected)
    assert volume(cents).equals(expected)
