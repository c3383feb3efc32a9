"""What customers are refused for, how yes and no are read, and what is said where consent is not mapped."""

import pytest

from custvalue.errors import ConfigError, DataError
from custvalue.retention import consent_notes


def test_every_customer_with_a_bill_of_nothing_or_less_is_not_worth_a_contact(policy, make_scores, decide_on):
    assert decide_on(make_scores(arpu=[0.0, -5.0]), policy)["decision"].tolist() == ["not_worth_a_contact"] * 2


def test_consent_that_is_not_mapped_is_said_and_suppresses_nobody(policy, make_scores, decide_on):
    scores = make_scores(arpu=[100.0])
    assert decide_on(scores, policy)["decision"].tolist() == ["over_capacity"]
    assert consent_notes(scores.columns) == ["marketing consent is not mapped: nobody is left out for it"]
    assert consent_notes(["marketing_consent"]) == []


def test_mapped_consent_that_arrives_empty_lists_nobody(policy, make_scores, decide_on):
    assert decide_on(make_scores(marketing_consent=[None, None]), policy)["decision"].tolist() == ["consent_unknown"] * 2


@pytest.mark.parametrize("dtype", ["object", "boolean", "float64"])
def test_consent_reads_the_same_in_every_type_pandas_gives_it(policy, make_scores, decide_on, dtype):
    scores = make_scores(marketing_consent=[True, False, None])
    scores["marketing_consent"] = scores["marketing_consent"].astype("boolean").astype(dtype)
    assert decide_on(scores, policy)["decision"].tolist() == ["over_capacity", "no_consent", "consent_unknown"]


@pytest.mark.parametrize("column", ["marketing_consent", "port_authorised", "asked_no_contact", "in_dispute"])
def test_yes_and_no_in_words_are_refused(policy, make_scores, decide_on, column):
    with pytest.raises(DataError, match=rf"1 values of {column} are neither true nor false .*'false'"):
        decide_on(make_scores(**{column: ["false", True]}), policy)


def test_tier_without_a_channel_is_refused(policy, make_scores, decide_on):
    with pytest.raises(ConfigError, match=r"test-v1: channels name no channel for \(missing\), platinum\."):
        decide_on(make_scores(tier=["gold", "platinum", None]), policy)


@pytest.mark.parametrize("wrong", [-0.1, 1.1, None, float("nan")])
def test_impossible_probability_is_refused_and_the_identifier_masked(policy, make_scores, decide_on, wrong):
    scores = make_scores(probability=[0.5, wrong], customer_id=["13800001111", "13912345678"])
    with pytest.raises(DataError, match=r"1 probabilities .*13\*\*\*78") as raised:
        decide_on(scores, policy)
    assert "13912345678" not in str(raised.value)


@pytest.mark.parametrize("ids", [["a", "a"], ["a", None]])
def test_customer_twice_or_without_id_is_refused(policy, make_scores, decide_on, ids):
    with pytest.raises(DataError, match="1 rows have no customer_id or one that occurs before"):
        decide_on(make_scores(customer_id=ids), policy)


def test_missing_column_is_named(policy, make_scores, decide_on):
    with pytest.raises(DataError, match="scores lack tier, arpu;"):
        decide_on(make_scores(arpu=[1.0]).drop(columns=["tier", "arpu"]), policy)
