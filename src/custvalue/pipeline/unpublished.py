"""A night that is made for a look or a dry run, and is gone afterwards."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from custvalue import publish
from custvalue.config import Config
from custvalue.pipeline.making import carry_rating, make_night
from custvalue.pipeline.night_content import Keys, Night
from custvalue.pipeline.stages import Reporter
from custvalue.sources import SourceTables

if TYPE_CHECKING:
    from custvalue.tracking import LoadedModel

UNPUBLISHED = "unpublished"


@contextmanager
def unpublished_night(
    config: Config,
    as_of: date,
    *,
    model: LoadedModel,
    keys: Keys,
    tables: SourceTables,
    reporter: Reporter,
    outcomes: Mapping[str, LoadedModel] | None = None,
    standing: pd.DataFrame | None = None,
) -> Iterator[Night]:
    """Make a night for a look or a dry run; its files are there as long as the block runs.

    Parameters
    ----------
    config, as_of, model, keys, tables, reporter, outcomes, standing
        As for `make_night`.
    """
    config.output.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=config.output, prefix=".unpublished-") as scratch, publish.full_disk_can_wait(config.output):
        folder = Path(scratch) / "night"
        folder.mkdir()
        yield make_night(
            config,
            as_of,
            folder,
            model=model,
            run_id=UNPUBLISHED,
            keys=keys,
            tables=tables,
            reporter=reporter,
            rated=carry_rating(config, tables, as_of, reporter),
            outcomes=outcomes,
            standing=standing,
            work=publish.Work(Path(scratch), UNPUBLISHED),
        )
