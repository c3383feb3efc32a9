"""A report of two published nights of a small operator, whose outcomes and lists are counted by hand."""

from __future__ import annotations

import json
import re
from datetime import date
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

from custvalue import publish
from custvalue.app.monitor import JSON_FILE, REPORT_FILE, Wanted, run_monitor
from custvalue.config import Config, load_config
from custvalue.errors import DataError
from custvalue.monitoring import Reference, count_part
from custvalue.pipeline.monitor_report import MonitorReport, monitor_report

CUSTOMERS = [f"C{k:04d}" for k in range(1_200)]
LEAVERS = CUSTOMERS[::12]
"""A hundred: ninety of them leave in the first night's window, ten inside the gap."""
FIRST, SECOND, KNOWN = date(2024, 1, 1), date(2024, 5, 1), date(2024, 5, 2)
POLICY = {
    "name": "by-bill",
    "version": 1,
    "source": "made for these tests",
    "tiers": ["gold", "basic"],
    "rules": {
        "bill": {
            "components": {"arpu": {"metric": "revenue_mean_3m", "points_per_unit": 1.0}},
            "cuts": {"kind": "thresholds", "at_least": {"gold": 100}},
        }
    },
}
COLUMNS = (("bill", "number"), ("plan", "category"))


class Heard:
    """A reporter that remembers what it was told."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.alerts: list[str] = []

    def start(self, step: str) -> None:
        """Begin nothing."""

    def note(self, text: str) -> None:
        self.notes.append(text)

    def done(self, *told: str, **_: Any) -> None:
        self.notes += told

    def alert(self, text: str) -> None:
        self.alerts.append(text)


def facts(plan: str = "S") -> pd.DataFrame:
    bills = np.linspace(20, 180, len(CUSTOMERS))
    return pd.DataFrame({"customer_id": CUSTOMERS, "bill": bills, "plan": pd.Series([plan, "M"] * 600, dtype=object)})


def scores(night: date) -> pd.DataFrame:
    """Leavers score higher; the lists are the first and the second ten customers, five of whom are on both."""
    probability = np.where(np.isin(CUSTOMERS, LEAVERS), 0.2, 0.07)
    decision = np.full(len(CUSTOMERS), "over_capacity", dtype=object)
    decision[slice(0, 10) if night == FIRST else slice(5, 15)] = "listed"
    tier = np.where(np.arange(len(CUSTOMERS)) < (600 if night == FIRST else 570), "gold", "basic")
    frame = pd.DataFrame({"customer_id": CUSTOMERS, "probability": probability, "tier": tier, "decision": decision})
    return frame.assign(manager_id="M1", value_at_stake=100.0)


REFERENCE = Reference.of(facts(), COLUMNS, scores(FIRST).probability)


def put(config: Config, night: date, *, plan: str = "S") -> None:
    with publish.lock(config.output):
        staging = publish.stage(config.output, f"run{night:%m}")
        (staging / "scores.parquet").mkdir()
        for number, part in enumerate(np.array_split(np.arange(len(CUSTOMERS)), 3)):
            scores(night).iloc[part].to_parquet(staging / "scores.parquet" / f"part-{number:03d}.parquet", index=False)
        profile = count_part(facts(plan), scores(night).probability, REFERENCE)
        (staging / "profile.json").write_text(json.dumps(profile.to_dict()))
        lineage = {"model": {"name": "small", "version": 3}}
        publish.publish(config.output, as_of=night, run_id=f"run{night:%m}", staging=staging, lineage=lineage)


@pytest.fixture
def config(tmp_path: Path) -> Config:
    joined, months = date(2022, 1, 1), [date(2023, month, 1) for month in range(1, 13)] + [date(2024, month, 1) for month in range(1, 5)]
    data = tmp_path / "data"
    data.mkdir()
    pd.DataFrame({"customer_id": CUSTOMERS, "valid_from": joined, "joined_on": joined}).to_parquet(data / "customers.parquet")
    bills = [(who, month, 50.0) for who in CUSTOMERS for month in months]
    pd.DataFrame(bills, columns=["customer_id", "month", "revenue"]).to_parquet(data / "billing.parquet")
    left = [(who, date(2024, 1, 20) if k % 10 == 0 else date(2024, 3, 5), "voluntary") for k, who in enumerate(LEAVERS)]
    pd.DataFrame(left, columns=["customer_id", "left_on", "kind"]).to_parquet(data / "departures.parquet")
    content = {"sources": {"folder": "data"}, "tier_policy": "tiers.yaml", "retention_policy": "retention.yaml", "language": "en"}
    content |= {"features": {"windows": [1, 3]}, "churn": {"gap_months": 1, "horizon_months": 2, "bootstrap": 50}}
    (tmp_path / "tiers.yaml").write_text(yaml.safe_dump(POLICY))
    (tmp_path / "small.yaml").write_text(yaml.safe_dump(content))
    return load_config(tmp_path / "small.yaml")


def look(config: Config, as_of: date = KNOWN) -> MonitorReport:
    return monitor_report(config, as_of, reference=lambda _: REFERENCE, reporter=Heard())


def test_what_came_true_is_what_was_counted(config: Config) -> None:
    put(config, FIRST)
    put(config, SECOND)
    (night,) = look(config).judged
    assert (night.night, night.model) == (FIRST, "small v3")
    assert (night.customers, night.leavers, night.called, night.otherwise) == (1_190, 90, 0, 10)
    expected = 90 * 0.2 + 1_100 * 0.07
    assert night.measures["ratio"].value == pytest.approx(90 / expected)
    assert night.measures["auc"].value == 1
    assert night.by_tier["gold"]["ratio"].value > night.by_tier["gold"]["ratio"].low > 0


def test_a_window_that_is_not_over_is_not_judged(config: Config) -> None:
    put(config, FIRST)
    assert look(config, date(2024, 3, 31)).judged == ()
    assert len(look(config, date(2024, 4, 1)).judged) == 1


def test_lists_and_tiers_of_two_nights(config: Config) -> None:
    put(config, FIRST)
    put(config, SECOND)
    report = look(config)
    assert report.before == FIRST
    assert report.turnover.groupby("change").customers.sum().to_dict() == {"entered": 5, "left": 5, "stayed": 5}
    assert report.metrics["lists.kept"] == pytest.approx(0.5)
    assert [report.metrics[f"tiers.{way}"] for way in ("moved", "down", "up")] == pytest.approx([30 / 1_200, 30 / 1_200, 0])
    assert report.metrics["night.days_behind"] == 1


def test_more_leavers_than_foretold_and_a_late_night_are_told_by_the_rules(config: Config) -> None:
    put(config, FIRST)
    assert {alert.rule.name for alert in look(config).alerts} >= {"night_is_behind"}
    assert "more_leave_than_foretold" not in {alert.rule.name for alert in look(config, date(2024, 4, 1)).alerts}
    own = config.alerts.read_text(encoding="utf-8").replace("above: 1.1\n", "above: 0.5\n")
    path = config.workspace / "alerts.yaml"
    path.write_text(own, encoding="utf-8")
    keen = config.model_copy(update={"alerts": path})
    assert "more_leave_than_foretold" in {alert.rule.name for alert in look(keen, date(2024, 4, 1)).alerts}


def test_a_planted_change_is_on_the_page_in_both_languages_and_no_customer_is(
    config: Config, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    put(config, FIRST)
    put(config, SECOND, plan="XXL")
    heard = Heard()
    page = tmp_path / "page.html"
    for language, words in (("en", "a level that the model never saw"), ("zh", "模型未见过的类别")):
        report = run_monitor(config, Wanted(KNOWN, page, language, log=False), environ={}, reporter=heard)
        text = page.read_text(encoding="utf-8")
        # without a model store nothing is compared with training, and the page says so
        assert report.notes[0] == "no_reference"
        HTMLParser().feed(text)
        assert not re.search(r"(https?:)?//(?!www\.w3\.org)", re.sub(r'xmlns(:\w+)?="[^"]*"', "", text))
        assert not [who for who in CUSTOMERS if who in text]
        trained = monitor_report(config, KNOWN, reference=lambda _: REFERENCE, reporter=heard)
        from custvalue.app.monitor import loud_lines, monitor_page
        from custvalue.app.monitor.words import Words

        told = Words(config, language)
        assert any(words in line for line in loud_lines(trained, told))
        assert words in monitor_page(trained, told)
    data = json.loads((config.output / "monitoring" / f"as_of={KNOWN}" / JSON_FILE).read_text(encoding="utf-8"))
    assert data["metrics"]["lists.entered"] == 5
    assert data["realised"][0]["leavers"] == 90
    assert not [who for who in CUSTOMERS if who in json.dumps(data)]
    assert heard.alerts
    assert not (config.output / "monitoring" / f"as_of={KNOWN}" / REPORT_FILE).exists()
    assert str(page) in capsys.readouterr().out


def test_damage_is_told(config: Config) -> None:
    with pytest.raises(DataError, match="no night is published"):
        look(config)
    put(config, FIRST)
    path = publish.published(config.output, FIRST).folder / "profile.json"
    path.write_text(path.read_text()[:100])
    with pytest.raises(DataError, match="differ from the manifest"):
        look(config)
