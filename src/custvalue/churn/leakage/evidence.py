"""What the checks look at, gathered once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa

from custvalue.churn.frame import TrainingFrame
from custvalue.churn.training import TrainedModel
from custvalue.config import ChurnConfig, FeaturesConfig
from custvalue.features import FeatureColumn, build_features
from custvalue.sources import Moment, SourceTables, add_months


@dataclass(frozen=True, eq=False)
class Evidence:
    """All that a check may read.

    Attributes
    ----------
    frame : TrainingFrame
        The labelled snapshots that a model is, or was, trained on.
    columns : tuple of FeatureColumn
        The columns of ``frame.X`` it learns from.
    churn : ChurnConfig
        The outcome and its window.
    as_of : date
        The day of training.
    tables : SourceTables, optional
        The operator's tables; without them only checks of the frame run.
    features : FeaturesConfig
        Settings the features were built with.
    model : TrainedModel, optional
        There once a model is trained.
    """

    frame: TrainingFrame
    columns: tuple[FeatureColumn, ...]
    churn: ChurnConfig
    as_of: date
    tables: SourceTables | None = None
    features: FeaturesConfig = field(default_factory=FeaturesConfig)
    model: TrainedModel | None = None

    @cached_property
    def snapshots(self) -> tuple[date, ...]:
        """Days of the frame, oldest first."""
        return tuple(np.unique(self.frame.snapshot).astype("datetime64[D]").tolist())

    @property
    def reach(self) -> int:
        """Months from a snapshot to the end of its outcome window."""
        return self.churn.gap_months + self.churn.horizon_months

    @property
    def opened(self) -> SourceTables:
        """The tables, for checks that declare that they need them."""
        if self.tables is None:
            raise TypeError("this check needs the operator's tables")
        return self.tables

    def moment(self, day: date) -> Moment:
        """Midnight of a day in the operator's zone."""
        return self.opened.moment(day)

    def whole(self, name: str) -> ibis.Table:
        """A contract table with all of its rows and ``available_at``, also those that a snapshot could not see."""
        return self.opened.con.table(name, database="contract")

    def has(self, table: str, *columns: str) -> bool:
        """Tell whether a table is mapped, with these columns."""
        return table in self.opened.rows and set(columns) <= set(self.whole(table).columns)

    def window(self, snapshot: date) -> tuple[date, date]:
        """First and last day of leaving that make a leaver of the snapshot."""
        return add_months(snapshot, self.churn.gap_months), add_months(snapshot, self.reach)

    @cached_property
    def departures(self) -> pd.DataFrame:
        """Departures known at ``as_of``: ``customer_id``, ``left_on`` (datetime64) and ``kind``."""
        known: pd.DataFrame = self.opened.known(self.as_of)["departures"].select("customer_id", "left_on", "kind").to_pyarrow().to_pandas()
        return known.assign(left_on=pd.to_datetime(known.left_on))

    @cached_property
    def reads(self) -> Mapping[str, frozenset[str]]:
        """Column → contract tables whose rows it is built from; see `FeatureSet.reads`."""
        day = self.snapshots[-1]
        return build_features(self.opened.known(day), self.moment(day), self.features, delay_days=self.opened.delay_days).reads

    def labelled(self, snapshot: date) -> pd.DataFrame:
        """``customer_id`` and ``y`` of one snapshot."""
        rows = self.frame.snapshot == np.datetime64(snapshot)
        return pd.DataFrame({"customer_id": self.frame.customer[rows], "y": self.frame.y[rows].astype(np.int64)})


def memory_table(rows: pd.DataFrame) -> ibis.Table:
    """Lend rows to the engine."""
    return ibis.memtable(pa.Table.from_pandas(rows, preserve_index=False))
