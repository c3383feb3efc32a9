"""Ratings as files: whole or absent, the same again is nothing, and what was changed afterwards is noticed."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from dataclasses import replace
from datetime import date

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from custvalue.errors import DataError, PublishError, TryAgainError
from custvalue.tiers import RatingManifest, RatingStore
from custvalue.tiers.rating import SCHEMA, as_rating, encode

JAN, FEB, MAR = date(2025, 1, 1), date(2025, 2, 1), date(2025, 3, 1)


def assigned(**tiers: str) -> pa.Table:
    """What a policy gives, in the order of the arguments."""
    known = {"tier": list(tiers.values()), "customer_id": list(tiers)}
    rest = {
        "score": [1.5] * len(tiers),
        "valid_from": pa.array([JAN] * len(tiers), pa.date32()),
        "reason_code": ["stays"] * len(tiers),
        "policy_version": ["p-v1"] * len(tiers),
        "care_priority": pa.array([0] * len(tiers), pa.int64()),
        "earned": list(tiers.values()),
    }
    empty = {name: pa.nulls(len(tiers), pa.date32()) for name in ("valid_until", "below_since", "grace_until")}
    return pa.table(known | rest | empty)


def made(day: date, before: RatingManifest | None = None) -> RatingManifest:
    manifest = RatingManifest(day, "p-v1", "hash", "inputs")
    if before is None:
        return manifest
    return replace(
        manifest, started_from="rating", previous=before.day, previous_version=before.policy_version, previous_digest=before.digest
    )


@pytest.fixture
def store(tmp_path) -> RatingStore:
    return RatingStore(tmp_path / "tiers" / "p" / "ratings")


@pytest.fixture
def linked(store) -> RatingStore:
    """January to March, each started from the one before."""
    before = None
    for day, tier in ((JAN, "gold"), (FEB, "silver"), (MAR, "basic")):
        before = store.write(day, assigned(x=tier, y="gold"), made(day, before))
    return store


def files(store: RatingStore) -> dict[str, tuple[bytes, int]]:
    return {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in store.folder.iterdir() if path.name != ".lock"}


def test_a_rating_is_read_as_it_was_written_by_customer(store):
    done = store.write(FEB, assigned(y="gold", x="basic"), made(FEB))
    assert (done.day, done.rows) == (FEB, 2)
    assert store.manifest(FEB) == done
    found = store.read(FEB)
    assert found.schema.equals(SCHEMA)
    assert found.select(["rated_on", "customer_id", "tier"]).to_pylist() == [
        {"rated_on": FEB, "customer_id": "x", "tier": "basic"},
        {"rated_on": FEB, "customer_id": "y", "tier": "gold"},
    ]


def test_days_and_the_newest_before(linked):
    assert linked.days() == [JAN, FEB, MAR]
    assert linked.latest().day == MAR
    assert linked.latest(before=MAR).day == FEB
    assert linked.latest(before=JAN) is None
    assert RatingStore(linked.folder / "absent").latest() is None
    linked.check_links()


def test_the_same_rating_again_touches_nothing_whatever_the_order_of_its_rows(linked):
    before = files(linked)
    again = linked.write(MAR, assigned(y="gold", x="basic"), made(MAR, linked.manifest(FEB)))
    assert again == linked.manifest(MAR)
    assert files(linked) == before


def test_another_result_for_the_day_is_refused_unless_it_is_asked_for(linked):
    before = files(linked)
    with pytest.raises(PublishError, match=r"2025-03-01 is rated already, with another result.*--as-of 2025-03-01 --replay"):
        linked.write(MAR, assigned(x="gold"), made(MAR, linked.manifest(FEB)))
    assert files(linked) == before
    done = linked.write(MAR, assigned(x="gold"), made(MAR, linked.manifest(FEB)), again=True)
    assert linked.read(MAR).num_rows == done.rows == 1


def test_a_rating_between_that_was_changed_removed_or_added_is_noticed(linked):
    new = linked.write(FEB, assigned(x="gold"), made(FEB, linked.manifest(JAN)), again=True)
    with pytest.raises(DataError, match=r"rating of 2025-03-01 started from 2025-02-01 as it was then.*--as-of 2025-03-01 --replay"):
        linked.check_links()
    linked.write(MAR, assigned(x="basic", y="gold"), made(MAR, new), again=True)  # the same rows, another start
    linked.check_links()
    (linked.folder / f"{FEB}.json").unlink()
    with pytest.raises(DataError, match=r"the one before is now 2025-01-01.*--as-of 2025-02-01 --replay"):
        linked.check_links()
    (linked.folder / f"{JAN}.json").unlink()
    with pytest.raises(DataError, match=r"is now missing.*--as-of 2025-02-01 --replay"):
        linked.check_links()


def test_a_first_rating_may_have_started_from_another_policy_s(store):
    other = RatingManifest(JAN, "old-v3", "hash", "inputs", digest="d")
    store.write(FEB, assigned(x="gold"), made(FEB, other))
    store.check_links()


@pytest.mark.parametrize("damage", [lambda path: path.write_bytes(path.read_bytes()[:-9] + b"123456789"), lambda path: path.unlink()])
def test_a_damaged_table_is_not_read(linked, damage):
    damage(linked.folder / f"{FEB}.parquet")
    with pytest.raises(DataError, match=r"2025-02-01\.parquet: the rating .*--as-of 2025-02-01 --replay"):
        linked.read(FEB)
    with pytest.raises(DataError, match=r"2025-02-01\.parquet"):
        linked.write(FEB, assigned(x="gold"), made(FEB))
    assert linked.write(FEB, assigned(x="gold"), made(FEB, linked.manifest(JAN)), again=True).rows == 1
    assert linked.read(FEB).num_rows == 1


@pytest.mark.parametrize("text", ["", "[]", '{"day": "2025-02-01"}', '{"day": 7, "previous": null}'])
def test_a_damaged_manifest_is_told(linked, text):
    (linked.folder / f"{FEB}.json").write_text(text)
    with pytest.raises(DataError, match=r"2025-02-01\.json: the rating's manifest is absent or damaged"):
        linked.check_links()
    with pytest.raises(DataError, match="absent or damaged"):
        linked.manifest(date(2030, 1, 1))


KILLED = """
import os, signal, sys
from datetime import date
from pathlib import Path
from custvalue.tiers import RatingManifest, RatingStore

