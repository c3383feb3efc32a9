"""Bad input through the command line: the message, the exit code, and nothing half-written."""

from __future__ import annotations

from datetime import date

import pandas as pd
import pytest
from mlflow import MlflowClient

from .conftest import AS_OF, CONFIG, OPENED, Workspace, refusal_note, rewrite, traces, with_a_key_twice, write_yaml


def without_table(workspace: Workspace) -> None:
    (workspace.data / "billing.parquet").unlink()


def without_column(workspace: Workspace) -> None:
    rewrite(workspace, "billing", lambda rows: rows.drop(columns="revenue"))


def with_words_for_money(workspace: Workspace) -> None:
    rewrite(workspace, "billing", lambda rows: rows.assign(revenue=[*["n/a", "12,5"], *rows.revenue.astype(str)[2:]]))


def with_a_day_that_is_none(workspace: Workspace) -> None:
    rewrite(workspace, "customers", lambda rows: rows.assign(joined_on=["2024-02-30", *rows.joined_on.astype(str)[1:]]))


def without_bytes(workspace: Workspace) -> None:
    (workspace.data / "usage.parquet").write_bytes(b"")


def half_written(workspace: Workspace) -> None:
    path = workspace.data / "usage.parquet"
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def without_a_month(workspace: Workspace) -> None:
    rewrite(workspace, "usage", lambda rows: rows[rows.month != date(2024, 8, 1)])


def with_a_month_twice(workspace: Workspace) -> None:
    rewrite(workspace, "usage", lambda rows: pd.concat([rows, rows[rows.month == date(2024, 8, 1)]]))


def with_negative_use(workspace: Workspace) -> None:
    rewrite(workspace, "usage", lambda rows: rows.assign(data_mb=[-rows.data_mb.max(), *rows.data_mb[1:]]))


def in_another_currency(workspace: Workspace) -> None:
    rewrite(workspace, "billing", lambda rows: rows.assign(revenue=rows.revenue.where(rows.month < date(2024, 12, 1), rows.revenue * 100)))


def with_an_empty_month_of_a_column(workspace: Workspace) -> None:
    rewrite(workspace, "usage", lambda rows: rows.assign(data_mb=rows.data_mb.where(rows.month < date(2024, 12, 1), None)))


def with_an_unknown_kind(workspace: Workspace) -> None:
    rewrite(workspace, "departures", lambda rows: rows.assign(kind=["bored", *rows.kind[1:]]))


def with_few_customers(workspace: Workspace) -> None:
    rewrite(workspace, "customers", lambda rows: rows[rows.customer_id.str[-1] < "6"])


def with_departures_before_joining(workspace: Workspace) -> None:
    rewrite(workspace, "departures", lambda rows: rows.assign(left_on=date(1985, 1, 1)).drop_duplicates("customer_id"))


def in_local_time(workspace: Workspace) -> None:
    eight_hours = pd.Timedelta(hours=8)
    rewrite(workspace, "complaints", lambda rows: rows.assign(opened_at=rows.opened_at + eight_hours, available_at=rows.opened_at))


FAULTS = {
    "file of 0 bytes": (without_bytes, ["table usage: cannot be read: "]),
    "half-written file": (half_written, ["table usage: cannot be read: "]),
    "missing month": (without_a_month, ["usage.month: month(s) missing between others: 2024-08. Load it"]),
    "doubled month": (with_a_month_twice, ["usage.customer_id+month: key comes twice in ", "Keep one row"]),
    "negative use": (with_negative_use, ["usage.data_mb: value below 0 in 1 row(s)", "Mend the feed"]),
    "another currency": (in_another_currency, ["billing.revenue: mean of the values that are not zero is ", "change of currency or unit"]),
    "empty column": (with_an_empty_month_of_a_column, ["usage.data_mb: filled in 0% of 2024-12", "Deliver the column"]),
    "unknown category": (with_an_unknown_kind, ["departures.kind: unknown text in 1 row(s)", "Map it to one of voluntary"]),
    "strangers in billing": (with_few_customers, ["billing.customer_id: only ", "load all customers"]),
    "left before joining": (with_departures_before_joining, ["departures.left_on: lies before the customer joined in "]),
    "local time": (in_local_time, ["complaints.available_at: known before opened_at is over, by 8 hours", "Times must be UTC"]),
    "missing table": (without_table, ["required table(s) missing: billing", "Add the file(s) or map them"]),
    "missing column": (without_column, ["table billing: required column(s) missing: revenue", "It has customer_id, month"]),
    "wrong type": (with_words_for_money, ["table billing, column revenue: 2 value(s) are not DECIMAL(18,4): '12,5', 'n/a'", "Mend"]),
    "duplicate key": (with_a_key_twice, ["billing.customer_id+month: key comes twice in 4 row(s), for example C0***01", "Keep one row"]),
    "unparseable date": (with_a_day_that_is_none, ["customers, column joined_on: 1 value(s) are not dates (YYYY-MM-DD): '2024-02-30'"]),
}

CHECKED_TOO = ("half-written file", "local time", "duplicate key")
"""Faults of reading, of a table's history, and of its keys, which the command `check` is asked about as well."""


