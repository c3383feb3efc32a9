"""Who rose, fell, was held, came and went: counted by hand and beside pandas."""

from __future__ import annotations

import ibis
import pandas as pd
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from custvalue.tiers.measures.movements import MOVES, movement_table

ORDER = ("gold", "silver", "basic")
KINDS = pa.schema([(name, "string") for name in ("customer_id", "tier", "earned", "reason_code")])


def counted(before: dict[str, str] | None, now: dict[str, tuple[str, str, str]]) -> list[tuple]:
    rows = [dict(zip(KINDS.names, (who, *told), strict=True)) for who, told in now.items()]
    old = None
    if before is not None:
        old = ibis.memtable(pa.table({"customer_id": pa.array(list(before), "string"), "tier": pa.array(list(before.values()), "string")}))
    found = movement_table(old, ibis.memtable(pa.Table.from_pylist(rows, schema=KINDS)), ORDER)
    return [(row.move, None if pd.isna(row.reason) else row.reason, row.customers) for row in found.itertuples(index=False)]


def test_every_move_with_its_reason():
    before = {"a": "silver", "b": "gold", "c": "gold", "d": "basic", "e": "gold", "f": "vip", "g": "basic"}
    now = {
        "a": ("gold", "gold", "upgrade"),
        "b": ("silver", "silver", "downgrade"),
        "c": ("gold", "basic", "grace"),
        "d": ("unrated", "unrated", "unrated_short_tenure"),
        "f": ("gold", "gold", "first_rating"),
        "g": ("basic", "gold", "stays"),  # a rise that the largest step cuts short is no hold
        "h": ("basic", "basic", "first_rating"),
    }
    assert counted(before, now) == [
        ("up", "upgrade", 1),
        ("down", "downgrade", 1),
        ("down", "unrated_short_tenure", 1),
        ("held", "grace", 1),
        ("stays", "stays", 1),
        ("new", "first_rating", 2),
        ("gone", None, 1),
    ]


def test_with_nothing_before_everybody_is_new():
    found = counted(None, {"a": ("gold", "gold", "first_rating"), "b": ("basic", "basic", "first_rating")})
    assert found == [
        ("up", None, 0),
        ("down", None, 0),
        ("held", None, 0),
        ("stays", None, 0),
        ("new", "first_rating", 2),
        ("gone", None, 0),
    ]


TIERS = st.sampled_from([*ORDER, "unrated"])


@settings(max_examples=15)
@given(st.dictionaries(st.sampled_from("abcdefg"), TIERS), st.dictionaries(st.sampled_from("abcdefg"), st.tuples(TIERS, TIERS)))
def test_it_counts_everybody_once(before, now):
    rank = {tier: place for place, tier in enumerate((*ORDER, "unrated"))}
    wanted = dict.fromkeys(MOVES, 0)
    for who in before.keys() | now.keys():
        if who not in now:
            move = "gone"
        elif who not in before:
            move = "new"
        else:
            held, was = rank[now[who][0]], rank[before[who]]
            move = "up" if held < was else "down" if held > was else "held" if held < rank[now[who][1]] else "stays"
        wanted[move] += 1
    found = counted(before, {who: (*told, "any") for who, told in now.items()})
    assert {move: sum(count for kind, _, count in found if kind == move) for move in MOVES} == wanted
