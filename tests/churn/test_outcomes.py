"""Who counts as a leaver, worked out by hand; which snapshots may train; how they are stacked."""

from datetime import date, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from custvalue.churn.outcomes import label, treated
from custvalue.churn.stacking import training_frame
from custvalue.config import ChurnConfig, FeaturesConfig, load_config
from custvalue.errors import ModelError
from custvalue.features import build_features
from custvalue.sources import open_tables

SNAPSHOT, KNOWN_AT = date(2022, 1, 1), date(2022, 6, 1)
CHURN = ChurnConfig(kinds=("voluntary", "silence"), gap_months=1, horizon_months=2)  # leavers of 2022-02-02 up to 2022-04-01
STAYED, LEFT, LEFT_OTHERWISE, LEFT_IN_GAP = range(4)


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
        ("2021-12-10", "A", 0),  # B leaves inside the gap, D by another kind
        ("2021-12-10", "C", 1),
        ("2021-12-10", "E", 0),
        ("2022-01-21", "A", 0),  # B had left; D leaves inside the gap
        ("2022-01-21", "C", 1),
        ("2022-01-21", "E", 0),  # has left, as is known after the moment
        ("2022-03-01", "A", 0),
        ("2022-03-01", "E", 0),
    ]
    assert frame.snapshot.dtype == np.dtype("datetime64[D]")
    assert frame.y.dtype == np.int8


def test_who_is_dropped_is_counted(stacked):
    assert stacked[2].dropped == {"left inside the gap": 2, "left by another kind": 1, "contacted before the outcome": 0}


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
    assert newest_bill.tolist() == [21.0, 22.0, 12.0]  # bills of November, December, February


def test_columns_are_float64_or_text(stacked):
    frame, columns = stacked[2], stacked[3]
    for column in columns:
        assert pd.api.types.is_string_dtype(frame.X[column.name]) if column.kind == "category" else frame.X[column.name].dtype == np.float64


def test_each_snapshot_is_logged_with_its_counts(stacked):
    assert stacked[1][-3:] == [
        "snapshot 2021-12-10: 5 active, 1 left in the window",
        "snapshot 2022-01-21: 4 active, 1 left in the window",
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


def contact(customer, at, **changed):
    return {"contact_id": f"{customer}{at}", "customer_id": customer, "contacted_at": at, "arm": "treated", "reached": True} | changed


CONTACTS = {
    "reached in the window": (contact("?", datetime(2022, 3, 1)), True),
    "reached in the gap": (contact("?", datetime(2022, 1, 1, 9)), True),
    "reached on the last day": (contact("?", datetime(2022, 4, 1, 20)), True),
    "nobody knows whether reached": (contact("?", datetime(2022, 3, 1), reached=None), True),
    "no arm written": (contact("?", datetime(2022, 3, 1), arm=None), True),
    "held out": (contact("?", datetime(2022, 3, 1), arm="holdout", reached=None), False),
    "not reached": (contact("?", datetime(2022, 3, 1), reached=False), False),
    "before the snapshot": (contact("?", datetime(2021, 12, 31, 23)), False),
    "after the window": (contact("?", datetime(2022, 4, 2)), False),
    "left before the call": (contact("?", datetime(2022, 3, 20)), False),
    "left after the call": (contact("?", datetime(2022, 3, 1)), True),
    "left the day after the call": (contact("?", datetime(2022, 3, 14, 23)), True),
}
"""Customer → contact, and whether the row is treated; those who left did so on 15 March. The window ends on 1 April."""


@pytest.fixture
def campaign(open_folder):
    left = [departure(who, date(2022, 3, 15)) for who in CONTACTS if who.startswith("left")]
    contacts = [row | {"customer_id": who, "contact_id": who} for who, (row, _) in CONTACTS.items()]
    return open_folder(CONTACTS, left, contacts=contacts)


def test_treated_is_who_was_reached_between_snapshot_and_outcome(campaign):
    found = treated(campaign, SNAPSHOT, KNOWN_AT, CHURN).to_pandas().customer_id
    assert sorted(found) == sorted(who for who, (_, is_treated) in CONTACTS.items() if is_treated)


def test_a_contact_counts_by_the_operators_clocks(open_folder):
    """Two hours before midnight of the last day in Shanghai, and two hours after it."""
    contacts = [contact("A", datetime(2022, 4, 1, 14)), contact("B", datetime(2022, 4, 1, 18))]
    tables = open_folder("AB", contacts=contacts, time_zone="Asia/Shanghai")
    assert treated(tables, SNAPSHOT, KNOWN_AT, CHURN).to_pandas().customer_id.tolist() == ["A"]


@pytest.mark.parametrize(("setting", "kept"), [("drop", 6), ("keep", 12)])
def test_treated_rows_are_left_out_and_counted_or_kept(campaign, setting, kept):
    churn = CHURN.model_copy(update={"snapshots": 1, "min_leavers": 2, "treated": setting})
    lines = []
    frame, _, _ = training_frame(campaign, date(2022, 4, 1), churn, SHORT, log=lines.append)
    assert frame.describe().snapshot.tolist() == [pd.Timestamp(SNAPSHOT)]
    assert len(frame) == kept
    assert frame.dropped["contacted before the outcome"] == 12 - kept
    assert ("6 contacted and left out" in lines[-1]) == (setting == "drop")


def test_a_saved_customer_does_not_teach_that_his_like_stay(open_folder):
    """Half of the doomed were reached and saved: with them the rate is half the truth, without them it is the truth."""
    doomed = [f"D{n}" for n in range(40)]
    left = [departure(who, date(2022, 3, 15)) for who in doomed[20:]]
    tables = open_folder(doomed, left, contacts=[contact(who, datetime(2022, 1, 9)) for who in doomed[:20]])
    churn = CHURN.model_copy(update={"snapshots": 1, "min_leavers": 2})
    rates = {}
    for setting in ("drop", "keep"):
        frame, _, _ = training_frame(tables, date(2022, 4, 1), churn.model_copy(update={"treated": setting}), SHORT)
        rates[setting] = frame.y.mean()
    assert rates == {"drop": 1.0, "keep": 0.5}


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
