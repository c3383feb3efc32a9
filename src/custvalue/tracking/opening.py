"""An open model store: where it is, and whose models, policies and findings are kept in it."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Self
from zoneinfo import ZoneInfo

from custvalue.tracking.calm import calm, shown
from custvalue.tracking.database import Place, locate, prepare

if TYPE_CHECKING:
    from mlflow import MlflowClient


class OpenStore:
    """What every part of a store shares; make one with `open`.

    Attributes
    ----------
    name : str
        The registered model and the experiment, named after the config.
    models : Path
        The local folder with the promotion log.
    """

    def __init__(self, place: Place, name: str, client: MlflowClient, *, then: tuple[date, ZoneInfo] | None = None) -> None:
        self.name = name
        self.models = place.models
        self._place = place
        self._client = client
        self._then = then

    @classmethod
    def open(cls, models: Path, *, tracking_uri: str | None, name: str, create: bool, patience: float = 20.0) -> Self:
        """Open a store; create it, or mend the paths in it after a move, where needed.

        Parameters
        ----------
        models : Path
            Folder of the default store, ``mlflow.db`` and ``artifacts/``.
        tracking_uri : str or None
            Another store: a SQLite file, a database or a server.
        name : str
            Name of the experiment and the registered model.
        create : bool
            Make a SQLite store that is not there.
        patience : float
            Seconds to wait while another process holds the store locked.

        Raises
        ------
        ModelError
            There is no store and `create` is false; or MLflow refuses it, for example as too old.
        ConfigError
            MLflow cannot keep registered models at the address.
        TryAgainError
            The store is locked, full or out of reach.
        """
        place = locate(models, tracking_uri, patience=patience)
        prepare(place, name=name, create=create)
        with calm(place.tracking_uri):
            from mlflow import MlflowClient

            return cls(place, name, MlflowClient(tracking_uri=place.tracking_uri, registry_uri=place.tracking_uri))

    def named(self, name: str) -> Self:
        """Give the same store for another config's, or another outcome's, models."""
        return type(self)(self._place, name, self._client, then=self._then)

    def as_of(self, day: date, zone: ZoneInfo) -> Self:
        """Give the same store in which ``champion`` means what it meant when a day ended in the operator's zone."""
        return type(self)(self._place, self.name, self._client, then=(day, zone))

    @property
    def address(self) -> str:
        """The store's MLflow address, without user name and password."""
        return shown(self._place.tracking_uri)
