"""Figures of the whole base from the published nights: the newest one whole, or none of it."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq

from custvalue import publish
from custvalue.errors import CustValueError
from custvalue.explain.portfolio import EVERYBODY
from custvalue.pipeline.monitoring import verified_night
from custvalue.pipeline.reasons import PORTFOLIO_FILE, published_portfolio
from custvalue.publish.manifests import night_of, published_dates
from custvalue.publish.reading import SCORES

_log = logging.getLogger("custvalue.page")
_MONITORED = "monitoring.json"
_RISEN = 8


@dataclass(frozen=True, eq=False)
class Figures:
    """What the page shows of a night; nothing in it names a customer.

    Attributes
    ----------
    night, run_id : date, str
        Of which night.
    customers : int
    groups : mapping
        ``tier`` and, where known, ``region`` → one row a group: group, customers, revenue (currency a month), share (of the revenue),
        risk (mean probability), at_stake (currency); the greatest revenue first.
    reasons : list of mapping
        Reasons of the whole base that explain more of its risk than before, the greatest rise first: reason, share, change (None without an
        earlier night).
    before : date, optional
        The night that `reasons` are compared with.
    """

    night: date
    run_id: str
    customers: int
    groups: Mapping[str, list[dict[str, Any]]]
    reasons: list[dict[str, Any]]
    before: date | None


class NewestNight:
    """Reads the newest published night once, and keeps it until a newer one, or another edition of it, is published.

    Parameters
    ----------
    output : Path
        The output folder.
    """

    def __init__(self, output: Path) -> None:
        self._output = output
        self._lock = threading.Lock()
        self._kept: tuple[tuple[str, int], Figures] | None = None

    def read(self) -> Figures | None:
        """Give the figures; None where no night is published, or the newest one is damaged, which the log tells."""
        with self._lock:  # whoever comes meanwhile waits for the figures instead of counting them too
            try:
                days = published_dates(self._output)
                if not days:
                    return None
                night = publish.published(self._output, days[-1])
                edition = (night.run_id, night.generation)
                if self._kept is None or self._kept[0] != edition:
                    self._kept = (edition, _figures(self._output, days[-1]))
                return self._kept[1]
            except (CustValueError, OSError) as error:
                _log.warning("the newest night cannot be shown: %s", error)
                return None


def read_monitoring(output: Path, run_id: str) -> dict[str, Any] | None:
    """Read the newest monitoring report of a run's night; None where there is none that can be read."""
    folders = {day: folder for folder in (output / "monitoring").glob("as_of=*/") if (day := night_of(folder.name))}
    for day in sorted(folders, reverse=True):
        path = folders[day] / _MONITORED
        try:
            found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            if found["run_id"] == run_id and {"alerts", "findings", "tiers", "metrics"} <= found.keys():
                return found
        except (OSError, ValueError, KeyError, TypeError) as error:
            _log.warning("%s cannot be read: %s", path, type(error).__name__)
    return None


def _figures(output: Path, day: date) -> Figures:
    night = verified_night(output, day)
    wanted = [name for name in ("tier", "region", "arpu", "probability", "value_at_stake") if name in _columns(night.folder / SCORES)]
    rows = pq.read_table(night.folder / SCORES, columns=wanted).to_pandas()
    reasons, before = published_portfolio(output, day) if PORTFOLIO_FILE in night.files else (pd.DataFrame(), None)
    return Figures(
        night=day,
        run_id=night.run_id,
        customers=len(rows),
        groups={name: _groups(rows, name) for name in ("tier", "region") if name in rows.columns},
        reasons=_risen(reasons),
        before=before,
    )


def _columns(path: Path) -> list[str]:
    part = path if path.is_file() else min(path.glob("*.parquet"))
    return list(pq.read_schema(part).names)


def _groups(rows: pd.DataFrame, name: str) -> list[dict[str, Any]]:
    own = rows.groupby(rows[name].astype("object").where(rows[name].notna(), None), dropna=False)
    found = pd.DataFrame(
        {"customers": own.size(), "revenue": own["arpu"].sum(), "risk": own["probability"].mean(), "at_stake": own["value_at_stake"].sum()}
    )
    whole = float(found["revenue"].sum())
    found["share"] = found["revenue"] / whole if whole > 0 else 0.0
    found = found.sort_values(["revenue", "customers"], ascending=False)
    return [
        {"group": None if pd.isna(each) else str(each)} | {str(column): value for column, value in row.items()}
        for each, row in zip(found.index, found.to_dict("records"), strict=True)
    ]


def _risen(reasons: pd.DataFrame) -> list[dict[str, Any]]:
    if reasons.empty:
        return []
    whole = reasons[reasons["dimension"] == EVERYBODY]
    if "change" in whole.columns:
        whole = whole[whole["change"] > 0].sort_values("change", ascending=False)
    # without an earlier night the greatest share comes first already
    top = whole.reindex(columns=["reason", "share", "change"]).astype({"change": object}).head(_RISEN)
    top = top.where(top.notna(), None)
    return [{str(name): value for name, value in row.items()} for row in top.to_dict("records")]
