"""A manager's day in a real browser: filter, open, record, take back; both languages, no JavaScript, phone, keyboard; two at once."""

from __future__ import annotations

import re

import pytest

from ..app.web.manager_night import tell_night  # noqa: TID252 - tests are no package
from .conftest import PHONE, keep_picture, log_in, serious_findings

pytestmark = pytest.mark.long

ORDER = "/orders/20260105-C-K1"
BOTH = pytest.mark.parametrize("javascript", [True, False], ids=["javascript", "plain"])
WORDS = {
    "en": {
        "filter": "Filter and sort",
        "show": "Show",
        "record": "Record",
        "undo": "Take it back",
        "assigned": "assigned",
        "closed": "closed",
    },
    "zh": {"filter": "筛选与排序", "show": "应用", "record": "登记", "undo": "撤销", "assigned": "已分配", "closed": "已结单"},
}


@pytest.fixture
def app(app):
    tell_night(app.state.site, run="told", customers=range(1, 9))
    return app


def press(page, word: str) -> None:
    page.get_by_role("button", name=word, exact=True).click()
    page.wait_for_load_state()


@BOTH
@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_whole_day(language, javascript, open_page):
    words = WORDS[language]
    page = open_page("ann", language=language, javascript=javascript)
    assert page.url.endswith("/today")
    assert page.locator("tbody tr").count() == 4
    page.click(f"summary:has-text('{words['filter']}')")
    page.select_option("#tier", "gold")
    press(page, words["show"])
    assert "tier=gold" in page.url
    assert page.locator("tbody tr").count() == 2
    page.click("text=CRM-K1")
    assert page.url.endswith(ORDER)
    assert words["assigned"] in page.inner_text(".state")
    page.check("input[value=refused]")
    page.select_option("#reason", "price")
    page.fill("#note", "too dear; asks again in spring")
    press(page, words["record"])
    assert page.url.endswith(ORDER)  # a reload records nothing again
    assert words["closed"] in page.inner_text(".state")
    assert "too dear; asks again in spring" in page.inner_text(".history")
    press(page, words["undo"])
    assert words["assigned"] in page.inner_text(".state")
    page.check("input[value=accepted]")
    press(page, words["record"])
    page.goto("/today")
    assert page.locator("tbody tr").count() == 3
    page.goto("/care")
    page.get_by_role("button", name=re.compile("CRM-K1")).click()
    page.wait_for_load_state()
    assert page.locator("tbody tr").count() == 0
    page.locator("header form button").click()
    page.wait_for_url("**/login")
    page.goto(ORDER)
    assert "/login?next=" in page.url


def test_a_chosen_filter_is_applied_at_once_stands_in_the_address_and_is_undone_by_going_back(open_page):
    page = open_page("ann")
    page.click("summary:has-text('Filter and sort')")
    page.focus("#tier")
    page.select_option("#tier", "gold")
    page.wait_for_url("**/today?tier=gold*")
    assert page.locator("tbody tr").count() == 2
    assert page.evaluate("document.activeElement.id") == "tier"  # who uses the keyboard goes on where he was
    page.check("#overdue")
    page.wait_for_url("**overdue=true*")
    assert page.locator("tbody tr").count() == 0
    page.reload()
    assert page.input_value("#tier") == "gold"
    assert page.is_checked("#overdue")
    page.go_back()
    page.wait_for_function("document.querySelectorAll('tbody tr').length == 2")
    assert "overdue" not in page.url


def test_two_on_one_order_lose_no_word(open_page):
    ann, lea = open_page("ann"), open_page("lea")
    for page in (ann, lea):
        page.goto(ORDER)
    lea.check("input[value=reached]")
    lea.fill("#note", "spoke to his wife")
    press(lea, "Record")
    ann.check("input[value=refused]")
    ann.fill("#note", "wants a cheaper plan")
    press(ann, "Record")
    told = ann.inner_text("[role=alert]")
    assert "lea" in told
    assert "spoke to his wife" in told
    assert ann.input_value("#note") == "wants a cheaper plan"
    assert ann.is_checked("input[value=refused]")
    assert serious_findings(ann) == []
    keep_picture(ann, "en-ann-conflict")
    press(ann, "Record")
    story = ann.inner_text(".history")
    assert "spoke to his wife" in story
    assert "wants a cheaper plan" in story


def test_a_list_is_cards_on_a_phone(open_page):
    page = open_page("ann", viewport=PHONE)
    assert page.locator("tbody td").first.evaluate("cell => getComputedStyle(cell).display") == "block"
    assert page.locator("thead").bounding_box()["height"] <= 1


def test_an_outcome_is_recorded_by_keyboard_alone(open_page):
    page = open_page("ann")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")  # over the header, to the content
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent") == "CRM-K1":
            break
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{ORDER}")
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.name") == "act":
            break
    page.keyboard.press("Space")
    for _ in range(10):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.type") == "submit":
            break
    page.keyboard.press("Enter")
    page.wait_for_load_state()
    assert "reached" in page.inner_text(".state")


def test_a_printed_list_holds_the_table_and_no_buttons(open_page):
    page = open_page("ann")
    page.emulate_media(media="print")
    assert page.locator("table").is_visible()
    assert not page.locator("header form button").is_visible()
    assert not page.locator("#q").is_visible()


@BOTH
def test_a_note_that_is_sent_after_the_session_is_given_back_and_recorded_after_signing_in(javascript, open_page, clock):
    page = open_page("ann", javascript=javascript)
    page.goto(ORDER)
    clock.forward(minutes=61)
    page.check("input[value=reached]")
    page.fill("#note", "calls back on Friday")
    press(page, "Record")
    assert page.inner_text("h1") == "You were signed out"
    assert serious_findings(page) == [] if javascript else True
    keep_picture(page, "en-ann-signed-out")
    note = page.input_value("#note")
    page.click("main a:has-text('Sign in')")
    log_in(page, "ann")
    assert page.url.endswith(ORDER)
    assert "assigned" in page.inner_text(".state")  # nothing was recorded without a session
    page.check("input[value=reached]")
    page.fill("#note", note)
    press(page, "Record")
    assert "calls back on Friday" in page.inner_text(".history")
