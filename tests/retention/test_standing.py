"""Orders and the contacts table tell of the same calls: neither is forgotten, and none is counted twice."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from custvalue.errors import DataError
from custvalue.retention.standing import after_calls


def orders(customers, **columns):
    usual = {
        "open_order": False,
        "last_contacted_on": None,
        "contacts_90d": 0,
        "do_not_contact": False,
        "deferred_until": None,
        "offers_90d": [[] for _ in customers],
        "account": None,
    }
    return pd.DataFrame({"customer_id": customers} | usual | columns)


@pytest.fixture
def decisions(policy, make_scores, decide_on):
    def told(standing, rows=2, **columns):
        scores = make_scores(customer_id=[f"c{i}" for i in range(rows)], **columns)
        return decide_on(scores, policy, standing=standing)["decision"].tolist()

    return told


FREE = "over_capacity"


@pytest.mark.parametrize(
    ("column", "value", "code"),
    [
        ("open_order", True, "open_order"),
        ("do_not_contact", True, "do_not_contact"),
        ("last_contacted_on", date(2025, 11, 3), "cooldown"),
        ("last_contacted_on", date(2025, 11, 2), FREE),
        ("contacts_90d", 3, "too_many_contacts"),
        ("contacts_90d", 2, FREE),
        ("deferred_until", date(2026, 1, 2), "deferred"),
        ("deferred_until", date(2026, 1, 1), FREE),
    ],
)
def test_what_orders_tell_of_a_customer_holds_for_him_alone(decisions, column, value, code):
    assert decisions(orders(["c1"], **{column: [value]})) == [FREE, code]


def test_the_later_contact_and_the_larger_count_hold_not_their_sum(decisions):
    standing = orders(["c0", "c1", "c2"], last_contacted_on=[date(2025, 12, 1), date(2025, 6, 1), None], contacts_90d=[2, 2, 0])
    last = [200.0, 10.0, 70.0]
    assert decisions(standing, 3, last_contact_days=last, contacts_90d=[2.0, 0.0, 0.0]) == ["cooldown", "cooldown", FREE]
    assert decisions(standing, 3, contacts_90d=[2.0, 3.0, 3.0]) == ["cooldown", "too_many_contacts", "too_many_contacts"]


def test_whoever_asked_either_is_left_alone(decisions):
    standing = orders(["c0", "c1"], do_not_contact=[True, False])
    assert decisions(standing, 3, asked_no_contact=[False, True, False]) == ["do_not_contact", "do_not_contact", FREE]


def test_an_order_of_an_account_is_about_all_its_lines(decisions):
    standing = orders(["c0", "c3"], account=["A", None], open_order=[True, False], last_contacted_on=[None, date(2025, 12, 31)])
    lines = {"segment": ["enterprise"] * 2 + ["consumer"] * 3, "account_id": ["A", "A", "A", None, None]}
    assert decisions(standing, 5, **lines) == ["open_order", "open_order", FREE, "cooldown", FREE]


def test_calls_about_several_lines_of_an_account_add_up(make_policy, make_scores, decide_on):
    offers = {"gift": {"label": {"en": "gift", "zh": "礼品"}, "per_quarter": 3}}
    standing = orders(["c0", "c1"], account=["A", "A"], contacts_90d=[1, 1], offers_90d=[["gift"], ["gift", "gift"]])
    rows = make_scores(customer_id=["c0", "c1", "c2"], segment=["enterprise"] * 3, account_id=["A", "A", "B"])
    assert decide_on(rows, make_policy(offers=offers), standing=standing)["decision"].tolist() == ["no_offer", "no_offer", FREE]
    often = decide_on(rows, make_policy(rules={"most_contacts_90d": 2}), standing=standing)
    assert often["decision"].tolist() == ["too_many_contacts"] * 2 + [FREE]


def test_no_orders_yet_change_nothing(decisions):
    assert decisions(orders([])) == decisions(None) == [FREE, FREE]


def test_a_customer_who_stands_there_twice_is_refused(decisions):
    with pytest.raises(DataError, match=r"orders: 1 customers stand there twice \(for example \*\*\*\)"):
        decisions(orders(["c0", "c0"]))


AS_OF = date(2026, 1, 10)
"""A complaint closed on the 7th, at noon: two whole days ago."""
CLOSED_ON_THE_7TH = {"complaint_closed_days": 2.0, "complaint_uncalled_days": 2.0, "complaint_callback_tries": 0.0}


@pytest.mark.parametrize(
    ("called", "reached", "waits", "tries"),
    [
        ({}, None, 2.0, 0.0),
        ({"last_contacted_on": date(2026, 1, 7)}, date(2026, 1, 7), np.nan, 0.0),
        ({"last_contacted_on": date(2026, 1, 9)}, date(2026, 1, 9), np.nan, 0.0),
        ({"last_contacted_on": date(2026, 1, 6)}, date(2026, 1, 6), 2.0, 0.0),
        ({"last_contacted_on": date(2026, 1, 8)}, None, 2.0, 1.0),  # nobody answered: tried, and still owed
        ({"last_contacted_on": date(2026, 1, 6)}, None, 2.0, 0.0),
        ({"last_contacted_on": date(2026, 1, 9)}, date(2026, 1, 8), np.nan, 0.0),
    ],
)
def test_whom_a_call_on_an_order_reached_since_the_closing_has_been_called_back(called, reached, waits, tries):
    standing = orders(["c0"], last_reached_on=[reached], **{name: [day] for name, day in called.items()})
    frame = pd.DataFrame([{"customer_id": "c0"} | CLOSED_ON_THE_7TH, {"customer_id": "c1"} | CLOSED_ON_THE_7TH])
    found = after_calls(frame, standing, as_of=AS_OF)
    assert found["complaint_uncalled_days"].tolist() == pytest.approx([waits, 2.0], nan_ok=True)
    assert found["complaint_callback_tries"].tolist() == [tries, 0.0]


def test_a_complaint_closed_after_the_call_is_still_owed_one():
    """Closed on the 2nd and on the 9th, called on the 5th."""
    frame = pd.DataFrame({"customer_id": ["c0"], "complaint_closed_days": [0.0], "complaint_uncalled_days": [7.0]})
    standing = orders(["c0"], last_reached_on=[date(2026, 1, 5)], last_contacted_on=[date(2026, 1, 5)])
    assert after_calls(frame, standing, as_of=AS_OF)["complaint_uncalled_days"].tolist() == [0.0]


def test_a_call_settles_the_answer_to_a_survey_that_it_followed():
    frame = pd.DataFrame({"customer_id": ["c0", "c1"], "complaint_answer_days": [2.0, 2.0]})
    standing = orders(["c0", "c1"], last_reached_on=[date(2026, 1, 8), date(2026, 1, 6)], last_contacted_on=None)
    assert after_calls(frame, standing, as_of=AS_OF)["complaint_answer_days"].tolist() == pytest.approx([np.nan, 2.0], nan_ok=True)
    assert after_calls(frame, None, as_of=AS_OF).empty
