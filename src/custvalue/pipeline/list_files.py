"""A night's lists as files: who is called, who would have been, whom service is owed, what changed since the night before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from custvalue.config import Config
from custvalue.explain import Reasons
from custvalue.lists import Edition, care_rows, directory_entries, list_rows, write_formats
from custvalue.pipeline.choosing import Chosen
from custvalue.pipeline.ratings import Rated
from custvalue.pipeline.scoring import CARE_FILE, CARE_SCHEMA, ROWS_FILE, Scorer
from custvalue.pipeline.trends import customer_trends, tier_stretches
from custvalue.publish.manifests import Published
from custvalue.retention import WAITING
from custvalue.retention.care import first_owed
from custvalue.retention.choosing import BELOW, HELD_OUT
from custvalue.sources import SourceTables
from custvalue.wording import Catalogue

LISTS_FILE, LISTS_FOLDER, WOULD_BE_FILE = "lists.parquet", "lists", "would_be.parquet"
CARE_LISTS_FILE, CHANGES_FILE = "care_lists.parquet", "list_changes.parquet"
"""Service contacts and changes as managers see them."""
_OF_DRAW = ("unit", "account", "stratum", "arm", "contact_cost", "offer_cost", "expected_cost", "competed_for")
"""What `effect` and the orders read of a listed customer beside what managers see."""
_WOULD_BE = (
    "customer_id", "unit", "campaign", "arm", "stratum", "tier", "region", "manager_id", "competed_for", "offer", "probability",
    "net_value", "contact_cost", "offer_cost", "priority",
)  # fmt: skip
_CHANGED = ("customer_id", "manager_id", "change", "tier", "name", "customer", "reason", "order_id")


@dataclass(frozen=True)
class ListMaker:
    """What the list files of a night rest on.

    Attributes
    ----------
    config, scorer, tables, rated : Config, Scorer, SourceTables, Rated
        Whose night, and the rating that it carries.
    chosen : Chosen
        Who is listed.
    token_key : bytes
        Key of the customers' tokens.
    before : Published, optional
        The night before.
    """

    config: Config
    scorer: Scorer
    tables: SourceTables
    rated: Rated
    chosen: Chosen
    token_key: bytes
    before: Published | None

    @property
    def listed_before(self) -> list[str]:
        """Who was listed on the night before."""
        return list(self._then.customer_id)

    def write(self, folder: Path, listed: pd.DataFrame, parts: Sequence[Path], decisions: pd.Series) -> pd.DataFrame:
        """Write all list files into a night's folder, and give the listed as managers see them.

        Parameters
        ----------
        folder : Path
            Of the night.
        listed : DataFrame
            `Chosen.choice.listed` with the features that lists show and the columns of the reasons.
        parts : sequence of Path
            Scored parts.
        decisions : Series
            Final code, by customer_id, of whoever was listed on the night before.
        """
        scorer = self.scorer
        said = Reasons(pa.table({name: listed[name] for name in ("reason_codes", "reasons_en", "reasons_zh", "reason_weights")}))
        then = self._then
        listed = listed.join(_since(listed, then, scorer.as_of))
        rows = list_rows(
            listed,
            said,
            self._directory(listed.customer_id),
            as_of=scorer.as_of,
            token_key=self.token_key,
            base_rate=self.chosen.means["probability"],
            catalogue=scorer.catalogue,
            policy=scorer.policy,
            rules=scorer.rules,
        )
        rows = rows.join(listed[[name for name in _OF_DRAW if name in listed.columns]])
        rows = rows.join(customer_trends(self.tables, list(rows.customer_id), scorer.as_of), on="customer_id")
        rows = rows.join(tier_stretches(self.config, self.tables, self.rated, list(rows.customer_id)), on="customer_id")
        rows = rows.sort_values(["manager_id", "priority"], ignore_index=True)
        rows.to_parquet(folder / LISTS_FILE, index=False)
        _changes(rows, then, decisions).to_parquet(folder / CHANGES_FILE, index=False)
        self._write_care(folder, parts)
        write_formats(folder / LISTS_FOLDER, rows, edition_of(folder, self.config, scorer.as_of, scorer.catalogue))
        return rows

    @cached_property
    def _then(self) -> pd.DataFrame:
        columns = ["customer_id", "manager_id", "tier", "name", "customer", "order_id", "first_listed_on"]
        if self.before is None or LISTS_FILE not in self.before.files:
            return pd.DataFrame(columns=columns, dtype=object)
        then = pd.read_parquet(self.before.folder / LISTS_FILE)
        return then.reindex(columns=columns).fillna({"first_listed_on": pd.Timestamp(self.before.as_of)})

    def _write_care(self, folder: Path, parts: Sequence[Path]) -> None:
        owed = pd.concat([pq.read_table(part / CARE_FILE).to_pandas() for part in parts], ignore_index=True)
        there = self.before is not None and CARE_FILE in self.before.files
        before = (
            pd.read_parquet(self.before.folder / CARE_FILE, columns=["customer_id", "kind", "since"]) if self.before and there else None
        )
        owed["since"] = first_owed(owed, self.scorer.as_of, before)
        pq.write_table(pa.Table.from_pandas(owed, CARE_SCHEMA, preserve_index=False), folder / CARE_FILE)
        people = owed[owed.by == "person"]
        wanted = pa.array(people.customer_id.unique(), pa.string())
        own = pa.concat_tables(_rows_of(part, ["customer_id", "manager_id", "tier"], wanted) for part in parts).to_pandas()
        people = people.merge(own[["customer_id", "tier"]], on="customer_id", how="left")
        managers = dict(zip(own.customer_id, own.manager_id, strict=True))
        shown = care_rows(people, managers, self._directory(own.customer_id), token_key=self.token_key)
        shown.to_parquet(folder / CARE_LISTS_FILE, index=False)

    def _directory(self, customers: pd.Series) -> dict[str, dict[str, str]]:
        return dict(directory_entries(self.tables.restricted("directory"), list(customers)))


def edition_of(folder: Path, config: Config, as_of: date, catalogue: Catalogue, *, otherwise: Path | None = None) -> Edition:
    """Give what a night's lists have in common, from its folder; what is not there is read in another one."""
    places = (
        folder / name if otherwise is None or (folder / name).exists() else otherwise / name for name in (CARE_LISTS_FILE, CHANGES_FILE)
    )
    care, changes = (pd.read_parquet(place) for place in places)
    return Edition(
        as_of=as_of,
        language=config.language,
        currency=config.currency,
        time_zone=config.time_zone,
        catalogue=catalogue,
        settings=config.lists,
        care=care,
        changes=changes,
    )


