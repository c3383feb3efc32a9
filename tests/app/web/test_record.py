"""What happened is written once, by whom it should be, taken back at once if it was a slip, and never over somebody else's words."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape

import pytest

from .conftest import audit_of, token_in
from .manager_night import NIGHT, tell_night

ORDER = "/orders/20260105-C-K1"


@pytest.fixture
def app(app):
    tell_night(app.state.site)
    return app


def fields(text: str) -> dict[str, str]:
    """The hidden fields of the page's form."""
    found = dict(re.findall(r'type="hidden" name="([a-z_]*)" value="([^"]*)"', text))
    return {name: found[name] for name in ("form_token", "version", "key")}


def record(client, act: str, page: str | None = None, order: str = ORDER, **others: str):
    page = page or client.get(order).text
    return client.post(f"{order}/record", data=fields(page) | {"act": act} | others)


def store_of(app):
    from custvalue.retention.orders.store import OrderStore

    return OrderStore.of(app.state.site.config)


def state(app, order: str = "20260105-C-K1"):
    return store_of(app).orders().set_index("order_id").loc[order]


@pytest.mark.parametrize(
    ("act", "others", "expected", "reason"),
    [
        ("accept", {}, "accepted", None),
        ("start", {}, "contacting", None),
        ("reached", {}, "reached", None),
        ("reached", {"reason": "settled"}, "closed", "settled"),
        ("unreachable", {}, "contacting", None),
        ("accepted", {}, "closed", "offer_taken"),
        ("refused", {}, "refused", None),
        ("refused", {"reason": "price"}, "closed", "price"),
        ("deferred", {"until": "2026-01-20"}, "deferred", None),
        ("do_not_contact", {}, "closed", "no_contact_wished"),
        ("wrong_target", {"reason": "wrong_person"}, "closed", "wrong_person"),
        ("note", {"note": "speaks in the evening"}, "assigned", None),
    ],
)
def test_each_outcome_leads_where_the_state_machine_says(act, others, expected, reason, app, browse):
    answer = record(browse("ann"), act, **others)
    assert (answer.status_code, answer.headers["location"]) == (303, ORDER)
    order = state(app)
    assert (order.state, order.close_reason) == (expected, reason)
    assert (str(order.deferred_until) if order.deferred_until else None) == others.get("until")
    assert audit_of(app)[-1] == ("ann", "change", "20260105-C-K1")


@pytest.mark.parametrize(("first", "reason"), [("reached", "settled"), ("refused", "competitor"), ("wrong_target", "left_already")])
def test_what_waits_for_its_reason_is_closed_with_it_and_the_note(first, reason, app, browse):
    ann = browse("ann")
    record(ann, first)
    assert (state(app).state, state(app).close_reason) == (first, None)
    assert record(ann, "close", reason=reason, note="told on the second call").status_code == 303
    assert (state(app).state, state(app).close_reason) == ("closed", reason)
    last = store_of(app).events(order_id="20260105-C-K1").iloc[-1]
    assert (last.event, last.note, last.by) == ("close", "told on the second call", "ann")


def test_who_is_deferred_without_a_day_is_called_again_after_the_config_s_days(app, browse, clock):
    days = app.state.site.config.orders.defer_days
    record(browse("ann"), "deferred")
    assert (state(app).state, state(app).deferred_until) == ("deferred", clock.time.date() + timedelta(days=days))


def test_three_calls_without_an_answer_end_an_order(app, browse):
    ann = browse("ann")
    for _ in range(3):
        assert record(ann, "unreachable").status_code == 303
    assert (state(app).state, state(app).close_reason, state(app).tries) == ("closed", "not_reached", 3)


def test_a_form_sent_twice_counts_once(app, browse):
    ann = browse("ann")
    page = ann.get(ORDER).text
    assert [record(ann, "unreachable", page).status_code for _ in range(2)] == [303, 303]
    assert state(app).tries == 1


