"""Scores and lists of a night that is not published: for a look, for a dry run."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

from custvalue import pipeline
from custvalue.app.files import write_parquet
from custvalue.app.keys import token_key
from custvalue.app.tables import show_dry_run
from custvalue.config import Config

if TYPE_CHECKING:
    from custvalue.app.console import StepReporter
    from custvalue.tracking import Store

_UNPUBLISHED = "unpublished"


def _make(config: Config, as_of: date, store: Store, reporter: StepReporter, key: bytes) -> pipeline.Night:
    tables, _ = pipeline.check(config, as_of, reporter=reporter)
    model, outcomes = store.load("champion"), pipeline.load_outcomes(config, store, log=reporter.note)
    return pipeline.make_night(
        config, as_of, model=model, run_id=_UNPUBLISHED, token_key=key, tables=tables, reporter=reporter, outcomes=outcomes
    )


def score_only(config: Config, as_of: date, *, store: Store, reporter: StepReporter) -> Path:
    """Write ``scores/as_of=DATE.parquet`` under the output folder; scores show no token, so any key will do."""
    night = _make(config, as_of, store, reporter, secrets.token_bytes(32))
    path = config.output / "scores" / f"as_of={as_of}.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    write_parquet(path, night.scores)
    return path


def lists_only(config: Config, as_of: date, *, store: Store, reporter: StepReporter, environ: Mapping[str, str], dry_run: bool) -> None:
    """Write ``lists/as_of=DATE/<manager>.xlsx`` under the output folder, or only show what that would mean."""
    # A dry run shows no token, and must not leave a new key behind.
    key = secrets.token_bytes(32) if dry_run else token_key(config.output, environ)
    night = _make(config, as_of, store, reporter, key)
    show_dry_run(config, night)
    if dry_run:
        return
    folder = config.output / "lists" / f"as_of={as_of}"
    fresh = folder.with_name(f".{folder.name}.{uuid4().hex}")
    try:
        written = pipeline.write_lists(fresh, night, config, as_of)
        if folder.exists():
            shutil.rmtree(folder)
        fresh.rename(folder)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    for path in written:
        print(folder / path.name)
