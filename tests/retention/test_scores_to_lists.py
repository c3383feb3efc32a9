"""`decide` and `choose` together: from scores to tonight's lists."""

from datetime import date

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from custvalue.retention.choosing import choose
from custvalue.retention.counts import count_decisions, customers_by_manager, told_counts
from custvalue.retention.deciding import decide
from custvalue.retention.decisions import DECISIONS, WAITING
from custvalue.retention.managers import Duty

from .decided import by_list

KEY = b"an invented key of the holdout"
AS_OF = date(2026, 1, 1)


def night(scores, policy):
    duty = Duty.of(None, policy, as_of=AS_OF)
    decided = decide(scores, policy=policy, duty=duty, holdout_key=KEY, as_of=AS_OF)
    open_to = (decided["decision"] == WAITING) | (decided["account"].notna() & (decided["decision"] == "not_worth_a_contact"))
    choice = choose(decided[open_to], duty=duty, policy=policy)
    return decided.assign(decision=choice.final(decided)), choice


def test_worthiest_contacts_come_first_up_to_capacity(policy, make_scores):
    # at p 0.5 the net value is 0.4225 * ARPU - 1, so ARPU orders the list
    decided, choice = night(make_scores(arpu=[50.0, 200.0, 100.0, 20.0]), policy)
    assert by_list(choice.listed) == {"M1": ["c0001", "c0002"]}
    assert choice.listed["net_value"].tolist() == pytest.approx([83.5, 41.25])
    assert decided["decision"].tolist() == ["over_capacity", "listed", "listed", "over_capacity"]


def test_value_counts_not_probability_alone(policy, make_scores):
    _, choice = night(make_scores(arpu=[20.0, 300.0], probability=[0.9, 0.4]), policy)
    assert by_list(choice.listed) == {"M1": ["c0001", "c0000"]}


def test_account_is_one_row_of_the_list_and_of_one_arm(make_policy, make_scores):
    policy = make_policy(holdout={"share": 0.4}, contact_cost=30.0, capacity_per_manager=100)
    rows = make_scores(
        arpu=[100.0, 60.0] * 30, segment=["enterprise"] * 60, account_id=[f"A{i // 2:02d}" for i in range(60)], manager_id=["M1"] * 60
    )
    decided, choice = night(rows, policy)
    assert decided.groupby("account")["arm"].nunique().max() == 1
    # alone 42.25 - 30 + 1 and 25.35 - 30 + 1, the second of which is not worth a contact; together with one contact 38.6
    assert choice.listed["net_value"].to_numpy() == pytest.approx(160 * 0.4225 - 30)
    assert len(choice.listed) + len(choice.would_be) == 30
    assert len(choice.would_be) > 0
    assert count_decisions(decided["decision"])["account_covered"] == len(choice.listed)


def test_base_of_which_nobody_is_worth_a_contact_gives_empty_lists(policy, make_scores):
    decided, choice = night(make_scores(arpu=[None, 0.0]), policy)
    assert choice.listed.empty
    counts = count_decisions(decided["decision"])
    assert (counts["arpu_unknown"], counts["not_worth_a_contact"]) == (1, 1)
    assert told_counts(counts) == "2 customers considered: arpu_unknown 1, not_worth_a_contact 1"


def test_customers_are_counted_by_their_own_manager():
    assert customers_by_manager(pd.Series(["M1", None, "M1", "M2"])) == {"M1": 2, "M2": 1}


customers = st.fixed_dictionaries(
    {
        "probability": st.floats(0, 1),
        "tier": st.sampled_from(["gold", "gold", "gold", "silver", "basic", "unrated"]),
        "arpu": st.none() | st.floats(-50, 500),
        "manager_id": st.none() | st.sampled_from(["M1", "M2"]),
        "marketing_consent": st.sampled_from([True, True, True, False, None]),
        "port_authorised": st.sampled_from([False, False, False, True, None]),
        "segment": st.sampled_from(["consumer", "consumer", "enterprise"]),
        "account_id": st.sampled_from([None, "A1", "A2"]),
    }
)
bases = st.lists(customers, min_size=1, max_size=40).map(
    lambda rows: pd.DataFrame(rows).assign(customer_id=[f"c{i:03d}" for i in range(len(rows))])
)


@given(scores=bases, share=st.sampled_from([0.0, 0.4]))
def test_nobody_is_dropped_silently_and_only_the_allowed_are_listed(make_policy, scores, share):
    decided, choice = night(scores, make_policy(holdout={"share": share, "universal": share / 4}))
    assert decided["customer_id"].tolist() == scores["customer_id"].tolist()
    assert set(decided["decision"]) <= set(DECISIONS)
    assert sum(count_decisions(decided["decision"]).values()) == len(scores)
    own = scores.set_index("customer_id").loc[choice.listed["customer_id"]]
    assert (own["tier"] == "gold").all()
    assert (own["marketing_consent"] == True).all()  # noqa: E712 - None is not consent
    assert not (own["port_authorised"] == True).any()  # noqa: E712
    assert (choice.listed["net_value"] > 0).all()
    assert choice.listed["account"].dropna().is_unique
    assert not set(choice.listed["unit"]) & set(choice.would_be["unit"])
