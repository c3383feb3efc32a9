"""Whatever engine scores a base, its parts say the same; on Spark the parts that are whole are not made again.

An operator with all tables, whole nights, and executors that are killed: `tests/e2e/test_spark_night.py`.
"""

from __future__ import annotations

import json
from datetime import date, timedelta
from functools import reduce
from operator import add

import lightgbm
import numpy as np
import pandas as pd
import pytest

from custvalue import pipeline
from custvalue.churn.bundle import ModelBundle
from custvalue.churn.calibration import Calibrator
from custvalue.churn.encoding import encode_columns, learn_vocabularies
from custvalue.config import load_retention_policy, load_trigger_rules
from custvalue.explain import load_wording
from custvalue.explain.portfolio import portfolio
from custvalue.monitoring import Profile
from custvalue.pipeline.base_scoring import BaseFacts
from custvalue.pipeline.carrying import carried_rating
from custvalue.pipeline.scoring import Scorer
from custvalue.pipeline.spark_scoring import SparkFacts
from custvalue.publish import Work
from custvalue.retention import Duty
from custvalue.tracking import LoadedModel

from .conftest import AS_OF

pytestmark = pytest.mark.long

CUSTOMERS = 150
IDS = [f"C{number:03d}" for number in range(CUSTOMERS)]
MONTHS = [date(2024, month, 1) for month in range(1, 7)]


@pytest.fixture(scope="module")
def rows() -> dict[str, pd.DataFrame]:
    """Bills, complaints, contacts and port queries, drawn at random."""
    rng = np.random.default_rng(3)
    joined = [date(2022, 1, 1) + timedelta(days=int(days)) for days in rng.integers(0, 800, CUSTOMERS)]
    own = pd.DataFrame({"customer_id": IDS, "valid_from": joined, "joined_on": joined})
    own["region"], own["manager_id"] = rng.choice(["north", "南"], CUSTOMERS), rng.choice(["M1", None], CUSTOMERS)
    own["plan"], own["marketing_consent"] = rng.choice(["S", "大流量"], CUSTOMERS), rng.random(CUSTOMERS) < 0.9
    bills = pd.DataFrame([(who, month) for who, day in zip(IDS, joined, strict=True) for month in MONTHS if month >= day.replace(day=1)])
    bills.columns = pd.Index(["customer_id", "month"])
    bills["revenue"] = rng.integers(500, 20000, len(bills)) / 100

    def dated(name: str, key: str, time: str, count: int) -> pd.DataFrame:
        at = pd.Timestamp(2024, 3, 1) + pd.to_timedelta(rng.integers(0, 120 * 86400, count), "s")
        return pd.DataFrame({key: [f"{name}{number}" for number in range(count)], "customer_id": rng.choice(IDS, count), time: at})

    complaints = dated("P", "complaint_id", "opened_at", 60)
    complaints["closed_at"] = (complaints.opened_at + pd.Timedelta(days=4)).where(rng.random(60) < 0.7)
    complaints["category"] = rng.choice(["billing", "network"], 60)
    contacts = dated("T", "contact_id", "contacted_at", 60)
    contacts["outcome"], contacts["reached"] = rng.choice(["accepted", "refused", "opted_out"], 60), rng.random(60) < 0.6
    events = dated("E", "event_id", "occurred_at", 40)
    events["event_type"] = rng.choice(["port_query", "port_authorised"], 40)
    left = pd.DataFrame({"customer_id": IDS[:3], "left_on": [date(2024, 5, 1)] * 3, "kind": ["voluntary"] * 3})
    return {"customers": own, "billing": bills, "complaints": complaints, "contacts": contacts, "events": events, "departures": left}


