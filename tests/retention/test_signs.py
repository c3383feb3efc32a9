"""Signs by hand: seen from midnight of 31 March in Shanghai, 16:00 of the 30th in UTC."""

from datetime import date, datetime, timedelta
from decimal import Decimal

import ibis
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from custvalue.retention import SIGNS, define_signs
from custvalue.sources import CONTRACT, Moment

AS_OF = Moment(date(2022, 3, 31), "Asia/Shanghai")
NOW = datetime(2022, 3, 30, 16)
TYPES = {"VARCHAR": pa.string(), "DATE": pa.date32(), "TIMESTAMP": pa.timestamp("us"), "BIGINT": pa.int64(), "BOOLEAN": pa.bool_()}
TYPES["DECIMAL(18,4)"] = pa.decimal128(18, 4)
DISPUTES = ("Billing", "dispute")


def ago(days, hours=0):
    return NOW - timedelta(days=days, hours=hours)


def table_of(name, rows, without=()):
    key = CONTRACT[name].key[0]
    schema = pa.schema({c.name: TYPES[c.dtype] for c in CONTRACT[name].columns if c.dtype in TYPES and c.name not in without})
    return pa.Table.from_pylist([({key: f"{i:03d}"} if key != "customer_id" else {}) | row for i, row in enumerate(rows)], schema=schema)


@pytest.fixture(scope="module")
def con():
    return ibis.duckdb.connect()


@pytest.fixture
def signs_of(con):
    def signs(without=(), **tables):
        """Signs of customer A, with nobody else there but B, who has nothing."""
        whole = {name: table_of(name, [{"customer_id": "A"} | row for row in rows], without) for name, rows in tables.items()}
        known = {name: con.create_table(name, table, overwrite=True) for name, table in whole.items()}
        people = con.create_table("customers", table_of("customers", [{"customer_id": "A"}, {"customer_id": "B"}]), overwrite=True)
        found = con.to_pyarrow(define_signs(known, people, AS_OF, dispute_categories=DISPUTES).order_by("customer_id")).to_pylist()
        assert [row.pop("customer_id") for row in found] == ["A", "B"]
        return found[0]

    return signs


@pytest.mark.parametrize(
    ("events", "authorised"),
    [
        ([("port_authorised", 1)], True),
        ([("port_authorised", 90)], True),
        ([("port_authorised", 91)], False),
        ([("port_query", 1)], False),
        ([("port_authorised", 5), ("port_cancelled", 4)], False),
        ([("port_cancelled", 5), ("port_authorised", 4)], True),
        ([("port_authorised", 80), ("port_cancelled", 50), ("port_authorised", 3)], True),
        ([], False),
    ],
)
def test_a_port_is_authorised_for_ninety_days_unless_it_is_taken_back(signs_of, events, authorised):
    found = signs_of(events=[{"event_type": kind, "occurred_at": ago(days)} for kind, days in events])
    assert found == {"port_authorised": authorised}


def test_contacts(signs_of):
    contact = {"arm": "treated", "reached": True}
    found = signs_of(
        contacts=[
            contact | {"contacted_at": ago(400), "outcome": "Opted_Out"},
            contact | {"contacted_at": ago(90), "outcome": "refused"},
            contact | {"contacted_at": ago(91), "outcome": "refused"},
            contact | {"contacted_at": ago(12, hours=5), "outcome": "accepted"},
            contact | {"contacted_at": ago(2), "arm": "holdout", "reached": None},
        ]
    )
    wanted = {"last_contact_days": 12, "last_contact_outcome": "accepted", "contacts_90d": 2, "asked_no_contact": True}
    assert {name: found[name] for name in wanted} == wanted


def test_who_was_never_contacted_has_asked_for_nothing(signs_of):
    wanted = {"last_contact_days": None, "last_contact_outcome": None, "contacts_90d": 0, "asked_no_contact": False}
    assert signs_of(contacts=[]) == wanted


@pytest.mark.parametrize(
    ("complaints", "in_dispute", "escalated"),
    [
        ([{"category": "BILLING", "opened_at": ago(200)}], True, 0),
        ([{"category": "billing", "opened_at": ago(20), "closed_at": ago(3)}], False, 0),
        ([{"category": "network", "opened_at": ago(20)}], False, 0),
        ([{"category": None, "opened_at": ago(20), "escalated": True}], False, 1),
        ([{"category": "network", "opened_at": ago(99), "closed_at": ago(30), "escalated": True}], False, 1),
        ([{"category": "network", "opened_at": ago(99), "closed_at": ago(31), "escalated": True}], False, 0),
    ],
)
def test_what_is_disputed_and_what_was_escalated(signs_of, complaints, in_dispute, escalated):
    found = signs_of(complaints=complaints)
    assert (found["in_dispute"], found["complaint_escalated_recent"]) == (in_dispute, escalated)


CLOSED = {"category": "network", "opened_at": ago(60), "closed_at": ago(5)}
CALL = {"arm": "treated", "reached": True, "contacted_at": ago(4)}
SURVEY = {"kind": "after_complaint", "asked_at": ago(4)}


