"""MLflow kept quiet, its global settings put back, and its errors told in this project's words."""

from __future__ import annotations

import errno
import logging
import os
import re
import sqlite3
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from custvalue.errors import CustValueError, ModelError, TryAgainError

_TRACKING_URI = "MLFLOW_TRACKING_URI"
_CHATTER = {
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_UV_AUTO_DETECT": "false",  # a lock file in the folder of the command is none of the model's
}
_CREDENTIALS = re.compile(r"//[^/@\s]+@")
_LONGEST = 300
_BUSY = re.compile(r"database (table )?is locked|database or disk is full|API request to .* failed with exception|error code 5\d\d")
_FULL = {errno.ENOSPC, errno.EDQUOT}


@contextmanager
def calm(uri: str) -> Iterator[None]:
    """Use MLflow without its chatter, and raise its failures as errors of this project.

    Parameters
    ----------
    uri : str
        The tracking store, for messages.

    Raises
    ------
    TryAgainError
        The store is locked, full or out of reach.
    ModelError
        MLflow refused something, or the database is damaged; their own words follow.
    """
    with ExitStack() as changed:
        changed.enter_context(warnings.catch_warnings())
        warnings.simplefilter("ignore")
        for variable, value in _CHATTER.items():
            changed.enter_context(_environment(variable, value))
        # MLflow sets up its loggers when it is imported, so the import comes before the silence.
        from mlflow.exceptions import MlflowException
        from sqlalchemy.exc import SQLAlchemyError

        for name, level in (("mlflow", logging.ERROR), ("alembic", logging.ERROR), ("mlflow.store.db", logging.CRITICAL)):
            changed.enter_context(_level(name, level))
        try:
            yield
        except CustValueError:
            raise
        except (MlflowException, SQLAlchemyError, sqlite3.Error) as error:
            raise _translated(error, uri) from error
        except OSError as error:
            if error.errno not in _FULL:
                raise
            raise _translated(error, uri) from error


@contextmanager
def as_global_store(uri: str) -> Iterator[None]:
    """Make a store MLflow's global one for a moment, for the calls that ignore their client's."""
    from mlflow.tracking._tracking_service import utils

    before = utils._tracking_uri
    with _environment(_TRACKING_URI, uri):
        # Not set_tracking_uri(before) afterwards: with None it would delete the user's environment variable.
        utils._tracking_uri = uri  # type: ignore[assignment]
        try:
            yield
        finally:
            utils._tracking_uri = before


def shown(text: str) -> str:
    """Give an address, or a text that holds addresses, without user names and passwords."""
    return _CREDENTIALS.sub("//***@", text)


def _translated(error: Exception, uri: str) -> CustValueError:
    text = shown(next(iter(str(error).strip().splitlines()), type(error).__name__))
    text = text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
    if isinstance(error, OSError) or _BUSY.search(str(error)):
        return TryAgainError(f"{shown(uri)}: the model store is busy, full or out of reach ({text}). Try again later.")
    return ModelError(f"{shown(uri)}: the model store cannot be used: {text}")


@contextmanager
def _environment(name: str, value: str) -> Iterator[None]:
    before = os.environ.get(name)
    os.environ[name] = value
    try:
        yield
    finally:
        if before is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = before


@contextmanager
def _level(name: str, level: int) -> Iterator[None]:
    logger = logging.getLogger(name)
    before = logger.level
    logger.setLevel(max(level, before))
    try:
        yield
    finally:
        logger.setLevel(before)
