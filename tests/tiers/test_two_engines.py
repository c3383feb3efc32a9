"""DuckDB and Spark fit the same cuts and give the same ratings, for policies of every kind."""

from datetime import date

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from custvalue.config import TierPolicyConfig
from custvalue.tiers import TierPolicy

from . import drawing
from .oracle import Oracle
from .test_step import FACTS, STATE, by_customer, differing

pytestmark = pytest.mark.long  # one engine is compared with the other: both run in one process

DAY = date(2025, 3, 31)
KINDS = {
    "thresholds, account": (("thresholds",), "account", 3),
    "share of base, line": (("share_of_base",), "line", 5),
    "share of revenue, line": (("share_of_revenue",), "line", 7),
    "share of revenue, household": (("share_of_revenue", "share_of_base"), "household", 8),
}
FOUND = {}


def first_that(seed, kinds, level):
    """The first drawn policy with adjustments, one of them at once, and with steps and grace."""
    while True:
        policy = drawing.policy(seed, kinds=kinds, level=level)
        if any(each.get("at_once") for each in policy["adjustments"]) and policy["stability"]["grace_months"] and len(policy["rules"]) > 1:
            return policy
        seed += 100


@pytest.fixture(scope="module")
def found(engine, tmp_path_factory):
    """Cuts and rating of every kind of policy on one engine."""
    folder = tmp_path_factory.mktemp("tables")
    result = {}
    for kind, (kinds, level, seed) in KINDS.items():
        policy, rows = first_that(seed, kinds, level), drawing.base(seed, 300)
        before = drawing.previous(seed, rows, DAY)
        tables = []
        for name, table in {"facts": (rows, FACTS), "before": (before, STATE)}.items():
            pq.write_table(pa.Table.from_pylist(table[0], schema=table[1]), folder / f"{seed}-{name}.parquet")
            tables.append(engine.read_parquet(folder / f"{seed}-{name}.parquet"))
        fitted = TierPolicy(TierPolicyConfig.model_validate(policy)).fit(tables[0], as_of=DAY)
        rating = engine.to_pyarrow(fitted.assign(tables[0], as_of=DAY, previous=tables[1]))
        result[kind] = (fitted, by_customer(rating), differing(by_customer(rating), Oracle(policy, fitted.cuts).rate(rows, before, DAY)))
    FOUND[engine.name] = result
    return result


@pytest.mark.parametrize("kind", KINDS)
def test_ratings_are_the_oracles_on_either_engine(found, kind):
    assert found[kind][2] == {}


@pytest.mark.parametrize("kind", KINDS)
def test_engines_agree_on_cuts_and_rows(found, kind):
    theirs, ours = FOUND["duckdb"][kind], found[kind]
    assert ours[0] == theirs[0]
    assert ours[1] == theirs[1]


def test_the_ratings_compared_are_not_all_alike(found):
    reasons = {row["reason_code"] for kind in found.values() for row in kind[1].values()}
    assert len(reasons) >= 10
