"""Folds over time: no leak of time, no shared customer, and wrong arguments told at the call."""

import re
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from lightgbm import LGBMClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, KFold, cross_val_score

from custvalue.churn.snapshots import spread_days
from custvalue.churn.time_split import TimeSplit
from custvalue.errors import ConfigError


def rows_of(days, customers, seed=0):
    """Rows of customers who are seen on some of the days, in no order."""
    random = np.random.default_rng(seed)
    seen = random.random((customers, len(days))) < 0.8
    who, when = np.nonzero(seen)
    order = random.permutation(who.size)
    return np.array(days, dtype="datetime64[D]")[when][order], np.array([f"C{n:03d}" for n in who], dtype=object)[order]


MONTHLY = [date(2024, 1 + month, 1) for month in range(10)]


@given(
    newest=st.dates(date(2020, 1, 1), date(2030, 12, 31)),
    count=st.integers(2, 20),
    mixed=st.booleans(),
    purge=st.one_of(st.integers(1, 6), st.integers(1, 200).map(lambda days: timedelta(days=days))),
    n_splits=st.integers(1, 6),
    test_snapshots=st.integers(1, 3),
    customers=st.integers(8, 40),
    grouped=st.booleans(),
    seed=st.integers(0, 99),
)
def test_no_fold_leaks_time_or_customers(newest, count, mixed, purge, n_splits, test_snapshots, customers, grouped, seed):
    snapshot, customer = rows_of(spread_days(newest, count, mixed=mixed), customers, seed)
    try:
        cv = TimeSplit(snapshot, purge=purge, n_splits=n_splits, test_snapshots=test_snapshots, seed=seed)
    except ConfigError:
        assume(False)
    groups = customer if grouped else None
    folds = list(cv.split(np.zeros((snapshot.size, 1)), groups=groups))
    assert len(folds) == cv.get_n_splits() == n_splits
    window = pd.DateOffset(months=purge) if isinstance(purge, int) else purge
    for train, test in folds:
        assert train.size
        assert test.size
        ends = [day + window for day in pd.to_datetime(np.unique(snapshot[train]))]
        assert max(ends) <= pd.Timestamp(snapshot[test].min())
        assert np.unique(snapshot[test]).size <= test_snapshots
        if grouped:
            assert set(customer[train]).isdisjoint(customer[test])
    starts = [snapshot[test].min() for _, test in folds]
    assert starts == sorted(set(starts))
    assert grouped or snapshot[folds[-1][1]].max() == snapshot.max()
    again = list(TimeSplit(snapshot, purge=purge, n_splits=n_splits, test_snapshots=test_snapshots, seed=seed).split(groups=groups))
    assert all(np.array_equal(a, b) for fold, twin in zip(folds, again, strict=True) for a, b in zip(fold, twin, strict=True))


def test_folds_worked_out_by_hand():
    """Ten firsts of a month, windows of three months: October tests what was over by then, that is July and older."""
    snapshot = np.repeat(np.array(MONTHLY, dtype="datetime64[D]"), 2)
    folds = list(TimeSplit(snapshot, purge=3, n_splits=3).split())
    assert [(snapshot[train].max().item(), np.unique(snapshot[test]).tolist()) for train, test in folds] == [
        (date(2024, 5, 1), [date(2024, 8, 1)]),
        (date(2024, 6, 1), [date(2024, 9, 1)]),
        (date(2024, 7, 1), [date(2024, 10, 1)]),
    ]


def test_a_window_that_ends_a_day_after_the_test_snapshot_does_not_train():
    days = [date(2024, 1, 1), date(2024, 1, 2), date(2024, 4, 1)]
    (fold,) = TimeSplit(days, purge=3, n_splits=1).split()
    assert fold[0].tolist() == [0]
    (fold,) = TimeSplit(days, purge=timedelta(days=90), n_splits=1).split()
    assert fold[0].tolist() == [0, 1]


def test_with_groups_a_quarter_of_the_customers_tests_and_another_quarter_the_next_fold():
    snapshot, customer = np.repeat(np.array(MONTHLY, dtype="datetime64[D]"), 40), np.tile([f"C{n}" for n in range(40)], 10)
    folds = list(TimeSplit(snapshot, purge=2, n_splits=4).split(groups=customer))
    tested = [set(customer[test]) for _, test in folds]
    assert [len(who) for who in tested] == [10] * 4
    assert len(set.union(*tested)) == 40
    assert all(len(set(customer[train])) == 30 for train, _ in folds)


def test_rows_in_another_order_give_the_same_folds():
    snapshot, customer = rows_of(MONTHLY, 30)
    order = np.random.default_rng(1).permutation(snapshot.size)
    plain = list(TimeSplit(snapshot, purge=2).split(groups=customer))
    mixed = list(TimeSplit(snapshot[order], purge=2).split(groups=customer[order]))
    for one, other in zip(plain, mixed, strict=True):
        for a, b in zip(one, other, strict=True):
            assert set(a) == set(order[b])


@pytest.fixture(scope="module")
def memorable():
    """Nothing tells who leaves, but a customer's own number, and each customer ends the same way in all snapshots."""
    random = np.random.default_rng(0)
    customers = 300
    number = np.tile(np.arange(customers, dtype=float), len(MONTHLY))
    X = pd.DataFrame({"number": number, "noise": random.normal(size=number.size)})
    y = np.tile(random.random(customers) < 0.3, len(MONTHLY)).astype(np.int8)
    return X, y, np.tile([f"C{n}" for n in range(customers)], len(MONTHLY)), np.repeat(np.array(MONTHLY, dtype="datetime64[D]"), customers)


