"""Where a published night goes beside its files: a database, and metrics for a monitoring system."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import ConfigDict, Field, SecretStr

from custvalue.config.base import Settings

PublishedTable = Literal["scores", "reasons", "lists"]


class DatabaseConfig(Settings):
    """A PostgreSQL database that holds the nights as tables too.

    Attributes
    ----------
    url : str
        ``postgresql://user:password@host/database``; write it as ``${CUSTVALUE_DATABASE}``, because it is a secret. It is never shown.
    schema : str
        Schema of the tables; it must be there.
    tables : tuple of str
        Which of ``scores``, ``reasons`` and ``lists`` are loaded.
    """

    model_config = ConfigDict(populate_by_name=True)

    url: SecretStr
    schema_: str = Field(default="custvalue", alias="schema", pattern=r"^[a-z_][a-z0-9_]{0,62}$")
    tables: tuple[PublishedTable, ...] = Field(default=("scores", "reasons", "lists"), min_length=1)


class PublishConfig(Settings):
    """What happens to a night once it is published.

    Attributes
    ----------
    database : DatabaseConfig, optional
        Load it there as well.
    metrics : Path, optional
        File of Prometheus metrics, for node_exporter's textfile collector; by default ``metrics.prom`` in the output folder.
    """

    database: DatabaseConfig | None = None
    metrics: Path | None = None
