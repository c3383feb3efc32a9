"""Everybody scored on Spark: features joined and rows explained where the executors have them, parts written by the tasks themselves."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any

import ibis.expr.types as ir
import pyarrow as pa
import pyarrow.parquet as pq

from custvalue.churn.bundle import ModelBundle
from custvalue.config import Config
from custvalue.engines import resting_collector, spark
from custvalue.errors import ConfigError, CustValueError, DataError, ModelError, TryAgainError
from custvalue.features.base import Base
from custvalue.features.joining import features_of
from custvalue.pipeline.base_scoring import join_facts, timed
from custvalue.pipeline.ratings import Rated
from custvalue.pipeline.scoring import ROWS_FILE, Scorer
from custvalue.pipeline.stages import Reporter
from custvalue.publish import Work
from custvalue.retention import define_signs
from custvalue.sources import CONTRACT, SourceTables, cut
from custvalue.sources.sharing import share_tables
from custvalue.tracking import LoadedModel

_PART = "customers_to_score"
_KEY = "customer_id"
_AT_ONCE = 25_000
"""Customers of a part: the block that a `Scorer` takes at once, so that a task needs no more memory than it must."""
_LEAST = 8
"""Parts of a small base; the number must not depend on the cluster, or another one could not go on with them."""
_TOLD = pa.schema(
    {
        "part": pa.int32(),
        "customers": pa.int64(),
        "found": pa.bool_(),
        "seconds": pa.float64(),
        "exit_code": pa.int32(),
        "text": pa.string(),
    }
)
"""All that comes back from a part."""
_MODELS = ("model", "outcomes")
_UNUSED = ("sources", "spark", "publish", "orders", "page")
"""Sections of a config that scoring does not read, and that may hold secrets."""
_REFUSALS = {each.exit_code: each for each in (ConfigError, DataError, ModelError, TryAgainError)}


class SparkFacts:
    """What a `Scorer` reads of every active customer, on Spark; attributes as of `BaseFacts`.

    Parts are cut by the hash of ``customer_id``, so that every executor finds its own without asking.

    Parameters
    ----------
    config, as_of, tables, rated, dispute_categories, log
        As for `BaseFacts`.
    folder : Path
        For tables, rating and models that the executors read; it is cleared, and they reach it under the same path.

    Raises
    ------
    ConfigError
        PySpark or Java is missing.
    DataError
        Nobody is active.
    TryAgainError
        Spark cannot be reached, or gave up.
    """

    def __init__(
        self,
        config: Config,
        as_of: date,
        tables: SourceTables,
        rated: Rated,
        *,
        dispute_categories: Sequence[str],
        folder: Path,
        log: Callable[[str], None],
    ) -> None:
        if part := spark.missing_part():
            raise ConfigError(f"engine: spark needs {part}. {spark.HOW_TO_INSTALL}")
        self._joins_session = spark.runs()
        self._con = spark.connect(master=config.spark.master, settings=config.spark.settings)
        self._folder, moment = folder, tables.moment(as_of)
        shutil.rmtree(folder, ignore_errors=True)
        shared = share_tables(tables, config, self._con, folder / "tables")
        known = {name: cut(table, CONTRACT[name], moment, revised=name in tables.revised) for name, table in shared.items()}
        pq.write_table(rated.table, folder / "rating.parquet")
        with resting_collector(), spark.plain_errors():
            self._base = Base.of(known, moment, keep=lambda table: table.cache())
            self.total = int(self._base.active.count().execute())
            if not self.total:
                raise DataError(f"no customer is active at {as_of}. Check joined_on, status and departures, or take another date.")
            self.count = max(_LEAST, -(-self.total // _AT_ONCE))
            self.layout = f"{self.total} customers by hash, {self.count} parts"
            people = self._customers(range(self.count))  # all of them, until it is known which parts are missing
            self.built = features_of(people, self._base, moment, config.features, delay_days=tables.delay_days, log=log)
            signs = define_signs(self._base.tables, people, moment, dispute_categories=dispute_categories)
            self._joined = join_facts(self.built.table, people, signs, self._con.read_parquet(folder / "rating.parquet"), rated.policy)
        self.customer_columns, self.columns = tuple(people.columns), tuple(self._joined.columns)

    def score(self, scorer: Scorer, work: Work, *, clock: dict[str, float], reporter: Reporter) -> tuple[list[Path], int]:
        """Score every active customer; as `BaseFacts.score`, and features are computed in the same Spark job."""
        found = work.whole()
        with timed(clock, "score"), resting_collector():
            told = self._made(scorer, work, found)
        refuse_told(told)
        spent = sum(row["seconds"] for row in told)
        reporter.note(f"{len(told)} parts made on Spark in {clock['score']:.0f} s; scores and reasons took its tasks {spent:.0f} s")
        folders = [work.path(number) for number in sorted(found | {row["part"] for row in told})]
        if (scored := _rows(folders)) != self.total:
            raise DataError(
                f"{scored:,} customers are scored, but {self.total:,} are active. Remove {work.folder} and run the command again."
            )
        return folders, len(found)

    def close(self) -> None:
        """Free what the executors keep; a session that was opened here is stopped, so that its cluster is free for others."""
        del self._base, self._joined
        shutil.rmtree(self._folder, ignore_errors=True)
        if not self._joins_session:
            self._con.disconnect()

    def _made(self, scorer: Scorer, work: Work, found: Collection[int]) -> list[dict[str, Any]]:
        """Make the parts that are missing."""
        if _rows([work.path(number) for number in found]) == self.total:
            return []
        self._customers([number for number in range(self.count) if number not in found])
        made = PartScorer.of(scorer, work, self._folder / "models")
        return spark.map_parts(self._con, self._joined, made, _TOLD, key=_KEY, count=self.count)

    def _customers(self, numbers: Sequence[int]) -> ir.Table:
        return spark.view_parts(self._con, _PART, self._base.active, key=_KEY, count=self.count, numbers=numbers)


@dataclass(frozen=True)
class PartScorer:
    """Scores a part in a Spark task and writes it; sent to the executors.

    Attributes
    ----------
    settings : mapping
        Fields of a `Scorer` but its models, and of its config without what may be secret.
    models : mapping
        Outcome (an empty name for the main one) → its champion's version, and the folder of its files: models are read from text and
        checked by their digest on every executor, never pickled.
    work : Work
        Where the parts go.
    """

    settings: Mapping[str, Any]
    models: Mapping[str, tuple[Mapping[str, Any], Path]]
    work: Work

    @classmethod
    def of(cls, scorer: Scorer, work: Work, folder: Path) -> PartScorer:
        """Take a scorer apart, and write its models' files into a folder."""
        settings = {each.name: getattr(scorer, each.name) for each in fields(scorer) if each.name not in _MODELS}
        models = {}
        for place, (name, model) in enumerate({"": scorer.model, **scorer.outcomes}.items()):
            model.bundle.save(folder / str(place))
            version = {each.name: getattr(model, each.name) for each in fields(model) if each.name != "bundle"}
            models[name] = (version | {"digest": model.bundle.digest}, folder / str(place))
        return cls(settings | {"config": without_secrets(scorer.config)}, models, work)

    def __call__(self, number: int, rows: pa.Table) -> dict[str, Any]:
        """Make a part of some rows, unless another attempt has, and tell of it as `_TOLD` says."""
        began, found, code, text = time.monotonic(), False, 0, ""
        try:
            _, found = self.work.part(number, lambda folder: self._scorer().score(rows).save(folder))
        except CustValueError as error:  # as a row: Spark would try again what no second attempt mends
            code, text = error.exit_code, str(error)
        seconds = time.monotonic() - began
        return {"part": number, "customers": rows.num_rows, "found": found, "seconds": seconds, "exit_code": code, "text": text}

    def _scorer(self) -> Scorer:
        loaded = {
            name: LoadedModel(**version, bundle=_bundle(folder, version["digest"])) for name, (version, folder) in self.models.items()
        }
        return Scorer(**self.settings, model=loaded.pop(""), outcomes=loaded)


@lru_cache(maxsize=16)
def _bundle(folder: Path, digest: str) -> ModelBundle:
    """Read a model once a process: its tables for Shapley values take seconds to prepare."""
    return ModelBundle.load(folder, digest)


def without_secrets(config: Config) -> Config:
    """Give a config as far as scoring reads it."""
    unset = {name: Config.model_fields[name].get_default(call_default_factory=True) for name in _UNUSED if name != "sources"}
    return config.model_copy(update=unset | {"sources": type(config.sources)(folder=config.sources.folder)})


def _rows(folders: Iterable[Path]) -> int:
    return sum(pq.read_metadata(folder / ROWS_FILE).num_rows for folder in folders)


def refuse_told(told: Sequence[Mapping[str, Any]]) -> None:
    """Raise what tasks refused, the first of those that no second attempt mends."""
    refused = sorted((row for row in told if row["exit_code"]), key=lambda row: (row["exit_code"] == TryAgainError.exit_code, row["part"]))
    if refused:
        raise _REFUSALS.get(refused[0]["exit_code"], DataError)(refused[0]["text"])
