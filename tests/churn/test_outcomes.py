"""Who counts as a leaver, worked out by hand; which snapshots may train; how they are stacked."""

from datetime import date, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from custvalue.churn.outcomes import find_snapshots, label, training_frame
from custvalue.config import ChurnConfig, FeaturesConfig, load_config
from custvalue.errors import ModelError
from custvalue.features import build_features
from custvalue.sources import open_tables

DEPARTURES = pa.schema({"customer_id": pa.string(), "left_on": pa.date32(), "kind": pa.string(), "available_at": pa.timestamp("us")})
SNAPSHOT, KNOWN_AT = date(2022, 1, 1), date(2022, 6, 1)
CHURN = ChurnConfig(kinds=("voluntary", "silence"), gap_months=1, horizon_months=2)  # leavers of 2022-02-02 up to 2022-04-01
STAYED, LEFT, LEFT_OTHERWISE, LEFT_IN_GAP = range(4)


def months(first, last):
    return [period.to_timestamp().date() for period in pd.period_range(first, last, freq="M")]


@pytest.fixture
def open_folder(tmp_path):
    """Open tables of customers in service since 2020 with a bill a month, and some departures."""

    def opened(ids, departures=(), *, customers=(), bills=("2021-07", "2022-05"), delay_days=None):
        since = date(2020, 1, 1)
        people = [{"customer_id": i, "valid_from": since, "joined_on": since, "plan": "S"} for i in ids] + list(customers)
        billing = [{"customer_id": i, "month": month, "revenue": 10.0 + month.month} for i in ids for month in months(*bills)]
        pq.write_table(pa.Table.from_pylist(people), tmp_path / "customers.parquet")
        pq.write_table(pa.Table.from_pylist(billing), tmp_path / "billing.parquet")
        pq.write_table(pa.Table.from_pylist(list(departures), schema=DEPARTURES), tmp_path / "departures.parquet")
        sources = {"folder": ".", "delay_days": delay_days or {}}
        (tmp_path / "operator.yaml").write_text(yaml.safe_dump({"sources": sources, "tier_policy": "t", "retention_policy": "r"}))
        return open_tables(load_config(tmp_path / "operator.yaml"))

    return opened


def departure(customer, left_on, kind="voluntary", known=None):
    return {"customer_id": customer, "left_on": left_on, "kind": kind, "available_at": known}


def labels(tables, churn=CHURN, snapshot=SNAPSHOT, known_at=KNOWN_AT):
    rows = label(tables, snapshot, known_at, churn).to_pyarrow().to_pylist()
    found = {row["customer_id"]: row["outcome"] for row in rows}
    assert len(found) == len(rows)
    return found


BOUNDARIES = {
    "stays": (None, "voluntary", STAYED),
    "on the snapshot, known the day after": (date(2022, 1, 1), "voluntary", LEFT_IN_GAP),
    "in the gap": (date(2022, 1, 15), "voluntary", LEFT_IN_GAP),
    "on the last day of the gap": (date(2022, 2, 1), "voluntary", LEFT_IN_GAP),
    "on the first day of the horizon": (date(2022, 2, 2), "voluntary", LEFT),
    "on the last day of the horizon": (date(2022, 4, 1), "voluntary", LEFT),
    "a day after the horizon": (date(2022, 4, 2), "voluntary", STAYED),
    "by another kind in the gap": (date(2022, 1, 15), "non_payment", LEFT_IN_GAP),
    "by another kind in the horizon": (date(2022, 3, 1), "non_payment", LEFT_OTHERWISE),
    "by another kind later": (date(2022, 4, 2), "port_out", STAYED),
    "silent a day before the horizon": (date(2022, 1, 31), "silence", LEFT_IN_GAP),
    "silent from the first day of the horizon": (date(2022, 2, 1), "silence", LEFT),
    "silent from the last day inside": (date(2022, 3, 31), "silence", LEFT),
    "silent from the first day after": (date(2022, 4, 1), "silence", STAYED),
}


def test_the_window_is_open_at_its_start_and_closed_at_its_end(open_folder):
    left = [departure(who, day, kind, datetime(2022, 5, 1)) for who, (day, kind, _) in BOUNDARIES.items() if day]
    assert labels(open_folder(BOUNDARIES, left)) == {who: outcome for who, (_, _, outcome) in BOUNDARIES.items()}


