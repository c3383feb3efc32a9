"""Work that a killed run leaves behind and the next one goes on with: parts, each with a checksum that says it is whole."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

from custvalue.publish.digests import file_digest
from custvalue.publish.durable import full_disk_can_wait, replace_json, sync
from custvalue.publish.manifests import check_run_id

_DONE = "done.json"


class Work:
    """The parts of a run that is not published yet, in ``output/work/<run_id>``.

    A part is a folder of files; it is there once its checksums are. Whatever decides a part's content belongs into the run id or into
    the layout.

    Parameters
    ----------
    output : Path
        The output folder; hold `lock`.
    run_id : str
        The run that the parts belong to: the same one finds them again.
    again : bool
        Clear what is there.
    """

    def __init__(self, output: Path, run_id: str, *, again: bool = False) -> None:
        check_run_id(run_id)
        self.folder = output / "work" / run_id
        self._output, self._again = output, again

    def begin(self, layout: str) -> None:
        """Say how the run is cut into parts; parts cut in another way are cleared.

        Raises
        ------
        TryAgainError
            The disk is full.
        """
        if self.folder.exists() and (self._again or self._layout() != layout):
            shutil.rmtree(self.folder)
        for left in self.folder.glob(".part-*"):
            shutil.rmtree(left)
        with full_disk_can_wait(self._output):
            replace_json(self.folder / "layout.json", {"layout": layout})

    def part(self, number: int, make: Callable[[Path], None]) -> tuple[Path, bool]:
        """Give a part's folder, and whether it was found: it is made anew unless it stands there whole.

        It is written beside its place and moved there at once: of several that make the same part, also on other machines, one wins.

        Parameters
        ----------
        number : int
            Of the part, from 0.
        make : callable
            Writes the part's files into the empty folder given.

        Raises
        ------
        TryAgainError
            The disk is full.
        """
        folder = self.path(number)
        if _whole(folder):
            return folder, True
        own = self.folder / f".{folder.name}-{uuid4().hex}"
        try:
            with full_disk_can_wait(self._output):
                own.mkdir(parents=True)
                make(own)
                paths = sorted(own.iterdir())
                for path in (*paths, own):
                    sync(path)
                replace_json(own / _DONE, {path.name: file_digest(path) for path in paths})
                _put(own, folder)
        finally:
            shutil.rmtree(own, ignore_errors=True)
        return folder, False

    def path(self, number: int) -> Path:
        """Folder of a part, whether it is there or not."""
        return self.folder / f"part-{number:05d}"

    def whole(self) -> set[int]:
        """Numbers of the parts that stand there whole."""
        found = ((int(folder.name.rpartition("-")[2]), folder) for folder in self.folder.glob("part-*"))
        return {number for number, folder in found if _whole(folder)}

    def clear(self) -> None:
        """Remove the parts, and what other runs left of theirs."""
        shutil.rmtree(self.folder.parent, ignore_errors=True)

    def _layout(self) -> object:
        try:
            return json.loads((self.folder / "layout.json").read_text(encoding="utf-8"))["layout"]
        except (OSError, ValueError, KeyError, TypeError):
            return None


def _put(made: Path, folder: Path) -> None:
    """Move a part to its place, unless another attempt has put a whole one there meanwhile."""
    if not _whole(folder):
        shutil.rmtree(folder, ignore_errors=True)
    try:
        made.rename(folder)
    except OSError:
        if not _whole(folder):
            raise
    sync(folder.parent)


def _whole(folder: Path) -> bool:
    """Tell whether a part's files are those that were written."""
    try:
        done = json.loads((folder / _DONE).read_text(encoding="utf-8"))
        return bool({path.name: file_digest(path) for path in folder.iterdir() if path.name != _DONE} == done)
    except (OSError, ValueError):
        return False
