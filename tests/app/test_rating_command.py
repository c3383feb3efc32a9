"""``custvalue tiers`` as a person or a batch job runs it: rated once, the same again, played again, refused."""

from __future__ import annotations

import json
import re
from datetime import date
from pathlib import Path

import pandas as pd
import pytest
import yaml

from custvalue import publish
from custvalue.app.cli import run

SEPTEMBER, AUGUST = "2024-09-01", "2024-08-01"  # of the eight months from January on


def output(config: Path) -> Path:
    return config.parent / "output" / "small" / "tiers"


def files(config: Path) -> dict[str, bytes]:
    return {path.relative_to(output(config)).as_posix(): path.read_bytes() for path in output(config).rglob("*.*") if path.name != ".lock"}


@pytest.fixture(scope="module")
def few_tables(tables, tmp_path_factory) -> Path:
    """Those that the policy reads; fewer tables make a shorter statement, which takes less time to write."""
    folder = tmp_path_factory.mktemp("few")
    for name in ("customers", "billing", "usage", "complaints", "departures"):
        (folder / f"{name}.parquet").symlink_to(tables / f"{name}.parquet")
    return folder


@pytest.fixture
def config(config, few_tables) -> Path:
    """The default policy over three months in place of twelve: fewer windows, too, make the statement shorter."""
    settings = yaml.safe_load(config.read_text(encoding="utf-8"))
    policy = config.with_name("consumer.yaml")
    policy.write_text(Path(settings["tier_policy"]).read_text(encoding="utf-8").replace("_12m", "_3m"), encoding="utf-8")
    config.write_text(yaml.safe_dump(settings | {"sources": {"folder": str(few_tables)}, "tier_policy": str(policy)}), encoding="utf-8")
    return config


@pytest.fixture
def tiers(config, capfd):
    """Run the command; give its exit code, what it printed, and its log lines."""

    def say(*arguments: object) -> tuple[int, str, list[dict]]:
        code = run(["tiers", "-c", str(config), "--no-log", *map(str, arguments)])
        found = capfd.readouterr()
        return code, found.out, [json.loads(line) for line in found.err.splitlines()]

    return say


def rating(config: Path, day: str) -> pd.DataFrame:
    (path,) = output(config).glob(f"*/ratings/{day}.parquet")
    return pd.read_parquet(path)


def cells(shown: str, first: str) -> list[str]:
    (line,) = [line for line in shown.splitlines() if line.strip().startswith(f"{first}  ")]
    return re.split(r" {2,}", line.strip())


def check_shown(shown: str, before: pd.DataFrame, now: pd.DataFrame) -> None:
    sizes = now.tier.value_counts()
    assert {tier: int(cells(shown, tier)[1].replace(",", "")) for tier in sizes.index} == sizes.to_dict()
    assert f"since the rating of {AUGUST}" in shown
    assert int(cells(shown, "no longer in the base")[1]) == len(set(before.customer_id) - set(now.customer_id))
    assert int(cells(shown, "had no tier before")[1]) == len(set(now.customer_id) - set(before.customer_id))
    assert "next rating: 2024-10-01" in shown


def check_history(rows: pd.DataFrame, now: pd.DataFrame) -> None:
    assert list(rows.columns) == ["customer_id", "valid_from", "valid_to", "tier", "policy_version", "reason_code"]
    current = rows[rows.valid_to.isna()].set_index("customer_id").tier.sort_index()
    pd.testing.assert_series_equal(current, now.set_index("customer_id").tier.sort_index())
    assert (rows.valid_from < rows.valid_to.fillna(date.max)).all()


