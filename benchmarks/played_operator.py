"""Operators that several policies play side by side: one history, the same luck, and the features of all of them built in one go.

Whose life a policy has changed nowhere has the same features as where nobody is called, to the last bit, so that only the others' are
built again: those called, and the communities and accounts in which somebody left otherwise than there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from custvalue.churn.outcomes import label, treated
from custvalue.config import ChurnConfig, Config
from custvalue.features import build_features
from custvalue.pipeline.surface import open_tables
from custvalue.simulate import Operator
from custvalue.sources import SourceTables, add_months

Floats = NDArray[np.float64]

START = date(2022, 5, 1)
READ = ("customers", "billing", "usage", "complaints", "contracts", "events", "departures")
WINDOWS = (1, 3, 6)
FEATURES = (
    *("tenure_months", "segment", "months_since_plan_change", "arrears_last", "overage_mean_3m", "vas_share_3m"),
    *("revenue_mean_1m", "revenue_mean_3m", "revenue_drop_3m", "revenue_trend_3m", "revenue_drop_6m", "revenue_cv_6m"),
    *("voice_minutes_mean_3m", "voice_minutes_drop_3m", "voice_minutes_trend_3m", "voice_minutes_drop_6m"),
    *("data_mb_mean_3m", "data_mb_drop_3m", "data_mb_trend_3m", "data_mb_drop_6m", "active_days_drop_3m", "off_net_share_shift_3m"),
    *("complaint_count_1m", "complaint_count_3m", "complaint_repeat_3m", "days_since_complaint", "product_count"),
    *("contract_days_to_end", "contract_ended_days", "bundle_days_to_end", "discount_days_to_end", "discount_ended_days"),
    *("port_query_count_3m", "competitor_hotline_count_3m", "call_forwarding_count_3m", "bill_query_count_3m"),
)
"""What a customer's own rows give; features of plans, regions, households and accounts are left out, which need everybody's."""
CATEGORIES = ("segment",)
ARPU = "revenue_mean_3m"
COOLDOWN_MONTHS = 2
_IDS = ("customer_id", "account_id", "household_id", "complaint_id", "repeat_of", "contract_id", "event_id")
_MONTHS_READ = max(WINDOWS) + 2


@dataclass
class Player:
    """An operator that is played: by one policy, or by several as long as they call the same people on the same days.

    Attributes
    ----------
    name : str
        Of the first policy that plays it.
    calls : list of DataFrame
        A month's calls each: customer_id, month (of the play), reached, accepted, arpu; and the true effect that was to be expected.
    """

    name: str
    operator: Operator
    calls: list[pd.DataFrame] = field(default_factory=list)

    def copy(self, name: str) -> Player:
        """Give a policy an operator of its own, that goes on from here."""
        return Player(name, self.operator.copy(), list(self.calls))

    def may_be_called(self, month: int) -> set[str]:
        """Who is in service, allows marketing, and was not called lately."""
        lately = [calls["customer_id"] for calls in self.calls if month - calls["month"].iloc[0] < COOLDOWN_MONTHS]
        return set(self.operator.may_be_called().to_pylist()).difference(*lately)

    def ahead(self, made: Mapping[str, int], on: date) -> tuple[Player, set[str]]:
        """Look at a day of the month to come with the calls made so far (customer → day); also tells who has left by then.

        Tables of the player that is given go to the month's end: whoever reads them cuts them at the day.
        """
        if on == self.operator.month:
            return self, set()
        other = Player(self.name, self.operator.copy(), [*self.calls, pd.DataFrame({"customer_id": list(made)})])
        left = other.operator.step(list(made), days=made).departures.to_pandas()
        return other, set(left.loc[pd.to_datetime(left["left_on"]) <= pd.Timestamp(on), "customer_id"])

    def live(self, month: int, made: Mapping[str, int], arpu: pd.Series) -> None:
        """Live a month in which customers are called, each on his day."""
        truth = self.operator.effects().to_pandas().set_index("customer_id") if made else None
        lived = self.operator.step(list(made), days=made)
        if truth is not None:
            found = lived.contacts.to_pandas()
            accepted = found["outcome"] == "accepted"
            known = found["customer_id"].map(arpu).astype("float64")
            effect = found["customer_id"].map(truth["chance_if_not_called"] - truth["chance_if_called"])
            self.calls.append(found.assign(month=month, accepted=accepted, arpu=known, effect=effect).drop(columns="outcome"))

    def all_calls(self) -> pd.DataFrame:
        """Every call of the play."""
        names = ["customer_id", "reached", "month", "accepted", "arpu", "effect"]
        return pd.concat(self.calls, ignore_index=True) if self.calls else pd.DataFrame(columns=names)

    def changed(self, untouched: Operator) -> set[str]:
        """Whose lives may differ from those where nobody is called; more rather than fewer."""
        (ours,), (theirs,) = self.operator._shards, untouched._shards
        other = np.flatnonzero(ours.state.left_month != theirs.state.left_month)
        near = np.isin(ours.people.community, ours.people.community[other]) | np.isin(ours.people.account, ours.people.account[other])
        moved = {f"C{number + 1:08d}" for number in np.flatnonzero(near)}
        return moved.union(*(calls["customer_id"] for calls in self.calls))


def settings_of(scenario_kinds: Sequence[str]) -> Config:
    """Build the config that all operators are read with: outcome windows begin on the night, because calls do."""
    from custvalue.pipeline.surface import _config

    churn = {"gap_months": 0, "horizon_months": 3, "kinds": list(scenario_kinds)}
    return _config({"time_zone": "Asia/Shanghai", "currency": "CNY", "churn": churn, "features": {"windows": list(WINDOWS)}})


def community_of(operator: Operator) -> pd.Series:
    """Community of each customer: neighbours' lives hang together, so that they are resampled together."""
    (shard,) = operator._shards
    return pd.Series(shard.people.community, [f"C{number + 1:08d}" for number in range(len(shard.people))])


