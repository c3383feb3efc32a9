"""From a published night to orders, from workbooks back into them, and months later to what the data say."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import openpyxl
import pandas as pd
import pytest
from openpyxl.utils import get_column_letter

from custvalue.app.console import StepReporter
from custvalue.app.orders import run_feedback, run_upgrade, show_orders
from custvalue.config import load_config, ready_configs
from custvalue.errors import DataError
from custvalue.lists import write_workbook
from custvalue.lists.layout import HEADER_ROW, KEYS
from custvalue.pipeline.duty_file import write_duty
from custvalue.pipeline.feedback import forget_orders, take_feedback
from custvalue.pipeline.orders import manager_teams, take_orders, verify_orders
from custvalue.publish import lock, publish, stage
from custvalue.retention.orders.store import OrderStore
from custvalue.sources.frames import open_frames
from custvalue.wording import load_catalogue

NIGHT = date(2026, 1, 1)
EVENING = datetime(2026, 1, 1, 18, tzinfo=UTC)  # the second of January in Shanghai, where the operator is

OUTCOME = get_column_letter(KEYS.index("outcome") + 1)


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "operator.yaml"
    path.write_text(
        "sources: {folder: data}\ntier_policy: tiers.yaml\nretention_policy: retention.yaml\ntime_zone: Asia/Shanghai\n"
        "orders: {url: '${CUSTVALUE_ORDERS:-}', escalate_days: 1}\n",
        encoding="utf-8",
    )
    return load_config(path)


@pytest.fixture
def store(config):
    return OrderStore.of(config)


def listed(*names, night=NIGHT, manager="M1"):
    """What lists.parquet holds of these customers."""
    rows = pd.DataFrame({"customer_id": [f"cust-{name}" for name in names]})
    rows["order_id"] = [f"{night:%Y%m%d}-C-{name}" for name in names]
    rows["customer"] = [f"C-{name}" for name in names]
    texts = {"manager_id": manager, "tier": "gold", "risk_band": "high", "channel": "manager", "name": "", "number": ""}
    numbers = {"arpu": 100.0, "value_at_stake": 500.0, "net_value": 40.0, "tenure_months": 30.0, "probability": 0.2, "days_to_expiry": 9.0}
    rows = rows.assign(**texts, **numbers, care_priority=False, open_complaint=False, priority=range(1, len(names) + 1))
    return rows.assign(
        due_by=night + timedelta(days=1), reasons_en=[["Contract ends in 9 days"]] * len(names), reasons_zh=[["合约9天后到期"]] * len(names)
    )


def put(config, rows, run_id, *, night=NIGHT, others=None, staff=None, own=None):
    """Publish a night: its lists, the decisions of everybody, each one's own manager where it is another one, and the managers' teams."""
    scores = pd.DataFrame({"customer_id": rows.customer_id, "decision": "listed"})
    scores = pd.concat([scores, pd.DataFrame(others or {}, index=["decision"]).T.rename_axis("customer_id").reset_index()])
    usual = dict(zip(rows.customer_id, rows.manager_id, strict=True)) | (own or {})
    scores["own_manager_id"] = scores.customer_id.map(usual)
    with lock(config.output):
        staging = stage(config.output, run_id)
        rows.to_parquet(staging / "lists.parquet", index=False)
        (staging / "scores.parquet").mkdir()
        scores.to_parquet(staging / "scores.parquet" / "part-00000.parquet", index=False)
        write_duty(staging, None if staff is None else pd.DataFrame({"manager_id": list(staff)}), staff or {}, as_of=night)
        return publish(config.output, as_of=night, run_id=run_id, staging=staging, lineage={}, force=False)


def workbook(config, rows, folder, manager="M1", night=NIGHT, **inputs):
    """Write a manager's list and fill in cells: key → values from the first customer on."""
    path = folder / f"{manager}.xlsx"
    catalogue = load_catalogue(config.wording)
    write_workbook(path, rows, manager=manager, as_of=night, language="zh", currency="CNY", catalogue=catalogue)
    book = openpyxl.load_workbook(path)
    for key, values in inputs.items():
        for offset, value in enumerate(values):
            book.worksheets[0].cell(HEADER_ROW + 2 + offset, KEYS.index(key) + 1).value = value
    book.save(path)
    return path


