"""What the policy benchmark prints follows from its figures, and what it reads once for all policies is what each would read."""

from __future__ import annotations

import sys
from pathlib import Path

import pandas as pd
import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

import month_plans
import policy_value
from contact_policies import Knowledge
from month_plans import ORACLE
from played_operator import ARPU, READ, START, Player, features_at, features_of_players, opened, settings_of
from policy_value import KNOWING, LEARNED, MISSTATED, NOBODY, OURS, RANKING, difference, earned, interval, missed_goals, told

from custvalue.simulate import Operator


def played(**net: list[float]) -> pd.DataFrame:
    """Give one row a policy and seed, everything earned in one community."""
    rows = [
        {"scenario": "postpaid", "capacity": 0.02, "policy": policy, "seed": seed, "community": 1, "net": value}
        for policy, values in net.items()
        for seed, value in enumerate(values)
    ]
    return pd.DataFrame(rows).assign(calls=10.0, reached=5.0, margin=1.0, offers=1.0, contacts=1.0, expected=1.0)


def test_the_interval_over_seeds_is_students() -> None:
    # mean 20, sd 10, t of 2 degrees 4.303: 20 ± 4.303 * 10 / √3
    assert interval(played(**{OURS: [10, 20, 30]}), range(3)) == pytest.approx((20, 20 - 24.84, 20 + 24.84), abs=0.01)


def test_differences_are_paired_by_seed() -> None:
    rows = played(**{OURS: [100, 210, 320], RANKING: [0, 100, 200]})
    # differences 100, 110, 120: far surer than either policy's own profit
    mean, low, high = interval(difference(rows, OURS, RANKING), range(3))
    assert (mean, low, high) == pytest.approx((110, 110 - 24.84, 110 + 24.84), abs=0.01)
    assert interval(difference(rows, NOBODY, RANKING), range(3))[0] == pytest.approx(-100)


def test_a_seed_in_which_nothing_happened_counts_as_nothing() -> None:
    assert interval(played(**{OURS: [30]}), range(3))[0] == pytest.approx(10)


def test_goals_are_missed_one_by_one() -> None:
    good = {name: [100.0, 110.0, 120.0] for name in (OURS, *MISSTATED)}
    fine = played(**good, **{RANKING: [10.0, 20.0, 30.0], KNOWING: [120.0] * 3, LEARNED: [100.0] * 3})
    assert list(missed_goals(fine, range(3), {"postpaid"})) == []
    near = played(**good, **{RANKING: [80.0, 90.0, 100.0], KNOWING: [200.0] * 3, LEARNED: [100.0] * 3})
    missed = list(missed_goals(near, range(3), {"postpaid"}))
    assert missed == [
        "postpaid: ours earned 1.22 times what probability ranking did, not 1.5",
        "postpaid: regret of the learned effect to the knowing policy is 50%, not 20%",
    ]
    unsure = played(**{**good, OURS: [-300.0, 0.0, 600.0]}, **{RANKING: [0.0, 0.0, 0.0]})
    assert [goal.split(" is ")[0] for goal in missed_goals(unsure, range(3), set())] == [
        f"postpaid: ours above {other}" for other in (RANKING, NOBODY)
    ]


def test_told_numbers() -> None:
    assert told((1234.4, -1.6, 2000.0)) == "1,234 [-2 to 2,000]"


def test_lives_that_calls_did_not_change_are_read_once_and_the_same() -> None:
    config, operator = settings_of(("voluntary", "port_out")), Operator("tiny", customers=400, months=14, seed=1, start=START)
    operator.run(8)
    untouched, player = Player(NOBODY, operator.copy()), Player("some", operator.copy())
    for month in range(3):
        ids = sorted(player.may_be_called(month))[:: 4 + month]
        player.live(month, dict.fromkeys(ids, 1), pd.Series(30.0, ids))
        untouched.live(month, {}, pd.Series(dtype=float))
    assert player.may_be_called(3).isdisjoint(player.calls[-1]["customer_id"])
    untouched_frame, (found,) = features_of_players(untouched.operator, [player], config, untouched.operator.month)
    tables = opened(player.operator.tables(READ), config)
    own = features_at(tables, player.operator.month, config).sort_values("customer_id", ignore_index=True)
    pd.testing.assert_frame_equal(found, own[found.columns], check_dtype=False)
    assert not found.equals(untouched_frame.sort_values("customer_id", ignore_index=True))
    assert ARPU in found


def test_a_policy_sees_of_a_day_what_is_known_on_it_whatever_is_called_later() -> None:
    config, operator = settings_of(("voluntary", "port_out")), Operator("tiny", customers=400, months=10, seed=1, start=START)
    operator.run(8)
    untouched, player = Player(NOBODY, operator.copy()), Player("some", operator.copy())
    on, last = (untouched.operator.month.replace(day=day) for day in (15, 22))
    there = sorted(player.may_be_called(0) - untouched.ahead({}, last)[1])
    first, later = there[::5], there[1::5]
    aheads = [player.ahead(made, on) for made in (dict.fromkeys(first, 8), dict.fromkeys(first, 8) | dict.fromkeys(later, 22))]
    still = untouched.ahead({}, on)[0].operator
    one, other = (features_of_players(still, [ahead], config, on)[1][0] for ahead, _ in aheads)
    pd.testing.assert_frame_equal(one, other)
    assert aheads[0][1] == aheads[1][1]
    assert player.operator.months_lived == 8
    _, (begun,) = features_of_players(untouched.operator, [player], config, untouched.operator.month)
    assert not one[["days_since_complaint"]].equals(begun[["days_since_complaint"]])


