"""What a proposed policy would do to six customers, worked out by hand."""

from __future__ import annotations

from copy import deepcopy
from datetime import date

import pandas as pd
import pyarrow as pa
import pytest

from custvalue.config import TierPolicyConfig
from custvalue.errors import ConfigError
from custvalue.pipeline.what_if import what_if
from custvalue.tiers import RatingManifest, RatingStore, TierPolicy

AS_OF = date(2024, 7, 1)
BILLS = {"A": 200.0, "B": 90.0, "C": 60.0, "D": 30.0, "F": 50.0}
IN_FORCE = {
    "name": "by-bill",
    "version": 1,
    "source": "made for these tests",
    "tiers": ["gold", "silver", "basic"],
    "eligibility": {"min_tenure_months": 6},
    "rules": {
        "points": {
            "components": {"arpu": {"metric": "revenue_mean_3m", "points_per_unit": 1.0}},
            "cuts": {"kind": "thresholds", "at_least": {"gold": 100, "silver": 50}},
        }
    },
    "service": {"gold": {"channel": "manager", "answer_within_hours": 12}, "silver": {"channel": "message"}},
}


def policy(version=1, *, gold=100, silver=50, **parts):
    content = deepcopy(IN_FORCE) | {"version": version} | parts
    content["rules"]["points"]["cuts"]["at_least"] = {"gold": gold, "silver": silver}
    return TierPolicy(TierPolicyConfig.model_validate(content))


PROPOSED = policy(2, gold=80, silver=70, transition={"rule": "new"})
CLOSED = pd.DataFrame(
    {"complaint_id": ["1"], "customer_id": ["C"], "opened_at": [pd.Timestamp(2024, 6, 20)], "closed_at": [pd.Timestamp(2024, 6, 22)]}
)


def compared(config, heard, against=PROPOSED, **options):
    return what_if(config, policy(), against, AS_OF, reporter=heard, **{"months": 2} | options)


def pairs(table):
    return {(row.before, row.after): (row.customers, row.monthly_revenue) for row in table.itertuples()}


def codes(found):
    return {note.code for note in found.notes}


def test_the_matrix_holds_every_customer_and_his_bill(operator, heard):
    found = compared(operator(), heard)
    assert pairs(found.switch.table) == {
        ("gold", "gold"): (1, 200.0),
        ("silver", "gold"): (1, 90.0),
        ("silver", "silver"): (1, 60.0),
        ("basic", "basic"): (1, 30.0),
        ("unrated", "unrated"): (1, 50.0),
    }
    assert [tuple(row) for row in found.switch.moves.itertuples(index=False)] == [("silver", "gold", "upgrade", 1, 1, 90.0)]
    assert [tuple(row) for row in found.switch.held.itertuples(index=False)] == [
        ("silver", "basic", "protected_open_complaint", 1, 1, 60.0)
    ]
    assert found.customers == len(BILLS)


def test_without_a_complaint_the_customer_falls_and_the_points_are_told(operator, heard):
    found = compared(operator(complaints=CLOSED), heard)
    assert ("silver", "basic", "policy_change", 1, 1, 60.0) in [tuple(row) for row in found.switch.moves.itertuples(index=False)]
    fallen = found.switch.examples[found.switch.examples.after == "basic"]
    assert list(fallen.customer_id) == ["C"]
    assert dict(zip(found.switch.points.after, found.switch.points.points, strict=True)) == {"basic": 60.0, "gold": 90.0}


def test_in_the_long_run_nothing_of_the_old_tiers_is_left(operator, heard):
    # C's complaint protects a tier that he held; under the proposed policy alone he never held one
    assert pairs(compared(operator(), heard).long_run.table)["silver", "basic"] == (1, 60.0)


def test_months_service_and_revenue_are_told_by_tier(operator, heard):
    found = compared(operator(), heard)
    assert found.plan.days == (date(2024, 5, 1), date(2024, 6, 1), AS_OF)
    table = found.tiers["switch"].set_index("tier")
    assert table.customers.to_dict() == {"gold": 2, "silver": 1, "basic": 1, "unrated": 1}
    assert table.channel.to_dict() == {"gold": "manager", "silver": "message", "basic": "message", "unrated": "message"}
    assert table.answer_within_hours["gold"] == 12
    assert table.revenue_share["gold"] == pytest.approx(290 / 430)
    assert "monthly_cost" not in table
    assert codes(found) == {"from_nothing", "in_force_replayed", "no_cost"}