rename = Path.replace
def die(self, target):
    if sys.argv[2] in self.name:
        os.kill(os.getpid(), signal.SIGKILL)
    return rename(self, target)
Path.replace = die
store = RatingStore(Path(sys.argv[1]))
table = store.read(date(2025, 3, 1))
table = table.set_column(2, "tier", [["gold"] * table.num_rows])
store.write(date(2025, 3, 1), table, RatingManifest(date(2025, 3, 1), "p-v1", "hash", "inputs"), again=True)
"""


@pytest.mark.parametrize("before_the_rename_of", [".parquet.", ".json."])
def test_a_killed_run_leaves_no_half_rating(linked, before_the_rename_of):
    done = subprocess.run([sys.executable, "-c", KILLED, str(linked.folder), before_the_rename_of], check=False)
    assert done.returncode == -signal.SIGKILL
    assert linked.days() == [JAN, FEB]
    linked.check_links()
    linked.write(MAR, assigned(x="silver"), made(MAR, linked.manifest(FEB)))
    assert linked.read(MAR).column("tier").to_pylist() == ["silver"]
    assert [path.name for path in linked.folder.glob(".*.part")] == []


def test_a_full_disk_asks_to_try_again_and_leaves_nothing(linked, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("custvalue.tiers.rating_store.sync", full)
    day = date(2025, 4, 1)
    with pytest.raises(TryAgainError, match="the disk or quota is full"):
        linked.write(day, assigned(x="gold"), made(day, linked.manifest(MAR)))
    monkeypatch.undo()
    assert linked.days() == [JAN, FEB, MAR]
    assert {path.suffix for path in linked.folder.iterdir() if path.name != ".lock"} == {".json", ".parquet"}


@given(st.dictionaries(st.text("abc", min_size=1, max_size=3), st.sampled_from(["gold", "basic"]), min_size=1), st.randoms())
def test_the_same_rows_give_the_same_bytes(tiers, random):
    shuffled = list(tiers.items())
    random.shuffle(shuffled)
    assert encode(as_rating(assigned(**tiers), JAN)) == encode(as_rating(assigned(**dict(shuffled)), JAN))


def test_a_forgotten_customer_leaves_every_rating_and_the_chain_holds(linked):
    before = {day: linked.manifest(day) for day in linked.days()}
    assert linked.forget("x") == 3
    assert [linked.read(day)["customer_id"].to_pylist() for day in linked.days()] == [["y"]] * 3
    linked.check_links()
    for day, manifest in before.items():
        now = linked.manifest(day)
        assert (now.digest, now.previous_digest, now.rows, len(now.forgotten)) == (manifest.digest, manifest.previous_digest, 1, 1)
    assert linked.forget("x") == 0
    assert linked.forget("y") == 3
    assert linked.read(MAR).num_rows == 0
    linked.check_links()


def test_a_rating_changed_by_hand_is_noticed_after_a_forgetting_too(linked):
    linked.forget("x")
    (linked.folder / f"{JAN}.parquet").write_bytes(encode(as_rating(assigned(y="basic"), JAN)))
    with pytest.raises(DataError, match="not what was written"):
        linked.read(JAN)


def test_a_rating_made_again_without_the_forgotten_customer_is_the_same(linked):
    linked.forget("x")
    stored = files(linked)
    linked.write(FEB, assigned(y="gold"), made(FEB, linked.manifest(JAN)))
    assert files(linked) == stored
    linked.write(FEB, assigned(y="gold"), made(FEB, linked.manifest(JAN)), again=True)
    assert linked.read(FEB)["customer_id"].to_pylist() == ["y"]
    linked.check_links()


@pytest.mark.parametrize("customer", ["x", "y"])
def test_a_forgetting_killed_between_manifest_and_file_is_readable_and_gone_on_with(linked, customer):
    linked.forget("x" if customer == "y" else "nobody")
    kept = {path.name: path.read_bytes() for path in linked.folder.glob("*.parquet")}
    linked.forget(customer)
    for name, content in kept.items():  # as if only the manifests had been written
        (linked.folder / name).write_bytes(content)
    assert customer in linked.read(FEB)["customer_id"].to_pylist()
    ended = [linked.manifest(day) for day in linked.days()]
    assert linked.forget(customer) == 3
    assert [linked.manifest(day) for day in linked.days()] == ended
    assert customer not in linked.read(FEB)["customer_id"].to_pylist()