@pytest.mark.parametrize("fault", FAULTS)
def test_bad_tables_are_refused_and_the_night_says_so(workspace, fault):
    spoil, sentences = FAULTS[fault]
    spoil(workspace)
    before = workspace.listing()
    # both commands open the tables by the same way; each fault is told by the night, which also keeps a note of it
    for told in (workspace.nightly(), *([workspace.say("check")] if fault in CHECKED_TOO else [])):
        assert told.code == 3
        assert all(sentence in told.refusal for sentence in sentences), told.refusal
        assert "C00000001" not in told.err
    assert traces(workspace, before) <= OPENED
    assert refusal_note(workspace) == {"as_of": AS_OF.isoformat(), "exit_code": 3, "message": told.refusal}


def test_every_command_that_reads_the_tables_refuses_bad_ones(workspace):
    without_column(workspace)
    before = workspace.listing()
    out = ("--out", workspace.folder / "out.parquet")
    for command, arguments in {"features": out, "tiers": out, "train": (), "score": (), "lists": (), "nightly": ()}.items():
        told = workspace.say(command, "--as-of", AS_OF, *arguments)
        assert told.code == 3
        assert "table billing: required column(s) missing: revenue" in told.refusal
    assert traces(workspace, before) <= OPENED


def test_an_as_of_before_any_data(workspace):
    before = workspace.listing()
    out = workspace.folder / "features.parquet"
    for command in (("check",), ("features", "--out", out), ("train",), ("nightly",)):
        told = workspace.say(command[0], "--as-of", "2019-03-01", *command[1:])
        assert told.code == 3
        assert "as_of 2019-03-01 lies before any data: the first customers are known from 2024-01-01. Take a later date." in told.refusal
    assert traces(workspace, before) <= OPENED
    assert "lies before any data" in " ".join(workspace.say("nights").out.split())


def test_a_feed_that_is_late(workspace):
    rewrite(workspace, "usage", lambda rows: rows[rows.month < date(2024, 12, 1)])
    before = workspace.listing()
    told = workspace.nightly()
    assert told.code == 3
    assert f"feed(s) late at {AS_OF}:" in told.refusal
    assert "usage: newest month 2024-11, expected 2024-12" in told.refusal
    assert "billing" not in told.refusal
    assert traces(workspace, before) <= OPENED


def test_a_mapping_that_names_an_absent_file(new_workspace):
    mapping = {"inputs": {"bills": "exports/bills_*.csv"}, "tables": {"billing": {"from": "bills", "rename": {"customer_id": "id"}}}}
    write_yaml(new_workspace.folder / "configs" / "sources" / "op.yaml", mapping)
    new_workspace.data.mkdir(parents=True)
    new_workspace.change(sources={"folder": "../data/op", "mapping": "sources/op.yaml"})
    before = new_workspace.listing()
    for command in ("check", "train"):
        told = new_workspace.say(command, "--as-of", AS_OF)
        assert told.code == 3
        assert f"op.yaml: input bills: no file exports/bills_*.csv in {new_workspace.data}" in told.refusal
        assert "Put the file there, or mend `path` or `sources.folder`" in told.refusal
    assert {path for path in new_workspace.listing().keys() - before.keys() if not path.startswith("models")} == set()


def test_a_mapping_file_that_is_absent(new_workspace):
    new_workspace.change(sources={"folder": "../data/op", "mapping": "sources/nowhere.yaml"})
    told = new_workspace.say("check")
    assert told.code == 2
    assert str(new_workspace.folder / "configs" / "sources" / "nowhere.yaml") in told.refusal
    assert "cannot be read (No such file or directory)" in told.refusal


def test_a_data_folder_that_is_absent(new_workspace):
    told = new_workspace.say("check")
    assert told.code == 3
    assert f"data folder {new_workspace.data} does not exist. Check `sources.folder`." in told.refusal
    assert not new_workspace.data.exists()


def runs_and_versions(workspace: Workspace) -> tuple[list[str], list[int]]:
    uri = f"sqlite:///{workspace.models}/mlflow.db"
    client = MlflowClient(uri, uri)
    experiment = client.get_experiment_by_name("op")
    runs = client.search_runs([experiment.experiment_id]) if experiment else []
    return [run.info.status for run in runs], [int(version.version) for version in client.search_model_versions("name = 'op'")]


@pytest.mark.parametrize(
    ("kept", "sentence"),
    [
        (lambda rows: rows[rows.left_on < date(1990, 1, 1)], "0 leavers (voluntary, port_out) are known at 2025-01-01; at least 15"),
        (lambda rows: rows[rows.left_on < date(2024, 7, 1)], "nobody left"),
    ],
    ids=["nobody ever left", "nobody left in the snapshots' windows"],
)
def test_no_churners_in_the_window(workspace, kept, sentence):
    rewrite(workspace, "departures", kept)
    workspace.change(churn=CONFIG["churn"] | {"snapshots": 1})
    before = workspace.listing()
    told = workspace.say("train", "--as-of", AS_OF)
    assert told.code == 4
    assert sentence in told.refusal
    assert traces(workspace, before) <= OPENED
    assert runs_and_versions(workspace) == (["FINISHED"], [1])
