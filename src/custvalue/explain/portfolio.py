"""What puts the base at risk: expected departures split among the reasons that raise them, by group of customers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow.compute as pc

from custvalue.explain.reasons import Reasons
from custvalue.wording import LAST_RESORT

EVERYBODY = "all"
_KEYS = ["dimension", "group", "reason"]
_COLUMNS = dict.fromkeys(_KEYS, "object") | {"customers": "int64", "leavers": "float64", "named": "int64"}

Floats = npt.NDArray[np.float64]


def portfolio_sums(codes: Sequence[str], weights: Floats, probability: Floats, reasons: Reasons, groups: pd.DataFrame) -> pd.DataFrame:
    """Add up some customers' risk by reason; `portfolio` takes the sums of any number of such parts.

    A customer's probability of leaving is split among the reasons that raise it, in proportion to what each adds to the log-odds. Where
    none does, it goes to `LAST_RESORT`. Sensitive reasons count as the others do: a sum over customers gives nobody away.

    Parameters
    ----------
    codes : sequence of str
    weights : array, shape (n, len(codes))
        What `weights_by_reason` gives.
    probability : array, shape (n,)
        Calibrated probability of leaving.
    reasons : Reasons, n rows
        What is said of the same customers.
    groups : DataFrame, n rows
        One column a dimension, for example ``tier`` and ``region``; missing values are a group of their own.

    Returns
    -------
    DataFrame
        ``dimension``, ``group``, ``reason``, ``customers`` of the group, ``leavers`` expected for the reason, and ``named``: customers of
        whom the reason is said first.
    """
    raising = np.maximum(weights, 0.0)
    total = raising.sum(axis=1, keepdims=True)
    parts = np.divide(raising, total, out=np.zeros_like(raising), where=total > 0)
    parts = np.column_stack([parts, total[:, 0] == 0]) * probability[:, None]
    names = [*codes, LAST_RESORT]
    first = pd.Categorical(pc.list_element(reasons.table["reason_codes"], 0).to_pandas(), categories=names).codes
    told = []
    for dimension, values in {EVERYBODY: pd.Series(EVERYBODY, index=groups.index), **dict(groups.items())}.items():
        place, found = pd.factorize(values.astype(object).where(values.notna(), None), use_na_sentinel=False)
        for number, group in enumerate(found):
            own = place == number
            sums = {"leavers": parts[own].sum(axis=0), "named": np.bincount(first[own], minlength=len(names))}
            told.append(pd.DataFrame({"dimension": dimension, "group": group, "reason": names, "customers": int(own.sum()), **sums}))
    return pd.concat(told, ignore_index=True) if told else pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in _COLUMNS.items()})


def portfolio(parts: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """Tell how much of each group's risk each reason explains.

    Parameters
    ----------
    parts : iterable of DataFrame
        What `portfolio_sums` gave, part by part of the base.

    Returns
    -------
    DataFrame
        The sums; ``share`` of the group's expected leavers put down to the reason; ``named_share`` of the group's customers of whom the
        reason is said first. Groups by name, the unknown one last, the strongest reason of each first; reasons without any part are left
        out.
    """
    sums = pd.concat(list(parts), ignore_index=True)
    found = sums.groupby(_KEYS, sort=False, dropna=False, as_index=False)[["customers", "leavers", "named"]].sum()
    of_group = found.groupby(["dimension", "group"], sort=False, dropna=False).leavers.transform("sum")
    found["share"] = (found.leavers / of_group.where(of_group > 0)).fillna(0.0)
    found["named_share"] = found.named / found.customers
    found = found[found.leavers > 0]
    place = {dimension: number for number, dimension in enumerate(dict.fromkeys(found.dimension))}
    known = found.group.notna()
    keys = (found.reason, -found.share, found.group.where(known, "").astype(str), ~known, found.dimension.map(place))
    return pd.DataFrame(found.iloc[np.lexsort(keys)].reset_index(drop=True))


def compare(now: pd.DataFrame, before: pd.DataFrame) -> pd.DataFrame:
    """Tell what rose since an earlier night.

    Parameters
    ----------
    now, before : DataFrame
        What `portfolio` gave on two nights.

    Returns
    -------
    DataFrame
        The later night's rows with ``share_before`` and ``change`` in points of 1, NaN where the earlier night lacks the group. A reason
        that explains nothing any more follows at the end of its group, with its share of 0.
    """
    groups = now[["dimension", "group", "customers"]].drop_duplicates()
    gone = before[[*_KEYS]].merge(groups, on=["dimension", "group"]).merge(now[_KEYS].assign(still=True), on=_KEYS, how="left")
    gone = gone[gone.still.isna()].drop(columns="still").assign(leavers=0.0, named=0, share=0.0, named_share=0.0)
    found = pd.concat([now, gone], ignore_index=True)
    place = {pair: number for number, pair in enumerate(zip(groups.dimension, groups.group, strict=True))}
    order = np.array([place[pair] for pair in zip(found.dimension, found.group, strict=True)], dtype=np.int64)
    found = found.iloc[np.lexsort((found.reason, -found.share, order))].reset_index(drop=True)
    found = found.merge(before[[*_KEYS, "share"]].rename(columns={"share": "share_before"}), on=_KEYS, how="left")
    known = set(zip(before.dimension, before.group, strict=True))
    there = np.array([pair in known for pair in zip(found.dimension, found.group, strict=True)])
    found["share_before"] = found.share_before.where(found.share_before.notna() | ~there, 0.0)
    return found.assign(change=found.share - found.share_before)
