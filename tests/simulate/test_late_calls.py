"""Calls within a month: they change nothing that was known before their day, and keep from leaving from that day on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pytest
import yaml

from custvalue.errors import ConfigError
from custvalue.pipeline.surface import open_tables
from custvalue.simulate import Operator
from custvalue.sources.contract import CONTRACT

BEFORE, MONTH = 4, pd.Timestamp("2024-05-01")
DATED = [name for name, table in CONTRACT.items() if table.event]
RUNNING = {"event_id", "payment_id", "complaint_id", "contract_id", "survey_id", "contact_id", "repeat_of"}


@pytest.fixture(scope="module", params=["postpaid", "prepaid"])
def operator(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Operator:
    """Four months without a call; many leave, and every call reaches and keeps somebody."""
    path: Path = tmp_path_factory.mktemp("late") / "late.yaml"
    calls = {"persuadable": 0.9, "sleeping_dog": 0.05, "saves": 1.0, "reach": 1.0, "least_reach": 1.0}
    path.write_text(yaml.safe_dump({"contacts": calls, "intent": {"base": -2.5}, "daily_months": 3, "prepaid": request.param == "prepaid"}))
    found = Operator(path, customers=1_200, months=8, seed=3)
    for _ in range(BEFORE):
        found.step([])
    return found


def midnight(day: int) -> pa.Scalar:
    """When a day of the month begins, in UTC."""
    return pa.scalar((MONTH + pd.Timedelta(days=day - 1, hours=-8)).to_pydatetime(), pa.timestamp("us"))


def known(table: pa.Table, day: int) -> pd.DataFrame:
    """Rows that are known when a day begins, without their running numbers."""
    rows = table.filter(pc.less_equal(table["available_at"], midnight(day))).drop_columns([c for c in table.column_names if c in RUNNING])
    return rows.to_pandas().sort_values(list(rows.column_names), ignore_index=True)


def in_service(operator: Operator, day: int, called: set[str]) -> list[str]:
    """Who may still be called on a day, if the month goes on as it began."""
    lived = operator.copy().step(sorted(called)).departures.to_pandas()
    gone = set(lived.loc[pd.to_datetime(lived["left_on"]) <= MONTH + pd.Timedelta(days=day - 1), "customer_id"])
    return [customer for customer in operator.may_be_called().to_pylist() if customer not in gone | called]


@pytest.mark.parametrize("day", [2, 8, 15, 22, 31])
def test_a_call_changes_nothing_that_was_known_before_its_day(operator: Operator, day: int) -> None:
    first = set(operator.may_be_called().to_pylist()[::7])
    late = in_service(operator, day, first)
    without, with_calls = operator.copy(), operator.copy()
    without.step(sorted(first))
    month = with_calls.step([*sorted(first), *late], days=dict.fromkeys(late, day))
    left = set(without.tables(["departures"])["departures"]["customer_id"].to_pylist())
    kept = left - set(with_calls.tables(["departures"])["departures"]["customer_id"].to_pylist())
    assert day > 22 or len(kept) > 5
    assert kept <= set(late)
    before, after = without.tables(), with_calls.tables()
    for name in DATED:
        pd.testing.assert_frame_equal(known(after[name], day), known(before[name], day), obj=name)
    assert set(month.contacts["customer_id"].to_pylist()) == first | set(late)


def test_the_months_after_keep_what_was_known_too(operator: Operator) -> None:
    late = in_service(operator, 15, set())
    without, with_calls = operator.copy(), operator.copy()
    without.step([])
    with_calls.step(late, days=dict.fromkeys(late, 15))
    for _ in range(2):
        with_calls.step([])
    before, after = without.tables(), with_calls.tables()
    for name in DATED:
        if name != "daily":  # its oldest months are dropped
            pd.testing.assert_frame_equal(known(after[name], 15), known(before[name], 15), obj=name)


def test_the_earlier_the_call_the_more_are_kept_in_the_month(operator: Operator) -> None:
    left = {}
    for day in (1, 8, 22):
        late = in_service(operator, day, set())
        left[day] = operator.copy().step(late, days=dict.fromkeys(late, day)).departures.num_rows
    assert left[1] < left[8] < left[22] < operator.copy().step([]).departures.num_rows


def test_a_call_on_the_first_is_what_it_was(operator: Operator) -> None:
    ids = operator.may_be_called().to_pylist()[::3]
    plain, dated = operator.copy(), operator.copy()
    plain.step(ids)
    dated.step(ids, days=dict.fromkeys(ids, 1))
    assert plain.tables() == dated.tables()


def test_what_calls_change_later_comes_of_late_calls_too(operator: Operator) -> None:
    """Who is kept or woken by a call on the 22nd lives otherwise in the months after."""
    late = in_service(operator, 22, set())
    without, with_calls = operator.copy(), operator.copy()
    without.step([])
    with_calls.step(late, days=dict.fromkeys(late, 22))
    gone = [each.step([]).departures.num_rows for each in (without, with_calls)]
    assert gone[1] < 0.8 * gone[0]


def test_tables_with_late_calls_keep_the_contract(operator: Operator) -> None:
    late = in_service(operator, 20, set())
    played = operator.copy()
    played.step(late, days=dict.fromkeys(late, 20))
    opened = open_tables(played.tables(), {"time_zone": "Asia/Shanghai"})
    assert opened.rows["contacts"] == len(late)
    calls = played.tables(["contacts"])["contacts"].to_pandas()
    assert set((calls["contacted_at"] + pd.Timedelta(hours=8)).dt.normalize()) == {MONTH + pd.Timedelta(days=19)}


def test_a_copy_goes_its_own_way(operator: Operator) -> None:
    lived, tables = operator.months_lived, operator.tables(["billing"])
    operator.copy().step(operator.may_be_called().to_pylist())
    assert operator.months_lived == lived
    assert operator.tables(["billing"]) == tables


def test_strange_days_are_refused_and_nothing_happens(operator: Operator) -> None:
    ids, fresh = operator.may_be_called().to_pylist(), operator.copy()
    with pytest.raises(ConfigError, match=r"unknown day.*32; the month's days are 1 to 31"):
        fresh.step(ids[:3], days={ids[0]: 32})
    with pytest.raises(ConfigError, match="1 of 1 contacts are given a day, but not called"):
        fresh.step(ids[:3], days={ids[4]: 3})
    departures = operator.copy().step([]).departures.to_pandas()
    allowed = np.isin(departures["customer_id"], ids)
    early = departures[allowed].sort_values("left_on")["customer_id"].iloc[0]
    with pytest.raises(ConfigError, match="1 of 1 contacts are not in service on the day of their call"):
        fresh.step([early], days={early: 31})
    assert fresh.months_lived == BEFORE