def test_a_published_night_becomes_orders_and_the_next_one_says_why_others_left(config, store):
    night = put(config, listed("a", "b", "c"), "run1", staff={"M1": "north"})
    taken = take_orders(night, store=store, now=EVENING)
    assert (taken.new, set(store.orders().team)) == (3, {"north"})
    assert take_orders(night, store=store, now=EVENING).taken is False
    later = put(config, listed("a", night=date(2026, 1, 2)), "run2", night=date(2026, 1, 2), others={"cust-b": "cooldown"})
    taken = take_orders(later, store=store, now=EVENING + timedelta(days=1))
    assert (taken.new, taken.stays, taken.left) == (0, 1, 2)
    assert store.orders().set_index("customer_id").close_reason.dropna().to_dict() == {"cust-b": "cooldown", "cust-c": "left_base"}


def test_who_waits_for_a_manager_is_of_the_team_of_his_own_one(config, store):
    rows = listed("a", "b", "c", "d")
    rows.loc[1:, "manager_id"] = "unassigned"
    staff = {"M1": "north", "M2": "south"}  # c has a manager of whom the table knows nothing, d has none at all
    own = {"cust-b": "M2", "cust-c": "M9", "cust-d": None}
    night = put(config, rows, "run1", staff=staff, own=own)
    assert take_orders(night, store=store, now=EVENING).new == 4
    orders = store.orders().set_index("customer_id")
    assert orders.team.dropna().to_dict() == {"cust-a": "north", "cust-b": "south"}
    assert orders.state.to_dict() == {"cust-a": "assigned"} | dict.fromkeys(("cust-b", "cust-c", "cust-d"), "new")


def test_a_damaged_night_is_not_taken(config, store):
    night = put(config, listed("a"), "run1")
    (night.folder / "lists.parquet").write_bytes(b"other")
    with pytest.raises(DataError, match="differ from the manifest"):
        take_orders(night, store=store, now=EVENING)
    assert store.orders().empty


def test_an_empty_list_withdraws_what_waits(config, store):
    take_orders(put(config, listed("a"), "run1"), store=store, now=EVENING)
    nobody = listed("a", night=date(2026, 1, 2)).head(0)
    night = put(config, nobody, "run2", night=date(2026, 1, 2), others={"cust-a": "over_budget"})
    assert take_orders(night, store=store, now=EVENING + timedelta(days=1)).left == 1


@pytest.fixture
def taken(config, store):
    rows = listed("a", "b", "c", "d")
    rows.loc[3, "manager_id"] = "M2"
    take_orders(put(config, rows, "run1"), store=store, now=EVENING)
    return rows


def feed(config, store, path, hours=2):
    (done,) = take_feedback(config, [path], store=store, now=EVENING + timedelta(hours=hours))
    return done


def test_a_workbook_is_taken_once_and_its_bad_rows_are_told_kept_and_taken_when_they_are_corrected(config, store, taken, tmp_path):
    given = {"outcome": ["接受优惠", "也许", "拒绝优惠"], "note": ["满意", "请改", "太贵"], "contacted_on": [date(2026, 1, 1)] * 3}
    path = workbook(config, taken.head(3), tmp_path, **given)
    done = feed(config, store, path)
    assert (done.applied, done.before, [fault.cell for fault in done.faults], done.without_reason) == (
        2,
        0,
        [f"今日名单!{OUTCOME}{HEADER_ROW + 3}"],
        1,
    )
    before = [store.orders().to_dict("records"), store.events().to_dict("records")]
    again = feed(config, store, path, hours=3)
    assert (again.applied, again.before, len(again.faults)) == (0, 2, 1)
    assert [store.orders().to_dict("records"), store.events().to_dict("records")] == before
    assert done.rejected == config.output / "feedback" / "M1.rejected.xlsx"
    book = openpyxl.load_workbook(done.rejected)
    sheet = book.worksheets[0]
    assert sheet.cell(HEADER_ROW + 2, 2).value == "20260101-C-b"
    sheet.cell(HEADER_ROW + 2, 4).value = "稍后再联系"
    book.save(done.rejected)
    assert (feed(config, store, done.rejected).applied, feed(config, store, done.rejected).before) == (1, 1)
    assert store.orders(manager="M1").state.tolist() == ["closed", "deferred", "refused"]
    notes = store.events().query("note != '' and source == 'feedback'")
    assert dict(zip(notes.order_id.str[-1], notes.note, strict=True)) == {"a": "满意", "b": "请改", "c": "太贵"}
    assert set(notes.by) == {"M1"}


