"""From scored parts to a night's files: final scores and reasons, what explains the risk, what monitoring counts."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from custvalue.explain.portfolio import portfolio
from custvalue.explain.portfolio_plot import save_portfolio
from custvalue.lists import list_facts
from custvalue.monitoring import Profile
from custvalue.pipeline.choosing import Chosen
from custvalue.pipeline.monitoring import PROFILE_FILE
from custvalue.pipeline.outcomes import loss_columns, riskiest
from custvalue.pipeline.reasons import PORTFOLIO_FIGURE, PORTFOLIO_FILE
from custvalue.pipeline.scoring import REASONS_FILE, ROWS_FILE, SHOWN, SUMS_FILE, Scorer
from custvalue.publish.durable import link_or_copy
from custvalue.publish.reading import SCORES
from custvalue.retention.offers import NET, SPENT
from custvalue.wording import Catalogue

_ON_THE_WAY = (
    "unit", "account", "claims", "reach", "save", "take_up", "harm", "contact_cost", "expected_cost", "due_hours", "reason_code", *SHOWN,
)  # fmt: skip
"""What decided, and is not published beside the scores."""


@dataclass(frozen=True)
class Written:
    """What the lists take from the scores as they are written.

    Attributes
    ----------
    listed : DataFrame
        Who is listed, by list and priority: the columns of `Choice.listed`, of `list_facts`, and of the reasons.
    reason_codes : Series
        Code of the first reason of who would have been listed, by customer_id.
    decisions : Series
        Final codes of the customers asked for, by customer_id.
    """

    listed: pd.DataFrame
    reason_codes: pd.Series
    decisions: pd.Series


def write_scores(
    folder: Path, parts: Sequence[Path], chosen: Chosen, scorer: Scorer, lineage: Mapping[str, Any], *, asked: Sequence[str] = ()
) -> Written:
    """Write the night's scores and reasons, one file a part.

    Parameters
    ----------
    folder : Path
        Of the night.
    parts : sequence of Path
        Folders as `Scored.save` writes them.
    chosen, scorer : Chosen, Scorer
        Who is listed, and how everybody was scored.
    lineage : mapping
        Stands in every row.
    asked : sequence of str
        Customers whose decision is wanted.
    """
    (folder / SCORES).mkdir(parents=True)
    (folder / REASONS_FILE).mkdir()
    ids = {
        name: pa.array(rows.customer_id, pa.string())
        for name, rows in (("listed", chosen.choice.listed), ("would", chosen.choice.would_be))
    }
    taken, reasons, decisions = [], [], []
    for number, part in enumerate(parts):
        rows = _final(pq.read_table(part / ROWS_FILE), chosen, scorer)
        customers = rows["customer_id"]
        is_listed = pc.is_in(customers, value_set=ids["listed"])
        own = rows.filter(is_listed)
        said = pq.read_table(part / REASONS_FILE).filter(is_listed).drop_columns("customer_id")
        for column in said.column_names:
            own = own.append_column(column, said[column])
        taken.append(own)
        reasons.append(rows.select(["customer_id", "reason_code"]).filter(pc.is_in(customers, value_set=ids["would"])))
        decisions.append(rows.select(["customer_id", "decision"]).filter(pc.is_in(customers, value_set=pa.array(asked, pa.string()))))
        name = f"part-{number:05d}.parquet"
        pq.write_table(_published(rows, lineage), folder / SCORES / name)
        link_or_copy(part / REASONS_FILE, folder / REASONS_FILE / name)
    found = pa.concat_tables(taken).to_pandas()
    listed = chosen.choice.listed
    facts = found[["customer_id", *(name for name in found.columns if name not in listed.columns)]]
    ordered = listed.merge(facts, on="customer_id").sort_values(["manager_id", "priority"], ignore_index=True)
    return Written(pd.DataFrame(ordered), _by_customer(reasons), _by_customer(decisions))


def _final(rows: pa.Table, chosen: Chosen, scorer: Scorer) -> pa.Table:
    """Put in what only the whole base decides."""
    of_part = rows.select(["customer_id", "decision"]).to_pandas()
    final = of_part.customer_id.map(chosen.decisions).astype(object).fillna(of_part.decision)
    rows = rows.set_column(rows.column_names.index("decision"), "decision", pa.array(final, pa.string()))
    losses = loss_columns(scorer.outcomes)
    if len(losses) > 1:
        kinds = riskiest(rows.select(list(losses.values())).to_pandas(), losses, chosen.means)
        rows = rows.append_column("risk_kind", pa.array(kinds, pa.string()))
    return rows


def _published(rows: pa.Table, lineage: Mapping[str, Any]) -> pa.Table:
    hidden = [name for name in rows.column_names if name in _ON_THE_WAY or name.startswith((NET, SPENT))]
    published = rows.drop_columns([*hidden, *list_facts(rows.column_names)])
    for column, value in lineage.items():
        published = published.append_column(column, pa.repeat(pa.scalar(value), published.num_rows))
    return published


def _by_customer(tables: Sequence[pa.Table]) -> pd.Series:
    found = pa.concat_tables(tables).to_pandas()
    return pd.Series(found.iloc[:, 1].to_numpy(dtype=object), found.customer_id)


def write_portfolio(folder: Path, parts: Sequence[Path], catalogue: Catalogue, *, language: str, tiers: Sequence[str]) -> None:
    """Write how much of the base's risk each reason explains, as a table and as a figure."""
    found = portfolio(pd.read_parquet(part / SUMS_FILE) for part in parts)
    found.astype({"group": "string"}).to_parquet(folder / PORTFOLIO_FILE, index=False)
    save_portfolio(folder / PORTFOLIO_FIGURE, found, catalogue, language=language, groups=tiers)


def write_profile(folder: Path, parts: Sequence[Path]) -> None:
    """Write what monitoring counted of the whole base."""
    found = (Profile.from_dict(json.loads((part / PROFILE_FILE).read_text(encoding="utf-8"))) for part in parts)
    (folder / PROFILE_FILE).write_text(json.dumps(reduce(add, found).to_dict(), sort_keys=True), encoding="utf-8")
