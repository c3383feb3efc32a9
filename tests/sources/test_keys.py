"""Keys that come twice are found exactly, however many shares of them wait on disk."""

from __future__ import annotations

import errno
import os
import tempfile
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from custvalue.engines import connect
from custvalue.errors import TryAgainError
from custvalue.sources import CONTRACT, keys
from custvalue.sources.keys import check_keys

DAYS, CUSTOMERS = 60, 200


@pytest.fixture
def days() -> pd.DataFrame:
    """Days of 200 customers in no order, some delivered again with the same or with a later ``available_at``."""
    rng = np.random.default_rng(3)
    whole = pd.DataFrame([(f"C{c:04d}", date(2021, 1, 1) + timedelta(days=d)) for c in range(CUSTOMERS) for d in range(DAYS)])
    whole = whole.set_axis(["customer_id", "day"], axis=1).assign(available_at=pd.Timestamp("2021-04-01"))
    later = whole.sample(40, random_state=1).assign(available_at=pd.Timestamp("2021-04-02"))
    rows = pd.concat([whole, whole.sample(300, random_state=2), later])
    return rows.iloc[rng.permutation(len(rows))]


@pytest.fixture
def con(days, tmp_path):
    con = connect(spill=tmp_path / ".spill")
    con.raw_sql("CREATE SCHEMA contract")
    con.create_table("daily", pa.Table.from_pandas(days, preserve_index=False), database="contract")
    return con


@pytest.mark.parametrize("at_once", [100, 1_000, 30_000_000])
def test_the_same_keys_are_found_as_pandas_finds(con, days, tmp_path, monkeypatch, at_once):
    monkeypatch.setattr(keys, "_AT_ONCE", at_once)
    found, revised = check_keys(con, CONTRACT["daily"], len(days))
    assert found[0].rows == days.duplicated(["customer_id", "day", "available_at"], keep=False).sum() > 500
    assert revised
    assert not list(tmp_path.iterdir())


def test_no_key_twice_is_no_finding(con, days, monkeypatch):
    monkeypatch.setattr(keys, "_AT_ONCE", 1_000)
    con.create_table("daily", pa.Table.from_pandas(days.drop_duplicates(["customer_id", "day"])), database="contract", overwrite=True)
    assert check_keys(con, CONTRACT["daily"], len(days)) == ([], False)


def test_a_disk_without_room_is_told_in_plain_words(operator, good, monkeypatch):
    class Full(tempfile.SpooledTemporaryFile):
        def write(self, _data):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(keys, "SpooledTemporaryFile", Full)
    with pytest.raises(TryAgainError, match=r"memory of .* and what may be written to disk .* do not suffice"):
        operator(good)
