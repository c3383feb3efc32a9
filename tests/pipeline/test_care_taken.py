"""A night's service contacts reach the orders' database in the transaction of its lists, with the team of who owes them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pandas as pd
from sqlalchemy import select

from custvalue.config import OrdersConfig
from custvalue.pipeline.duty_file import write_duty
from custvalue.pipeline.orders import take_orders
from custvalue.publish import lock, publish, stage
from custvalue.retention.orders.engine import reading
from custvalue.retention.orders.schema import duties, orders, shown
from custvalue.retention.orders.store import OrderStore

NIGHT = date(2026, 1, 1)


def test_lists_care_and_what_is_shown_are_taken_together(tmp_path):
    store = OrderStore(OrdersConfig(), tmp_path, "Asia/Shanghai")
    rows = pd.DataFrame({"order_id": ["20260101-C-a"], "customer_id": ["a"], "customer": ["C-a"], "manager_id": ["M1"], "priority": [1]})
    rows = rows.assign(due_by=NIGHT + timedelta(days=1), reasons_en=[["Contract ends in 9 days"]], reason_codes=[["contract_end"]])
    care = pd.DataFrame({"customer_id": ["b"], "customer": ["C-b"], "manager_id": ["unassigned"], "kind": ["trial_ends"]}).assign(
        due_on=NIGHT
    )
    with lock(tmp_path):
        staging = stage(tmp_path, "run1")
        rows.to_parquet(staging / "lists.parquet", index=False)
        care.to_parquet(staging / "care_lists.parquet", index=False)
        (staging / "scores.parquet").mkdir()
        scores = pd.DataFrame({"customer_id": ["a", "b"], "decision": ["listed", "held_out"], "own_manager_id": ["M1", "M2"]})
        scores.to_parquet(staging / "scores.parquet" / "part-00000.parquet", index=False)
        write_duty(staging, pd.DataFrame({"manager_id": ["M1", "M2"]}), {"M1": "north", "M2": "south"}, as_of=NIGHT)
        night = publish(tmp_path, as_of=NIGHT, run_id="run1", staging=staging, lineage={}, force=False)
    assert take_orders(night, store=store, now=datetime(2026, 1, 1, 18, tzinfo=UTC)).new == 1
    with reading(store._engine, store.place) as connection:
        owed = connection.execute(select(duties)).one()
        assert (owed.customer_id, owed.kind, owed.team, owed.since) == ("b", "trial_ends", "south", NIGHT)  # of the manager who is away
        assert connection.scalar(select(orders.c.team)) == "north"
        assert connection.scalar(select(orders.c.reason_codes)) == " contract_end "
        assert "Contract ends in 9 days" in connection.scalar(select(shown.c.facts))
