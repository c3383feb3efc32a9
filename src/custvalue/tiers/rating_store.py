"""Ratings as files: one day's tiers whole, its manifest beside it, each linked to the one that it started from."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import uuid4

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from custvalue.errors import DataError, PublishError
from custvalue.publish import file_digest
from custvalue.publish.durable import full_disk_can_wait, replace_json, sync
from custvalue.publish.locks import LockHeldError, hold
from custvalue.tiers.rating import RatingManifest, as_rating, encode

_PATIENCE = 10.0
"""Seconds to wait for another writer: it holds the store for one file's time."""


class RatingStore:
    """The ratings of one policy, all versions of it, in one folder.

    A rating is there once its manifest is; what a killed run leaves is ignored, and cleared by the next one.

    Parameters
    ----------
    folder : Path
        ``<output>/tiers/<policy name>/ratings``; made by the first `write`.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def days(self) -> list[date]:
        """List the days that are rated, oldest first."""
        found = (_day_of(path.stem) for path in self.folder.glob("*.json"))
        return sorted(day for day in found if day is not None)

    def latest(self, *, before: date | None = None) -> RatingManifest | None:
        """Read the manifest of the newest rating, or of the newest before a day; None where there is none."""
        days = [day for day in self.days() if before is None or day < before]
        return self.manifest(days[-1]) if days else None

    def manifest(self, day: date) -> RatingManifest:
        """Read a rating's manifest; raises DataError where it is absent or damaged."""
        path = self._manifest_path(day)
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            dates = {name: date.fromisoformat(content[name]) for name in ("day", "previous") if content[name] is not None}
            found = RatingManifest(**content | dates | {"forgotten": tuple(content.get("forgotten", ()))})
            if found.day != day:
                raise ValueError("it names another day")
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise DataError(f"{path}: the rating's manifest is absent or damaged ({error}). {_again(day)}") from error
        return found

    def path(self, day: date) -> Path:
        """Give a rating's Parquet file, verified.

        Raises
        ------
        DataError
            The day is not rated, or the file is gone or differs from its digest.
        """
        manifest, path = self.manifest(day), self._table_path(day)
        try:
            intact = file_digest(path) in manifest.intact
        except OSError as error:
            raise DataError(f"{path}: the rating cannot be read ({error.strerror}). Restore it. {_again(day)}") from error
        if not intact:
            raise DataError(f"{path}: the rating is not what was written, its SHA-256 differs from the manifest's. {_again(day)}")
        return path

    def read(self, day: date) -> pa.Table:
        """Read a rating, verified, by customer_id; columns as in `SCHEMA`. The errors are those of `path`."""
        return pq.read_table(self.path(day))

    def write(self, day: date, table: pa.Table, manifest: RatingManifest, *, again: bool = False) -> RatingManifest:
        """Store a rating whole, or not at all.

        Parameters
        ----------
        day : date
            The rating's day.
        table : pyarrow.Table
            What `TierPolicy.assign` gave.
        manifest : RatingManifest
            What it was made from; rows and digest are filled in here.
        again : bool
            Put it in the place of another result for the day; the same result changes nothing either way.

        Returns
        -------
        RatingManifest
            As stored.

        Raises
        ------
        PublishError
            The day is rated with another result and `again` is not given, or another process writes.
        TryAgainError
            The disk is full.
        """
        rows = as_rating(table, day)
        with full_disk_can_wait(self.folder), self._held():
            standing = self._standing(day, rows, manifest, again=again)
            if standing is not None:
                return standing
            content = encode(rows)
            done = replace(manifest, day=day, rows=rows.num_rows, digest=sha256(content).hexdigest())
            # without its manifest the old rating is gone: never one day's table beside another's manifest
            self._manifest_path(day).unlink(missing_ok=True)
            self._write_table(day, content)
            replace_json(self._manifest_path(day), _plain(done))
            return done

    def forget(self, customer_id: str) -> int:
        """Remove a customer from every rating, and count those that held him; a killed call is gone on with by the next.

        The manifest keeps the digest under which later ratings know the rating, so that the chain stays what it was, and is given the new
        one beside it before the file changes: at every moment the file is one that its manifest knows.
        """
        if not self.folder.is_dir():
            return 0
        changed = 0
        with full_disk_can_wait(self.folder), self._held():
            for day in self.days():
                rows = self.read(day)
                others = rows.filter(pc.not_equal(rows["customer_id"], customer_id)).combine_chunks()
                if others.num_rows == rows.num_rows:
                    continue
                content, manifest = encode(others), self.manifest(day)
                digest = sha256(content).hexdigest()
                if manifest.intact[-1] != digest:
                    manifest = replace(manifest, rows=others.num_rows, forgotten=(*manifest.forgotten, digest))
                    replace_json(self._manifest_path(day), _plain(manifest))
                self._write_table(day, content)
                changed += 1
        return changed

    def check_links(self, *, before: date | None = None) -> None:
        """Make sure that every rating, or every one before a day, started from the one before it, as that is now.

        Raises
        ------
        DataError
            A rating between was removed, added or changed afterwards; the message tells from which day to rate again.
        """
        days = self.days()
        last: RatingManifest | None = None
        for day in (day for day in days if before is None or day < before):
            found = self.manifest(day)
            own = _name(found.previous_version) == _name(found.policy_version)
            if found.previous and not own:  # the policy in force before had another name, and so another store
                linked = last is None or found.previous > last.day
            else:
                linked = (found.previous, found.previous_digest) == ((last.day, last.digest) if last else (None, None))
            if not linked:
                since = found.previous if own and found.previous and found.previous not in days else day
                raise DataError(
                    f"{self.folder}: the rating of {day} started from {found.previous or 'nothing'} as it was then; the one before is now "
                    f"{last.day if last else 'missing'}, made later, or made again. {_again(since)}"
                )
            last = found

    def _standing(self, day: date, rows: pa.Table, manifest: RatingManifest, *, again: bool) -> RatingManifest | None:
        """Give the manifest of a rating with these very rows, brought up to date where it started from another one."""
        if day not in self.days():
            return None
        try:
            standing, same = self.manifest(day), self.read(day).equals(rows)
        except DataError:
            if again:
                return None
            raise
        if not same:
            if again:
                return None
            raise PublishError(f"{self.folder}: {day} is rated already, with another result. Keep it, or make it anew. {_again(day)}")
        if again:
            standing = replace(manifest, day=day, rows=standing.rows, digest=standing.digest, forgotten=standing.forgotten)
            replace_json(self._manifest_path(day), _plain(standing))
        return standing

    def _write_table(self, day: date, content: pa.Buffer) -> None:
        path = self._table_path(day)
        part = self.folder / f".{path.name}.{uuid4().hex}.part"
        try:
            part.write_bytes(content)
            sync(part)
            part.replace(path)
            sync(self.folder)
        finally:
            part.unlink(missing_ok=True)

    @contextmanager
    def _held(self) -> Iterator[None]:
        self.folder.mkdir(parents=True, exist_ok=True)
        try:
            with hold(self.folder / ".lock", patience=_PATIENCE):
                for left in self.folder.glob(".*.part"):
                    left.unlink(missing_ok=True)
                yield
        except LockHeldError as error:
            raise PublishError(f"{self.folder}: {error}. Wait for that run to end; if it hangs, end it and start again.") from None

    def _table_path(self, day: date) -> Path:
        return self.folder / f"{day.isoformat()}.parquet"

    def _manifest_path(self, day: date) -> Path:
        return self.folder / f"{day.isoformat()}.json"


def _plain(manifest: RatingManifest) -> dict[str, Any]:
    told = {name: value.isoformat() if isinstance(value, date) else value for name, value in asdict(manifest).items()}
    return told if manifest.forgotten else {name: value for name, value in told.items() if name != "forgotten"}


def _day_of(name: str) -> date | None:
    try:
        return date.fromisoformat(name)
    except ValueError:
        return None


def _name(policy_version: str | None) -> str | None:
    """Give the policy's name, which its versions share."""
    return policy_version.rpartition("-v")[0] if policy_version else None


def _again(day: date) -> str:
    return f"To rate it and every later day again, run `custvalue tiers --as-of {day} --replay`."
