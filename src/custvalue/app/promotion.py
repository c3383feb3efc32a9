"""Promotion from the command line: who asked, when, and the verdict as a table."""

from __future__ import annotations

import getpass
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from custvalue.app.tables import show_verdict
from custvalue.config import Config

if TYPE_CHECKING:
    from custvalue.tracking import Store, Verdict


def actor(environ: Mapping[str, str]) -> str:
    """Name who runs the command, for records: ``CUSTVALUE_ACTOR``, else the user of this machine."""
    return environ.get("CUSTVALUE_ACTOR") or getpass.getuser()


def promote(config: Config, store: Store, *, version: int | None, environ: Mapping[str, str]) -> Verdict:
    """Ask the gates in the name of whoever runs the command; see `Store.promote` for what is raised."""
    return store.promote(version, gates=config.promotion, actor=actor(environ), now=datetime.now(UTC))


def run_promotion(config: Config, store: Store, *, version: int | None, environ: Mapping[str, str]) -> None:
    """Promote, and show the verdict whether it passed or not."""
    from custvalue.tracking import PromotionRefusedError

    try:
        show_verdict(promote(config, store, version=version, environ=environ))
    except PromotionRefusedError as refused:
        show_verdict(refused.verdict)
        raise
