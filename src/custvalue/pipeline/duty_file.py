"""Who was on duty on a night, for whoever looks at its lists later."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path

import pandas as pd

from custvalue.errors import DataError
from custvalue.publish.manifests import latest
from custvalue.retention.managers import POOL, current_managers

DUTY_FILE = "duty.parquet"


def write_duty(folder: Path, managers: pd.DataFrame | None, teams: Mapping[str, str], *, as_of: date) -> None:
    """Write one row a manager into a night's folder: manager_id, team, region, capacity (contacts a day), absent; none without the table.

    Parameters
    ----------
    folder : Path
        Of the night.
    managers : DataFrame, optional
        The managers table as it was known on the night; see `retention.managers.current_managers`.
    teams : mapping
        Manager → team, where known.
    as_of : date
        The night.
    """
    if managers is None:
        return
    known = current_managers(managers, as_of=as_of)
    known = known[known.index != POOL].sort_index()
    ids = known.index.astype("string")
    texts = {"team": [teams.get(each) for each in ids], "region": known["region"].to_list()}
    rows = pd.DataFrame({"manager_id": ids} | texts).astype(dict.fromkeys(texts, "string"))
    numbers = {"capacity": known["capacity"].to_numpy(), "absent": known["absent"].to_numpy(dtype=bool)}
    rows.assign(**numbers).to_parquet(folder / DUTY_FILE, index=False)


def read_duty(output: Path, as_of: date) -> pd.DataFrame | None:
    """Read who was on duty on a published night; None where it does not tell, or is damaged."""
    try:
        night = latest(output, as_of)
    except DataError:
        return None
    return pd.read_parquet(night.folder / DUTY_FILE) if night is not None and DUTY_FILE in night.files else None
