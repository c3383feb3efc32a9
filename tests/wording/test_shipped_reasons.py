"""The shipped reasons speak about columns that the features really have."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import ibis
import pytest

from custvalue.config import FeaturesConfig
from custvalue.features import FeatureColumn, build_features
from custvalue.sources import CONTRACT, Moment
from custvalue.wording import Catalogue

PRODUCTS = ("OnlineSecurity", "TechSupport")
TYPES = {"VARCHAR": "string", "DATE": "date", "TIMESTAMP": "timestamp(6)", "BOOLEAN": "boolean", "INTEGER": "int32", "BIGINT": "int64"}


def declared(windows: tuple[int, ...]) -> dict[str, FeatureColumn]:
    """Columns of an operator who maps every table and column of the contract."""
    tables = {
        name: ibis.table({c.name: TYPES.get(c.dtype, c.dtype.lower()) for c in table.columns} | {"available_at": "timestamp(6)"}, name=name)
        for name, table in CONTRACT.items()
    }
    settings = FeaturesConfig(windows=windows, products=PRODUCTS)
    columns = build_features(tables, Moment(date(2026, 1, 1)), settings).columns
    return {column.name: column for column in columns}


@pytest.fixture(scope="module", params=[(1, 3, 6, 12), (1, 2)], ids=str)
def columns(request: pytest.FixtureRequest) -> dict[str, FeatureColumn]:
    return declared(request.param)


def spoken_of(catalogue: Catalogue) -> Iterator[tuple[str, str, set[str]]]:
    for code, words in catalogue.reasons.items():
        for name, variant in words.variants.items():
            conditions = {condition.fact for condition in variant.when} | {c.times for c in variant.when if c.times}
            yield code, name, conditions | {place.fact for place in variant.en.places}


def test_no_variant_speaks_of_a_column_that_no_configuration_has(catalogue: Catalogue):
    # zero_months, arrears and closing times exist for some windows only: each set of windows adds its own
    known = {name for windows in ((1, 3, 6, 12), (1, 2), (1, 2, 3), (1, 3, 6)) for name in declared(windows)}
    unknown = {(code, name): facts - known for code, name, facts in spoken_of(catalogue) if facts - known}
    assert unknown == {}


def test_every_reason_of_a_column_has_words_about_its_own_columns(catalogue: Catalogue, columns: dict[str, FeatureColumn]):
    for reason in {column.reason for column in columns.values()}:
        own = {name for name, column in columns.items() if column.reason == reason}
        usable = [name for code, name, facts in spoken_of(catalogue) if code == reason and facts & own and facts <= set(columns)]
        assert usable, f"{reason}: none of {sorted(own)} can be told"


def test_formats_fit_units(catalogue: Catalogue, columns: dict[str, FeatureColumn]):
    fitting = {
        "money": {"money"},
        "months": {"months"},
        "days": {"days"},
        "count": {"count"},
        "minutes": {"minutes"},
        "MB": {"gb"},
        "share": {"percent", "negated_percent"},
        "points": {"count"},
        "category": {"text"},
    }
    for words in catalogue.reasons.values():
        for variant in words.variants.values():
            for place in variant.en.places:
                if place.fact in columns:
                    assert place.format in fitting[columns[place.fact].unit], place
