"""Published nights into work orders, and closed orders against what the data say months later."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING

import ibis
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from custvalue.config import Config
from custvalue.pipeline.duty_file import DUTY_FILE
from custvalue.pipeline.list_files import CARE_LISTS_FILE, LISTS_FILE
from custvalue.publish.manifests import Published, verify_files
from custvalue.publish.reading import SCORES
from custvalue.retention import POOL
from custvalue.sources import SourceTables

if TYPE_CHECKING:
    from custvalue.retention.orders.store import OrderStore
    from custvalue.retention.orders.taking import Taken

_REPORTED_DAYS = 7


def take_orders(night: Published, *, store: OrderStore, now: datetime) -> Taken:
    """Make a published night's lists the current work orders; see `OrderStore.take_night`.

    A customer's team is that of the manager who is to call him; while nobody on duty can, that of his own manager.

    Parameters
    ----------
    night : Published
        The night, as readers see it.
    store : OrderStore
        The orders.
    now : datetime
        When it is recorded, with its zone.

    Raises
    ------
    DataError
        The lists differ from the manifest, or break what orders need.
    TryAgainError
        The database is away or busy; the night stands, and the same call takes it later.
    """
    names = [name for name in night.files if name.partition("/")[0] in (LISTS_FILE, CARE_LISTS_FILE, SCORES, DUTY_FILE)]
    verify_files(night, names)
    rows = pd.read_parquet(night.folder / LISTS_FILE)
    care = pd.read_parquet(night.folder / CARE_LISTS_FILE) if CARE_LISTS_FILE in night.files else None
    frames = [rows] if care is None else [rows, care]
    pooled = [customer for frame in frames for customer in frame.customer_id[frame.manager_id == POOL]]
    wanted = pa.array(sorted({*store.open_customers(), *pooled}), pa.string())
    columns = ["customer_id", "decision", "own_manager_id"]
    decided = pq.read_table(night.folder / SCORES, columns=columns, filters=[("customer_id", "in", wanted)]).to_pandas()
    decisions = dict(zip(decided.customer_id, decided.decision, strict=True))
    own, teams = dict(zip(decided.customer_id, decided.own_manager_id, strict=True)), _teams(night)
    for frame in frames:
        responsible = frame.manager_id.where(frame.manager_id != POOL, frame.customer_id.map(own))
        frame["team"] = responsible.map(teams)
    return store.take_night(rows, night.as_of, night.run_id, decisions=decisions, care=care, now=now)


def _teams(night: Published) -> dict[str, str]:
    if DUTY_FILE not in night.files:
        return {}
    duty = pd.read_parquet(night.folder / DUTY_FILE, columns=["manager_id", "team"]).dropna()
    return dict(zip(duty.manager_id, duty.team, strict=True))


def manager_teams(tables: SourceTables, as_of: date) -> dict[str, str]:
    """Tell each manager's team, as the managers table knows it on a day; empty where it is not mapped."""
    managers = tables.known(as_of).get("managers")
    if managers is None or "team" not in managers.columns:
        return {}
    found = managers.select("manager_id", "valid_from", "team").order_by("valid_from").to_pandas()
    found = found[pd.to_datetime(found.valid_from) <= pd.Timestamp(as_of)].dropna(subset=["team"])
    return {str(manager): str(team) for manager, team in zip(found.manager_id, found.team, strict=True) if manager != POOL}


def verify_orders(config: Config, tables: SourceTables, as_of: date, *, store: OrderStore, now: datetime) -> int:
    """Verify the orders closed 30, 60 and 90 days ago by the departures and bills known at `as_of`; gives how many were verified.

    Nothing is verified before both feeds can know it: a week, or the longer of their `sources.delay_days`.
    """
    customers = store.verifiable_customers(as_of)
    if not customers:
        return 0
    known, wanted = tables.known(as_of), ibis.memtable(pd.DataFrame({"customer_id": customers}))
    columns = {"departures": ("customer_id", "left_on"), "billing": ("customer_id", "month", "revenue")}
    left, paid = (known[name].select(*own).semi_join(wanted, "customer_id").to_pandas() for name, own in columns.items())
    wait = max(_REPORTED_DAYS, *(config.sources.delay_days.get(name, 0) for name in columns))
    return store.verify(as_of, left, paid, wait_days=wait, now=now)