@pytest.mark.parametrize(
    ("tables", "closed", "uncalled", "tries"),
    [
        ({"complaints": [CLOSED]}, 5, 5, 0),
        ({"complaints": [CLOSED | {"closed_at": ago(31)}]}, None, None, 0),
        ({"complaints": [CLOSED | {"closed_at": None}]}, None, None, 0),
        ({"complaints": [CLOSED], "contacts": [CALL]}, 5, None, 0),
        ({"complaints": [CLOSED], "contacts": [CALL | {"reached": False}]}, 5, 5, 1),
        ({"complaints": [CLOSED], "contacts": [CALL | {"contacted_at": ago(6)}]}, 5, 5, 0),
        ({"complaints": [CLOSED], "contacts": [CALL | {"arm": "holdout"}]}, 5, 5, 0),
        ({"complaints": [CLOSED], "surveys": [SURVEY]}, 5, 5, 1),
        ({"complaints": [CLOSED], "surveys": [SURVEY | {"answered_at": ago(3), "score": 8}]}, 5, None, 0),
        ({"complaints": [CLOSED], "surveys": [SURVEY | {"kind": "yearly", "answered_at": ago(3), "score": 8}]}, 5, 5, 0),
        # two were closed, and nobody has called since the first of them
        ({"complaints": [CLOSED, CLOSED | {"closed_at": ago(1)}]}, 1, 5, 0),
        # the call between them was about the first
        ({"complaints": [CLOSED, CLOSED | {"closed_at": ago(1)}], "contacts": [CALL]}, 1, 1, 0),
    ],
)
def test_a_closed_complaint_waits_for_somebody_to_speak_with_the_customer(signs_of, tables, closed, uncalled, tries):
    found = signs_of(**({"contacts": [], "surveys": []} | tables))
    assert (found["complaint_closed_days"], found["complaint_uncalled_days"], found["complaint_callback_tries"]) == (
        closed,
        uncalled,
        tries,
    )


def test_the_newest_answer_after_a_complaint_counts_until_somebody_reaches_the_customer(signs_of):
    answers = [SURVEY | {"answered_at": ago(3), "score": 2}, SURVEY | {"answered_at": ago(2), "score": 3}, SURVEY]
    found = signs_of(surveys=answers, contacts=[CALL])
    assert (found["complaint_answer_days"], found["complaint_answer_score"]) == (2, 3)
    found = signs_of(surveys=answers, contacts=[CALL | {"contacted_at": ago(1)}])
    assert (found["complaint_answer_days"], found["complaint_answer_score"]) == (None, None)


def test_tables_that_are_not_mapped_switch_their_signs_off(signs_of):
    assert signs_of() == {}
    assert set(signs_of(events=[])) == {"port_authorised"}
    assert set(signs_of(complaints=[CLOSED])) >= {"complaint_closed_days", "complaint_uncalled_days", "in_dispute"}


@pytest.mark.parametrize(
    "column", [c.name for name in ("contacts", "complaints", "surveys") for c in CONTRACT[name].columns if not c.required]
)
def test_an_optional_column_that_is_not_mapped_breaks_nothing(signs_of, column):
    found = signs_of(without=(column,), events=[], contacts=[{"contacted_at": ago(1)}], complaints=[], surveys=[])
    assert found["last_contact_days"] == 1


def test_no_category_and_no_escalation_leave_the_other_signs_of_complaints(signs_of):
    found = signs_of(without=("category", "escalated"), complaints=[CLOSED])
    assert set(found) == {"complaint_closed_days", "complaint_uncalled_days"}


def test_every_sign_is_declared_with_words_in_both_languages(signs_of):
    found = signs_of(events=[], contacts=[], complaints=[], surveys=[], daily=[])
    assert set(found) == set(SIGNS)
    assert all(sign.en and sign.zh and sign.null and sign.table in CONTRACT for sign in SIGNS.values())


def test_a_balance_that_use_moves_is_told_from_one_that_bills_and_payments_move(signs_of):
    days = [AS_OF.day - timedelta(days=back) for back in range(1, 21)]
    used = [{"day": day, "balance": Decimal(100 - place)} for place, day in enumerate(days)]
    assert signs_of(daily=used)["balances_seen"] == 14
    billed = [{"day": day, "balance": Decimal(6 if place < 4 else -40)} for place, day in enumerate(days)]
    assert signs_of(daily=billed)["balances_seen"] == 2
    assert signs_of(daily=[{"day": days[0], "balance": None}])["balances_seen"] == 0
    assert signs_of(daily=[{"day": days[-1], "balance": Decimal(1)}])["balances_seen"] == 0


def test_both_engines_give_the_same(engine, tmp_path):
    tables = {
        "events": [{"event_type": "port_authorised", "occurred_at": ago(3)}],
        "contacts": [CALL | {"outcome": "refused"}, CALL | {"reached": False, "contacted_at": ago(1), "outcome": None}],
        "complaints": [CLOSED, CLOSED | {"closed_at": ago(2)}, CLOSED | {"category": "billing", "closed_at": None}],
        "surveys": [SURVEY | {"answered_at": ago(3, hours=1), "score": 2}],
    }
    tables["daily"] = [{"day": date(2022, 3, 30 - place // 2), "balance": Decimal(place)} for place in range(4)]
    tables["customers"] = [{}]
    for name, rows in tables.items():
        pq.write_table(table_of(name, [{"customer_id": "A"} | row for row in rows]), tmp_path / f"{name}.parquet")
    known = {name: engine.read_parquet(str(tmp_path / f"{name}.parquet"), table_name=f"signs_{name}") for name in tables}
    found = engine.to_pyarrow(define_signs(known, known["customers"], AS_OF, dispute_categories=DISPUTES)).to_pylist()
    assert found == [
        {
            "customer_id": "A",
            "port_authorised": True,
            "last_contact_days": 1.0,
            "last_contact_outcome": None,
            "contacts_90d": 2.0,
            "asked_no_contact": False,
            "balances_seen": 4.0,
            "in_dispute": True,
            "complaint_escalated_recent": 0.0,
            "complaint_closed_days": 2.0,
            "complaint_uncalled_days": 2.0,
            "complaint_callback_tries": 1.0,
            "complaint_answer_days": 3.0,
            "complaint_answer_score": 2.0,
        }
    ]