def trained(facts: BaseFacts) -> LoadedModel:
    """Learn something from the features, whatever it is."""
    frame, columns = facts.read(0).to_pandas(), tuple((column.name, column.kind) for column in facts.built.columns)
    vocabularies = learn_vocabularies(frame, columns)
    matrix = pd.DataFrame(encode_columns(frame, columns, vocabularies), columns=[name for name, _ in columns])
    leaves = (frame.revenue_mean_1m.to_numpy() + 30 * np.random.default_rng(1).normal(size=len(frame))) > 110
    settings = {"objective": "binary", "verbose": -1, "num_threads": 1, "num_leaves": 5, "min_data_in_leaf": 5}
    booster = lightgbm.train(settings, lightgbm.Dataset(matrix, leaves.astype(int), categorical_feature=list(vocabularies)), 15)
    bundle = ModelBundle(
        model_text=booster.model_to_string(),
        columns=columns,
        vocabularies=vocabularies,
        calibrator=Calibrator("sigmoid", 1.0, -1.0),
        feature_spec_hash=facts.built.spec_hash,
        outcome={},
        trained={},
        versions={},
    )
    return LoadedModel("six", 1, "run", bundle.digest, bundle)


def of_parts(parts) -> dict[str, object]:
    """All that parts say, in an order of its own."""
    said = {}
    for name, order in {"rows": ["customer_id"], "reasons": ["customer_id"], "care": ["customer_id", "kind"]}.items():
        frame = pd.concat([pd.read_parquet(part / f"{name}.parquet") for part in parts])
        said[name] = frame.sort_values(order, ignore_index=True)
    sums = portfolio(pd.read_parquet(part / "sums.parquet") for part in parts)
    said["sums"] = sums.sort_values(["dimension", "group", "reason"], ignore_index=True)
    profiles = [Profile.from_dict(json.loads((part / "profile.json").read_text(encoding="utf-8"))) for part in parts]
    said["profile"] = reduce(add, profiles).to_dict()
    met = [pd.Series(json.loads((part / "met.json").read_text(encoding="utf-8")), dtype=float) for part in parts]
    said["met"] = pd.concat(met, axis="columns").sum(axis="columns").to_dict()
    return said


def assert_same(found, wanted) -> None:
    for name, one in of_parts(wanted).items():
        other = of_parts(found)[name]
        if isinstance(one, pd.DataFrame):
            pd.testing.assert_frame_equal(other, one, rtol=1e-9, atol=1e-12, obj=name)
        else:
            assert other == one, name


def test_both_engines_say_the_same_of_everybody_and_whole_parts_stay(spark, operator, rows, heard, tmp_path):
    config = operator(**rows).model_copy(update={"engine": "spark"})
    tables, _ = pipeline.check(config, AS_OF, reporter=heard)
    rated = carried_rating(config, tables, AS_OF, log=heard.note)
    policy, rules = load_retention_policy(config.retention_policy), load_trigger_rules(config.triggers)
    given = {"dispute_categories": rules.dispute_categories, "log": heard.note}
    facts = BaseFacts(config, AS_OF, tables, rated, **given)
    duty = Duty.of(None, policy, as_of=AS_OF)
    scorer = Scorer(config, AS_OF, facts.built.columns, trained(facts), {}, policy, duty, rules, load_wording(config.wording), b"k" * 32)

    def scored(name: str, engine) -> tuple[list, int]:
        work = Work(tmp_path / name, "run1")
        work.begin(engine.layout)
        return engine.score(scorer, work, clock={}, reporter=heard)

    wanted, _ = scored("duckdb", facts)
    on_spark = SparkFacts(config, AS_OF, tables, rated, folder=tmp_path / "shared", **given)
    assert on_spark.built.columns == facts.built.columns
    assert set(on_spark.columns) == set(facts.columns)
    assert (on_spark.customer_columns, on_spark.total) == (facts.customer_columns, facts.total == CUSTOMERS - 3 and facts.total)
    parts, found = scored("spark", on_spark)
    assert (len(parts), found) == (on_spark.count, 0)
    assert_same(parts, wanted)
    (parts[2] / "rows.parquet").write_bytes(b"spoilt")
    marks = {part: (part / "done.json").stat().st_mtime_ns for part in parts}
    again, found = scored("spark", on_spark)
    assert (again, found) == (parts, len(parts) - 1)
    assert [part for part in parts if (part / "done.json").stat().st_mtime_ns != marks[part]] == [parts[2]]
    assert_same(again, wanted)
    on_spark.close()