def test_a_reason_that_was_missing_closes_the_order_when_the_workbook_is_read_again(config, store, taken, tmp_path):
    feed(config, store, workbook(config, taken.head(1), tmp_path, outcome=["refused"]))
    done = feed(config, store, workbook(config, taken.head(1), tmp_path, outcome=["refused"], close_reason=["价格因素"]))
    assert (done.applied, done.without_reason) == (1, 0)
    assert store.orders().close_reason.tolist()[0] == "price"


def test_an_order_that_is_unknown_of_another_manager_or_closed_twice_is_told(config, store, taken, tmp_path):
    rows = taken.iloc[[0, 3]].assign(manager_id="M1", priority=[1, 2])
    strange = listed("stranger").assign(priority=3)
    path = workbook(config, pd.concat([rows, strange]), tmp_path, outcome=["accepted"] * 3)
    done = feed(config, store, path)
    assert done.applied == 1
    told = {fault.cell: fault.told for fault in done.faults}
    assert len(told) == 2
    assert any("on another manager's list" in each for each in told.values())
    assert any("no list holds the order 20***er" in each for each in told.values())
    done = feed(config, store, workbook(config, taken.head(1), tmp_path, outcome=["refused"], close_reason=["price"]))
    assert [fault.told for fault in done.faults] == [
        "the order was closed before, with the reason 'offer_taken'; a closed order takes notes only"
    ]


def test_last_nights_workbook_that_comes_late_still_counts(config, store, taken, tmp_path):
    path = workbook(config, taken.head(2), tmp_path, outcome=["unreachable", "accepted"], contacted_on=["2026-01-01", "2026-01-01"])
    others = dict.fromkeys(("cust-b", "cust-c", "cust-d"), "over_capacity")
    later = put(config, listed("a", night=date(2026, 1, 2)), "run2", night=date(2026, 1, 2), others=others)
    take_orders(later, store=store, now=EVENING + timedelta(days=1))
    done = feed(config, store, path, hours=30)
    assert (done.applied, done.faults) == (2, ())
    assert store.orders().set_index("customer_id").state.to_dict()["cust-b"] == "closed"


def test_a_file_that_is_no_list_does_not_keep_the_others_back(config, store, taken, tmp_path):
    (tmp_path / "other.xlsx").write_bytes(b"nothing")
    good = workbook(config, taken.head(1), tmp_path, outcome=["accepted"])
    done = take_feedback(config, [tmp_path / "other.xlsx", good], store=store, now=EVENING + timedelta(hours=1))
    assert [(each.applied, len(each.faults)) for each in done] == [(0, 1), (1, 0)]


def test_a_forgotten_customer_is_gone_from_orders_and_rejected_rows_and_others_stay(config, store, taken, tmp_path):
    path = workbook(config, taken.head(3), tmp_path, outcome=["perhaps", "accepted", "perhaps"], note=["his words", "", "hers"])
    rejected = feed(config, store, path).rejected
    done = forget_orders(config, "cust-a", store=store)
    assert (done["orders"], done["rejected feedback"]) == (1, 1)
    left = [str(value) for row in openpyxl.load_workbook(rejected).worksheets[0].iter_rows(values_only=True) for value in row]
    assert "hers" in left
    assert not {"his words", "20260101-C-a", "C-a"} & set(left)
    assert list(store.orders().customer_id) == ["cust-b", "cust-c", "cust-d"]
    assert sum(forget_orders(config, "cust-a", store=store).values()) == 0
    assert feed(config, store, rejected).faults[0].told.startswith("'perhaps' is no outcome")


