"""Yes and no, read strictly."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from custvalue.errors import DataError

Flags = npt.NDArray[np.bool_]


def yes(frame: pd.DataFrame, column: str) -> Flags:
    """Tell for whom a column says yes: nobody where it is absent or empty.

    Raises
    ------
    DataError
        It holds something else than yes and no: text such as "false" would otherwise count as a yes.
    """
    if column not in frame.columns:
        return np.zeros(len(frame), dtype=bool)
    values = frame[column]
    if values.dtype == bool:
        return values.to_numpy()
    wrong = values[values.notna() & ~values.isin([True, False])]
    if len(wrong):
        raise DataError(
            f"scores: {len(wrong)} values of {column} are neither true nor false (for example {wrong.iloc[0]!r}). "
            "Map the column to BOOLEAN."
        )
    return (values == True).fillna(False).to_numpy(dtype=bool)  # noqa: E712 - object columns hold None too
