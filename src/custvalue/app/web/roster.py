"""Which manager is of which team and region, and who is away, as a published night tells it."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pandas as pd

from custvalue.pipeline.duty_file import read_duty
from custvalue.publish.manifests import generations


class Roster:
    """Reads who is on duty on a night once, and keeps it until another night, or another edition of it, is asked for.

    Parameters
    ----------
    output : Path
        The output folder.
    """

    def __init__(self, output: Path) -> None:
        self._output = output
        self._kept: tuple[tuple[date, list[int]], pd.DataFrame] | None = None

    def read(self, night: date) -> pd.DataFrame | None:
        """Give what `read_duty` gives."""
        edition, kept = (night, generations(self._output, night)), self._kept
        if kept is not None and kept[0] == edition:
            return kept[1]
        found = read_duty(self._output, night)
        if found is not None:  # what could not be read may be readable by the next click
            self._kept = (edition, found)
        return found
