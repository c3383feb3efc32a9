"""The files of the contract's tables: one Parquet or CSV file a table, or a folder of Parquet parts."""

from __future__ import annotations

import gzip
import hashlib
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from custvalue.errors import DataError, some
from custvalue.sources.contract import CONTRACT
from custvalue.sources.sql import literal

_SUFFIXES = (".parquet", ".csv", ".csv.gz")
_CSV = """quote = '"', escape = '"', comment = ''"""


@dataclass(frozen=True)
class TableFiles:
    """The file of one table, or its parts.

    Attributes
    ----------
    paths : tuple of Path
        Sorted.
    parts : bool
        Whether they are parts of one table, whose columns are matched by name.
    """

    paths: tuple[Path, ...]
    parts: bool = False

    @property
    def parquet(self) -> bool:
        """Whether they can be read where they lie."""
        return self.paths[0].suffix == ".parquet"

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(path.stat().st_size for path in self.paths)

    @property
    def select(self) -> str:
        """SELECT over the files; CSV values arrive as text, so that nothing is guessed."""
        if not self.parts:
            return file_select(self.paths[0])
        listed = ", ".join(literal(str(path)) for path in self.paths)
        return f"SELECT * FROM read_parquet([{listed}], union_by_name = true, hive_partitioning = {self._partitioned})"

    @property
    def _partitioned(self) -> str:
        return str(any("=" in path.parent.name for path in self.paths)).lower()


def find_contract_files(folder: Path) -> dict[str, TableFiles]:
    """Find the files of each contract table in a folder.

    A table is ``<table>.parquet``, ``.csv`` or ``.csv.gz``; or a folder ``<table>.parquet`` or ``<table>`` of Parquet parts, also in
    folders such as ``year=2025``. Names that begin with ``_`` or ``.`` are not parts: engines leave marks under such names.

    Raises
    ------
    DataError
        The folder is missing, a table is there twice, or a gzip file is broken.
    """
    if not folder.is_dir():
        raise DataError(f"data folder {folder} does not exist. Check `sources.folder`.")
    found = {}
    for name in CONTRACT:
        paths = [folder / f"{name}{suffix}" for suffix in ("", *_SUFFIXES) if _is_table(folder / f"{name}{suffix}", whole=suffix == "")]
        if len(paths) > 1:
            raise DataError(f"table {name}: found {some(path.name for path in paths)} in {folder}. Keep one of them.")
        if not paths:
            continue
        if paths[0].is_file():
            refuse_broken_gzip(paths[0], f"table {name}")
            found[name] = TableFiles((paths[0],))
            continue
        found[name] = TableFiles(_parts(paths[0]), parts=True)
        if not found[name].paths:
            raise DataError(f"table {name}: folder {paths[0].name} holds no .parquet file. Load its parts, or remove the folder.")
    return found


def _is_table(path: Path, *, whole: bool) -> bool:
    return path.is_dir() if whole else path.is_file() or (path.suffix == ".parquet" and path.is_dir())


def _parts(folder: Path) -> tuple[Path, ...]:
    found = (path for path in folder.rglob("*.parquet") if path.is_file())
    return tuple(sorted(path for path in found if not any(part[0] in "_." for part in path.relative_to(folder).parts)))


def refuse_broken_gzip(path: Path, where: str) -> None:
    """Stop at a gzip file that breaks off or fails its checksum; DuckDB would read what is left of it without a word.

    Raises
    ------
    DataError
        The file is broken.
    """
    if path.suffix != ".gz":
        return
    try:
        with gzip.open(path) as file:
            while file.read(1 << 20):
                pass
    except (EOFError, OSError, zlib.error) as error:
        raise DataError(f"{where}: {path.name} cannot be read: {error}. Copy the file again.") from error


def file_select(path: Path | str) -> str:
    """SELECT over a Parquet or CSV file; CSV values arrive as text, so that nothing is guessed.

    Quotes and comments are not guessed either: the guess rests on a file's beginning, and cuts values of the rest at a ``#``.
    """
    if str(path).endswith(".parquet"):
        return f"SELECT * FROM read_parquet({literal(str(path))})"
    return f"SELECT * FROM read_csv({literal(str(path))}, all_varchar = true, header = true, {_CSV})"


def file_digests(files: Iterable[Path], folder: Path) -> dict[str, str]:
    """Give SHA-256 of each file's bytes, by its path relative to a folder."""
    digests = {}
    for path in files:
        with path.open("rb") as file:
            digests[path.relative_to(folder).as_posix()] = hashlib.file_digest(file, "sha256").hexdigest()
    return digests


Marks = Mapping[Path, tuple[int, int, int]]
"""File → inode, size and time of change: what differs when somebody replaces it."""


def mark_files(files: Iterable[Path]) -> Marks:
    """Note what files look like now; see `changed_files`."""
    return {path: _mark(path) for path in files}


def changed_files(marks: Marks) -> list[Path]:
    """Tell which files were replaced, changed or removed since they were marked."""
    return [path for path, mark in marks.items() if not path.exists() or _mark(path) != mark]


def _mark(path: Path) -> tuple[int, int, int]:
    status = path.stat()
    return status.st_ino, status.st_size, status.st_mtime_ns