def test_the_command_tells_the_bad_rows_and_ends_with_three_after_it_has_taken_the_good_ones(config, store, taken, tmp_path, capsys):
    path = workbook(config, taken.head(2), tmp_path, outcome=["accepted", "perhaps"])
    with pytest.raises(DataError, match=r"1 row\(s\) or file\(s\) could not be taken; the 1 good one\(s\) are recorded") as told:
        run_feedback(config, [path], now=EVENING + timedelta(hours=1), reporter=StepReporter(human=True))
    assert told.value.exit_code == 3
    shown = capsys.readouterr().out
    assert "M1.xlsx 今日名单!" in shown
    assert "'perhaps' is no outcome" in shown
    run_feedback(config, [workbook(config, taken.head(1), tmp_path, outcome=["accepted"])], now=EVENING, reporter=StepReporter(human=True))


def test_the_orders_are_shown_by_manager_with_what_changed(config, store, taken, capsys):
    run_upgrade(config)
    later = put(config, listed("a", "x", night=date(2026, 1, 2)), "run2", night=date(2026, 1, 2), others={"cust-b": "cooldown"})
    take_orders(later, store=store, now=EVENING + timedelta(days=1))
    show_orders(config, now=EVENING + timedelta(days=5))
    shown = " ".join(capsys.readouterr().out.split())
    assert "orders.db: is of version" in shown
    assert "Orders of 2026-01-02, run run2" in shown
    assert "M1 2 0 0 0 2 0 0" in shown
    assert "new 1" in shown
    assert "left no longer in the base 2" in shown


def test_before_the_first_night_there_is_nothing_to_show(config, capsys):
    show_orders(config, now=EVENING)
    assert "No night was taken yet." in capsys.readouterr().out


def tables_of(config, **frames):
    """Contract tables of four customers who have been here for years, known on the day that they speak of."""
    names = ["cust-a", "cust-b", "cust-c", "cust-d"]
    usual = {
        "customers": pd.DataFrame(
            {"customer_id": names, "valid_from": date(2020, 1, 1), "joined_on": date(2020, 1, 1), "manager_id": "M1"}
        ),
        "billing": pd.DataFrame({"customer_id": names, "month": date(2025, 12, 1), "revenue": [77.0, 1.0, 1.0, 1.0]}),
        "departures": pd.DataFrame({"customer_id": ["cust-b"], "left_on": [date(2026, 1, 20)], "kind": ["voluntary"]}),
    }
    return open_frames(usual | frames, config)


def test_closed_orders_are_verified_by_departures_and_bills(config, store, taken, tmp_path):
    feed(config, store, workbook(config, taken.head(2), tmp_path, outcome=["accepted", "accepted"]))
    tables = tables_of(config)
    assert verify_orders(config, tables, date(2026, 2, 6), store=store, now=EVENING) == 0  # a week for the reports
    assert verify_orders(config, tables, date(2026, 2, 8), store=store, now=EVENING) == 2
    found = store.verifications().set_index("order_id")
    assert found.still_here.to_dict() == {"20260101-C-a": True, "20260101-C-b": False}
    assert found.revenue_before["20260101-C-a"] == 77.0


def test_a_managers_team_is_the_one_of_the_day(config):
    rows = {"manager_id": ["M1", "M1", "M2", "M1"], "team": ["north", "south", None, "east"]}
    rows["valid_from"] = [date(2025, 1, 1), date(2025, 6, 1), date(2025, 1, 1), date(2026, 6, 1)]
    assert manager_teams(tables_of(config, managers=pd.DataFrame(rows)), NIGHT) == {"M1": "south"}
    assert manager_teams(tables_of(config), NIGHT) == {}


def test_the_ready_wording_names_every_reason_for_leaving_a_list():
    catalogue = load_catalogue(ready_configs() / "wording")
    for language in ("en", "zh"):
        assert catalogue.label("close_reasons.left_base", language)