def test_slots_of_a_month_are_spread_over_its_days_and_nobody_is_called_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    """A policy that takes whoever comes first, played for a month of weekly decisions."""
    for name, months in {"HISTORY": 8, "PLAY": 1, "AFTER": 1}.items():
        monkeypatch.setattr(policy_value, name, months)
    monkeypatch.setattr(policy_value, "policies", lambda *_: {"random": lambda frame, slots, _: frame.head(slots)})
    monkeypatch.setattr(month_plans, "with_risk", lambda frame, _: frame)
    config, operator = settings_of(("voluntary", "port_out")), Operator("tiny", customers=400, months=12, seed=1, start=START)
    operator.run(8)
    known = Knowledge(None, None, None, 0.1)
    found = policy_value.year(operator, known, [0.1], 1, config, policy_value.DECISIONS["weekly"])
    base = len(operator.may_be_called())
    calls = found.groupby("policy")["calls"].sum()
    assert calls["random"] == 4 * round(0.1 * base / 4)
    assert calls[ORACLE] <= 4 * round(0.1 * base / 4)


def test_policies_that_call_alike_play_one_operator_and_earn_what_they_would_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, months in {"HISTORY": 8, "PLAY": 3, "AFTER": 1}.items():
        monkeypatch.setattr(policy_value, name, months)
    few, all_ = (lambda frame, _, month: frame.head(9 + 4 * month)), (lambda frame, slots, _: frame.head(slots))
    monkeypatch.setattr(month_plans, "with_risk", lambda frame, _: frame)
    config, operator = settings_of(("voluntary", "port_out")), Operator("tiny", customers=400, months=12, seed=1, start=START)
    operator.run(8)
    copies: list[str] = []
    monkeypatch.setattr(Player, "copy", lambda player, name, copy=Player.copy: copies.append(name) or copy(player, name))

    def earned_by(picks: dict[str, object], capacities: list[float]) -> pd.DataFrame:
        monkeypatch.setattr(policy_value, "policies", lambda *_: picks)
        return policy_value.year(operator, Knowledge(None, None, None, 0.1), capacities, 1, config, (1,))

    together = earned_by({"few": few, "few too": few, "all": all_}, [0.1, 0.2])
    assert sorted(copies) == ["all at 0.1", "all at 0.2", f"{ORACLE} at 0.1"], "one operator goes on as that of the few at every capacity"
    names = ["community", "calls", "offers", "margin", "net"]
    for policy, capacity in (("few too", 0.2), ("all", 0.1), (ORACLE, 0.2)):
        alone = earned_by({policy: few if policy.startswith("few") else all_}, [capacity])
        rows = [each[(each["policy"] == policy) & (each["capacity"] == capacity)] for each in (together, alone)]
        first, second = (each[names].reset_index(drop=True) for each in rows)
        assert len(first) > 5
        pd.testing.assert_frame_equal(first, second)


def test_what_a_policy_earned_adds_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Calls cost, whatever they bring; and margin is what others' bills came to above those of calling nobody."""
    monkeypatch.setattr(policy_value, "HISTORY", 6)
    operator = Operator("tiny", customers=300, months=12, seed=2, start=START)
    operator.run(6)
    untouched, player = Player(NOBODY, operator.copy()), Player("some", operator.copy())
    ids = sorted(player.may_be_called(0))[:60]
    player.live(0, dict.fromkeys(ids, 1), pd.Series(30.0, ids))
    untouched.live(0, {}, pd.Series(dtype=float))
    for each in (player, untouched):
        for _ in range(5):
            each.operator.step([])
    before = policy_value.margins(untouched.operator)
    found = earned(player, before, untouched.operator)
    assert found["calls"].sum() == 60
    assert found["contacts"].sum() == pytest.approx(120)
    accepted = player.all_calls()["accepted"].sum()
    assert found["offers"].sum() == pytest.approx(accepted * 15)
    assert found["margin"].sum() == pytest.approx((policy_value.margins(player.operator) - before)["margin"].sum())
    assert found["net"].sum() == pytest.approx(found["margin"].sum() - found["offers"].sum() - 120)
    assert found["short"].sum() == pytest.approx(found["net"].sum()), "all months lived here lie within the shorter accounts"
    monkeypatch.setattr(policy_value, "SHORT", -policy_value.PLAY)
    nothing = earned(player, policy_value.margins(untouched.operator), untouched.operator)
    assert nothing["short"].sum() == pytest.approx(-found["offers"].sum() - 120), "accounts without a month know costs alone"
