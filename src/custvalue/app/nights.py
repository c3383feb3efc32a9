"""Scores and lists of a night that is not published: for a look, for a dry run."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from custvalue import pipeline
from custvalue.app.keys import dry_keys, night_keys
from custvalue.app.operations import open_orders
from custvalue.app.tables import show_dry_run
from custvalue.config import Config
from custvalue.pipeline.list_files import LISTS_FOLDER
from custvalue.publish.reading import SCORES
from custvalue.retention.approvals import save_dry_run

if TYPE_CHECKING:
    from custvalue.app.console import StepReporter
    from custvalue.tracking import Store


@contextmanager
def _made(config: Config, as_of: date, store: Store, reporter: StepReporter, keys: pipeline.Keys) -> Iterator[pipeline.Night]:
    tables, _ = pipeline.check(config, as_of, reporter=reporter)
    model, outcomes = store.load("champion"), pipeline.load_outcomes(config, store, log=reporter.note)
    orders = open_orders(config)
    with pipeline.unpublished_night(
        config,
        as_of,
        model=model,
        keys=keys,
        tables=tables,
        reporter=reporter,
        outcomes=outcomes,
        standing=orders.standing(as_of) if orders.exists else None,
    ) as night:
        yield night


def score_only(config: Config, as_of: date, *, store: Store, reporter: StepReporter) -> Path:
    """Write ``scores/as_of=DATE.parquet``, a folder of Parquet files, under the output folder."""
    path = config.output / "scores" / f"as_of={as_of}.parquet"
    with _made(config, as_of, store, reporter, dry_keys(config.output, os.environ)) as night:
        _put(night.folder / SCORES, path)
    return path


def lists_only(config: Config, as_of: date, *, store: Store, reporter: StepReporter, environ: Mapping[str, str], dry_run: bool) -> None:
    """Write ``lists/as_of=DATE/<manager>.xlsx`` under the output folder, or only show what that would mean, and keep it for approval."""
    keys = dry_keys(config.output, environ) if dry_run else night_keys(config.output, environ)
    folder = config.output / "lists" / f"as_of={as_of}"
    with _made(config, as_of, store, reporter, keys) as night:
        if night.dry_run is not None:
            show_dry_run(config, night.dry_run)
            if dry_run:
                save_dry_run(config.output, night.dry_run)
                print(f"dry run {night.dry_run.id}; to let its campaigns go live: custvalue approve --dry-run {night.dry_run.id} --by NAME")
        if dry_run:
            return
        _put(night.folder / LISTS_FOLDER, folder)
    for path in sorted(folder.iterdir()):
        print(path)


def _put(made: Path, place: Path) -> None:
    """Move what was made to its place, where something may stand already."""
    place.parent.mkdir(parents=True, exist_ok=True)
    if place.is_dir():
        shutil.rmtree(place)
    else:
        place.unlink(missing_ok=True)
    made.rename(place)
