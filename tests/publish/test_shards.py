"""Parts of an unpublished run: found again where they are whole, made anew where they are not."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from custvalue.errors import ConfigError, TryAgainError
from custvalue.publish import Work


def write(text: str):
    def make(folder: Path) -> None:
        (folder / "rows.txt").write_text(text)
        (folder / "sums.txt").write_text(f"sums of {text}")

    return make


def refuse(folder: Path) -> None:
    raise AssertionError("a whole part was made again")


def begun(output: Path, run_id: str, layout: str, *, again: bool = False) -> Work:
    work = Work(output, run_id, again=again)
    work.begin(layout)
    return work


@pytest.fixture
def work(tmp_path) -> Work:
    return begun(tmp_path, "run1", "two parts")


def test_a_part_that_is_whole_is_found_by_the_next_attempt(work, tmp_path):
    folder, found = work.part(0, write("first"))
    assert (folder / "rows.txt").read_text() == "first"
    assert not found
    assert begun(tmp_path, "run1", "two parts").part(0, refuse) == (folder, True)


def kill_before_the_checksums(folder: Path) -> None:
    (folder / "done.json").unlink()


def shorten(folder: Path) -> None:
    (folder / "rows.txt").write_text("fir")


def lose(folder: Path) -> None:
    (folder / "sums.txt").unlink()


def add(folder: Path) -> None:
    (folder / "other.txt").write_text("of nobody knows what")


def spoil_the_checksums(folder: Path) -> None:
    (folder / "done.json").write_bytes(b"\xff{")


@pytest.mark.parametrize("damage", [kill_before_the_checksums, shorten, lose, add, spoil_the_checksums])
def test_a_part_that_is_not_whole_is_made_anew(work, damage):
    folder, _ = work.part(0, write("first"))
    damage(folder)
    again, found = work.part(0, write("second"))
    assert (again, found) == (folder, False)
    assert {path.name: path.read_text() for path in folder.glob("*.txt")} == {"rows.txt": "second", "sums.txt": "sums of second"}


def test_a_part_whose_making_failed_is_not_there(work):
    def fail(folder: Path) -> None:
        write("half")(folder)
        raise RuntimeError("in the middle")

    with pytest.raises(RuntimeError):
        work.part(0, fail)
    assert work.part(0, write("whole"))[1] is False


def test_a_full_disk_can_wait(work):
    def fill(folder: Path) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(TryAgainError, match="disk or quota is full"):
        work.part(0, fill)


@pytest.mark.parametrize("other", [{"layout": "three parts"}, {"layout": "two parts", "again": True}])
def test_parts_cut_in_another_way_or_unwanted_are_cleared(work, tmp_path, other):
    work.part(0, write("first"))
    assert begun(tmp_path, "run1", **other).part(0, write("second"))[1] is False


def test_another_run_has_parts_of_its_own_until_one_is_published(work, tmp_path):
    work.part(0, write("first"))
    other = begun(tmp_path, "run2", "two parts")
    assert other.part(0, write("second"))[1] is False
    assert work.part(0, refuse)[1] is True
    work.clear()
    assert not (tmp_path / "work").exists()


def test_a_run_id_cannot_lead_out_of_the_folder(tmp_path):
    with pytest.raises(ConfigError, match="run id"):
        Work(tmp_path, "../elsewhere")


def test_of_two_that_make_the_same_part_at_once_one_wins(work):
    def meet(folder: Path) -> None:
        write("slow")(folder)
        assert work.part(0, write("quick"))[1] is False  # another attempt, on another machine, is there first

    folder, _ = work.part(0, meet)
    assert (folder / "rows.txt").read_text() == "quick"
    assert work.part(0, refuse) == (folder, True)
    assert [path.name for path in work.folder.iterdir() if path.is_dir()] == [folder.name]


def test_what_a_killed_attempt_left_beside_is_cleared_and_never_taken_for_a_part(work, tmp_path):
    work.part(3, write("whole"))
    left = work.folder / ".part-00001-of-a-killed-attempt"
    left.mkdir()
    write("half")(left)
    assert work.whole() == {3}
    again = begun(tmp_path, "run1", "two parts")
    assert not left.exists()
    assert again.whole() == {3}
    again.path(3).joinpath("rows.txt").write_text("spoilt")
    assert again.whole() == set()
