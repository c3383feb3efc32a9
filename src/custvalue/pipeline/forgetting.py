"""Forgetting a customer: found by any of his names, removed from every output, recorded without any of them."""

from __future__ import annotations

import hmac
import json
import shutil
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from custvalue.config import Config
from custvalue.errors import ConfigError, DataError, mask
from custvalue.lists import customer_token, customer_tokens, write_formats
from custvalue.pipeline.list_files import LISTS_FILE, LISTS_FOLDER, edition_of
from custvalue.pipeline.stages import Reporter
from custvalue.publish import lock
from custvalue.publish.durable import replace_json
from custvalue.publish.forgetting import CUSTOMER, Rewritten, count_rows, forget_in_nights, parquet_files, remove_rows
from custvalue.publish.manifests import Published
from custvalue.sources import open_tables
from custvalue.tiers import RatingStore
from custvalue.tracking.promotion import append_line, read_log
from custvalue.wording import load_catalogue

LOG_FILE, PENDING_FILE = "forgotten.jsonl", "forgetting.json"
_OWN_FOLDERS = ("nights", "work", "staging", "tiers")
"""Folders that have a way of their own; other Parquet files of the output folder are replaced one by one."""


Forgets = Callable[[str], dict[str, int]]
"""Removes a customer's rows from a database, and gives table → rows."""


@dataclass(frozen=True)
class Forgotten:
    """What was removed.

    Attributes
    ----------
    nights : Rewritten
        Of the published nights.
    ratings : int
        Ratings that were rewritten.
    files : int
        Unpublished files that were rewritten or removed.
    work : bool
        Whether unfinished work was there, and was removed whole.
    database : dict
        Table → rows.
    before : bool
        He was forgotten before, and nothing was left.
    """

    nights: Rewritten = field(default_factory=lambda: Rewritten(0, {}, 0, 0))
    ratings: int = 0
    files: int = 0
    work: bool = False
    database: dict[str, int] = field(default_factory=dict)
    before: bool = False

    @property
    def anything(self) -> bool:
        """Whether anything of the customer's was there."""
        return bool(self.nights.nights or self.nights.removed or self.ratings or self.files or any(self.database.values()))


def forget_customer(
    config: Config, given: str, *, token_key: bytes, stores: Sequence[Forgets], reporter: Reporter, now: datetime
) -> Forgotten:
    """Remove a customer from every output; the same call again goes on where a killed one stopped.

    Parameters
    ----------
    config : Config
        Whose outputs.
    given : str
        The warehouse's customer id, the CRM id or the token that lists show.
    token_key : bytes
        Key of the tokens, and of the hash that the record keeps.
    stores : sequence of callable
        One for each database that holds customers: of the nights, of the work orders; see `Forgets`.
    reporter : Reporter
        Hears what was removed; no identifier.
    now : datetime
        For the record.

    Raises
    ------
    ConfigError
        Nobody is known by this name, or several are.
    PublishError
        Another run holds the lock.
    TryAgainError
        The database or the disk is away or full; nothing is lost, and the same call goes on.
    """
    with lock(config.output):
        reporter.start("forget")
        pending = config.output / PENDING_FILE
        hashed = _hash(token_key, given)
        customer = _pending(pending, hashed) or _find(config, given, token_key)
        log = config.output / LOG_FILE
        names = {hashed} if customer is None else {hashed, _hash(token_key, customer)}
        known = any(names & {entry.get("customer"), entry.get("given")} for entry in read_log(log))
        if customer is None:
            if known:
                return Forgotten(before=True)
            raise ConfigError(
                f"no output of {config.name} knows {mask(given)}, and the directory does not either. Give the warehouse's customer id, "
                "the CRM id, or the token that lists show."
            )
        replace_json(pending, {"given": hashed, CUSTOMER: customer})
        done = _remove(config, customer, token_key, stores, reporter)
        if known and not done.anything:
            pending.unlink()
            return Forgotten(before=True)
        entry = {"at": now.isoformat(), "customer": _hash(token_key, customer), "given": hashed, "removed": asdict(done)}
        append_line(log, entry)
        pending.unlink()
    told = ", ".join(f"{count} {table}" for table, count in done.nights.rows.items()) or "no row"
    reporter.done("forget", f"{told} of {done.nights.nights} night(s), {done.ratings} rating(s)", removed=asdict(done))
    return done


def _remove(config: Config, customer: str, token_key: bytes, stores: Sequence[Forgets], reporter: Reporter) -> Forgotten:
    removed: dict[str, int] = {}
    for forget in stores:
        removed |= forget(customer)
    reporter.note(f"databases: {sum(removed.values())} row(s)" if stores else "no database is configured")
    work = config.output / "work"
    was_there = work.is_dir()
    shutil.rmtree(work, ignore_errors=True)
    shown = _shown_as(config.output, customer) | {customer_token(token_key, customer)}
    files = _remove_unpublished(config.output, customer, shown)
    nights = forget_in_nights(config.output, customer, redo=lambda *given: _redo_workbooks(config, *given))
    reporter.note(f"nights: {nights.nights} rewritten, {nights.removed} superseded removed")
    # the ratings last: while one of them knows the customer, a token still leads to him
    ratings = sum(RatingStore(folder).forget(customer) for folder in sorted((config.output / "tiers").glob("*/ratings")))
    return Forgotten(nights, ratings, files, was_there, removed)