def test_nobody_moves_while_nothing_changes(operator, heard):
    stability = compared(operator(), heard).stability["against"]
    assert stability.changes[["up", "down", "protected_down"]].to_numpy().sum() == 0
    # A to D; F is unrated. C's tenth of June is no rating.
    assert stability.changes[["day", "customers"]].to_numpy().tolist() == [[date(2024, 6, 1), 4], [AS_OF, 4]]
    assert stability.flip_flops.rate == 0


def test_costs_are_added_up_where_they_are_mapped(operator, heard):
    bills = [(who, date(2024, month, 1), bill, bill / 10 + month) for who, bill in BILLS.items() for month in range(1, 7)]
    billing = pd.DataFrame([row for row in bills if row[0] != "F"], columns=["customer_id", "month", "revenue", "cost"])
    table = compared(operator(billing=billing), heard).tiers["policy"].set_index("tier")
    # a tenth of the bill and the mean of 1 to 6
    assert table.monthly_cost["gold"] == pytest.approx(20 + 3.5)
    assert table.monthly_cost["silver"] == pytest.approx(9 + 6 + 2 * 3.5)
    assert table.cost_known.to_dict() == {"gold": 1, "silver": 2, "basic": 1, "unrated": 0}


def test_a_policy_against_itself_changes_nothing(operator, heard):
    found = compared(operator(), heard, against=policy())
    assert found.switch.moves.empty
    assert found.long_run.moves.empty
    assert "same_policy" in codes(found)


def test_fewer_months_than_asked_are_told(operator, heard):
    found = compared(operator(), heard, months=12)
    assert found.plan.months == 3
    assert "fewer_months" in codes(found)


def test_other_tiers_cannot_be_compared(operator, heard):
    stars = deepcopy(IN_FORCE) | {"version": 3, "tiers": ["five", "four", "basic"], "service": {}, "transition": {"rule": "new"}}
    stars["rules"]["points"]["cuts"]["at_least"] = {"five": 80, "four": 40}
    found = compared(operator(), heard, against=TierPolicy(TierPolicyConfig.model_validate(stars)))
    assert ("gold", "five") in pairs(found.switch.table)
    assert {note.values["tiers"] for note in found.notes if note.code == "unknown_tiers"} == {"gold, silver"}


def test_a_stored_rating_says_which_tiers_are_in_force(operator, heard):
    config = operator()
    rows = [{"customer_id": "D", "tier": "gold", "valid_from": AS_OF, "reason_code": "first_rating", "policy_version": "by-bill-v1"}]
    table = pa.Table.from_pylist([row | {"score": 30.0, "care_priority": 0, "earned": "gold"} for row in rows])
    for name in ("valid_until", "below_since", "grace_until"):
        table = table.append_column(name, pa.nulls(1, pa.date32()))
    store = RatingStore(config.output / "tiers" / "by-bill" / "ratings")
    store.write(AS_OF, table, RatingManifest(day=AS_OF, policy_version="by-bill-v1", policy_hash="0", inputs="0"))
    found = compared(config, heard)
    assert pairs(found.switch.table)["gold", "basic"] == (1, 30.0)
    assert pairs(found.switch.table)["unrated", "gold"] == (2, 290.0)  # whom the rating did not know
    assert "in_force_stored" in codes(found)


def test_nothing_is_written(operator, heard, tmp_path):
    config = operator()
    before = sorted(tmp_path.rglob("*"))
    compared(config, heard)
    assert [path for path in sorted(tmp_path.rglob("*")) if path not in before and ".spill" not in path.parts] == []


def test_an_edited_version_is_refused(operator, heard):
    with pytest.raises(ConfigError, match=r"both policies call themselves by-bill-v1.*Raise the version"):
        compared(operator(), heard, against=policy(gold=120))


def test_what_the_tables_do_not_give_is_refused(operator, heard):
    content = deepcopy(IN_FORCE) | {"version": 2}
    content["rules"]["points"]["components"] = {"data": {"metric": "data_mb_mean_3m", "points_per_unit": 1.0}}
    with pytest.raises(ConfigError, match="data_mb_mean_3m"):
        compared(operator(), heard, against=TierPolicy(TierPolicyConfig.model_validate(content)))
