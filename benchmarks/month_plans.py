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
Key = tuple[str, float]
"""A policy at a capacity."""
Course = tuple[str, tuple[tuple[str, int], ...]]


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
    players: Mapping[Key, Player],
    plans: Mapping[Key, Plan],
    known: Knowledge,
    picks: Mapping[str, Pick],
    month: int,
    on: date,
    base: float,
    config: Config,
) -> None:
    """Let every policy fill its slots of a day, by what is known on it; the hidden-state oracle sees the state of the month's first day."""
    courses = {key: course(player, plans[key]) for key, player in players.items()}
    seen = {each: players[key].ahead(plans[key].made, on) for key, each in courses.items()}
    scored = {each: seen[each][0] for key, each in courses.items() if key[0] not in UNSCORED}
    base_frame, own_frames = features_of_players(untouched.ahead({}, on)[0].operator, list(scored.values()), config, on)
    frames = dict(zip(scored, own_frames, strict=True))
    usual = base_frame.set_index("customer_id")[ARPU]
    for key, plan in plans.items():
        policy, slots = key[0], round(key[1] * base)
        plan.may -= seen[courses[key]][1]
        if policy == ORACLE:
            plan.add(hidden(players[key], plan.may, usual, known.accepted, slots), on.day, usual)
            continue
        frame = base_frame if policy in UNSCORED else frames[courses[key]]
        frame = with_risk(frame[frame["customer_id"].isin(plan.may)].reset_index(drop=True), known.risk)
        plan.add(list(picks[policy](frame, slots, month)["customer_id"]), on.day, frame.set_index("customer_id")[ARPU])


def course(player: Player, plan: Plan) -> Course:
    """Tell what has been lived and called so far: policies whose courses are equal need one operator between them."""
    return player.name, tuple(sorted(plan.made.items()))


def parted(players: Mapping[Key, Player], plans: Mapping[Key, Plan]) -> dict[Key, Player]:
    """Let policies that called the same people on the same days live on as one, and give the others operators of their own."""
    lived: dict[Course, Player] = {}
    taken: set[str] = set()
    for key, player in players.items():
        each = course(player, plans[key])
        if each not in lived:
            lived[each] = player.copy(f"{key[0]} at {key[1]}") if player.name in taken else player
            taken.add(player.name)
    return {key: lived[course(player, plans[key])] for key, player in players.items()}