def test_a_backfill_shown_written_repeated_and_played_again(config, tiers, tmp_path):
    """One test, because each of these commands takes a second or more."""
    kept, again = tmp_path / "tiers.parquet", tmp_path / "history.parquet"
    code, shown, events = tiers("--from", "2024-07-15", "--as-of", SEPTEMBER, "--out", kept, "--history", again)
    assert code == 0
    assert [event["text"].split(":")[0] for event in events if "rated by" in event.get("text", "")] == [AUGUST, SEPTEMBER]
    now = rating(config, SEPTEMBER)
    check_shown(shown, rating(config, AUGUST), now)
    check_history(pd.read_parquet(again), now)
    columns = ["customer_id", "tier", "score", "valid_from", "reason_code", "policy_version"]
    pd.testing.assert_frame_equal(pd.read_parquet(kept), now[columns])

    whole = files(config)
    code, repeated, events = tiers("--as-of", SEPTEMBER)
    assert (code, repeated) == (0, shown.partition(f"{len(now):,} rows")[0])
    assert f"{SEPTEMBER} was rated before with the same result: nothing changed" in events[-1]["text"]
    assert files(config) == whole
    assert tiers("--as-of", AUGUST, "--replay")[0] == 0
    assert files(config) == whole


def test_an_earlier_day_than_one_that_is_kept(config, tiers):
    assert tiers("--as-of", SEPTEMBER)[0] == 0
    before = files(config)
    code, _, events = tiers("--as-of", AUGUST)
    assert code == 5
    assert f"run `custvalue tiers --as-of {AUGUST} --replay`" in events[-1]["text"]
    assert files(config) == before


def test_one_customer_explained_with_the_number_of_the_open_complaint(config, tiers, few_tables):
    complaints = pd.read_parquet(few_tables / "complaints.parquet")
    midnight = pd.Timestamp(SEPTEMBER) - pd.Timedelta(hours=8)
    still = complaints[(complaints.available_at <= midnight) & ~(complaints.closed_at <= midnight)].sort_values("opened_at")
    customer, number = still.customer_id.iloc[-1], still.complaint_id.iloc[-1]
    code, shown, events = tiers("--as-of", SEPTEMBER, "--customer", customer)
    assert code == 0
    told = shown.splitlines()[-1]
    tier = rating(config, SEPTEMBER).set_index("customer_id").tier[customer]
    assert told.startswith(f"{tier} since 2024-09" if tier != "unrated" else "unrated")
    assert number in told or "basic" in told or "unrated" in told  # nothing to protect in the lowest tier
    assert customer not in json.dumps(events)
    code, _, events = tiers("--as-of", SEPTEMBER, "--customer", "C99999999")
    assert code == 3
    assert "customer C9***99 is not in the rating of 2024-09-01" in events[-1]["text"]


def test_a_report_of_the_tiers_in_chinese(config, tiers, tmp_path):
    code, shown, _ = tiers("--as-of", SEPTEMBER, "--report", tmp_path / "report", "--lang", "zh")
    assert code == 0
    assert {path.suffix for path in (tmp_path / "report").iterdir()} == {".html", ".xlsx"}
    assert cells(shown.partition("下次评级")[0], "钻石")
    assert "首次评级：此前均无等级" in shown
    assert "下次评级：2024-10-01" in shown


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("--from", "2024-09-02"), 2, "--from 2024-09-02 is later than --as-of 2024-09-01"),
        (("--out", "/absent/tiers.parquet"), 2, "name a Parquet file in a folder that exists"),
        (("--history", "/absent/history.parquet"), 2, "name a Parquet file in a folder that exists"),
    ],
)
def test_options_that_cannot_be(config, tiers, arguments, code, told):
    found, _, events = tiers("--as-of", SEPTEMBER, *arguments)
    assert found == code
    assert told in events[-1]["text"]
    assert not output(config).exists()


def test_another_run_holds_the_output(config, tiers):
    with publish.lock(config.parent / "output" / "small"):
        code, _, events = tiers("--as-of", SEPTEMBER)
    assert code == 5
    assert "locked by process" in events[-1]["text"]
    assert not output(config).exists()


def test_a_file_in_the_place_of_the_reports_folder_is_refused_before_any_work(config, tiers, tmp_path):
    taken = tmp_path / "report"
    taken.write_text("notes")
    code, out, log = tiers("--as-of", "2025-07-01", "--report", taken)
    assert (code, out) == (2, "")
    assert "is a file. Name a folder for the report" in str(log)
    assert taken.read_text() == "notes"
    assert not list(output(config).glob("*/ratings/*"))
