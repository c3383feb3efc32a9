"""The metrics file is one that Prometheus reads, and holds what the output folder holds."""

from __future__ import annotations

import importlib.util
import re
from datetime import UTC, date, datetime

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from custvalue.publish import lock, nights, publish, published, record_refusal, stage
from custvalue.publish.prometheus import Attempt, Metric, night_metrics, write_metrics

NIGHT = date(2026, 1, 1)
NOW = datetime(2026, 1, 1, 2, 30, tzinfo=UTC)
ATTEMPT = Attempt(3, {"check": 1.25, "features": 3.0}, {"billing": 1000}, {"billing": 1, "usage": 32}, drift_alerts=2)


@pytest.fixture
def read(require_part):
    """Read a metrics file as Prometheus' own client does: name → label → value."""
    require_part("prometheus_client", importlib.util.find_spec("prometheus_client") is not None)
    from prometheus_client.parser import text_string_to_metric_families

    def parsed(path):
        families = list(text_string_to_metric_families(path.read_text(encoding="utf-8")))
        assert {family.type for family in families} <= {"gauge"}
        assert all(family.documentation for family in families)
        return {family.name: {tuple(sample.labels.items()): sample.value for sample in family.samples} for family in families}

    return parsed


@pytest.fixture
def output(tmp_path):
    """Two parts of scores and one list published; another night refused."""
    with lock(tmp_path):
        staging = stage(tmp_path, "run1")
        (staging / "scores.parquet").mkdir()
        for part, ids in enumerate((["1", "2"], ["3"])):
            pd.DataFrame({"customer_id": ids}).to_parquet(staging / "scores.parquet" / f"part-{part:03d}.parquet")
        pd.DataFrame({"customer_id": ["1", "3"], "net_value": [10.5, 4.0]}).to_parquet(staging / "lists.parquet")
        publish(tmp_path, as_of=NIGHT, run_id="run1", staging=staging, lineage={})
    record_refusal(tmp_path, date(2026, 1, 2), exit_code=3, message="feed late")
    return tmp_path


def write(output, attempt=ATTEMPT):
    path = output / "metrics.prom"
    newest = published(output) if (output / "manifests").exists() else None
    write_metrics(path, night_metrics(nights(output), newest, attempt, written_at=NOW))
    return path


def test_the_file_tells_the_night_the_attempt_and_the_feeds(output, read):
    found = read(write(output))
    assert found == {
        "custvalue_written_at_seconds": {(): NOW.timestamp()},
        "custvalue_last_exit_code": {(): 3},
        "custvalue_refused_nights": {(("exit_code", "3"),): 1},
        "custvalue_step_seconds": {(("step", "check"),): 1.25, (("step", "features"),): 3.0},
        "custvalue_table_rows": {(("table", "billing"),): 1000},
        "custvalue_table_age_days": {(("table", "billing"),): 1, (("table", "usage"),): 32},
        "custvalue_drift_alerts": {(): 2},
        "custvalue_last_success_as_of_seconds": {(): datetime(2026, 1, 1, tzinfo=UTC).timestamp()},
        "custvalue_last_success_generation": {(): 1},
        "custvalue_customers_scored": {(): 3},
        "custvalue_customers_listed": {(): 2},
        "custvalue_lists_net_value": {(): 14.5},
    }


def test_before_the_first_night_there_is_only_the_attempt(tmp_path, read):
    found = read(write(tmp_path, Attempt(4)))
    assert found == {"custvalue_written_at_seconds": {(): NOW.timestamp()}, "custvalue_last_exit_code": {(): 4}}


def test_the_same_state_gives_the_same_bytes(output):
    first = write(output).read_bytes()
    turned = Attempt(3, dict(reversed(ATTEMPT.seconds.items())), ATTEMPT.rows, dict(reversed(ATTEMPT.age_days.items())), 2)
    assert write(output, turned).read_bytes() == first
    assert [path.name for path in output.glob(".metrics*")] == []


@given(st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"], include_characters="\n"), min_size=1), st.floats())
def test_any_label_and_any_number_is_read_back(tmp_path_factory, label, value):
    path = tmp_path_factory.getbasetemp() / "any.prom"
    write_metrics(path, [Metric("custvalue_any", "Any value.", {label: value}, "name")])
    (family,) = text_string_to_metric_families(path.read_text(encoding="utf-8"))
    (sample,) = family.samples
    assert sample.labels == {"name": label}
    assert sample.value == value or value != value


def test_every_line_follows_the_text_format(output):
    name = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
    number = r"[+-]?(\d+(\.\d+)?([eE][+-]?\d+)?|inf|nan)"
    grammar = re.compile(rf'# (HELP|TYPE) {name} .+|{name}(\{{[a-zA-Z_]\w*="([^"\\\n]|\\[\\"n])*"\}})? {number}')
    text = write(output).read_text(encoding="utf-8")
    assert text.endswith("\n")
    assert [line for line in text.splitlines() if not grammar.fullmatch(line)] == []
