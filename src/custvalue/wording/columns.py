"""Which columns the sentences may speak of."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

_WINDOW = re.compile(r"_\d+m$")


def windowless(name: str) -> str:
    """Put ``<w>`` for a column's window of months: a set of windows of an operator's own has the same columns otherwise.

    >>> windowless("revenue_drop_12m"), windowless("active_days_7d")
    ('revenue_drop_<w>m', 'active_days_7d')
    """
    return _WINDOW.sub("_<w>m", name)


@dataclass(frozen=True)
class KnownColumns:
    """All columns that any operator's features may have.

    Attributes
    ----------
    units : mapping
        Column, its window replaced by ``<w>``, → unit.
    reasons : mapping
        Reason code → a column that declares it.
    own : mapping
        Beginning of the names of columns that are called after something of the operator's own → the column in ``units`` that stands for
        all of them.
    """

    units: Mapping[str, str]
    reasons: Mapping[str, str]
    own: Mapping[str, str] = field(default_factory=dict)

    def unit(self, name: str) -> str | None:
        """Give a column's unit, or None where no feature is called so."""
        stem = windowless(name)
        found = self.units.get(stem)
        if found is None:
            found = next((self.units[column] for start, column in self.own.items() if stem.startswith(start)), None)
        return found

    def near(self, name: str) -> str:
        """Ask whether a similar column is meant; empty where none is similar."""
        window = _WINDOW.search(name)
        found = difflib.get_close_matches(windowless(name), self.units, n=1, cutoff=0.7)
        return f"; did you mean {found[0].replace('_<w>m', window[0] if window else '_<w>m')!r}?" if found else ""
