"""From scored parts to a night's files: lists chosen over the whole base, final scores, reasons, workbooks."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import reduce
from operator import add
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from custvalue.config import Config
from custvalue.explain import Reasons
from custvalue.explain.portfolio import portfolio
from custvalue.explain.portfolio_plot import save_portfolio
from custvalue.lists import FORMATS, directory_entries, list_facts, list_rows
from custvalue.monitoring import Profile
from custvalue.pipeline.monitoring import PROFILE_FILE
from custvalue.pipeline.outcomes import loss_columns, riskiest
from custvalue.pipeline.reasons import PORTFOLIO_FIGURE, PORTFOLIO_FILE
from custvalue.pipeline.scoring import REASONS_FILE, ROWS_FILE, SUMS_FILE, Scorer
from custvalue.publish.durable import link_or_copy
from custvalue.publish.reading import SCORES
from custvalue.retention import DECISIONS, LISTED, WAITING, choose, customers_by_manager
from custvalue.sources import SourceTables
from custvalue.wording import Catalogue

LISTS_FILE, LISTS_FOLDER = "lists.parquet", "lists"
_CHOICE = ["customer_id", "manager_id", "net_value"]
_FIXED = 2**40
"""Chances are added up as whole numbers of so many parts: the sum does not depend on how the base is cut."""


@dataclass(frozen=True)
class Chosen:
    """What is decided over the whole base.

    Attributes
    ----------
    listed : DataFrame
        ``customer_id``, ``manager_id``, ``net_value`` and ``priority`` of those who take a slot.
    counts : dict
        Customers by decision, all of `DECISIONS`.
    customers : dict
        Customers by their own manager.
    means : dict
        Mean of each probability column.
    """

    listed: pd.DataFrame
    counts: dict[str, int]
    customers: dict[str, int]
    means: dict[str, float]


def choose_lists(parts: Sequence[Path], scorer: Scorer) -> Chosen:
    """Fill the lists from all parts; each is read once, and of each only those are kept who would be listed if it were the whole base."""
    kept, counts, customers = [], dict.fromkeys(DECISIONS, 0), dict[str, int]()
    chances = dict.fromkeys(loss_columns(scorer.outcomes).values(), 0)
    rows = 0
    for part in parts:
        own = pq.read_table(part / ROWS_FILE, columns=[*_CHOICE, "own_manager_id", "decision", *chances]).to_pandas()
        rows += len(own)
        kept.append(choose(own.loc[own.decision == WAITING, _CHOICE], scorer.duty))
        for code, count in own.decision.value_counts().items():
            counts[str(code)] += int(count)
        for manager, count in customers_by_manager(own.own_manager_id).items():
            customers[manager] = customers.get(manager, 0) + count
        for name in chances:
            chances[name] += int(np.rint(own[name].to_numpy() * _FIXED).astype(np.int64).sum())
    listed = choose(pd.concat(kept, ignore_index=True).drop(columns="priority"), scorer.duty)
    counts[WAITING] -= len(listed)
    counts[LISTED] = len(listed)
    means = {name: total / _FIXED / rows for name, total in chances.items()}
    return Chosen(listed.sort_values(["manager_id", "priority"], ignore_index=True), counts, customers, means)


def write_scores(folder: Path, parts: Sequence[Path], chosen: Chosen, scorer: Scorer, lineage: Mapping[str, Any]) -> pd.DataFrame:
    """Write the night's scores and reasons, one file a part, and give the listed customers' rows, with what lists show of them.

    Returns
    -------
    DataFrame
        The listed, by list and priority: the columns of the scores, of `list_facts`, ``priority``, and the reasons' columns.
    """
    (folder / SCORES).mkdir(parents=True)
    (folder / REASONS_FILE).mkdir()
    wanted, losses, taken = pa.array(chosen.listed.customer_id, pa.string()), loss_columns(scorer.outcomes), []
    for number, part in enumerate(parts):
        rows = pq.read_table(part / ROWS_FILE)
        is_listed = pc.is_in(rows["customer_id"], value_set=wanted)
        place = rows.column_names.index("decision")
        rows = rows.set_column(place, "decision", pc.if_else(is_listed, LISTED, rows["decision"]))
        if len(losses) > 1:
            kinds = riskiest(rows.select(list(losses.values())).to_pandas(), losses, chosen.means)
            rows = rows.append_column("risk_kind", pa.array(kinds, pa.string()))
        name = f"part-{number:05d}.parquet"
        said = pq.read_table(part / REASONS_FILE).filter(is_listed).drop_columns("customer_id")
        own = rows.filter(is_listed)
        for column in said.column_names:
            own = own.append_column(column, said[column])
        taken.append(own)
        published = rows.drop_columns(list_facts(rows.column_names))
        for column, value in lineage.items():
            published = published.append_column(column, pa.repeat(pa.scalar(value), published.num_rows))
        pq.write_table(published, folder / SCORES / name)
        link_or_copy(part / REASONS_FILE, folder / REASONS_FILE / name)
    found = pa.concat_tables(taken).to_pandas()
    found = found.merge(chosen.listed[["customer_id", "priority"]], on="customer_id")
    return pd.DataFrame(found.sort_values(["manager_id", "priority"], ignore_index=True))


def write_lists(
    folder: Path,
    listed: pd.DataFrame,
    chosen: Chosen,
    tables: SourceTables,
    config: Config,
    as_of: date,
    *,
    token_key: bytes,
    catalogue: Catalogue,
) -> pd.DataFrame:
    """Write the lists as managers see them, as a table and as one workbook a manager, and give the table."""
    said = Reasons(pa.table({name: listed[name] for name in ("reason_codes", "reasons_en", "reasons_zh", "reason_weights")}))
    entries = directory_entries(tables.restricted("directory"), list(listed.customer_id))
    rows = list_rows(listed, said, entries, as_of=as_of, token_key=token_key, base_rate=chosen.means["probability"])
    rows.to_parquet(folder / LISTS_FILE, index=False)
    write_workbooks(folder / LISTS_FOLDER, rows, config, as_of, catalogue)
    return rows


def write_workbooks(folder: Path, rows: pd.DataFrame, config: Config, as_of: date, catalogue: Catalogue) -> list[Path]:
    """Write one workbook a manager into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for manager, own in rows.groupby("manager_id", sort=True):
        shown = own.assign(reasons=own[f"reasons_{config.language}"])
        for suffix, write in FORMATS.items():
            paths.append(folder / f"{safe_name(str(manager))}.{suffix}")
            write(
                paths[-1],
                shown,
                manager=str(manager),
                as_of=as_of,
                language=config.language,
                currency=config.currency,
                catalogue=catalogue,
            )
    return paths


def write_portfolio(folder: Path, parts: Sequence[Path], catalogue: Catalogue, *, language: str, tiers: Sequence[str]) -> None:
    """Write how much of the base's risk each reason explains, as a table and as a figure."""
    found = portfolio(pd.read_parquet(part / SUMS_FILE) for part in parts)
    found.astype({"group": "string"}).to_parquet(folder / PORTFOLIO_FILE, index=False)
    save_portfolio(folder / PORTFOLIO_FIGURE, found, catalogue, language=language, groups=tiers)


def write_profile(folder: Path, parts: Sequence[Path]) -> None:
    """Write what monitoring counted of the whole base."""
    found = (Profile.from_dict(json.loads((part / PROFILE_FILE).read_text(encoding="utf-8"))) for part in parts)
    (folder / PROFILE_FILE).write_text(json.dumps(reduce(add, found).to_dict(), sort_keys=True), encoding="utf-8")


def safe_name(text: str) -> str:
    """Give a file name that a manager's id cannot lead out of its folder, and that no other manager's id shares."""
    safe = "".join(letter if letter.isalnum() or letter in "-_" else "_" for letter in text)
    return safe if safe and safe == text else f"{safe}-{hashlib.sha256(text.encode()).hexdigest()[:6]}"
