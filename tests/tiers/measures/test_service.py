"""What tiers are owed, and what serving them costs."""

import ibis
import pandas as pd

from custvalue.tiers.measures.service import cost_table, service_table


def test_the_policy_s_standard_comes_before_the_retention_policy_s_channel(make_policy):
    config = make_policy(service={"gold": {"answer_within_hours": 12, "channel": "manager"}, "silver": {"channel": "message"}}).config
    found = service_table(config, {"gold": "self_service", "basic": "self_service"}).set_index("tier")
    assert list(found.index) == ["gold", "silver", "basic", "unrated"]
    assert found.channel.to_list()[:3] == ["manager", "message", "self_service"]
    assert pd.isna(found.channel["unrated"])
    assert found.answer_within_hours["gold"] == 12
    assert found.answer_within_hours.isna().to_list() == [False, True, True, True]


def test_costs_are_added_by_tier_and_the_unknown_ones_are_not_guessed():
    tiers = ibis.memtable(pd.DataFrame({"customer_id": ["a", "b", "c", "d"], "tier": ["gold", "gold", "basic", "basic"]}))
    costs = ibis.memtable(pd.DataFrame({"customer_id": ["a", "b", "c", "z"], "cost": [0.1, 0.2, None, 9.0]}))
    found = cost_table(tiers, costs)
    assert [tuple(row) for row in found.itertuples(index=False)] == [("basic", 0, 0.0), ("gold", 2, 0.3)]
