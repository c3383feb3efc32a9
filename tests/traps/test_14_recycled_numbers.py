"""Trap 14: a number goes to somebody else, and the id with it."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from custvalue.churn.leakage import find_leaks
from custvalue.errors import DataError

from .conftest import refused, told

REJOINED = date(2023, 12, 5)


@pytest.fixture
def recycled(honest):
    """Ids of customers who left in spring 2023 are given to new customers in December, who use less."""
    left = honest["departures"]
    ids = left[(pd.to_datetime(left.left_on) < "2023-09-01")].customer_id
    months = [date(2023, 12, 1), *(date(2024, month, 1) for month in range(1, 5))]
    new = pd.DataFrame([(who, month) for who in ids for month in months], columns=["customer_id", "month"])
    owners = honest["customers"][honest["customers"].customer_id.isin(ids)].assign(joined_on=REJOINED, valid_from=REJOINED)
    return honest | {
        "billing": pd.concat([honest["billing"], new.assign(revenue=5.0)]),
        "usage": pd.concat([honest["usage"], new.assign(data_mb=10.0, voice_minutes=1.0)]),
        "customers": pd.concat([honest["customers"], owners]),
    }


def test_the_new_owner_would_inherit_the_bills_of_the_old_one(recycled):
    owners = recycled["customers"][recycled["customers"].joined_on == REJOINED].customer_id
    mean = recycled["billing"].groupby("customer_id").revenue.mean()
    assert len(owners) > 100
    assert mean[owners].mean() > 3 * 5.0


def test_features_that_inherit_are_named(recycled, gather):
    evidence = gather(recycled, windows=(1, 3, 12))
    seen = told(evidence, "identities")
    rows = (evidence.frame.snapshot == evidence.frame.snapshot.max()) & np.isin(
        evidence.frame.customer, recycled["customers"][recycled["customers"].joined_on == REJOINED].customer_id
    )
    inherits = evidence.frame.X["revenue_mean_12m"][rows].max() > 5.0
    assert rows.sum() > 100
    assert bool(seen) == inherits  # either no feature reads the old owner's bills, or the report names one that does


def test_a_row_that_was_written_over_is_refused(recycled, gather):
    last = recycled["customers"].drop_duplicates("customer_id", keep="last")
    with pytest.raises(DataError, match=r"departures\.left_on: lies before the customer joined"):
        gather(recycled | {"customers": last})
    evidence = gather(recycled | {"customers": last}, allow=(("departures", "order"),))
    assert "left before their only joined_on" in told(evidence, "identities")["customers.joined_on"]
    assert "customers.joined_on" in refused(find_leaks(evidence))


def test_a_customer_who_was_silent_for_a_while_is_the_same_one(honest, gather):
    some = honest["customers"].iloc[::10]
    spells = [some.assign(valid_from=day, status=status) for day, status in ((date(2023, 5, 1), "silent"), (date(2023, 7, 1), "active"))]
    silent = pd.DataFrame({"customer_id": some.customer_id, "left_on": date(2023, 5, 1), "kind": "silence"})
    left = honest["departures"]
    tables = honest | {
        "customers": pd.concat([honest["customers"].assign(status="active"), *spells]),
        "departures": pd.concat([left[pd.to_datetime(left.left_on) > "2023-07-02"], silent]),
    }
    assert told(gather(tables), "identities") == {}