def test_scikit_learn_takes_it_and_it_is_not_fooled_where_a_random_split_is(memorable):
    X, y, customer, snapshot = memorable
    model = LGBMClassifier(n_estimators=60, min_child_samples=2, verbose=-1, num_threads=1)
    fooled = cross_val_score(model, X, y, cv=KFold(5, shuffle=True, random_state=0), scoring="roc_auc")
    honest = cross_val_score(model, X, y, groups=customer, cv=TimeSplit(snapshot, purge=3), scoring="roc_auc")
    assert fooled.mean() > 0.95
    assert honest.shape == (5,)
    assert abs(honest.mean() - 0.5) < 0.1


def test_it_works_inside_a_grid_search(memorable):
    X, y, customer, snapshot = memorable
    search = GridSearchCV(LogisticRegression(), {"C": [0.1, 1.0]}, cv=TimeSplit(snapshot, purge=3, n_splits=2), scoring="neg_log_loss")
    assert len(search.fit(X, y, groups=customer).cv_results_["split1_test_score"]) == 2


def test_a_frame_of_longer_windows_refuses_a_shorter_purge(memorable):
    X, y, _, snapshot = memorable
    X = X.copy()
    X.attrs["window_months"] = 3
    with pytest.raises(ConfigError, match=r"the outcome windows of X run 3 month\(s\).*set purge=3"):
        next(TimeSplit(snapshot, purge=2).split(X, y))
    with pytest.raises(ConfigError, match="purge is 89 day"):
        next(TimeSplit(snapshot, purge=timedelta(days=89)).split(X, y))
    assert next(TimeSplit(snapshot, purge=timedelta(days=92)).split(X, y))
    assert next(TimeSplit(snapshot, purge=4).split(X, y))


@pytest.mark.parametrize(
    ("snapshot", "arguments", "told"),
    [
        (MONTHLY, {"purge": 90}, "purge counts months, from 1 to 36; it is 90. For days give timedelta(days=90)"),
        (MONTHLY, {"purge": 0}, "from 1 to 36; it is 0"),
        (MONTHLY, {"purge": "3M"}, "purge must be months as an integer, or a timedelta of days; it is '3M'"),
        (MONTHLY, {"purge": True}, "it is True"),
        (MONTHLY, {"purge": timedelta(0)}, "at least a day"),
        (MONTHLY, {"purge": 3, "n_splits": 0}, "n_splits must be a whole number from 1 on; it is 0"),
        (MONTHLY, {"purge": 3, "test_snapshots": 1.5}, "test_snapshots must be a whole number from 1 on; it is 1.5"),
        (MONTHLY, {"purge": 3, "n_splits": 8}, "10 snapshot(s) (2024-01-01 to 2024-10-01) with windows of 3 month(s) give 7 fold(s)"),
        (MONTHLY, {"purge": 3, "n_splits": 8}, "set n_splits=7, or stack more snapshots"),
        (MONTHLY[:1], {"purge": 3}, "1 snapshot(s) (2024-01-01) with windows of 3 month(s) give 0 fold(s)"),
        (np.arange(10), {"purge": 3}, "snapshot must hold days, not numbers"),
        (["a", "b"], {"purge": 3}, "snapshot must hold the day of each row"),
        ([], {"purge": 3}, "snapshot must hold one day a row"),
        ([[day] for day in MONTHLY], {"purge": 3}, "its shape is (10, 1)"),
        ([*MONTHLY, None], {"purge": 3}, "snapshot lacks the day of 1 row(s)"),
    ],
)
def test_a_wrong_argument_is_told_at_the_call(snapshot, arguments, told):
    with pytest.raises(ValueError, match=re.escape(told)) as refused:
        TimeSplit(snapshot, **arguments)
    assert isinstance(refused.value, ConfigError)


def test_rows_of_another_frame_are_told(memorable):
    X, y, customer, snapshot = memorable
    cv = TimeSplit(snapshot, purge=3)
    with pytest.raises(ConfigError, match="X has 2,999 rows and snapshot 3,000"):
        next(cv.split(X.iloc[1:], y[1:]))
    with pytest.raises(ConfigError, match="groups has 10 rows and snapshot 3,000"):
        next(cv.split(X, y, customer[:10]))
    with pytest.raises(ConfigError, match=r"groups lacks the customer of 1 row\(s\)"):
        next(cv.split(groups=[None, *customer[1:]]))


def test_one_customer_cannot_both_train_and_test():
    with pytest.raises(ConfigError, match=r"fold 1 has nobody to train on: its 1 test customer\(s\) hold all older rows"):
        next(TimeSplit(MONTHLY, purge=1).split(groups=["C1"] * 10))


def test_days_may_come_as_timestamps_texts_or_a_column(memorable):
    *_, snapshot = memorable
    expected = [test.tolist() for _, test in TimeSplit(snapshot, purge=3).split()]
    for days in (pd.Series(pd.to_datetime(snapshot)), snapshot.astype(str), pd.to_datetime(snapshot).tz_localize(None), snapshot.tolist()):
        assert [test.tolist() for _, test in TimeSplit(days, purge=3).split()] == expected
