"""A manager's day in a real browser: filter, open, record, take back; both languages, no JavaScript, phone, keyboard; two at once."""

from __future__ import annotations

import re

import pytest

from ..app.web.manager_night import tell_night  # noqa: TID252 - tests are no package
from .conftest import PHONE, keep_picture, log_in, serious_findings

ORDER = "/orders/20260105-C-K1"
PAGES = ("/today", "/today?tier=gold&overdue=true", "/today/changes", ORDER, "/care", "/search?q=nobody")
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


@pytest.mark.parametrize("javascript", [True, False], ids=["javascript", "plain"])
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


@pytest.mark.parametrize("language", ["en", "zh"])
def test_no_page_has_serious_faults_for_who_cannot_see(language, open_page):
    page = open_page("ann", language=language)
    for path in PAGES:
        page.goto(path)
        assert serious_findings(page) == [], path
        keep_picture(page, f"{language}-ann-{re.sub('[^a-z0-9]+', '-', path.lower()).strip('-')}")


def test_everything_fits_a_phone_as_cards(open_page):
    page = open_page("ann", viewport=PHONE)
    for path in PAGES:
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], path
        keep_picture(page, f"phone-{re.sub('[^a-z0-9]+', '-', path.lower()).strip('-')}")
    page.goto("/today")
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


def test_a_session_that_is_over_leads_back_to_where_one_was(open_page, app):
    page = open_page("ann")
    page.goto(ORDER)
    app.state.site.clock.forward(minutes=61)
    page.check("input[value=reached]")
    page.fill("#note", "not lost on purpose")
    press(page, "Record")
    assert "/login" in page.url
    log_in(page, "ann")
    page.goto(ORDER)
    assert "assigned" in page.inner_text(".state")  # nothing was recorded without a session
