"""What every request shares: config, words, the database, the clock and the templates."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Connection

from custvalue.app.web.oidc import Provider
from custvalue.app.web.portfolio_figures import NewestNight
from custvalue.app.web.rendering import make_templates
from custvalue.app.web.roster import Roster
from custvalue.config import Config, OrdersConfig, PageConfig
from custvalue.retention.orders.engine import Answer, adding, asking, open_engine, reading, writing
from custvalue.retention.orders.versions import ensure_version
from custvalue.wording import LANGUAGES, load_catalogue

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """Give the time as the database keeps it: UTC, without a zone."""
    return datetime.now(UTC).replace(tzinfo=None)


class Database:
    """The orders' database, which holds the page's accounts too.

    Parameters
    ----------
    orders : OrdersConfig
        Where it is.
    output : Path
        The output folder; an absent SQLite file is made there.

    Raises
    ------
    ConfigError
        The database is of another version; the message says what to run.
    """

    def __init__(self, orders: OrdersConfig, output: Path) -> None:
        output.mkdir(parents=True, exist_ok=True)
        self._engine, self.place = open_engine(orders, output)
        ensure_version(self._engine, self.place)

    def reading(self) -> AbstractContextManager[Connection]:
        """Give a connection that sees one state of the database."""
        return reading(self._engine, self.place)

    def writing(self) -> AbstractContextManager[Connection]:
        """Give a connection whose changes are made whole when the block ends, or not at all."""
        return writing(self._engine, self.place)

    def asking(self, ask: Callable[[Connection], Answer]) -> Answer:
        """Let one query run that needs no transaction, and give what it tells."""
        return asking(self._engine, self.place, ask)

    def adding(self, add: Callable[[Connection], None]) -> None:
        """Let one statement write that needs no transaction."""
        adding(self._engine, self.place, add)

    def close(self) -> None:
        """Give back what the database lent."""
        self._engine.dispose()


class Site:
    """The page's surroundings, made once.

    Parameters
    ----------
    config : Config
        The operator's.
    environ : mapping
        The process's environment, for keys.
    clock : callable, optional
        Gives the time in UTC without a zone.

    Raises
    ------
    ConfigError
        The database is of another version; the message says what to run.
    """

    def __init__(self, config: Config, environ: Mapping[str, str], clock: Clock = utc_now) -> None:
        self.config = config
        self.environ = environ
        self.clock = clock
        self.catalogue = load_catalogue(config.wording)
        self.provider = Provider(config.page.oidc, f"{config.page.url}/oidc/callback") if config.page.oidc else None
        self.newest_night = NewestNight(config.output)
        self.roster = Roster(config.output)
        self._database = Database(config.orders, config.output)
        self.templates = {str(language): make_templates(self.catalogue, config, language) for language in LANGUAGES}

    @property
    def page(self) -> PageConfig:
        """Settings of the page."""
        return self.config.page

    def reading(self) -> AbstractContextManager[Connection]:
        """Give a connection that sees one state of the database: one night, never half of the next."""
        return self._database.reading()

    def writing(self) -> AbstractContextManager[Connection]:
        """Give a connection whose changes are made whole when the block ends, or not at all."""
        return self._database.writing()

    def asking(self, ask: Callable[[Connection], Answer]) -> Answer:
        """Let one query run that needs no transaction, and give what it tells."""
        return self._database.asking(ask)

    def adding(self, add: Callable[[Connection], None]) -> None:
        """Let one statement write that needs no transaction."""
        self._database.adding(add)

    def close(self) -> None:
        """Give back what the database lent."""
        self._database.close()
