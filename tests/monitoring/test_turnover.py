"""Two nights' lists worked out by hand: one customer a reason."""

from __future__ import annotations

import pandas as pd
import pyarrow as pa

from custvalue.monitoring import list_turnover, tier_migration

COLUMNS = ["customer_id", "decision", "tier", "manager_id", "probability", "value_at_stake"]
BEFORE = [
    ("stays", "listed", "gold", "M1", 0.2, 100.0),
    ("goes to another", "listed", "gold", "M1", 0.2, 100.0),
    ("risk rose", "over_capacity", "gold", "M1", 0.1, 100.0),
    ("value rose", "not_worth_a_contact", "silver", "M1", 0.1, 10.0),
    ("risk rose more than value", "over_capacity", "gold", "M1", 0.1, 100.0),
    ("others fell behind", "over_capacity", "gold", "M1", 0.1, 100.0),
    ("consents now", "no_consent", "gold", "M1", 0.1, 100.0),
    ("rose in tier", "channel_message", "basic", "M1", 0.1, 100.0),
    ("has another manager", "over_capacity", "gold", "M1", 0.1, 100.0),
    ("left the base", "listed", "gold", "M1", 0.1, 100.0),
    ("risk fell", "listed", "gold", "M1", 0.2, 100.0),
    ("value fell though risk rose", "listed", "gold", "M1", 0.1, 100.0),
    ("was passed", "listed", "gold", "M1", 0.1, 100.0),
    ("is porting", "listed", "gold", "M1", 0.1, 100.0),
    ("on no list", "over_capacity", "gold", "M1", 0.1, 100.0),
]
NOW = [
    ("stays", "listed", "gold", "M1", 0.3, 90.0),
    ("goes to another", "listed", "gold", "M2", 0.2, 100.0),
    ("risk rose", "listed", "gold", "M1", 0.2, 100.0),
    ("value rose", "listed", "silver", "M1", 0.1, 30.0),
    ("risk rose more than value", "listed", "gold", "M1", 0.2, 120.0),
    ("others fell behind", "listed", "gold", "M1", 0.1, 101.0),
    ("consents now", "listed", "gold", "M1", 0.9, 100.0),
    ("rose in tier", "listed", "gold", "M1", 0.1, 100.0),
    ("has another manager", "listed", "gold", "M2", 0.1, 100.0),
    ("joined", "listed", "gold", "M1", 0.1, 100.0),
    ("risk fell", "not_worth_a_contact", "gold", "M1", 0.05, 100.0),
    ("value fell though risk rose", "over_capacity", "gold", "M1", 0.2, 20.0),
    ("was passed", "over_capacity", "gold", "M1", 0.1, 100.0),
    ("is porting", "port_authorised", "gold", "M1", 0.9, 100.0),
    ("on no list", "over_capacity", "gold", "M1", 0.4, 100.0),
]
EXPECTED = {
    ("stayed", ""): 1,
    ("moved", "manager"): 1,
    ("entered", "risk"): 2,
    ("entered", "value"): 1,
    ("entered", "others"): 1,
    ("entered", "rule"): 1,
    ("entered", "tier"): 1,
    ("entered", "manager"): 1,
    ("entered", "base"): 1,
    ("left", "base"): 1,
    ("left", "risk"): 1,
    ("left", "value"): 1,
    ("left", "others"): 1,
    ("left", "rule"): 1,
}


def test_who_entered_left_and_moved_and_why() -> None:
    found = list_turnover(pd.DataFrame(NOW, columns=COLUMNS), pd.DataFrame(BEFORE, columns=COLUMNS))
    assert found.groupby(["change", "reason"]).customers.sum().to_dict() == EXPECTED
    assert found[found.reason == "value"].tier.tolist().count("silver") == 1


def test_first_lists_and_no_lists() -> None:
    nobody = pd.DataFrame(columns=COLUMNS).astype({"probability": float, "value_at_stake": float})
    assert list_turnover(nobody, nobody).empty
    found = list_turnover(pd.DataFrame(NOW, columns=COLUMNS), nobody)
    assert set(found.change) == {"entered"}
    assert set(found.reason) == {"base"}


def test_tiers_of_two_nights_side_by_side() -> None:
    before = pa.table({"customer_id": ["a", "b", "c", "d"], "tier": ["gold", "gold", "basic", "gold"]})
    now = pa.table({"customer_id": ["e", "a", "b", "c"], "tier": ["basic", "gold", "basic", "basic"]})
    found = tier_migration(now, before)
    told = {(row.before, row.after): row.customers for row in found.fillna("-").itertuples()}
    assert told == {("gold", "gold"): 1, ("gold", "basic"): 1, ("basic", "basic"): 1, ("gold", "-"): 1, ("-", "basic"): 1}
