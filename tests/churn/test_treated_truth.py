"""Leaving contacted customers out of training, held against the simulator's potential outcomes: what each would have done uncalled."""

from datetime import date

import pandas as pd
import pytest
import yaml

from custvalue.churn.outcomes import label, treated
from custvalue.config import ChurnConfig, load_config
from custvalue.simulate import simulate
from custvalue.sources import open_tables

THREE_MONTHS = ChurnConfig(gap_months=0, horizon_months=3)
CALLS = {"contacts": {"share": 0.3, "treated": 0.8, "reach": 0.9, "saves": 1.0, "persuadable": 0.9, "sleeping_dog": 0.0, "cooldown": 0}}


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    """Customers of an operator who calls many of those at risk and saves most: how they ended, who was called, what would have been."""
    folder = tmp_path_factory.mktemp("operator")
    (folder / "calls.yaml").write_text(yaml.safe_dump(CALLS | {"intent": {"base": -2.6}}))
    simulate(folder / "data", customers=2_000, months=9, seed=4, start=date(2025, 1, 1), scenario=folder / "calls.yaml")
    told = {"sources": {"folder": "data"}, "time_zone": "Asia/Shanghai", "tier_policy": "t", "retention_policy": "r"}
    (folder / "operator.yaml").write_text(yaml.safe_dump(told))
    tables = open_tables(load_config(folder / "operator.yaml"))
    snapshot, known_at = date(2025, 6, 1), date(2025, 10, 1)
    ended = label(tables, snapshot, known_at, THREE_MONTHS).to_pandas()
    called = treated(tables, snapshot, known_at, THREE_MONTHS).to_pandas().customer_id
    truth = pd.read_parquet(folder / "data" / "truth" / "states.parquet")
    known = truth[(truth.month == date(2025, 5, 1)) & truth.left_if_not_called.notna()]
    merged = ended[ended.outcome <= 1].merge(known, on="customer_id")
    return merged.assign(contacted=merged.customer_id.isin(called), alone=merged.left_if_not_called.astype(float))


def test_contacted_rows_taken_as_they_ended_hide_those_who_were_saved(rows):
    called = rows[rows.contacted & rows.called]
    assert len(called) > 200
    assert called.outcome.mean() < 0.8 * called.alone.mean()


def test_the_rows_that_train_ended_as_they_would_have_uncalled(rows):
    kept = rows[~rows.contacted]
    assert len(kept) > 500
    assert kept.alone.mean() == pytest.approx(kept.outcome.mean(), rel=0.05)
    assert (kept.alone == kept.outcome).mean() > 0.99
