"""An operator that is played: the same luck whatever is done, so that policies can be compared on the same customers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pytest
import yaml

from custvalue.errors import ConfigError
from custvalue.simulate import Operator, simulate
from custvalue.simulate.outcomes import states_table

CUSTOMERS, MONTHS, BEFORE = 1_500, 10, 4


def scenario(folder: Path, **changes: object) -> Path:
    """Write a scenario in which nobody hears of a neighbour's leaving, and calls do much."""
    numbers: dict[str, object] = {
        "intent": {"neighbour": 0.0},
        "contacts": {"persuadable": 0.5, "sleeping_dog": 0.2, "saves": 1.0, "harms": 2.0, "harms_free": 2.0},
        "daily_months": 1,
        **changes,
    }
    path = folder / "played.yaml"
    path.write_text(yaml.safe_dump(numbers))
    return path


def played(path: Path | str, policy: str, seed: int = 3) -> tuple[Operator, set[str]]:
    """Live some months without calls, then others under a policy; also gives everybody who was called."""
    operator = Operator(path, customers=CUSTOMERS, months=MONTHS, seed=seed)
    called: set[str] = set()
    for month in range(MONTHS):
        ids = operator.may_be_called().to_pylist()
        wanted = {"nobody": [], "some": ids[::5], "others": ids[1::5]}[policy] if month >= BEFORE else []
        called |= set(wanted)
        operator.step(wanted)
    return operator, called


def lives(operator: Operator, name: str, without: set[str]) -> pa.Table:
    """Rows of a table, but for some customers; the running numbers of rows are left out."""
    table = operator.tables()[name]
    running = [column for column in ("payment_id", "complaint_id", "contract_id", "repeat_of") if column in table.column_names]
    kept = table.filter(pc.invert(pc.is_in(table["customer_id"], pa.array(sorted(without), type=pa.string())))).drop(running)
    return kept.sort_by([(column, "ascending") for column in kept.column_names])


@pytest.mark.parametrize("name", ["customers", "billing", "usage", "daily", "payments", "contracts", "departures"])
def test_who_is_called_under_neither_policy_lives_the_same_life(tmp_path: Path, name: str) -> None:
    path = scenario(tmp_path, recycled_numbers=0.0)
    (first, called), (second, others) = played(path, "some"), played(path, "others")
    assert len(called) > 100
    assert lives(first, name, called | others).equals(lives(second, name, called | others))
    everyone = lives(first, name, set()), lives(second, name, set())
    assert not everyone[0].equals(everyone[1])


def test_a_neighbours_leaving_is_all_that_passes_on(tmp_path: Path) -> None:
    """With the link on, lives of the uncalled may differ only where somebody of the community was called."""
    path = scenario(tmp_path, intent={"neighbour": 3.0, "base": -3.0}, recycled_numbers=0.0)
    (first, called), (second, _) = played(path, "some"), played(path, "nobody")
    left = [
        set(map(tuple, operator.tables()["departures"].select(["customer_id", "left_on"]).to_pandas().to_numpy()))
        for operator in (first, second)
    ]
    changed = {customer for customer, _ in left[0] ^ left[1]}
    assert changed - called
    shard = first._shards[0]
    numbers = np.array([int(customer[1:]) - 1 for customer in changed])
    touched = shard.people.community[[int(customer[1:]) - 1 for customer in called]]
    assert np.isin(shard.people.community[numbers], touched).all()


def test_common_luck_makes_a_comparison_far_less_noisy() -> None:
    """Spread over seeds of the difference in departures between calling a fifth and calling nobody."""
    counts = {
        policy: np.array([played("tiny", policy, seed)[0].tables()["departures"].num_rows for seed in range(6)])
        for policy in ("nobody", "some")
    }
    common = np.std(counts["some"] - counts["nobody"], ddof=1)
    independent = np.std(counts["some"] - np.roll(counts["nobody"], 1), ddof=1)
    assert common < independent / 2


