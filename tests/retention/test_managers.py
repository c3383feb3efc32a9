"""Who is on duty, with which capacity, and whose customers compete for the pool."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from custvalue.errors import DataError
from custvalue.retention.managers import POOL, Duty, current_managers

MANAGERS = pd.DataFrame(
    [
        ("M1", date(2025, 1, 1), 5.0, None, None),
        ("M1", date(2025, 6, 1), 1.0, None, None),
        ("M1", date(2026, 2, 1), 9.0, None, None),  # not known yet
        ("M2", date(2025, 1, 1), None, None, None),  # no capacity of its own
        ("M3", date(2025, 1, 1), 0.0, None, None),
        ("M4", date(2026, 2, 1), 9.0, None, None),  # begins later
        (POOL, None, 3.0, None, None),
    ],
    columns=["manager_id", "valid_from", "daily_capacity", "absent_from", "absent_to"],
)


def test_capacity_is_the_latest_known_else_the_policys(policy, as_of):
    duty = Duty.of(MANAGERS, policy, as_of=as_of)
    lists = pd.Series(["M1", "M2", "M3", "M4", "M5", POOL])
    assert duty.contacts(lists).tolist() == [1, 2, 0, 2, 2, 3]
    assert duty.notes({"M1": 4, "M4": 1, "M5": 1}) == ["2 managers are not in the managers table: they get the policy's capacity"]


@pytest.mark.parametrize("missing", [None, np.nan])
def test_customers_without_a_manager_compete_for_the_pool(policy, as_of, missing):
    lists = Duty.of(None, policy, as_of=as_of).list_of(pd.Series(["M1", missing], dtype=object))
    assert lists.tolist() == ["M1", POOL]


@pytest.mark.parametrize(
    ("absent_from", "absent_to", "away"),
    [
        (date(2025, 12, 20), date(2026, 1, 1), True),  # the last day counts
        (date(2026, 1, 1), date(2026, 1, 5), True),
        (date(2025, 12, 20), date(2025, 12, 31), False),
        (date(2026, 1, 2), date(2026, 1, 5), False),
        (date(2025, 12, 20), None, True),  # until further notice
        (None, date(2026, 1, 3), True),
        (None, None, False),
    ],
)
def test_absent_managers_are_no_staff_and_their_customers_compete_for_the_pool(policy, as_of, absent_from, absent_to, away):
    managers = pd.DataFrame({"manager_id": ["M1"], "daily_capacity": [3], "absent_from": [absent_from], "absent_to": [absent_to]})
    duty = Duty.of(managers, policy, as_of=as_of)
    assert duty.list_of(pd.Series(["M1"])).tolist() == [POOL if away else "M1"]
    assert duty.staff.index.tolist() == ([] if away else ["M1"])


def test_staff_are_those_on_duty_with_their_rights(policy, as_of):
    rights = pd.DataFrame({"region": ["north"], "language": [None], "tiers": ["gold, diamond"]}, index=[0])
    duty = Duty.of(MANAGERS.join(rights), policy, as_of=as_of)
    assert duty.staff["capacity"].to_dict() == {"M1": 1, "M2": 2, "M3": 0}
    table = current_managers(
        pd.DataFrame({"manager_id": ["M7", "M8"], "tiers": ["gold，diamond", " "], "region": ["north", None]}), as_of=as_of
    )
    assert table["tiers"].to_dict() == {"M7": frozenset({"gold", "diamond"}), "M8": None}
    assert table["region"].isna().tolist() == [False, True]


def test_manager_twice_for_one_day_is_refused(policy, as_of):
    twice = pd.concat([MANAGERS.head(1), MANAGERS.head(1)])
    with pytest.raises(DataError, match="managers: 1 rows stand there twice"):
        Duty.of(twice, policy, as_of=as_of)


def test_negative_capacity_is_refused(policy, as_of):
    with pytest.raises(DataError, match="1 rows have a negative daily_capacity"):
        Duty.of(MANAGERS.head(1).assign(daily_capacity=-1), policy, as_of=as_of)
