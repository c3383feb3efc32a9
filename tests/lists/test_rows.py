"""What the lists take from ranking: the loss that threatens most, where there is more than one."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pandas as pd

from custvalue.explain import Reason
from custvalue.lists import care_rows, list_rows

LISTED = pd.DataFrame(
    {
        "customer_id": ["a", "b"],
        "manager_id": "M1",
        "priority": [1, 2],
        "tier": "gold",
        "care_priority": 0,
        "arpu": 80.0,
        "probability": [0.3, 0.1],
        "value_at_stake": 400.0,
        "net_value": [9.0, 3.0],
    }
)


def rows(listed: pd.DataFrame) -> pd.DataFrame:
    reasons: list[list[Reason]] = [[] for _ in listed.index]
    return list_rows(listed, reasons, {}, as_of=date(2026, 1, 1), token_key=b"key", base_rate=0.05)


def test_the_loss_that_threatens_most_is_carried_to_the_list():
    assert rows(LISTED.assign(risk_kind=["leave", "non_payment"])).risk_kind.tolist() == ["leave", "non_payment"]


def test_with_one_outcome_alone_no_loss_is_named():
    assert rows(LISTED).risk_kind.isna().all()


def test_an_answer_is_due_by_the_day_where_no_trigger_says_by_the_hour():
    listed = LISTED.assign(complaint_open=[1, 0], contract_days_to_end=[5.0, 5.0])
    assert rows(listed).due_by.tolist() == [date(2026, 1, 2), date(2026, 1, 8)]
    assert rows(LISTED).due_by.tolist() == [date(2026, 1, 4)] * 2


def test_what_is_known_of_earlier_contacts_and_consent_is_carried():
    known = rows(
        LISTED.assign(
            lines=[1, 12],
            last_contact_days=[59.0, None],
            last_contact_outcome=["refused", None],
            marketing_consent=[True, None],
            region="E",
        )
    )
    assert known.lines.tolist() == [pd.NA, 12]
    assert known.last_contact.tolist() == [pd.Timestamp(2025, 11, 3), pd.NaT]
    assert known.last_outcome.tolist() == ["refused", pd.NA]
    assert known.consent.tolist() == ["yes", "unknown"]
    assert rows(LISTED).consent.isna().all()


def test_the_sheet_of_service_holds_what_persons_do_for_whoever_has_a_manager():
    owed = pd.DataFrame(
        {
            "customer_id": ["a", "b", "c", "d"],
            "kind": "complaint_callback",
            "due_on": [date(2026, 1, 3), date(2026, 1, 2), date(2026, 1, 2), date(2026, 1, 1)],
            "by": ["person", "person", "message", "person"],
            "facts_en": "Complaint closed",
            "facts_zh": "投诉办结",
        }
    )
    shown = care_rows(owed, {"a": "M1", "b": "M1", "c": "M1"}, {"a": {"crm_id": "77", "name": "Ann", "msisdn": ""}}, token_key=b"key")
    assert shown.customer_id.tolist() == ["b", "a"]  # by day
    assert shown.customer.tolist()[1] == "77"
    assert shown.customer[0].startswith("C-")
    assert shown.name.tolist() == ["", "A***"]


def test_rows_survive_parquet_and_a_night_without_customers_has_the_same_columns(tmp_path: Path):
    full = rows(LISTED.assign(lines=[1, 12], due_hours=[24.0, None]))
    full.to_parquet(tmp_path / "lists.parquet", index=False)
    back = pd.read_parquet(tmp_path / "lists.parquet")
    texts = ["reasons_en", "reasons_zh", "reason_codes"]
    pd.testing.assert_frame_equal(back.drop(columns=texts), full.drop(columns=texts), check_dtype=False)
    assert list(rows(LISTED.head(0)).columns) == list(full.columns)


def test_the_order_of_calling_puts_urgent_customers_first_on_each_list():
    listed = pd.concat(
        [LISTED, LISTED.assign(customer_id=["c", "d"]), LISTED.assign(customer_id=["e", "f"], manager_id="M2")], ignore_index=True
    )
    listed["priority"] = [1, 2, 3, 4, 1, 2]
    listed["urgency"] = [None, "amber", "red", None, "amber", "red"]
    assert rows(listed).set_index("customer_id").priority.to_dict() == {"c": 1, "b": 2, "a": 3, "d": 4, "f": 1, "e": 2}