def test_without_a_gap_the_horizon_starts_at_the_snapshot(open_folder):
    days = {"A": date(2022, 1, 2), "B": date(2022, 2, 1), "C": date(2022, 2, 2)}
    churn = ChurnConfig(kinds=("voluntary",), gap_months=0, horizon_months=1)
    assert labels(open_folder(days, [departure(who, day) for who, day in days.items()]), churn) == {"A": LEFT, "B": LEFT, "C": STAYED}


def test_a_departure_counts_from_when_it_is_known(open_folder):
    tables = open_folder("A", [departure("A", date(2022, 3, 1), known=datetime(2022, 5, 3))])
    assert labels(tables, known_at=date(2022, 5, 2)) == {"A": STAYED}
    assert labels(tables, known_at=date(2022, 5, 3)) == {"A": LEFT}


def test_who_had_left_by_the_snapshot_is_not_there(open_folder):
    tables = open_folder("AB", [departure("A", SNAPSHOT)])
    assert labels(tables) == {"B": STAYED}


def test_who_had_left_before_the_snapshot_and_nobody_knew_does_not_train(open_folder):
    tables = open_folder("A", [departure("A", date(2021, 12, 20), known=datetime(2022, 1, 9))])
    assert labels(tables) == {"A": LEFT_IN_GAP}


def test_notice_given_before_the_snapshot_is_a_departure_like_any_other(open_folder):
    given = datetime(2021, 12, 15)
    left = [
        departure("A", date(2022, 3, 1), known=given),
        departure("B", date(2022, 1, 20), known=given),
        departure("C", date(2022, 5, 1), known=given),
    ]
    assert labels(open_folder("ABC", left)) == {"A": LEFT, "B": LEFT_IN_GAP, "C": STAYED}


BACK = {"valid_from": date(2021, 9, 1), "joined_on": date(2021, 9, 1), "plan": "S"}


def test_who_came_back_counts_by_the_next_departure(open_folder):
    back = [BACK | {"customer_id": who} for who in "AB"]
    left = [departure(who, date(2021, 5, 1)) for who in "ABC"] + [departure("B", date(2022, 3, 1))]
    assert labels(open_folder("ABC", left, customers=back)) == {"A": STAYED, "B": LEFT}


def test_an_old_departure_reported_after_the_return_is_not_a_new_one(open_folder):
    left = [departure("A", date(2021, 5, 1), known=datetime(2022, 1, 20))]
    assert labels(open_folder("A", left, customers=[BACK | {"customer_id": "A"}])) == {"A": STAYED}


def test_of_several_departures_the_first_decides(open_folder):
    pairs = {
        "gap, then horizon": [(date(2022, 1, 20), "voluntary"), (date(2022, 3, 1), "voluntary")],
        "horizon, then later": [(date(2022, 3, 1), "voluntary"), (date(2022, 5, 1), "voluntary")],
        "another kind, then the outcome": [(date(2022, 2, 10), "non_payment"), (date(2022, 3, 1), "voluntary")],
        "the outcome, then another kind": [(date(2022, 2, 10), "voluntary"), (date(2022, 3, 1), "non_payment")],
        "later twice": [(date(2022, 4, 20), "voluntary"), (date(2022, 5, 1), "silence")],
    }
    left = [departure(who, day, kind) for who, pair in pairs.items() for day, kind in pair[::-1]]
    assert labels(open_folder(pairs, left)) == dict(zip(pairs, [LEFT_IN_GAP, LEFT, LEFT_OTHERWISE, LEFT, STAYED], strict=True))


def test_a_kind_that_was_corrected_counts_as_corrected(open_folder):
    left = [
        departure("A", date(2022, 3, 1), "non_payment", datetime(2022, 3, 2)),
        departure("A", date(2022, 3, 1), "voluntary", datetime(2022, 4, 9)),
    ]
    tables = open_folder("A", left)
    assert labels(tables, known_at=date(2022, 4, 5)) == {"A": LEFT_OTHERWISE}
    assert labels(tables) == {"A": LEFT}


SHORT = FeaturesConfig(windows=(1, 3))


def usable(tables, as_of=KNOWN_AT, churn=CHURN, features=SHORT):
    return [day.isoformat() for day in find_snapshots(tables, as_of, churn, features).usable]