@pytest.mark.parametrize(
    ("act", "others", "said"),
    [
        ("", {}, "Choose what happened."),
        ("verify", {}, "Choose what happened."),
        ("withdraw", {}, "Choose what happened."),
        ("note", {"note": "  "}, "Write the note."),
        ("refused", {"reason": "moon"}, "Choose a reason from the list."),
        ("refused", {"reason": "wrong_person"}, "the reason does not fit"),
        ("close", {}, "Choose a reason from the list."),
        ("close", {"reason": "price"}, "not possible in this state"),
        ("deferred", {"until": "2025-12-01"}, "Choose a day between"),
        ("deferred", {"until": "soon"}, "Choose a day between"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_written_is_lost(act, others, said, app, browse):
    answer = record(browse("ann"), act, **({"note": "<b>my words</b>"} | others))
    assert (answer.status_code, said in answer.text) == (422, True)
    kept = re.search(r"<textarea[^>]*>([^<]*)</textarea>", answer.text)[1]
    assert unescape(kept) == (others.get("note", "<b>my words</b>").strip())
    assert state(app).state == "assigned"


def test_what_was_recorded_can_be_taken_back_for_a_minute_and_leaves_no_trace_in_what_counts(app, browse, clock):
    ann = browse("ann")
    before = state(app).drop("version")
    record(ann, "do_not_contact", note="a slip")
    page = ann.get(ORDER).text
    assert "Take it back" in page
    clock.forward(seconds=59)
    answer = ann.post(f"{ORDER}/undo", data={"form_token": token_in(page)})
    assert (answer.status_code, answer.headers["location"]) == (303, ORDER)
    assert state(app).drop("version").equals(before)
    story = store_of(app).events(order_id="20260105-C-K1")
    assert "opt_out" not in set(story.event)
    assert story.iloc[-1][["event", "reason", "note", "by"]].tolist() == ["undo", "close", "a slip", "ann"]
    assert not store_of(app).standing(clock.time.date().replace(day=8)).do_not_contact.any()
    again = ann.post(f"{ORDER}/undo", data={"form_token": token_in(page)})
    assert again.status_code == 422
    assert state(app).drop("version").equals(before)


def test_after_a_minute_or_by_another_nothing_is_taken_back(app, browse, clock):
    ann, lea = browse("ann"), browse("lea")
    record(ann, "reached")
    token = token_in(lea.get(ORDER).text)
    assert lea.post(f"{ORDER}/undo", data={"form_token": token}).status_code == 422
    clock.forward(seconds=61)
    page = ann.get(ORDER).text
    assert "Take it back" not in page
    assert ann.post(f"{ORDER}/undo", data={"form_token": token_in(page)}).status_code == 422
    assert state(app).state == "reached"


def test_taking_back_one_of_two_acts_leaves_the_first(app, browse, clock):
    ann = browse("ann")
    record(ann, "unreachable", note="first")
    record(ann, "deferred", until="2026-01-09", note="second")
    page = ann.get(ORDER).text
    ann.post(f"{ORDER}/undo", data={"form_token": token_in(page)})
    assert (state(app).state, state(app).tries, state(app).deferred_until) == ("contacting", 1, None)
    record(ann, "deferred", until="2026-01-09")
    record(ann, "reached")
    ann.post(f"{ORDER}/undo", data={"form_token": token_in(ann.get(ORDER).text)})
    assert (state(app).state, str(state(app).deferred_until)) == ("deferred", "2026-01-09")


def test_of_two_who_write_at_once_both_notes_stay_and_the_second_chooses(app, browse):
    ann, lea = browse("ann"), browse("lea")
    pages = [each.get(ORDER).text for each in (ann, lea)]
    assert record(lea, "reached", pages[1], note="lea was quicker").status_code == 303
    answer = record(ann, "refused", pages[0], note="too dear for him")
    assert answer.status_code == 409
    for said in ("lea changed this order", "lea was quicker", "too dear for him"):
        assert said in answer.text
    assert state(app).state == "reached"  # nothing was written over
    assert re.search(r'value="refused" required checked', answer.text)
    second = record(ann, "refused", answer.text, note="too dear for him")
    assert second.status_code == 303
    notes = store_of(app).events(order_id="20260105-C-K1").note
    assert {"lea was quicker", "too dear for him"} <= set(notes)


def test_where_the_other_has_closed_it_mine_can_still_be_kept_as_a_note(app, browse):
    ann, lea = browse("ann"), browse("lea")
    page = ann.get(ORDER).text
    record(lea, "accepted")
    answer = record(ann, "refused", page, note="he was undecided")
    assert re.search(r'value="note" required checked', answer.text)
    assert record(ann, "note", answer.text, note="he was undecided").status_code == 303
    assert "he was undecided" in ann.get(ORDER).text


def test_a_note_is_text_in_every_page(app, browse):
    ann = browse("ann")
    record(ann, "note", note="<script>alert(1)</script>{{ 7 * 7 }}' OR 1=1 --")
    page = ann.get(ORDER).text
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;{{ 7 * 7 }}&#39; OR 1=1 --" in page


def test_another_manager_records_nothing(app, browse):
    bob = browse("bob")
    given = fields(bob.get("/orders/20260105-C-K2").text)
    for path in (f"{ORDER}/record", f"{ORDER}/undo", f"{ORDER}/reveal"):
        assert bob.post(path, data=given | {"act": "reached"}).status_code == 404
    assert state(app).state == "assigned"


def test_what_a_night_withdrew_takes_the_outcome_of_a_call_but_nobody_begins_it(app, browse):
    ann = browse("ann")
    page = ann.get(ORDER).text
    tell_night(app.state.site, customers=[3, 5], night=NIGHT + timedelta(days=1), run="next")
    assert state(app).state == "withdrawn"
    answer = record(ann, "refused", page, note="was on the phone with him")
    assert answer.status_code == 409  # it was withdrawn meanwhile
    assert 'value="accept"' not in answer.text
    assert record(ann, "accept", answer.text).status_code == 422
    assert record(ann, "refused", answer.text, reason="price").status_code == 303
    assert (state(app).state, state(app).close_reason) == ("closed", "price")


def test_where_the_customer_has_a_new_order_the_old_one_takes_notes_only(app, browse):
    ann = browse("ann")
    tell_night(app.state.site, customers=[3, 5], night=NIGHT + timedelta(days=1), run="next")
    tell_night(app.state.site, customers=[1, 3, 5], night=NIGHT + timedelta(days=2), run="again")
    assert record(ann, "refused").status_code == 422
    assert record(ann, "note", note="kept").status_code == 303
    assert "20260107-C-K1" in ann.get("/search?q=CRM-K1").headers["location"]
