"""The tiers' pandas peer gives what custvalue gives, so that their times can be compared, and is a second opinion on a year of ratings."""

import sys
from pathlib import Path

import pandas as pd
import pytest

from custvalue import TierPolicy
from custvalue.config import ready_configs
from custvalue.engines import duckdb
from custvalue.sources import add_months
from custvalue.tiers import tier_history

FOLDER = Path(__file__).parents[2] / "benchmarks"
CUSTOMERS = 3_000


@pytest.fixture(scope="module")
def peer():
    sys.path.insert(0, str(FOLDER))
    import pandas_tiers
    import tiers_speed

    yield pandas_tiers, tiers_speed
    sys.path.remove(str(FOLDER))


@pytest.fixture(scope="module")
def ratings(peer):
    """A year of both ways' ratings, each from its own rating before."""
    pandas_tiers, tiers_speed = peer
    con = duckdb.connect()
    policy = TierPolicy.from_yaml(ready_configs() / "tiers" / "consumer.yaml")
    ours, theirs, days = [], [], []
    for month, facts in enumerate(tiers_speed.facts_by_month(CUSTOMERS)):
        day = add_months(tiers_speed.FIRST, month)
        table = con.create_table(f"facts_{month}", facts)
        policy = policy if policy.cuts else policy.fit(table, as_of=day)
        (cuts,) = policy.cuts.values()
        previous = con.create_table(f"rating_{month - 1}", ours[-1]) if ours else None
        ours.append(policy.assign(table, as_of=day, previous=previous).to_pyarrow())
        before = theirs[-1] if theirs else None
        theirs.append(pandas_tiers.assign(facts.to_pandas(), policy.config, cuts, as_of=day, previous=before))
        days.append(day)
    return days, ours, theirs


def plain(frame):
    """The same columns, order and types whoever made the frame."""
    out = frame.sort_values([name for name in ("customer_id", "valid_from") if name in frame], ignore_index=True)
    for name in ("valid_from", "valid_until", "below_since", "grace_until", "valid_to"):
        if name in out:
            out[name] = pd.to_datetime(out[name]).astype("datetime64[s]")
    return out


def test_both_give_the_same_ratings_for_a_year(ratings):
    days, ours, theirs = ratings
    for day, one, other in zip(days, ours, theirs, strict=True):
        pd.testing.assert_frame_equal(
            plain(one.to_pandas())[list(other.columns)], plain(other), check_dtype=False, obj=f"rating of {day}", atol=1e-6
        )


def test_the_year_holds_every_kind_of_step(ratings):
    _, ours, _ = ratings
    seen = set().union(*(set(one["reason_code"].to_pylist()) for one in ours))
    assert seen >= {"first_rating", "upgrade", "downgrade", "renewed", "stays", "within_validity", "below_too_briefly", "grace"}
    assert seen >= {"protected_open_complaint", "protected_justified_complaint", "unrated_short_tenure"}


def test_both_give_the_same_history(peer, ratings):
    pandas_tiers, _ = peer
    days, ours, theirs = ratings
    con = duckdb.connect()
    history = tier_history({day: con.create_table(f"r{day:%Y%m}", one) for day, one in zip(days, ours, strict=True)}).to_pandas()
    expected = pandas_tiers.history(list(zip(days, theirs, strict=True)))
    pd.testing.assert_frame_equal(plain(history)[list(expected.columns)], plain(expected), check_dtype=False)
