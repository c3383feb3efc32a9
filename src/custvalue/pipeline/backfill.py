"""Catching up: night after night that was missed, each with the champion of its own date."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pandas as pd

from custvalue.config import Config
from custvalue.errors import ConfigError, CustValueError, TryAgainError
from custvalue.pipeline.night import nightly
from custvalue.pipeline.night_content import Keys
from custvalue.pipeline.stages import Reporter
from custvalue.publish.manifests import Published, latest

if TYPE_CHECKING:
    from custvalue.pipeline.night_content import Night
    from custvalue.tracking import Store


@dataclass(frozen=True)
class CaughtUp:
    """What became of one date of a backfill.

    Attributes
    ----------
    as_of : date
        The night.
    published : Published, optional
        Where it is published now; ``already`` is true where it was before.
    night : Night, optional
        Its content, where it was made now.
    error : CustValueError, optional
        Why it was not made, or is not whole everywhere.
    """

    as_of: date
    published: Published | None = None
    night: Night | None = None
    error: CustValueError | None = None


def backfill(
    config: Config,
    first: date,
    last: date,
    *,
    store: Store,
    keys: Keys,
    reporter: Reporter,
    standing: Callable[[date], pd.DataFrame] | None = None,
) -> Iterator[CaughtUp]:
    """Make every night of a span that is not published, oldest first.

    A night that is published stays as it is. After a refused one the next is tried; where something outside is busy or full, the span
    ends, because the next night would meet the same.

    Parameters
    ----------
    config, keys, reporter, standing
        As for `nightly`.
    first, last : date
        The span; both are part of it.
    store : Store
        Each night takes from it what was champion when its date ended.

    Yields
    ------
    CaughtUp
        One a date, as it is done.

    Raises
    ------
    ConfigError
        The span ends before it begins.
    """
    if last < first:
        raise ConfigError(f"the span from {first} to {last} ends before it begins. Exchange --from and --to.")
    for place in range((last - first).days + 1):
        day = first + timedelta(days=place)
        try:
            yield _catch_up(config, day, store, keys, reporter, standing)
        except TryAgainError as error:
            yield CaughtUp(day, error=error)
            return
        except CustValueError as error:
            yield CaughtUp(day, error=error)


def _catch_up(
    config: Config, day: date, store: Store, keys: Keys, reporter: Reporter, standing: Callable[[date], pd.DataFrame] | None
) -> CaughtUp:
    there = latest(config.output, day)
    if there is not None:
        return CaughtUp(day, published=there)
    then = store.as_of(day, ZoneInfo(config.time_zone))
    published, night = nightly(config, day, store=then, keys=keys, reporter=reporter, standing=standing)
    return CaughtUp(day, published, night)
