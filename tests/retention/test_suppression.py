"""Who takes no slot, and why: the first reason that holds is the one given."""

import pytest

from custvalue.errors import ConfigError, DataError
from custvalue.retention import DECISIONS, rank


def decisions(scores, policy, as_of, **options):
    return rank(scores, policy=policy, as_of=as_of, **options).considered["decision"].tolist()


def test_each_reason_and_their_order(make_policy, make_scores, as_of):
    scores = make_scores(
        tier=["gold", "gold", "gold", "silver", "basic", "gold", "gold", "gold", "silver", "unrated"],
        arpu=[100.0, 100.0, 100.0, 100.0, 100.0, None, 100.0, 100.0, None, 100.0],
        probability=[0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.01, 0.5, 0.5, 0.5],
        marketing_consent=[True, False, None, True, True, True, True, True, False, True],
        port_authorised=[True, False, False, False, None, False, False, False, True, False],
    )
    assert decisions(scores, make_policy(), as_of) == [
        "port_authorised",
        "no_consent",
        "consent_unknown",
        "channel_message",
        "channel_self_service",
        "arpu_unknown",
        "not_worth_a_contact",
        "listed",
        "port_authorised",
        "channel_message",
    ]


def test_every_customer_with_a_bill_of_nothing_or_less_is_not_worth_a_contact(policy, make_scores, as_of):
    assert decisions(make_scores(arpu=[0.0, -5.0]), policy, as_of) == ["not_worth_a_contact"] * 2


def test_consent_that_is_not_mapped_is_said_and_suppresses_nobody(policy, make_scores, as_of):
    lines = []
    assert decisions(make_scores(arpu=[100.0]), policy, as_of, log=lines.append) == ["listed"]
    assert "marketing consent is not mapped: nobody is left out for it" in lines


def test_mapped_consent_that_arrives_empty_lists_nobody(policy, make_scores, as_of):
    assert decisions(make_scores(marketing_consent=[None, None]), policy, as_of) == ["consent_unknown"] * 2


@pytest.mark.parametrize("dtype", ["object", "boolean", "float64"])
def test_consent_reads_the_same_in_every_type_pandas_gives_it(policy, make_scores, as_of, dtype):
    scores = make_scores(marketing_consent=[True, False, None])
    scores["marketing_consent"] = scores["marketing_consent"].astype("boolean").astype(dtype)
    assert decisions(scores, policy, as_of) == ["listed", "no_consent", "consent_unknown"]


def test_consent_in_words_is_refused(policy, make_scores, as_of):
    with pytest.raises(DataError, match=r"1 values of marketing_consent are neither true nor false .*'false'"):
        rank(make_scores(marketing_consent=["false", True]), policy=policy, as_of=as_of)


def test_tier_without_a_channel_is_refused(policy, make_scores, as_of):
    with pytest.raises(ConfigError, match=r"test-v1: channels name no channel for \(missing\), platinum\."):
        rank(make_scores(tier=["gold", "platinum", None]), policy=policy, as_of=as_of)


@pytest.mark.parametrize("wrong", [-0.1, 1.1, None, float("nan")])
def test_impossible_probability_is_refused_and_the_identifier_masked(policy, make_scores, as_of, wrong):
    scores = make_scores(probability=[0.5, wrong], customer_id=["13800001111", "13912345678"])
    with pytest.raises(DataError, match=r"1 probabilities .*13\*\*\*78") as raised:
        rank(scores, policy=policy, as_of=as_of)
    assert "13912345678" not in str(raised.value)


@pytest.mark.parametrize("ids", [["a", "a"], ["a", None]])
def test_customer_twice_or_without_id_is_refused(policy, make_scores, as_of, ids):
    with pytest.raises(DataError, match="1 rows have no customer_id or one that occurs before"):
        rank(make_scores(customer_id=ids), policy=policy, as_of=as_of)


def test_missing_column_is_named(policy, make_scores, as_of):
    with pytest.raises(DataError, match="scores lack tier, arpu;"):
        rank(make_scores(arpu=[1.0]).drop(columns=["tier", "arpu"]), policy=policy, as_of=as_of)


def test_counts_name_every_decision_even_of_nobody(policy, make_scores, as_of):
    assert tuple(rank(make_scores(arpu=[1.0]).head(0), policy=policy, as_of=as_of).counts) == DECISIONS
