"""Slowly changing rows from ratings: worked out by hand, and beside an account kept in plain Python."""

from __future__ import annotations

from datetime import date

import ibis
import pyarrow as pa
import pyarrow.compute as pc
from hypothesis import given, settings
from hypothesis import strategies as st

from custvalue.tiers import tier_history

DAYS = [date(2025, month, 5) for month in range(1, 9)]
LETTERS = {"g": "gold", "s": "silver", "b": "basic", "u": "unrated"}
KINDS = pa.schema(
    [("rated_on", pa.date32()), ("customer_id", "string"), ("tier", "string"), ("policy_version", "string"), ("reason_code", "string")]
)


def rated(histories: dict[str, str], versions: str = "11111111") -> pa.Table:
    """A letter a rating; ``.`` where the customer is not in the base."""
    rows = [
        {
            "rated_on": day,
            "customer_id": who,
            "tier": LETTERS[letter],
            "policy_version": f"p-v{version}",
            "reason_code": f"{who}{day.month}",
        }
        for who, letters in histories.items()
        for day, letter, version in zip(DAYS, letters, versions, strict=False)
        if letter != "."
    ]
    return pa.Table.from_pylist(rows, schema=KINDS)


def history(ratings: pa.Table) -> list[tuple]:
    days = ratings["rated_on"].unique().to_pylist() or DAYS[:1]
    found = tier_history({day: ibis.memtable(ratings.filter(pc.field("rated_on") == day)) for day in days}).to_pyarrow().to_pylist()
    rows = [(r["customer_id"], r["valid_from"], r["valid_to"], r["tier"], r["policy_version"], r["reason_code"]) for r in found]
    return sorted(rows, key=str)


def test_a_row_a_change_and_the_newest_stays_open():
    assert history(rated({"x": "ggs", "y": "ggg"})) == [
        ("x", DAYS[0], DAYS[2], "gold", "p-v1", "x1"),
        ("x", DAYS[2], None, "silver", "p-v1", "x3"),
        ("y", DAYS[0], None, "gold", "p-v1", "y1"),
    ]


def test_who_drops_out_ends_at_the_first_rating_without_him_and_begins_anew_when_he_comes_back():
    assert history(rated({"x": "gg.g", "y": "b...", "z": "gggg"})) == [
        ("x", DAYS[0], DAYS[2], "gold", "p-v1", "x1"),
        ("x", DAYS[3], None, "gold", "p-v1", "x4"),
        ("y", DAYS[0], DAYS[1], "basic", "p-v1", "y1"),
        ("z", DAYS[0], None, "gold", "p-v1", "z1"),
    ]


def test_another_policy_version_begins_a_row_though_the_tier_stays():
    assert history(rated({"x": "ggg"}, versions="112")) == [
        ("x", DAYS[0], DAYS[2], "gold", "p-v1", "x1"),
        ("x", DAYS[2], None, "gold", "p-v2", "x3"),
    ]


def account(histories: dict[str, str], versions: str) -> list[tuple]:
    """The same, kept month by month with an open row a customer."""
    days = [day for place, day in enumerate(DAYS) if any(letters[place : place + 1] not in ("", ".") for letters in histories.values())]
    rows = []
    for who, letters in histories.items():
        held = None
        for day in days:
            letter = letters[DAYS.index(day) : DAYS.index(day) + 1] or "."
            now = None if letter == "." else (LETTERS[letter], f"p-v{versions[DAYS.index(day)]}")
            if held is not None and held[2:4] != now:
                rows.append((who, held[0], day, *held[2:4], held[1]))
                held = None
            if held is None and now is not None:
                held = (day, f"{who}{day.month}", *now)
        if held is not None:
            rows.append((who, held[0], None, *held[2:4], held[1]))
    return sorted(rows, key=str)


LIVES = st.dictionaries(st.sampled_from("vwxyz"), st.text("gsbu.", max_size=8), max_size=5)


@settings(max_examples=20)
@given(LIVES, st.integers(0, 8))
def test_it_is_what_an_account_kept_rating_by_rating_holds(lives, switched):
    versions = "1" * switched + "2" * (8 - switched)
    assert history(rated(lives, versions)) == account(lives, versions)


@settings(max_examples=20)
@given(LIVES)
def test_rows_of_a_customer_neither_overlap_nor_leave_a_gap_and_open_ones_are_the_newest_rating(lives):
    ratings = rated(lives)
    rows, given_rows = history(ratings), ratings.to_pylist()
    days = sorted({row["rated_on"] for row in given_rows})
    for row in given_rows:
        covering = [r for r in rows if r[0] == row["customer_id"] and r[1] <= row["rated_on"] and (r[2] is None or row["rated_on"] < r[2])]
        assert [r[3] for r in covering] == [row["tier"]]
    covered = sum(r[1] <= day and (r[2] is None or day < r[2]) for r in rows for day in days)
    assert covered == len(given_rows)
    newest = {row["customer_id"]: row["tier"] for row in given_rows if row["rated_on"] == days[-1]}
    assert {r[0]: r[3] for r in rows if r[2] is None} == newest
