"""What `custvalue effect` shows: the verdict in words, in both languages, naming no customer; and one run in MLflow."""

from __future__ import annotations

import json
import re
from datetime import date

import numpy as np
import pandas as pd
import pytest
import yaml

from custvalue.app.effect import Wanted, deliver, effect_page, headline, notes
from custvalue.app.effect.tables import report_tables
from custvalue.app.effect.words import Words
from custvalue.config import load_config
from custvalue.config.scorecard import ScorecardConfig
from custvalue.pipeline.effect import EffectReport
from custvalue.retention.effect import measure, team_scorecard
from custvalue.retention.effect.scorecard import process_scorecard

AS_OF = date(2026, 3, 1)


def make_report(*, size=6000, listed_rate=0.06, held_out_rate=0.12, planned=None, extras=True):
    random = np.random.default_rng(1)
    listed = random.random(size) < 0.8
    left = (random.random(size) < np.where(listed, listed_rate, held_out_rate)).astype(float)
    before = random.lognormal(3.5, 0.5, size)
    frame = pd.DataFrame({"listed": listed, "left": left, "revenue_before": before, "revenue": before * (1 - 0.5 * left)})
    frame = frame.assign(customer_id=[f"SECRET{n}" for n in range(size)], unit=frame.index, stratum="all", night=date(2025, 11, 3))
    frame = frame.assign(
        tier=random.choice(["gold", "platinum-x"], size), reason_code="<b>odd</b>", reached=listed & (random.random(size) < 0.5)
    )
    frame = frame.assign(team=random.choice(["north", "south"], size), contact_cost=2.0 * listed)
    measured = measure(frame, others_left=random.random(3000) < 0.01, planned=planned, resamples=99)
    flags = pd.DataFrame({name: [True] * 30 for name in ("due", "contacted_in_time", "contacted", "reached", "to_close", "coded")})
    flags = flags.assign(opted_out=False, complained=False, manager_id="M-007", opened_on=date(2025, 11, 3))
    return EffectReport(
        name="op",
        campaign="spring",
        as_of=AS_OF,
        months=3,
        nights=(date(2025, 11, 3),),
        runs=("run1",),
        policies=("default-v2",),
        universal=40,
        measured=measured,
        teams={"quarter": team_scorecard(frame, by="quarter")} if extras else {},
        managers={"month": process_scorecard(flags, ScorecardConfig(), by="month")} if extras else {},
        notes={"censored": 12, "no_costs": 1},
    )


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_page_says_everything_in_its_language_and_names_nobody(config, language):
    page = effect_page(make_report(), Words(load_config(config), language))
    assert "SECRET" not in page
    assert "<b>odd</b>" not in page
    assert page.count("<svg") == 2
    assert "nan" not in re.sub(r"<[^>]*>", "", page)
    for word in {"en": ["The campaign works", "What not to believe", "M-007"], "zh": ["活动有效", "不可采信", "M-007"]}[language]:
        assert word in page


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_campaign_that_is_known_badly_has_fewer_tables(config, language):
    words = Words(load_config(config), language)
    assert [table.sheet for table in report_tables(make_report(extras=False), words)] == ["compared", "money", "groups", "naive"]
    whole = [table.sheet for table in report_tables(make_report(), words)]
    assert whole[4:] == ["teams_quarter", "managers_month"]


def test_the_headline_says_what_may_be_said(config):
    words = Words(load_config(config), "en")
    works = make_report()
    assert headline(works, words).startswith("The campaign works: it kept ")
    # whom it kept is not what it earned: the calls cost more than three months bring
    assert works.measured.money.net.high < 0
    assert notes(works, words)[0].startswith("Net of all costs, the months watched brought -")
    assert headline(make_report(listed_rate=0.2), words).startswith("The campaign harms")
    open_ended = make_report(listed_rate=0.115, planned=-0.01)
    needs = open_ended.measured.judgement.needs
    assert f"needs {needs:,} customers, compared were 6,000" in headline(open_ended, words)
    assert "would have sufficed" in headline(make_report(listed_rate=0.115, planned=-0.09), words)
    assert headline(make_report(listed_rate=0.115), words).startswith("Cannot conclude: compared were 6,000")


def test_the_command_writes_the_page_beside_the_figures_and_logs_one_run(tmp_path, tables, config, capsys):
    from custvalue.app.console import StepReporter
    from custvalue.tracking import Store

    content = yaml.safe_load(config.read_text(encoding="utf-8")) | {"workspace": str(tmp_path)}
    config.write_text(yaml.safe_dump(content), encoding="utf-8")
    loaded = load_config(config)
    Store.open(tmp_path / "models", tracking_uri=None, name=loaded.name, create=True)
    reporter = StepReporter(human=False)
    for _ in range(2):
        deliver(loaded, make_report(), Wanted("spring", AS_OF, None, False, None, "en"), environ={}, reporter=reporter)
    told = capsys.readouterr()
    assert "The campaign works" in told.out
    folder = loaded.output / "effect" / "spring" / f"as_of={AS_OF}"
    assert sorted(path.name for path in folder.iterdir()) == ["effect.json", "report.html"]
    assert json.loads((folder / "effect.json").read_text(encoding="utf-8"))["campaign"] == "spring"
    logged = [json.loads(line)["text"] for line in told.err.splitlines() if '"event": "log"' in line]
    assert [text.split(" as run ")[0] for text in logged] == ["logged", "logged before"]


def test_a_campaign_is_one_run_with_its_policies_and_its_page(tmp_path, config):
    from mlflow import MlflowClient

    from custvalue.tracking import Store

    store = Store.open(tmp_path / "models", tracking_uri=None, name="op", create=True)
    report = make_report()

    def log(metrics):
        return store.log_campaign("spring", AS_OF, params={"retention_policies": "default-v2"}, metrics=metrics, texts={"report.html": "x"})

    first, again, other = log(report.metrics), log(report.metrics), log(report.metrics | {"left": 0.0})
    assert (first[1], again, other[1]) == (True, (first[0], False), True)
    client = MlflowClient(f"sqlite:///{tmp_path / 'models' / 'mlflow.db'}")
    run = client.get_run(first[0])
    assert run.data.params == {"campaign": "spring", "as_of": "2026-03-01", "retention_policies": "default-v2"}
    assert run.data.metrics["left"] == pytest.approx(report.measured.left.value)
    assert [file.path for file in client.list_artifacts(first[0])] == ["report.html"]
    assert client.get_experiment_by_name("op-campaigns")
