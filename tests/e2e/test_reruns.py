"""The same night again: nothing, a refusal, or a new generation, and never half of one."""

from __future__ import annotations

import fcntl
import json
import os
from datetime import date

import pandas as pd
import yaml

from custvalue.publish import read_published

from .conftest import AS_OF, Workspace, write_yaml


def change_policy(workspace: Workspace) -> None:
    path = workspace.folder / "configs" / "retention" / "keen.yaml"
    write_yaml(path, yaml.safe_load(path.read_text(encoding="utf-8")) | {"version": 4, "contact_cost": 1.0})


def changed(before: dict, after: dict) -> set[str]:
    return {path for path in before.keys() | after.keys() if before.get(path) != after.get(path)}


def test_the_same_night_again_changes_nothing(published):
    before, content = published.listing(), read_published(published.output)
    again = published.nightly()
    assert again.code == 0
    assert published.listing() == before
    assert again.out.strip() == str(published.output / "nights" / content.run_id[0])
    assert f"{AS_OF} was published before by the same run" in again.told("nightly")
    assert published.nightly("--force").code == 0
    assert published.listing() == before


def test_another_run_for_the_night_is_refused_and_the_published_one_stays(published):
    before, first = published.listing(), read_published(published.output)
    change_policy(published)
    told = published.nightly()
    assert told.code == 5
    assert f"night {AS_OF}: run {first.run_id[0]} is already published (generation 1)" in told.refusal
    assert "they differ in campaigns, retention_policy" in told.refusal
    assert "add generation 2 with --force" in told.refusal
    note = f"output/op/refused/as_of={AS_OF}.json"
    assert changed(before, published.listing()) == {"configs/retention/keen.yaml", "output/op/refused", note}
    pd.testing.assert_frame_equal(read_published(published.output), first)
    shown = published.say("nights").out
    assert "published" in shown
    assert "already published" in " ".join(shown.split())


def test_force_adds_a_generation_that_readers_then_see(published):
    first = read_published(published.output)
    before = published.listing()
    change_policy(published)
    assert published.nightly().code == 5
    told = published.nightly("--force")
    assert told.code == 0
    assert "generation 2" in told.told("nightly")
    second = read_published(published.output)
    assert second.attrs["lineage"]["generation"] == 2
    assert set(second.retention_policy) == {"keen-v4"}
    assert second.customer_id.tolist() == first.customer_id.tolist()
    assert second.probability.tolist() == first.probability.tolist()
    after = published.listing()
    old = f"output/op/nights/{first.run_id[0]}"
    assert {path: after[path] for path in before if path.startswith(old)} == {p: s for p, s in before.items() if p.startswith(old)}
    assert not (published.output / "refused" / f"as_of={AS_OF}.json").exists()
    line, _ = [line.split() for line in published.say("nights").out.splitlines() if AS_OF.isoformat() in line]
    assert line == [AS_OF.isoformat(), "published", "2", second.run_id[0]]


def test_a_night_waits_for_nobody_who_holds_the_lock(published):
    assert published.nightly().code == 0  # the lock file names this process
    before = published.listing()
    with (published.output / ".lock").open("r+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        told = published.nightly("--force")
        assert told.code == 5
        assert f"{published.output}: locked by process {os.getpid()}" in told.refusal
        assert "Wait for that run to end" in told.refusal
    assert published.listing() == before
    assert published.nightly().code == 0


def test_what_a_killed_run_left_is_cleared(published):
    left = published.output / "staging" / "0123456789abcdef.1"
    left.mkdir(parents=True)
    (left / "scores.parquet").write_bytes(b"half")
    change_policy(published)
    assert published.nightly("--force").code == 0
    assert list((published.output / "staging").iterdir()) == []


def rating_of(workspace: Workspace, night: date) -> dict:
    return json.loads((workspace.output / "manifests" / f"as_of={night}" / "1.json").read_text(encoding="utf-8"))["lineage"]["rating"]


def test_nights_carry_the_rating_of_their_month_and_the_next_one_starts_from_it(published):
    """Nobody's tier moves between rating days, however the bills came in meanwhile."""
    first = read_published(published.output).set_index("customer_id")
    middle, last = date(2025, 1, 15), date(2025, 2, 1)
    for night in (middle, last):
        told = published.nightly(as_of=night)
        assert told.code == 0, told.err
    carried, next_rating = (read_published(published.output, night).set_index("customer_id") for night in (middle, last))
    both = first.index.intersection(carried.index)
    assert len(both) > 3500
    columns = ["tier", "tier_score", "tier_valid_from", "tier_valid_until", "tier_reason"]
    pd.testing.assert_frame_equal(carried.loc[both, columns], first.loc[both, columns])
    new = carried.loc[carried.index.difference(first.index)]
    assert len(new) > 0
    assert set(zip(new.tier, new.tier_reason, strict=True)) == {("unrated", "not_rated_yet")}
    assert rating_of(published, middle) == rating_of(published, AS_OF)
    assert rating_of(published, last)["day"] == last.isoformat()
    ratings = published.output / "tiers" / "consumer" / "ratings"
    assert json.loads((ratings / f"{last}.json").read_text(encoding="utf-8"))["previous"] == AS_OF.isoformat()
    assert [path.stem for path in sorted(ratings.glob("*.parquet"))] == [AS_OF.isoformat(), last.isoformat()]
    moved = next_rating.index.intersection(both)
    changed_tier = next_rating.tier[moved] != first.tier[moved]
    assert changed_tier.any()
    assert set(next_rating.tier_valid_from[moved][changed_tier].astype(str)) == {last.isoformat()}
    # the same nights again are the same runs
    before = published.listing()
    assert published.nightly(as_of=middle).code == 0
    assert published.listing() == before


def test_a_rating_that_was_changed_makes_another_run(published):
    night = date(2025, 1, 15)
    assert published.nightly(as_of=night).code == 0
    ratings = published.output / "tiers" / "consumer" / "ratings"
    (published.data / "tier_history.parquet").unlink()
    told = published.say("tiers", "--as-of", AS_OF, "--replay", "--no-log")
    assert told.code == 0, told.err
    assert [path.stem for path in ratings.glob("*.parquet")] == [AS_OF.isoformat()]
    again = published.nightly(as_of=night)
    assert again.code == 5
    assert "they differ in inputs, rating" in again.refusal