def test_the_own_campaigns_run_is_what_simulate_writes(tmp_path: Path) -> None:
    operator = Operator("tiny", customers=300, months=6, seed=5)
    operator.run(2)
    operator.run(4)
    rows = operator.write(tmp_path / "played")
    assert rows == simulate(tmp_path / "written", customers=300, months=6, seed=5, scenario="tiny")
    for path in (tmp_path / "written").rglob("*.parquet"):
        assert path.read_bytes() == (tmp_path / "played" / path.relative_to(tmp_path / "written")).read_bytes()


def test_reading_the_tables_on_the_way_changes_nothing() -> None:
    """What is read every month, by copies that part too, is what one reads who looks but once; use is counted month by month then."""
    read, once = (Operator("tiny", customers=300, months=8, seed=6) for _ in range(2))
    for month in range(8):
        called = read.may_be_called().to_pylist()[month::7] if month else []
        aside = read.copy()
        gone = set(aside.step(called[::2]).departures["customer_id"].to_pylist())
        aside.tables(["usage"])
        for operator in (read, once):
            operator.step(called, days={customer: 9 for customer in called[1::2] if customer not in gone})
        read.tables(["usage"])
    for name, table in once.tables().items():
        assert table.equals(read.tables()[name]), name


def test_months_to_come_change_nothing_that_has_been() -> None:
    """What an operator has lived does not depend on how long it may live, nor on what it did later."""
    short, long = (Operator("tiny", customers=400, months=months, seed=5) for months in (5, 9))
    for operator in (short, long):
        operator.run(5)
    for name, table in short.tables().items():
        assert table.equals(long.tables()[name]), name
    before = long.tables()["billing"]
    long.run(4)
    after = long.tables()["billing"]
    assert (
        after.filter(pc.less_equal(after["month"], pc.max(before["month"])))
        .sort_by([("customer_id", "ascending"), ("month", "ascending")])
        .select(["customer_id", "month", "revenue"])
        .equals(before.sort_by([("customer_id", "ascending"), ("month", "ascending")]).select(["customer_id", "month", "revenue"]))
    )


def test_a_month_tells_who_was_reached_who_left_and_what_came_in() -> None:
    operator = Operator("tiny", customers=600, months=6, seed=2)
    operator.run(3)
    ids = operator.may_be_called().to_pylist()
    month = operator.step(dict.fromkeys(ids[:200], "Discount 10 九折优惠"))
    assert str(month.month) == "2024-04-01"
    assert month.contacts["customer_id"].to_pylist() == ids[:200]
    assert 0.3 < pc.mean(month.contacts["reached"]).as_py() < 0.75
    assert (pc.equal(month.contacts["outcome"], "unreachable")).to_pylist() == pc.invert(month.contacts["reached"]).to_pylist()
    operator.run(2)
    tables = operator.tables()
    left = tables["departures"].to_pandas()
    in_april = left[left["left_on"].astype(str).between("2024-04-02", "2024-05-01")]
    assert sorted(month.departures["customer_id"].to_pylist()) == sorted(in_april["customer_id"])
    bills = tables["billing"].to_pandas()
    bills = bills[(bills["month"].astype(str) == "2024-04-01") & (bills["revenue"] != 0)].set_index("customer_id")["revenue"]
    charged = month.revenue.to_pandas().set_index("customer_id")["revenue"]
    pd.testing.assert_series_equal(charged[charged != 0].sort_index(), bills.sort_index())
    contacts = tables["contacts"].to_pandas()
    made = contacts[contacts["contacted_at"].between("2024-03-31 16:00", "2024-04-01 16:00")]
    assert set(made["customer_id"]) == set(ids[:200])
    assert set(made["offer"]) == {"Discount 10 九折优惠"}