def _redo_workbooks(config: Config, night: Published, folder: Path, removed: pa.Table) -> set[str]:
    """Write the lists anew where the customer was on one; see `publish.forgetting.Redo`."""
    if not removed.num_rows:
        return set()
    own = folder / LISTS_FILE
    rows = pd.read_parquet(own if own.exists() else night.folder / LISTS_FILE)
    edition = edition_of(folder, config, night.as_of, load_catalogue(config.wording), otherwise=night.folder)
    write_formats(folder / LISTS_FOLDER, rows, edition)
    return {name for name in night.files if name.startswith(f"{LISTS_FOLDER}/")}


def _remove_unpublished(output: Path, customer: str, shown: set[str]) -> int:
    """Rewrite Parquet files outside the nights, and remove workbooks that show the customer: there is nothing to draw them anew from."""
    changed = 0
    for path in _unpublished(output, "*.parquet"):
        changed += remove_rows(path, customer) > 0
    for path in [*_unpublished(output, "*.xlsx"), *_unpublished(output, "*.csv")]:
        if _shows(path, shown):
            path.unlink()
            changed += 1
    return changed


def _unpublished(output: Path, pattern: str) -> Iterator[Path]:
    return (path for path in parquet_files(output, pattern) if path.relative_to(output).parts[0] not in _OWN_FOLDERS)


def _shows(path: Path, shown: set[str]) -> bool:
    if path.suffix == ".csv":
        text = path.read_text(encoding="utf-8", errors="replace")
        return any(name in text for name in shown)
    try:
        with zipfile.ZipFile(path) as book:
            texts = [book.read(name).decode("utf-8", errors="replace") for name in book.namelist() if name.endswith(".xml")]
    except zipfile.BadZipFile:
        return True  # what cannot be read cannot be cleared either
    return any(f">{name}<" in text for text in texts for name in shown)


def _shown_as(output: Path, customer: str) -> set[str]:
    """Give the names under which lists showed a customer."""
    shown: set[str] = set()
    for path in (output / "nights").glob(f"*/{LISTS_FILE}"):
        shown |= set(pq.read_table(path, columns=["customer"], filters=[(CUSTOMER, "=", customer)])["customer"].to_pylist())
    return {name for name in shown if name}


def _find(config: Config, given: str, token_key: bytes) -> str | None:
    """Find the warehouse's id: given itself, or behind a token or a CRM id; None where nobody is known by it."""
    holders = [*parquet_files(config.output / "nights"), *parquet_files(config.output / "tiers")]
    if any(count_rows(path, given) for path in holders):
        return given
    found = {str(id_) for path in (config.output / "nights").glob(f"*/{LISTS_FILE}") for id_ in _listed_as(path, given)}
    if given.startswith("C-"):
        found |= _behind_token(holders, given, token_key)
    found = found or _in_directory(config, given)
    if len(found) > 1:
        raise ConfigError(f"{mask(given)} stands for {len(found)} customers. Give the warehouse's customer id.")
    return next(iter(found), None)


def _listed_as(path: Path, given: str) -> list[Any]:
    return list(pq.read_table(path, columns=[CUSTOMER], filters=[("customer", "=", given)])[CUSTOMER].to_pylist())


def _behind_token(holders: list[Path], token: str, token_key: bytes) -> set[str]:
    found: set[str] = set()
    seen: set[str] = set()
    for path in holders:
        if CUSTOMER in pq.read_schema(path).names:
            ids = set(pc.unique(pq.read_table(path, columns=[CUSTOMER])[CUSTOMER].cast(pa.string())).to_pylist()) - seen
            seen |= ids
            found |= {id_ for id_, own in zip(ids, customer_tokens(token_key, ids), strict=True) if own == token}
    return found


def _in_directory(config: Config, given: str) -> set[str]:
    try:
        directory = open_tables(config).restricted("directory")
    except DataError as error:
        raise ConfigError(f"no output knows {mask(given)}, and the directory cannot be read ({error}). Give the customer id.") from error
    if directory is None or "crm_id" not in directory.columns:
        return set()
    return set(directory.filter(directory.crm_id == given).to_pandas()[CUSTOMER].astype(str))


def _pending(path: Path, hashed: str) -> str | None:
    """Give the customer of a forgetting that was killed, if it was asked for by the same name."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return str(content[CUSTOMER]) if content["given"] == hashed else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _hash(key: bytes, name: str) -> str:
    return hmac.digest(key, f"forgotten {name}".encode(), "sha256").hex()
