"""Nothing that names a customer leaves the warehouse: not by lists, logs, the model store, or a file's name."""

from __future__ import annotations

import re
import shutil
import sqlite3
import zipfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pandas as pd
import pytest

from .conftest import AS_OF, Said, Workspace

pytestmark = pytest.mark.long

ID = re.compile(r"C\d{8}")
NUMBER = re.compile(r"(?<![\d.])\d{11}(?!\d)")


@pytest.fixture(scope="module")
def way(trained, tmp_path_factory) -> tuple[Workspace, list[Said]]:
    """All that writes something, a refusal among it; the directory holds names as people have them."""
    workspace = Workspace(tmp_path_factory.mktemp("way") / "workspace")
    shutil.copytree(trained[0].folder, workspace.folder)
    directory = pd.read_parquet(workspace.data / "directory.parquet")
    directory["name"] = [f"{'王李张刘陈'[place % 5]}晓{chr(0x4E00 + place)}" for place in range(len(directory))]
    directory.loc[::2, "crm_id"] = None  # these customers are shown by a token
    directory.to_parquet(workspace.data / "directory.parquet", index=False)
    said = [*trained[1].values(), workspace.nightly(), workspace.say("lists", "--as-of", AS_OF), workspace.say("promote")]
    said += [workspace.say("check"), workspace.say("nights")]
    assert {told.code for told in said} == {0}
    bills = workspace.data / "billing.parquet"
    rows = pd.read_parquet(bills)
    pd.concat([rows, rows.head(4)]).to_parquet(bills, index=False)
    said += [workspace.nightly(), workspace.say("nights")]
    assert said[-2].code == 3
    return workspace, said


@pytest.fixture(scope="module")
def directory(way) -> pd.DataFrame:
    return pd.read_parquet(way[0].data / "directory.parquet")


def found(text: str, directory: pd.DataFrame) -> set[str]:
    """Ids, names and telephone numbers of the directory that a text holds."""
    ids, numbers = set(ID.findall(text)), set(NUMBER.findall(text))
    names = {name for name in directory.name if name in text} if re.search(r"[王李张刘陈]晓", text) else set()
    return ids & set(directory.customer_id) | numbers & set(directory.msisdn) | names


def texts_of(path: Path) -> Iterator[str]:
    if path.suffix == ".xlsx":
        with zipfile.ZipFile(path) as book:
            yield from (book.read(name).decode() for name in book.namelist())
    elif path.suffix == ".db":
        with closing(sqlite3.connect(path)) as connection:
            yield "\n".join(connection.iterdump())
    elif path.suffix == ".parquet":
        yield pd.read_parquet(path).to_csv()
    else:
        yield path.read_bytes().decode("utf-8", errors="ignore")


def files(workspace: Workspace) -> list[Path]:
    """All that was written but the source tables."""
    return [path for folder in (workspace.output, workspace.models) for path in folder.rglob("*") if path.is_file()]


def called(path: Path) -> str:
    """Name of a file; of one of a table's parts the table's."""
    return path.parent.name if path.parent.suffix == ".parquet" else path.name


def test_the_search_finds_what_the_warehouse_holds(way, directory):
    workspace, _ = way
    (scores,) = workspace.output.glob("nights/*/scores.parquet")
    (text,) = texts_of(scores)
    assert len(found(text, directory)) > 3000
    (text,) = texts_of(workspace.data / "directory.parquet")
    assert found(text, directory) == {*directory.customer_id, *directory.name, *directory.msisdn}


def test_no_file_names_a_customer(way, directory):
    workspace, _ = way
    written = files(workspace)
    assert {"xlsx", "db", "parquet", "json", "jsonl", "md", "png", "lgb", "key"} <= {path.suffix[1:] for path in written}
    leaks = {called(path): names for path in written for text in texts_of(path) if (names := found(text, directory))}
    # published Parquet and ratings stay in the warehouse and are keyed by customer_id; names and telephone numbers are not even there
    ratings = {path.name for path in workspace.output.glob("tiers/*/ratings/*.parquet")}
    assert ratings
    nightly = {"scores", "lists", "reasons", "would_be", "care", "care_lists", "list_changes"}
    assert set(leaks) <= {*(f"{name}.parquet" for name in nightly), "orders.db", "orders.db-wal", *ratings}
    assert set().union(*leaks.values()) <= set(directory.customer_id)


def test_no_file_or_folder_is_called_after_a_customer(way, directory):
    workspace, _ = way
    assert found("\n".join(workspace.listing()), directory) == set()


def test_no_command_says_who_a_customer_is(way, directory):
    _, said = way
    assert found("\n".join(told.out + told.err for told in said), directory) == set()


def test_a_list_shows_masked_names_and_numbers_and_a_token_without_crm_id(way, directory):
    (path,) = way[0].output.glob("nights/*/lists.parquet")
    rows = pd.read_parquet(path)
    assert rows.name.str.fullmatch(r"[王李张刘陈]\*\*").all()
    assert rows.number.str.fullmatch(r"\d{3}\*{4}\d{4}").all()
    crm = rows.customer.isin(directory.crm_id.dropna())
    assert 0 < crm.sum() < len(rows)
    assert rows.customer[~crm].str.fullmatch(r"C-[0-9a-f]{10}").all()


def test_tokens_change_with_the_key_and_name_no_customer(workspace, directory, monkeypatch):
    def orders(key: str) -> pd.DataFrame:
        monkeypatch.setenv("CUSTVALUE_TOKEN_KEY", key)
        told = workspace.nightly("--force")
        assert told.code == 0
        (path,) = (workspace.output / "nights").iterdir()
        rows = pd.read_parquet(path / "lists.parquet")
        shutil.rmtree(workspace.output / "nights")
        return rows

    one, other = orders("a" * 64), orders("b" * 64)
    assert set(one.order_id).isdisjoint(other.order_id)
    pd.testing.assert_frame_equal(one.drop(columns="order_id"), other.drop(columns="order_id"))
    assert one.order_id.str.fullmatch(r"20250101-C-[0-9a-f]{10}").all()
