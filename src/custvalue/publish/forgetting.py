"""One customer's rows taken out of files, and of published nights, so that readers see a night before or after, never between."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import uuid4

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from custvalue.publish.durable import link_or_copy, sync
from custvalue.publish.manifests import Published, generations, latest, manifest_folder, published_dates
from custvalue.publish.nights import announce, move, seal, stage

CUSTOMER = "customer_id"

ON_LISTS = ("lists.parquet", "care_lists.parquet", "list_changes.parquet")
"""Tables that the lists of managers are drawn from."""

Redo = Callable[[Published, Path, pa.Table], set[str]]
"""Makes anew, in the folder given, what was drawn from the removed rows of `ON_LISTS`; gives the night's files that it replaces."""


@dataclass(frozen=True)
class Rewritten:
    """What became of the published nights.

    Attributes
    ----------
    nights : int
        Nights that have a new generation.
    rows : dict
        Table → rows removed of them.
    files : int
        Files that were drawn anew, or left out because nobody is on them any more.
    removed : int
        Superseded or unannounced folders of nights that were removed whole.
    """

    nights: int
    rows: dict[str, int]
    files: int
    removed: int


def parquet_files(folder: Path, pattern: str = "*.parquet") -> list[Path]:
    """List the files below a folder; a night's table may be a folder with such a name."""
    return sorted(path for path in folder.rglob(pattern) if path.is_file())


def count_rows(path: Path, customer_id: str) -> int:
    """Count a customer's rows in a Parquet file; 0 where it has no column of customers."""
    if CUSTOMER not in pq.read_schema(path).names:
        return 0
    return int(pq.read_table(path, columns=[CUSTOMER], filters=[(CUSTOMER, "=", customer_id)]).num_rows)


def write_without(source: Path, target: Path, customer_id: str) -> None:
    """Copy a Parquet file but for a customer's rows, a row group at a time."""
    with pq.ParquetFile(source) as file, pq.ParquetWriter(target, file.schema_arrow) as writer:
        for group in range(file.num_row_groups):
            table = file.read_row_group(group)
            writer.write_table(table.filter(_others(table, customer_id)))


def remove_rows(path: Path, customer_id: str) -> int:
    """Replace a Parquet file by one without a customer's rows, in one step, and count them."""
    found = count_rows(path, customer_id)
    if found:
        part = path.with_name(f".{path.name}.{uuid4().hex}.part")
        try:
            write_without(path, part, customer_id)
            sync(part)
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
        sync(path.parent)
    return found


def forget_in_nights(output: Path, customer_id: str, *, redo: Redo) -> Rewritten:
    """Give every night that holds a customer a new generation without him, and remove the older ones; hold `lock` meanwhile.

    A new generation, because a night's files never change under a reader: it has the same run id and lineage, its own folder, and shares
    the files that do not hold the customer. What a killed attempt left is found by the next one.

    Parameters
    ----------
    output : Path
        The output folder.
    customer_id : str
        As in the files.
    redo : callable
        See `Redo`.
    """
    rows: dict[str, int] = {}
    nights = files = 0
    kept = set()
    for as_of in published_dates(output):
        night = latest(output, as_of)
        if night is None:
            continue
        found = {
            name: count for name in night.files if name.endswith(".parquet") if (count := count_rows(night.folder / name, customer_id))
        }
        if found:
            night, redone = _rewrite(output, night, set(found), customer_id, redo)
            nights, files = nights + 1, files + redone
        for name, count in found.items():
            table = name.split("/")[0].removesuffix(".parquet")
            rows[table] = rows.get(table, 0) + count
        kept.add(night.folder.name)
    return Rewritten(nights, rows, files, _remove_others(output, kept, customer_id))


def _rewrite(output: Path, night: Published, holding: set[str], customer_id: str, redo: Redo) -> tuple[Published, int]:
    staging = stage(output, night.run_id)
    removed = pa.table({CUSTOMER: pa.array([], pa.string())})
    for name in holding.intersection(ON_LISTS):
        own = pq.read_table(night.folder / name, columns=[CUSTOMER], filters=[(CUSTOMER, "=", customer_id)])
        removed = pa.concat_tables([removed, own.cast(removed.schema)])
    for name in holding:
        target = staging / name
        target.parent.mkdir(parents=True, exist_ok=True)
        write_without(night.folder / name, target, customer_id)
    redone = redo(night, staging, removed)
    for name in night.files.keys() - holding - redone:
        (staging / name).parent.mkdir(parents=True, exist_ok=True)
        link_or_copy(night.folder / name, staging / name)
    files = seal(staging)
    content = hashlib.sha256(json.dumps(files, sort_keys=True).encode()).hexdigest()[:8]
    folder = move(output, f"{night.run_id}-{content}", staging)
    return announce(output, replace(night, folder=folder, files=files)), len(redone)


def _remove_others(output: Path, kept: set[str], customer_id: str) -> int:
    """Remove the folders of nights that no reader takes any more where they hold the customer, and the manifests that name them."""
    removed = 0
    for folder in sorted((output / "nights").glob("*/")):
        if folder.name not in kept and any(count_rows(path, customer_id) for path in parquet_files(folder)):
            # out of the way at once: a folder that is half removed may no longer show that it held him
            aside = stage(output, folder.name)
            folder.rename(aside / "superseded")
            sync(folder.parent)
            shutil.rmtree(aside)
            removed += 1
    for manifest in _superseded(output):
        named = _folder_named(manifest)
        if named and not (output / "nights" / named).exists():
            manifest.unlink()
            sync(manifest.parent)
    return removed


def _superseded(output: Path) -> Iterator[Path]:
    for as_of in published_dates(output):
        for generation in generations(output, as_of)[:-1]:
            yield manifest_folder(output, as_of) / f"{generation}.json"


def _folder_named(manifest: Path) -> str:
    with suppress(OSError, ValueError, KeyError, TypeError):
        content = json.loads(manifest.read_text(encoding="utf-8"))
        return str(content.get("folder", content["run_id"]))
    return ""


def _others(table: pa.Table, customer_id: str) -> pa.ChunkedArray:
    return pc.fill_null(pc.not_equal(table[CUSTOMER].cast(pa.string()), customer_id), True)
