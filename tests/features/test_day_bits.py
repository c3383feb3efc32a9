"""Days as bits: runs and counts equal those of a plain walk over the days, unknown days and long gaps among them."""

from itertools import takewhile

import ibis
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from custvalue.features.day_bits import DayBits, bit_count, day_masks, longest_run

DAYS, MONTH = 90, 30


@pytest.fixture(scope="module")
def told():
    """Give a function from flags by age, newest first (None: no row), to what the bits tell of them."""
    con = ibis.duckdb.connect()
    schema = pa.schema({"age": pa.int32(), "active": pa.bool_()})
    con.create_table("days", schema.empty_table())
    days = con.table("days")
    row = days.agg(**day_masks("active", days.active, days.age, DAYS), **day_masks("silent", ~days.active, days.age, DAYS))
    active, silent = DayBits.of(row, "active", DAYS), DayBits.of(row, "silent", DAYS)
    found = row.select(
        run=longest_run(silent, active, MONTH),
        silent=silent.count_before_first(active),
        newest=active.newest_age(),
        month=bit_count(active.newest(MONTH)),
    )
    sql = str(con.compile(found))

    def run(flags):
        con.raw_sql("DELETE FROM days")
        rows = [{"age": age, "active": flag} for age, flag in enumerate(flags) if flag is not None]
        con.con.register("lent", pa.Table.from_pylist(rows, schema))
        con.raw_sql("INSERT INTO days SELECT * FROM lent")
        return con.con.execute(sql).fetchone()

    return run


def walked(flags):
    """The same by walking from the newest day back."""
    longest = so_far = 0
    for flag in flags[:MONTH]:
        so_far = 0 if flag else so_far + (flag is False)
        longest = max(longest, so_far)
    silent = sum(flag is False for flag in takewhile(lambda flag: flag is not True, flags))
    newest = flags.index(True) if True in flags else None
    return longest, silent, newest, sum(flag is True for flag in flags[:MONTH])


@settings(max_examples=150)
@given(st.lists(st.sampled_from([True, False, False, False, None]), min_size=1, max_size=DAYS))
def test_bits_tell_what_a_walk_over_the_days_tells(told, flags):
    if any(flag is not None for flag in flags):
        assert told(flags) == walked(flags)


@pytest.mark.parametrize(
    "flags",
    [
        [False] * DAYS,
        [True] * DAYS,
        [False] * 45 + [True] + [False] * 44,  # the first day of the second number
        [False] * 44 + [True] + [False] * 45,  # the last day of the first one
        [False] * 89 + [True],
        [None] * 89 + [True],
    ],
)
def test_the_edges_of_the_numbers_that_hold_the_days(told, flags):
    assert told(flags) == walked(flags)


def test_the_walk_can_tell_a_difference(told):
    assert told([False, None, False, True, False]) != walked([False, None, True, True, False])