def write_would_be(folder: Path, would_be: pd.DataFrame, reason_codes: pd.Series) -> None:
    """Write who would have been listed but is held out; nobody who calls sees it.

    Parameters
    ----------
    folder : Path
        Of the night.
    would_be : DataFrame
        `Choice.would_be`.
    reason_codes : Series
        Code of the first reason, by customer_id.
    """
    kept = would_be.reindex(columns=[name for name in _WOULD_BE if name in would_be.columns])
    kept.assign(reason_code=kept.customer_id.map(reason_codes).astype("string")).to_parquet(folder / WOULD_BE_FILE, index=False)


def _rows_of(part: Path, columns: Sequence[str], customers: pa.Array) -> pa.Table:
    table = pq.read_table(part / ROWS_FILE, columns=list(columns))
    return table.filter(pc.is_in(table["customer_id"], value_set=customers))


def _since(listed: pd.DataFrame, then: pd.DataFrame, as_of: date) -> pd.DataFrame:
    """Tell who is new on the lists, who stays, who moved from another manager's, and since when he is listed."""
    was = then.drop_duplicates("customer_id").set_index("customer_id")
    manager = listed.customer_id.map(was["manager_id"])
    since = pd.Series("stays", listed.index, dtype=object).mask(manager != listed.manager_id, "moved").mask(manager.isna(), "new")
    first = pd.to_datetime(listed.customer_id.map(was["first_listed_on"].astype(object))).fillna(pd.Timestamp(as_of))
    return pd.DataFrame({"since": since, "first_listed_on": first})


def _changes(rows: pd.DataFrame, then: pd.DataFrame, decisions: pd.Series) -> pd.DataFrame:
    """List what changed since the night before: who came, who moved, and who is gone with the reason; by the manager whom it concerns."""
    came = rows[rows.since.isin(["new", "moved"])] if len(then) else rows.head(0)
    gone = then[~then.customer_id.isin(rows.customer_id)]
    why = (
        gone.customer_id.map(decisions).fillna("left_base").replace({HELD_OUT: WAITING, BELOW: WAITING})
    )  # nobody who calls learns of the draw
    left = gone.assign(change="left", reason=why)
    both = [came.assign(change=came.since, reason=None).reindex(columns=_CHANGED), left.reindex(columns=_CHANGED)]
    return pd.concat([each.astype(object) for each in both], ignore_index=True).astype("string")
