"""The shipped reasons speak about columns that the features really have, and every column has its reason."""

from __future__ import annotations

import pytest

from custvalue.explain.vocabulary import declared, known_columns
from custvalue.features import FeatureColumn
from custvalue.wording import Catalogue, windowless

PRODUCTS = ("OnlineSecurity", "TechSupport")


@pytest.fixture(scope="module", params=[(1, 3, 6, 12), (1, 2)], ids=str)
def columns(request: pytest.FixtureRequest) -> dict[str, FeatureColumn]:
    return dict(declared(request.param, PRODUCTS))


def test_every_column_belongs_to_one_reason_of_the_catalogue(catalogue: Catalogue, columns: dict[str, FeatureColumn]):
    assert {column.reason for column in columns.values()} <= set(catalogue.reasons)


def test_every_column_that_can_be_declared_is_known_when_the_wording_is_loaded(columns: dict[str, FeatureColumn]):
    known = known_columns()
    assert {name: known.unit(name) for name in columns} == {name: column.unit for name, column in columns.items()}
    assert {column.reason for column in columns.values()} <= set(known.reasons)


def test_every_reason_of_a_column_has_words_about_its_own_columns(catalogue: Catalogue, columns: dict[str, FeatureColumn]):
    for reason in {column.reason for column in columns.values()}:
        own = {name for name, column in columns.items() if column.reason == reason}
        words = catalogue.reasons[reason]
        usable = [name for name, variant in words.variants.items() if variant.facts & own and variant.facts <= set(columns)]
        assert usable or words.sensitive, f"{reason}: none of {sorted(own)} can be told"


def test_what_must_not_be_said_has_no_sentence_that_could_slip_out(catalogue: Catalogue):
    assert {code for code, words in catalogue.reasons.items() if words.sensitive and words.variants} == set()


def test_traffic_data_are_never_spoken_of(catalogue: Catalogue, columns: dict[str, FeatureColumn]):
    private = {windowless(name) for name, column in columns.items() if column.consent == "traffic_data_consent"}
    assert private
    spoken = {windowless(fact) for words in catalogue.reasons.values() for variant in words.variants.values() for fact in variant.shown}
    assert spoken & private == set()


def test_every_reason_that_somebody_can_act_on_suggests_an_offer(catalogue: Catalogue):
    assert [code for code, words in catalogue.reasons.items() if words.actionable and words.offer is None] == []