def opened(tables: dict[str, pa.Table], config: Config) -> SourceTables:
    """Open tables that an operator gave."""
    return open_tables(tables, config)


def features_at(tables: SourceTables, day: date, config: Config) -> pd.DataFrame:
    """Build the features of everybody in service, in order: a database gives rows as they come, and lots and models go by their order."""
    built = build_features(
        tables.known(day), tables.moment(day), config.features, delay_days=tables.delay_days, only=[*FEATURES], log=lambda _: None
    )
    frame = built.table.to_pandas().sort_values("customer_id", ignore_index=True)
    numbers = [name for name in FEATURES if name in frame.columns and name not in CATEGORIES]
    return frame.assign(**{name: frame[name].astype("float64") for name in numbers})


def columns_of(frame: pd.DataFrame) -> tuple[tuple[str, str], ...]:
    """Give the features that the tables gave, with their kinds."""
    return tuple((name, "category" if name in CATEGORIES else "number") for name in FEATURES if name in frame.columns)


def labelled(tables: SourceTables, day: date, known_at: date, config: Config) -> pd.DataFrame:
    """Features and ``left`` of everybody whom no campaign reached while the window ran."""
    churn: ChurnConfig = config.churn
    frame = features_at(tables, day, config).merge(label(tables, day, known_at, churn).to_pandas(), on="customer_id")
    called = treated(tables, day, known_at, churn)
    frame = frame[(frame["outcome"] <= 1) & ~frame["customer_id"].isin([] if called is None else called.to_pandas()["customer_id"])]
    return frame.assign(left=frame["outcome"].astype("float64"), day=day).drop(columns="outcome").reset_index(drop=True)


def features_of_players(
    untouched: Operator, players: Sequence[Player], config: Config, day: date
) -> tuple[pd.DataFrame, list[pd.DataFrame]]:
    """Build the features of the untouched customers on a day, and those of every player's."""
    parts = [_prefixed(_recent(untouched.tables(READ), day), "0-", None)]
    changed = [player.changed(untouched) for player in players]
    for number, (player, who) in enumerate(zip(players, changed, strict=True), start=1):
        if who:
            parts.append(_prefixed(_recent(player.operator.tables(READ), day), f"{number}-", who))
    stacked = {name: pa.concat_tables([part[name] for part in parts]) for name in READ}
    frame = features_at(opened(stacked, config), day, config)
    number, frame["customer_id"] = _split(frame["customer_id"])
    base = frame[number == 0]
    found = []
    for place, who in enumerate(changed, start=1):
        own = pd.concat([base[~base["customer_id"].isin(who)], frame[number == place]])
        found.append(own.sort_values("customer_id", ignore_index=True))
    return base.reset_index(drop=True), found


def _recent(tables: dict[str, pa.Table], day: date) -> dict[str, pa.Table]:
    """Leave out months that no window reaches back to."""
    first = pa.scalar(add_months(day, -_MONTHS_READ), pa.date32())
    return {
        name: table.filter(pc.greater_equal(table["month"].cast(pa.date32()), first)) if "month" in table.column_names else table
        for name, table in tables.items()
    }


def _prefixed(tables: dict[str, pa.Table], prefix: str, who: set[str] | None) -> dict[str, pa.Table]:
    """Keep some customers' rows, with ids that nobody else has."""
    found: dict[str, pa.Table] = {}
    for name, whole in tables.items():
        table = whole
        if who is not None:
            table = table.filter(pc.is_in(table["customer_id"], pa.array(sorted(who), pa.string())))
        for column in set(_IDS) & set(table.column_names):
            ids: Any = pc.binary_join_element_wise(prefix, table[column].cast(pa.string()), "")
            table = table.set_column(table.column_names.index(column), column, ids)
        found[name] = table
    return found


def _split(ids: pd.Series) -> tuple[NDArray[np.int64], pd.Series]:
    parts = ids.str.split("-", n=1, expand=True)
    return parts[0].astype("int64").to_numpy(), parts[1]
