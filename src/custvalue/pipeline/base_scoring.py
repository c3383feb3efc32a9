"""Everybody scored on the embedded engine, part by part, so that a killed night goes on and a large base needs little memory."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import ibis.expr.types as ir
import pyarrow as pa

from custvalue.config import Config
from custvalue.engines import fetch, resting_collector, within_memory
from custvalue.errors import DataError
from custvalue.features import FeatureParts
from custvalue.pipeline.rating_join import join_rating
from custvalue.pipeline.ratings import Rated
from custvalue.pipeline.scoring import OF_CUSTOMER, RATED, Scorer
from custvalue.pipeline.stages import Reporter
from custvalue.publish import Work
from custvalue.retention import define_signs
from custvalue.sources import SourceTables
from custvalue.tiers import TierPolicy

_RATING = "rating_of_the_night"


class BaseFacts:
    """What a `Scorer` reads of every active customer, some customers at a time.

    Parameters
    ----------
    config, as_of, tables, rated
        Whose night, and the rating that holds.
    dispute_categories : sequence of str
        See `retention.define_signs`.
    log : callable
        Takes one line for each feature block that is switched off.

    Attributes
    ----------
    built : FeatureSet
        The declarations of the features.
    total, count : int
        Customers, and parts.
    layout : str
        How the base is cut.
    customer_columns, columns : tuple of str
        Of the customers table; and all that is read.

    Raises
    ------
    DataError
        Nobody is active.
    """

    def __init__(
        self,
        config: Config,
        as_of: date,
        tables: SourceTables,
        rated: Rated,
        *,
        dispute_categories: Sequence[str],
        log: Callable[[str], None],
    ) -> None:
        known, moment, delays = tables.known(as_of), tables.moment(as_of), tables.delay_days
        self._con = tables.con
        self._parts = FeatureParts(self._con, known, moment, config.features, delay_days=delays, revised=tables.revised, log=log)
        self.built, self.total, self.count = self._parts.built, self._parts.total, self._parts.count
        if not self.total:
            raise DataError(f"no customer is active at {as_of}. Check joined_on, status and departures, or take another date.")
        self.layout = f"{self.total} customers, {self._parts.size} at once"
        self.customer_columns = tuple(self._parts.customers.columns)
        self._con.create_table(_RATING, rated.table, temp=True, overwrite=True)
        with resting_collector():
            people = self._parts.customers
            signs = define_signs(self._parts.base.tables, people, moment, dispute_categories=dispute_categories)
            joined = join_facts(self.built.table, people, signs, self._con.table(_RATING), rated.policy).order_by("customer_id")
            self.columns = tuple(joined.columns)
            self._sql = str(self._con.compile(joined))

    def read(self, number: int) -> pa.Table:
        """Give a part's rows, by customer_id: `scoring.Scorer.score` tells the columns."""
        self._parts.open(number)
        return fetch(self._con, self._sql)

    def score(self, scorer: Scorer, work: Work, *, clock: dict[str, float], reporter: Reporter) -> tuple[list[Path], int]:
        """Score every active customer.

        Parameters
        ----------
        scorer : Scorer
            How.
        work : Work
            The run's parts; those that are whole already are not made again.
        clock : dict
            Gets the seconds of ``features`` and of ``score``.
        reporter : Reporter
            Hears of every part.

        Returns
        -------
        parts : list of Path
            Folders as `Scored.save` writes them, in the order of customer_id.
        found : int
            How many of them a run before had made.

        Raises
        ------
        TryAgainError
            Memory or disk do not suffice.
        """
        folders, found = [], 0
        for number in range(self.count):

            def make(folder: Path, number: int = number) -> None:
                with timed(clock, "features"), within_memory(self._con, "features"):
                    part = self.read(number)
                with timed(clock, "score"):
                    scorer.score(part).save(folder)

            folder, there = work.part(number, make)
            folders.append(folder)
            found += there
            reporter.note(f"part {number + 1} of {self.count}: {'found whole' if there else 'scored'}")
        return folders, found

    def close(self) -> None:
        """Drop what was computed for the parts."""
        self._parts.close()
        self._con.drop_table(_RATING, force=True)


def join_facts(features: ir.Table, people: ir.Table, signs: ir.Table, rating: ir.Table, policy: TierPolicy) -> ir.Table:
    """Join all that a `Scorer` reads of some customers, one row each.

    Parameters
    ----------
    features, people, signs : ibis.Table
        Their features, rows of the customers table, and signs.
    rating, policy : ibis.Table, TierPolicy
        The rating that holds, and what made it.
    """
    kept = {name: name for name in OF_CUSTOMER if name in people.columns and name not in features.columns}
    own, signs = people.select(owner="customer_id", **kept), signs.rename(signed="customer_id")
    rated = join_rating(features, rating, policy, RATED)
    joined = rated.left_join(own, rated.customer_id == own.owner).drop("owner")
    return joined.left_join(signs, joined.customer_id == signs.signed).drop("signed")


@contextmanager
def timed(clock: dict[str, float], step: str) -> Iterator[None]:
    """Add the seconds of a block to a step's."""
    began = time.monotonic()
    try:
        yield
    finally:
        clock[step] = clock.get(step, 0.0) + time.monotonic() - began