def test_snapshots_end_a_whole_window_before_the_moment(open_folder):
    assert usable(open_folder("A")) == [f"202{y}-{m:02d}-01" for y, m in ((1, 10), (1, 11), (1, 12), (2, 1), (2, 2), (2, 3))]


def test_snapshots_fall_on_the_day_of_the_moment(open_folder):
    assert usable(open_folder("A"), date(2022, 6, 17))[-2:] == ["2022-02-17", "2022-03-17"]
    assert usable(open_folder("A"), date(2022, 5, 31))[-2:] == ["2022-01-31", "2022-02-28"]


def test_departures_that_are_reported_late_push_snapshots_back(open_folder):
    tables = open_folder("A", delay_days={"departures": 10})
    assert usable(tables)[-1] == "2022-02-01"
    assert find_snapshots(tables, KNOWN_AT, CHURN, SHORT).refused[date(2022, 3, 1)] == "its horizon is not over and reported yet"
    assert usable(tables, date(2022, 6, 30))[-1] == "2022-02-28"


def test_snapshots_from_before_leavers_were_recorded_are_refused(open_folder):
    churn = CHURN.model_copy(update={"outcomes_recorded_after": date(2022, 2, 1)})
    tables = open_folder("A")
    assert usable(tables, churn=churn) == ["2022-02-01", "2022-03-01"]
    assert "outcomes_recorded_after" in find_snapshots(tables, KNOWN_AT, churn, SHORT).refused[date(2022, 1, 1)]


def test_at_most_so_many_snapshots_the_newest_ones(open_folder):
    assert usable(open_folder("A"), churn=CHURN.model_copy(update={"snapshots": 2})) == ["2022-02-01", "2022-03-01"]


@pytest.mark.parametrize(
    ("windows", "first"), [((1, 2), "2021-09-01"), ((1, 3), "2021-10-01"), ((1, 6), "2022-01-01"), ((1, 3, 12), "2022-01-01")]
)
def test_a_snapshot_needs_bills_of_its_longest_window_or_half_a_year(open_folder, windows, first):
    assert usable(open_folder("A"), features=FeaturesConfig(windows=windows))[0] == first


def test_a_late_billing_feed_shortens_the_history(open_folder):
    assert usable(open_folder("A", delay_days={"billing": 5}))[0] == "2021-11-01"


def test_no_snapshot_at_all_says_why(open_folder):
    tables = open_folder("A", bills=("2022-02", "2022-05"))
    with pytest.raises(ModelError) as refused:
        find_snapshots(tables, KNOWN_AT, CHURN, SHORT)
    assert refused.value.exit_code == 4
    told = str(refused.value)
    assert "no snapshot can train at 2022-06-01:" in told
    assert "2022-03-01: bills reach back less than 3 months" in told
    assert "Take a later date, or load more history" in told


@pytest.fixture
def stacked(open_folder):
    left = [
        departure("B", date(2021, 12, 20)),
        departure("C", date(2022, 3, 1)),
        departure("D", date(2022, 2, 10), "non_payment"),
        departure("E", date(2022, 4, 15), known=datetime(2022, 7, 1)),
    ]
    tables = open_folder("EDCBA", left)
    churn = CHURN.model_copy(update={"snapshots": 3, "min_leavers": 2})
    lines = []
    return tables, lines, *training_frame(tables, KNOWN_AT, churn, SHORT, log=lines.append)


def test_snapshots_are_stacked_in_order_of_day_and_customer(stacked):
    frame = stacked[2]
    rows = list(zip(frame.snapshot.astype(str), frame.customer, frame.y.tolist(), strict=True))
    assert rows == [
        ("2022-01-01", "A", 0),  # B had left; D leaves by another kind
        ("2022-01-01", "C", 1),
        ("2022-01-01", "E", 0),
        ("2022-02-01", "A", 0),  # C and D leave inside the gap
        ("2022-02-01", "E", 0),  # has left, as is known after the moment
        ("2022-03-01", "A", 0),
        ("2022-03-01", "E", 0),
    ]
    assert frame.snapshot.dtype == np.dtype("datetime64[D]")
    assert frame.y.dtype == np.int8


def test_who_is_dropped_is_counted(stacked):
    assert stacked[2].dropped == {"left inside the gap": 2, "left by another kind": 1}


