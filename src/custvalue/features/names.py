"""Column names made from an operator's own words."""

from __future__ import annotations

import re
from collections.abc import Sequence

from custvalue.errors import ConfigError, some


def slug(words: str) -> str:
    """Column-name form of a product's or category's name.

    >>> slug("Online security")
    'online_security'
    >>> slug("宽带 300M")
    '宽带_300m'
    """
    return re.sub(r"\W+", "_", words.lower()).strip("_")


def refuse_shared_names(setting: str, names: Sequence[str], *, taken: Sequence[str] = ()) -> None:
    """Refuse names that would give the same column, or none.

    Parameters
    ----------
    setting : str
        Where they stand in the config.
    names : sequence of str
        The operator's words.
    taken : sequence of str
        Slugs that other columns have already.

    Raises
    ------
    ConfigError
        Some of them give no column name of their own.
    """
    slugs = [*taken, *map(slug, names)]
    if doubtful := [name for name in names if not slug(name) or slugs.count(slug(name)) > 1]:
        raise ConfigError(f"{setting}: {some(doubtful)} give no column name of their own. Rename them in the mapping, or leave some out.")
