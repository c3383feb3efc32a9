"""What the people see who run it every night: late feeds let pass, missed nights caught up, a database that is away, metrics, logs, a
customer forgotten. One way through all of it is gone once; the tests look at what was seen on it.
"""

from __future__ import annotations

import json
import re
import shutil
import zipfile
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

import pandas as pd
import pytest
import yaml

from custvalue.publish import published, read_published

from .conftest import AS_OF, CAPACITY, Said, Workspace, rewrite, write_yaml

pytestmark = pytest.mark.long

BEFORE, NEXT = date(2024, 12, 31), date(2025, 1, 2)


@dataclass
class Way:
    """The workspace at its end, what each command said, and what was there at some moments."""

    workspace: Workspace
    said: dict[str, Said] = field(default_factory=dict)
    metrics: dict[str, dict[str, float]] = field(default_factory=dict)
    nights: dict[date, pd.DataFrame] = field(default_factory=dict)
    victim: pd.Series | None = None
    shown_before: set[str] = field(default_factory=set)

    def go(self, name: str, *command: object) -> Said:
        self.said[name] = self.workspace.say(*command)
        path = self.workspace.output / "metrics.prom"
        if path.exists():
            lines = [line.rpartition(" ") for line in path.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
            self.metrics[name] = {metric: float(value) for metric, _, value in lines}
        return self.said[name]

    def holding(self) -> set[str]:
        """Files that the program wrote which show the victim by any name."""
        names = {self.victim.customer_id, self.victim.customer}
        files = [path for folder in (self.workspace.output, self.workspace.models) for path in folder.rglob("*") if path.is_file()]
        return {path.relative_to(self.workspace.folder).as_posix() for path in files if any(name in texts_of(path) for name in names)}


def texts_of(path) -> str:
    if path.suffix == ".parquet":
        return str(pd.read_parquet(path).to_csv())
    if path.suffix == ".xlsx":
        with zipfile.ZipFile(path) as book:
            return "".join(book.read(name).decode() for name in book.namelist())
    return path.read_bytes().decode("utf-8", errors="ignore")


def promoted_on(workspace: Workspace, day: date) -> None:
    """Let the promotion log tell that the champion was made on another day: the simulated nights lie before any real one."""
    log = workspace.models / "promotions.jsonl"
    entries = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    at = datetime(day.year, day.month, day.day, 9, tzinfo=UTC).isoformat()
    log.write_text("".join(json.dumps(entry | {"at": at}) + "\n" for entry in entries), encoding="utf-8")


@pytest.fixture(scope="module")
def way(trained, tmp_path_factory, postgres) -> Way:
    workspace = Workspace(tmp_path_factory.mktemp("operations") / "workspace")
    shutil.copytree(trained[0].folder, workspace.folder)
    workspace.change(publish={"database": {"url": postgres.url(), "schema": "nightly"}, "metrics": "../output/op/metrics.prom"})
    promoted_on(workspace, AS_OF)
    way = Way(workspace)
    postgres.ask("CREATE SCHEMA nightly")

    # a month of use is missing on the second night
    rewrite(workspace, "usage", lambda rows: rows[pd.to_datetime(rows["month"]) < "2024-12-01"])
    way.go("misspelt", "nightly", "--as-of", NEXT, "--allow-stale", "usge")
    way.go("misspelt backfill", "backfill", "--from", NEXT, "--to", NEXT, "--allow-stale", "usge")
    way.go("other allowed", "nightly", "--as-of", NEXT, "--allow-stale", "billing")
    way.go("allowed", "nightly", "--as-of", NEXT, "--allow-stale", "usage")
    shutil.copy(trained[0].data / "usage.parquet", workspace.data)

    # the night before is caught up with while the database is away
    postgres.stop()
    way.go("backfill", "backfill", "--from", BEFORE, "--to", NEXT)
    postgres.start()
    way.go("same night", "nightly", "--as-of", AS_OF)
    way.go("again", "backfill", "--from", AS_OF, "--to", NEXT)
    way.go("nights", "nights")
    way.nights = {day: read_published(workspace.output, day) for day in (AS_OF, NEXT)}

    lists = pd.read_parquet(published(workspace.output, AS_OF).folder / "lists.parquet")
    way.victim = lists.iloc[0]
    way.shown_before = way.holding()
    way.go("forget", "forget", way.victim.customer)
    way.go("forget again", "forget", way.victim.customer)
    way.go("forget nobody", "forget", "C-0000000000")
    way.go("after forgetting", "nightly", "--as-of", AS_OF)
    return way


def rows(said: Said) -> dict[str, list[str]]:
    found = [line.split() for line in said.out.splitlines() if re.match(r"\s*20\d\d-", line)]
    return {row[0]: row[1:] for row in found}


def flat(said: Said) -> str:
    return " ".join(said.out.split())


@pytest.mark.parametrize("command", ["misspelt", "misspelt backfill"])
def test_a_table_that_is_no_feed_is_a_usage_error_that_lists_the_feeds(way, command):
    said = way.said[command]
    assert said.code == 2
    assert "usge is no table with a feed; these are: customers, billing, usage" in said.refusal


def test_a_late_feed_is_refused_with_what_to_do(way):
    said = way.said["other allowed"]
    assert said.code == 3
    last = said.events[-1]
    assert {key: last[key] for key in ("table", "latest", "expected", "late_days", "last_good_night", "do")} == {
        "table": "usage",
        "latest": "2024-11",
        "expected": "2024-12",
        "late_days": 31,
        "last_good_night": None,
        "do": "rerun when usage arrives, or --allow-stale usage",
    }
    assert way.metrics["other allowed"]['custvalue_refused_nights{exit_code="3"}'] == 1
    assert way.metrics["other allowed"]["custvalue_last_exit_code"] == 3


def test_what_was_let_pass_stands_in_every_row_and_only_there(way):
    assert way.said["allowed"].code == 0, way.said["allowed"].err
    assert set(way.nights[NEXT].allowed_stale) == {"usage (31 days)"}
    assert way.nights[NEXT].attrs["lineage"]["allowed_stale"] == "usage (31 days)"
    assert "usage" not in str(way.nights[AS_OF].get("allowed_stale", ""))


def test_a_night_ends_with_its_report(way):
    steps = [event["step"] for event in way.said["allowed"].events if event["event"] == event.get("step")]
    assert steps[-2:] == ["monitor", "log"]
    folder = way.workspace.output / "monitoring" / f"as_of={NEXT}"
    assert json.loads((folder / "monitoring.json").read_text(encoding="utf-8"))["run_id"] == way.nights[NEXT].attrs["lineage"]["run_id"]
    assert "<svg" in (folder / "report.html").read_text(encoding="utf-8")


def test_a_backfill_makes_what_is_missing_with_what_was_champion_then_and_goes_past_a_refused_night(way):
    said = way.said["backfill"]
    assert "there was no champion for 'op' on 2024-12-31; the first one is champion since 2025-01-01" in flat(said)
    assert rows(said)["2024-12-31"][:3] == ["not", "made", "4"]
    assert set(way.nights[AS_OF].model_version) == {1}
    again = way.said["again"]
    assert again.code == 0
    assert "0 made, 2 published before, 0 not made" in again.out


def test_a_database_that_is_away_leaves_the_night_published_and_takes_it_from_the_same_command_again(way, postgres):
    said = way.said["backfill"]
    assert said.code == 75
    assert "the night of 2025-01-01 is published, but not loaded into it" in said.err
    assert said.err.count("run the same command again") == 1
    same = way.said["same night"]
    assert same.code == 0
    assert "1 night(s) loaded" in same.err
    assert "published before by the same run" in same.err
    loaded = postgres.ask("SELECT as_of, count(*), count(DISTINCT customer_id) FROM nightly.scores GROUP BY as_of ORDER BY as_of")
    assert loaded == [(day, len(frame) - 1, len(frame) - 1) for day, frame in way.nights.items()]  # one was forgotten since


def test_nights_tells_the_last_good_one(way):
    run = way.nights[NEXT].attrs["lineage"]["run_id"]
    assert f"last good night: {NEXT}, generation 1, run {run}" in flat(way.said["nights"])
    assert rows(way.said["nights"])["2024-12-31"][:2] == ["refused", "4"]


def test_metrics_tell_the_newest_night(way):
    found, scores = way.metrics["allowed"], way.nights[NEXT]
    listed = scores[scores.decision == "listed"]
    assert found["custvalue_last_exit_code"] == 0
    assert found["custvalue_customers_scored"] == len(scores)
    assert found["custvalue_customers_listed"] == len(listed) > CAPACITY
    lists = pd.read_parquet(published(way.workspace.output, NEXT).folder / "lists.parquet")
    assert found["custvalue_lists_net_value"] == pytest.approx(lists.net_value.sum())
    assert found["custvalue_last_success_as_of_seconds"] == datetime(2025, 1, 2, tzinfo=UTC).timestamp()
    assert found['custvalue_table_rows{table="customers"}'] == len(pd.read_parquet(way.workspace.data / "customers.parquet"))
    assert found['custvalue_table_age_days{table="usage"}'] == 33
    assert 'custvalue_step_seconds{step="check"}' in found


def test_every_log_record_tells_when_which_attempt_and_which_run(way):
    attempts = set()
    for name, said in way.said.items():
        times = [datetime.fromisoformat(event["time"]) for event in said.events]
        assert all(time.tzinfo == UTC for time in times), name
        assert times == sorted(times), name
        attempts |= {event["attempt_id"] for event in said.events}
        assert all({"step", "seconds"} <= event.keys() for event in said.events if event["event"] not in ("note", "alert", "refused")), name
    assert len(attempts) == sum(bool(said.events) for said in way.said.values())
    for name, day in (("allowed", NEXT), ("same night", AS_OF)):
        assert way.said[name].events[-1]["run_id"] == way.nights[day].attrs["lineage"]["run_id"]


def test_a_customer_is_forgotten_everywhere_by_the_name_that_lists_show(way, postgres):
    assert len([name for name in way.shown_before if name.endswith(".xlsx")]) >= 1
    assert any("ratings" in name for name in way.shown_before)
    said = way.said["forget"]
    assert said.code == 0, said.err
    assert way.holding() == set()
    assert "The source tables are yours" in flat(said)
    for told in (said, way.said["forget again"], way.said["forget nobody"]):
        assert not any(name in told.err + told.out for name in (way.victim.customer_id, way.victim.customer))
    for day, before in way.nights.items():
        kept = before[before.customer_id != way.victim.customer_id].reset_index(drop=True)
        pd.testing.assert_frame_equal(read_published(way.workspace.output, day).reset_index(drop=True), kept)
    for table in ("scores", "reasons", "lists"):
        assert postgres.ask(f"SELECT count(*) FROM nightly.{table} WHERE customer_id = %s", way.victim.customer_id) == [(0,)]  # noqa: S608
    (line,) = (way.workspace.output / "forgotten.jsonl").read_text(encoding="utf-8").splitlines()
    assert json.loads(line)["removed"]["nights"]["rows"]["scores"] == 2


def test_the_manager_s_workbook_is_drawn_anew_with_the_others(way):
    folder = published(way.workspace.output, AS_OF).folder
    left = pd.read_parquet(folder / "lists.parquet")
    own = left[left.manager_id == way.victim.manager_id]
    assert len(own) > 0
    text = texts_of(folder / "lists" / f"{way.victim.manager_id}.xlsx")
    assert all(customer in text for customer in own.customer)


def test_after_a_forgetting_the_same_night_is_the_same_run_and_the_rating_holds(way):
    assert way.said["after forgetting"].code == 0
    assert "published before by the same run" in way.said["after forgetting"].err
    assert way.said["forget again"].code == 0
    assert "forgotten before" in flat(way.said["forget again"])
    assert way.said["forget nobody"].code == 2


def test_a_faulty_setting_of_the_database_is_told_without_its_password(way, tmp_path):
    path = tmp_path / "op.yaml"
    content = yaml.safe_load(way.workspace.config.read_text(encoding="utf-8"))
    for faulty in ({"database": {"url": "postgresql://u:hunter2@h/d", "schema": "No Good"}}, {"database": {"schema": "x"}}, {"files": 1}):
        write_yaml(path, content | {"publish": faulty})
        told = Workspace(tmp_path)
        told.config = path
        said = told.say("nights")
        assert said.code == 2
        assert "hunter2" not in said.err