def test_each_row_holds_the_features_of_its_own_day(stacked):
    tables, _, frame, columns, spec_hash = stacked
    assert list(frame.X.columns) == [column.name for column in columns]
    for day in np.unique(frame.snapshot):
        moment = tables.moment(day.item())
        built = build_features(tables.known(day.item()), moment, SHORT)
        alone = built.table.to_pandas().set_index("customer_id")
        part = frame.take(frame.snapshot == day)
        pd.testing.assert_frame_equal(part.X, alone.loc[list(part.customer)].reset_index(drop=True), check_dtype=False)
        assert built.spec_hash == spec_hash
    newest_bill = frame.X["revenue_mean_1m"].groupby(frame.snapshot).first()
    assert newest_bill.tolist() == [22.0, 11.0, 12.0]  # bills of December, January, February


def test_columns_are_float64_or_text(stacked):
    frame, columns = stacked[2], stacked[3]
    for column in columns:
        assert pd.api.types.is_string_dtype(frame.X[column.name]) if column.kind == "category" else frame.X[column.name].dtype == np.float64


def test_each_snapshot_is_logged_with_its_counts(stacked):
    assert stacked[1][-3:] == [
        "snapshot 2022-01-01: 4 active, 1 left in the window",
        "snapshot 2022-02-01: 4 active, 0 left in the window",
        "snapshot 2022-03-01: 2 active, 0 left in the window",
    ]


def test_too_few_leavers_are_refused_and_those_who_are_not_known_yet_do_not_count(open_folder):
    left = [
        departure("A", date(2022, 3, 1)),
        departure("B", date(2022, 3, 1), known=datetime(2022, 7, 1)),
        departure("C", date(2022, 3, 1), "natural"),
    ]
    tables = open_folder("ABC", left)
    churn = CHURN.model_copy(update={"min_leavers": 2})
    with pytest.raises(ModelError, match=r"1 leavers \(voluntary, silence\) are known at 2022-06-01; at least 2 are needed") as refused:
        training_frame(tables, KNOWN_AT, churn, SHORT)
    assert refused.value.exit_code == 4
    assert len(training_frame(tables, date(2022, 7, 1), churn, SHORT)[0]) > 0


def real(data_folder, name):
    repository = Path(__file__).parents[2]
    config = load_config(repository / "configs" / f"{name}.yaml", environ={"CUSTVALUE_DATA": str(data_folder)})
    return config, open_tables(config)


def counted(tables, churn, snapshot, known_at):
    outcomes = list(labels(tables, churn, snapshot, known_at).values())
    return len(outcomes), outcomes.count(LEFT), len(outcomes) - outcomes.count(LEFT) - outcomes.count(STAYED)


def test_interconnect_trains_on_its_one_complete_snapshot(data_folder):
    config, tables = real(data_folder, "interconnect")
    frame, _, _ = training_frame(tables, date(2019, 11, 1), config.churn, config.features)
    assert frame.describe().values.tolist() == [[pd.Timestamp(2019, 9, 1), 6105, 850]]
    assert set(frame.dropped.values()) == {0}
    assert counted(tables, config.churn, date(2019, 11, 1), date(2020, 1, 1)) == (5636, 821, 0)


def test_india_trains_on_august_and_is_judged_on_september(data_folder):
    config, tables = real(data_folder, "india-prepaid")
    frame, _, _ = training_frame(tables, date(2014, 9, 1), config.churn, config.features)
    assert frame.describe().values.tolist() == [[pd.Timestamp(2014, 8, 1), 930, 51]]
    assert counted(tables, config.churn, date(2014, 8, 1), date(2014, 10, 1)) == (930, 51, 0)
    assert counted(tables, config.churn, date(2014, 9, 1), date(2014, 10, 1)) == (908, 41, 0)
    # September's silence is known only when September is over
    assert counted(tables, config.churn, date(2014, 9, 1), date(2014, 9, 30)) == (908, 0, 0)


def test_megaline_has_too_few_leavers(data_folder):
    config, tables = real(data_folder, "megaline")
    with pytest.raises(ModelError, match="34 leavers") as refused:
        training_frame(tables, date(2019, 1, 1), config.churn, config.features)
    assert refused.value.exit_code == 4
