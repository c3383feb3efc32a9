"""What the store of work orders tells of how managers worked, and of who was reached."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import numpy as np
import pandas as pd

from custvalue.config import Config
from custvalue.config.scorecard import ScorecardConfig
from custvalue.retention.orders.engine import FILE
from custvalue.retention.orders.reader import OrderReader
from custvalue.sources import SourceTables

_TRIES = ("reach", "no_answer", "give_up", "find_wrong")
"""Events that a contact, or the attempt at one, leaves behind."""


@dataclass(frozen=True, eq=False)
class Recorded:
    """The store's orders and events; see `retention.orders.OrderReader`."""

    orders: pd.DataFrame
    events: pd.DataFrame


def recorded_orders(config: Config) -> Recorded | None:
    """Read the store of work orders; None where there is none yet."""
    if config.orders.url is None and not (config.output / FILE).is_file():
        return None
    reader = OrderReader.of(config)
    return Recorded(reader.orders(), reader.events())


def recorded_contacts(config: Config, tables: SourceTables, as_of: date) -> pd.DataFrame | None:
    """Give the contacts that managers recorded before a day: customer_id, contacted_at (UTC), reached, accepted; None without any."""
    found = recorded_orders(config)
    if found is None or found.events.empty:
        return None
    moments = pd.to_datetime(found.events["at"])
    events = found.events.assign(contacted_at=moments)[moments < pd.Timestamp(tables.moment(as_of).instant)]
    owners = found.orders.set_index("order_id")["customer_id"]
    told = events[events["event"].isin((*_TRIES, "take_offer"))]
    made = pd.DataFrame(
        {
            "customer_id": told["order_id"].map(owners),
            "contacted_at": told["contacted_at"],
            "reached": told["event"].isin(("reach", "take_offer")),
            "accepted": told["event"] == "take_offer",
        }
    )
    # a call and what came of it are several events of one moment
    return made.groupby(["customer_id", "contacted_at"], as_index=False).max()


def order_flags(found: Recorded, tables: SourceTables, campaign: str, as_of: date, *, settings: ScorecardConfig) -> pd.DataFrame:
    """Give the flags that `process_scorecard` counts, one row an order of a campaign.

    A complaint counts that was opened within ``complaint_days`` after the first contact.
    """
    orders = found.orders[(found.orders["campaign"] == campaign) & (found.orders["night"] <= as_of)]
    own = Recorded(orders, found.events[found.events["order_id"].isin(orders["order_id"])])
    made = work_flags(own, tables.moment(as_of).instant)
    contacted = _first_tries(own)
    return made.assign(complained=_complained(tables, orders["customer_id"], contacted, as_of, settings.complaint_days))


def work_flags(found: Recorded, now: datetime) -> pd.DataFrame:
    """Give the flags that orders and events alone tell; of ``complained`` nothing is known then.

    An order counts as due once its term is over (`now`, UTC) or it was contacted, and not where it was withdrawn before.
    """
    orders, events = found.orders, found.events
    contacted = _first_tries(found)
    due = pd.to_datetime(orders["due_at"])
    return pd.DataFrame(
        {
            "manager_id": orders["manager_id"],
            "opened_on": orders["night"],
            "due": contacted.notna() | ((due < pd.Timestamp(now)) & (orders["state"] != "withdrawn")),
            "contacted_in_time": contacted <= due,
            "contacted": contacted.notna(),
            "reached": orders["order_id"].isin(_with(events, {"reach"})),
            "to_close": contacted.notna() & (orders["state"] != "deferred"),
            "coded": orders["close_reason"].notna(),
            "opted_out": orders["order_id"].isin(_with(events, {"opt_out"})),
            "complained": np.nan,
        }
    )


def _first_tries(found: Recorded) -> pd.Series:
    """Give when each order's customer was first called, in the order of the orders; missing where nobody has called."""
    made = found.events[found.events["event"].isin(_TRIES)]
    first = pd.to_datetime(made["at"]).groupby(made["order_id"]).min()
    return pd.to_datetime(first.reindex(found.orders["order_id"]).set_axis(found.orders.index))


def _with(events: pd.DataFrame, kinds: Collection[str]) -> set[str]:
    return set(events.loc[events["event"].isin(kinds), "order_id"])


def _complained(tables: SourceTables, customers: pd.Series, contacted: pd.Series, as_of: date, days: int) -> pd.Series:
    complaints = tables.known(as_of).get("complaints")
    if complaints is None:
        return pd.Series(np.nan, customers.index)
    opened = complaints.filter(complaints.customer_id.isin(list(set(customers)))).select("customer_id", "opened_at").to_pandas()
    asked = pd.DataFrame({"customer_id": customers, "contacted": contacted}).reset_index(names="row").merge(opened, on="customer_id")
    after = pd.to_datetime(asked["opened_at"]) - asked["contacted"]
    caused = set(asked.loc[(after >= timedelta(0)) & (after <= timedelta(days=days)), "row"])
    return pd.Series(customers.index.isin(caused), customers.index)
