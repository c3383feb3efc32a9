"""Promotion from the command line: who asked, when, and the verdict as a table."""

from __future__ import annotations

import getpass
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from custvalue.app.promotion_tables import show_log, show_reign, show_verdict
from custvalue.config import Config
from custvalue.errors import ModelError

if TYPE_CHECKING:
    from custvalue.tracking import Store, Verdict


def actor(environ: Mapping[str, str]) -> str:
    """Name who runs the command, for records: ``CUSTVALUE_ACTOR``, else the user of this machine."""
    return environ.get("CUSTVALUE_ACTOR") or getpass.getuser()


def promote(config: Config, store: Store, *, version: int | None, environ: Mapping[str, str]) -> Verdict:
    """Ask the gates in the name of whoever runs the command; see `Store.promote` for what is raised."""
    return store.promote(version, gates=config.promotion, actor=actor(environ), now=datetime.now(UTC))


def show_promotions(config: Config, store: Store, *, day: date | None) -> None:
    """Tell from the promotion log what was champion when and why: on one day, or ever.

    Raises
    ------
    ModelError
        There was no champion on the day.
    """
    if day is None:
        show_log(store.promotions(), name=store.name)
        return
    found = store.champion_on(day, ZoneInfo(config.time_zone))
    if found is None:
        raise ModelError(f"there was no champion for {store.name!r} on {day}. `custvalue promote --log` shows every promotion.")
    show_reign(found, day=day, name=store.name)


def run_promotion(config: Config, store: Store, *, version: int | None, environ: Mapping[str, str]) -> None:
    """Promote, and show the verdict whether it passed or not."""
    from custvalue.tracking import PromotionRefusedError

    try:
        show_verdict(promote(config, store, version=version, environ=environ))
    except PromotionRefusedError as refused:
        show_verdict(refused.verdict)
        raise