def test_calls_save_persuadable_customers_and_wake_sleeping_dogs(tmp_path: Path) -> None:
    """Calling everybody month after month keeps more of the ones and loses more of the others than calling nobody."""
    path = scenario(tmp_path, intent={"base": -2.6})
    gone = {}
    for policy in ("everybody", "nobody"):
        operator = Operator(path, customers=4_000, months=8, seed=1)
        for _ in range(8):
            operator.step(operator.may_be_called().to_pylist() if policy == "everybody" else [])
        shard = operator._shards[0]
        left = shard.state.left_month < 8
        gone[policy] = [left[shard.people.treatment == kind].mean() for kind in range(3)]
    assert gone["everybody"][1] < 0.85 * gone["nobody"][1]
    assert gone["everybody"][2] > 1.1 * gone["nobody"][2]
    assert gone["everybody"][0] == pytest.approx(gone["nobody"][0], rel=0.03)


@pytest.mark.parametrize(
    ("contacts", "message"),
    [
        (["C00000001", "C00000001"], r"1 of 2 contacts are named twice: C0\*\*\*01"),
        (["nobody"], "1 of 1 contacts are no customer ids"),
        (["C00000000"], "1 of 1 contacts are no customer ids"),
        (["C00299999"], "1 of 1 contacts are unknown"),
        (["C99999999"], "1 of 1 contacts are unknown"),
        ({"C00000001": "a horse"}, "unknown offer.*a horse; there are: Care call"),
    ],
)
def test_strange_contacts_are_refused_and_nothing_happens(contacts: object, message: str) -> None:
    operator = Operator("tiny", customers=100, months=3, seed=1)
    with pytest.raises(ConfigError, match=message):
        operator.step(contacts)  # type: ignore[arg-type]
    assert operator.months_lived == 0


def test_who_has_left_or_refused_is_not_called() -> None:
    operator = Operator("tiny", customers=500, months=4, seed=1)
    first = operator.step([])
    with pytest.raises(ConfigError, match=r"are not in service on 2024-02-01"):
        operator.step(first.departures["customer_id"].to_pylist())
    customers = operator.tables()["customers"].to_pandas()
    refused = customers.loc[~customers["marketing_consent"], "customer_id"]
    gone = set(first.departures["customer_id"].to_pylist())
    with pytest.raises(ConfigError, match="of customers who do not allow marketing"):
        operator.step([customer for customer in refused if customer not in gone][:1])
    assert operator.months_lived == 1


def test_no_month_beyond_those_asked_for() -> None:
    operator = Operator("tiny", customers=100, months=2, seed=1)
    with pytest.raises(ConfigError, match="no month has been lived"):
        operator.tables()
    with pytest.raises(ConfigError, match=r"3 month\(s\) asked for, and 2 are left"):
        operator.run(3)
    operator.run(2)
    with pytest.raises(ConfigError, match="0 are left"):
        operator.step([])


def test_some_tables_are_those_of_all() -> None:
    operator = Operator("tiny", customers=200, months=4, seed=1)
    operator.run(4)
    everything = operator.tables()
    assert operator.tables(["departures", "billing"]) == {name: everything[name] for name in ("billing", "departures")}
    with pytest.raises(ConfigError, match=r"unknown table.*a horse; there are: customers"):
        operator.tables(["a horse"])


def test_effects_are_the_truth_that_is_written_down() -> None:
    """Of a past month and of the present one alike."""
    operator = Operator("tiny", customers=400, months=6, seed=1)
    with pytest.raises(ConfigError, match="month is 0"):
        operator.effects()
    operator.run(6)
    states = pa.concat_tables([states_table(world) for world in operator._worlds()]).to_pandas()
    for month in (3, 6):
        found = operator.effects(month).to_pandas()
        written = states[states["month"] == states["month"].drop_duplicates().sort_values().iloc[month - 1]].reset_index(drop=True)
        pd.testing.assert_frame_equal(found, written[list(found.columns)])
    with pytest.raises(ConfigError, match="month is 7: effects are known on the first days of months 1 to 6"):
        operator.effects(7)
