"""A campaign goes live only on a recorded approval of what it would do."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from custvalue.errors import ConfigError, DataError, PublishError
from custvalue.retention.approvals import RUNS_FOLDER, approvals, approved, pending, record_approval, save_dry_run
from custvalue.retention.dry_run import Campaign, DryRun, Reach

AT = datetime(2026, 1, 2, 9, 30, tzinfo=UTC)
DIGEST, OTHER = "a" * 64, "b" * 64


@pytest.fixture
def run():
    reach = Reach(2, 2, 1.0, 4.0, 0.0, 17.0, 3.0, 31.0, {"save_as_set": 17.0})
    return DryRun("2026-01-02", "test-v1", DIGEST, {"listed": 2}, reach, {}, {}, {"spring": Campaign(9, 0, 2, 1, 0.2, 0.1, 90)}, ())


def approve(output, dry_run, **changes):
    return record_approval(output, dry_run, **({"policy_digest": DIGEST, "by": "Li Na", "at": AT} | changes))


def test_approval_says_who_when_and_on_what(tmp_path, run):
    save_dry_run(tmp_path, run)
    assert approved(tmp_path, "spring", DIGEST) is None
    made = approve(tmp_path, run.id, by=" Li Na ", note="looked at tiers")
    assert approved(tmp_path, "spring", DIGEST) == made
    assert (made.dry_run, made.by, made.at, made.campaigns, made.policy) == (run.id, "Li Na", AT.isoformat(), ("spring",), "test-v1")
    assert approved(tmp_path, "autumn", DIGEST) is None


def test_changed_policy_file_asks_for_approval_again(tmp_path, run):
    save_dry_run(tmp_path, run)
    approve(tmp_path, run.id)
    assert approved(tmp_path, "spring", OTHER) is None
    assert pending(tmp_path, ["spring"], DIGEST) == []
    (line,) = pending(tmp_path, ["spring"], OTHER)
    assert "its policy was changed since Li Na approved it" in line
    assert "custvalue lists --dry-run" in line
    with pytest.raises(ConfigError, match="another retention policy"):
        approve(tmp_path, run.id, policy_digest=OTHER)


def test_what_nobody_approved_is_pending(tmp_path):
    (line,) = pending(tmp_path, ["spring"], DIGEST)
    assert "campaign spring is not live: nobody has approved it" in line


@pytest.mark.parametrize("name", ["0123456789abcdef", "../../secret", "", "x"])
def test_unknown_dry_run_is_refused(tmp_path, run, name):
    with pytest.raises(ConfigError, match="None was made yet"):
        approve(tmp_path, name)
    save_dry_run(tmp_path, run)
    with pytest.raises(ConfigError, match=f"Known are {run.id}"):
        approve(tmp_path, name)


@pytest.mark.parametrize("name", ["", "  "])
def test_nobody_cannot_approve(tmp_path, run, name):
    save_dry_run(tmp_path, run)
    with pytest.raises(ConfigError, match="--by NAME"):
        approve(tmp_path, run.id, by=name)


def test_dry_run_that_was_edited_is_refused(tmp_path, run):
    path = save_dry_run(tmp_path, run)
    path.write_text(path.read_text().replace('"net_value": 17.0', '"net_value": 99.0'))
    with pytest.raises(DataError, match="was changed after it was written"):
        approve(tmp_path, run.id)


def test_second_approval_of_the_same_dry_run_changes_nothing(tmp_path, run):
    save_dry_run(tmp_path, run)
    first = approve(tmp_path, run.id)
    with pytest.raises(PublishError, match="approved before, by Li Na"):
        approve(tmp_path, run.id, by="Wang Wei")
    assert approvals(tmp_path) == [first]


def test_latest_approval_counts_and_all_are_kept(tmp_path, run):
    other = replace(run, night="2026-01-03")
    for each in (run, other):
        save_dry_run(tmp_path, each)
    approve(tmp_path, other.id, at=AT.replace(day=3), by="Wang Wei")
    approve(tmp_path, run.id)
    assert [each.by for each in approvals(tmp_path)] == ["Li Na", "Wang Wei"]
    assert approved(tmp_path, "spring", DIGEST).by == "Wang Wei"


def test_same_dry_run_is_kept_once(tmp_path, run):
    assert save_dry_run(tmp_path, run) == save_dry_run(tmp_path, run)
    assert len(list((tmp_path / RUNS_FOLDER).iterdir())) == 1
