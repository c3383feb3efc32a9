"""How every policy fills a month's slots, on one day or on several, by what is known on each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

import pandas as pd
from contact_policies import Knowledge, Pick, hidden, with_risk
from played_operator import ARPU, Player, features_of_players

from custvalue.config import Config

ORACLE = "hidden-state oracle"
UNSCORED = ("random", ORACLE)


@dataclass
class Plan:
    """Whom a policy may still call in a month, and whom it has called: customer → day, and their bills as they were known then."""

    may: set[str]
    made: dict[str, int] = field(default_factory=dict)
    arpu: pd.Series = field(default_factory=lambda: pd.Series(dtype=float))

    def add(self, ids: Sequence[str], day: int, arpu: pd.Series) -> None:
        """Call some customers."""
        self.made |= dict.fromkeys(ids, day)
        self.may -= set(ids)
        self.arpu = pd.concat([self.arpu, arpu.reindex(list(ids))])


def decide(
    untouched: Player,
    players: Mapping[tuple[str, float], Player],
    plans: Mapping[tuple[str, float], Plan],
    known: Knowledge,
    picks: Mapping[str, Pick],
    month: int,
    on: date,
    base: float,
    config: Config,
) -> None:
    """Let every policy fill its slots of a day, by what is known on it; the hidden-state oracle sees the state of the month's first day."""
    seen = {key: player.ahead(plans[key].made, on) for key, player in players.items()}
    scored = [player for key, (player, _) in seen.items() if key[0] not in UNSCORED]
    frames = features_of_players(untouched.ahead({}, on)[0].operator, scored, config, on)
    usual = frames[""].set_index("customer_id")[ARPU]
    for key, (player, gone) in seen.items():
        policy, slots, plan = key[0], round(key[1] * base), plans[key]
        plan.may -= gone
        if policy == ORACLE:
            plan.add(hidden(players[key], plan.may, usual, known.accepted, slots), on.day, usual)
            continue
        frame = frames.get(player.name, frames[""])
        frame = with_risk(frame[frame["customer_id"].isin(plan.may)].reset_index(drop=True), known.risk)
        plan.add(list(picks[policy](frame, slots, month)["customer_id"]), on.day, frame.set_index("customer_id")[ARPU])
