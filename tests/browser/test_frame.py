"""The frame of the page in a real browser: in and out, both languages, without JavaScript, by keyboard, and what stays behind."""

from __future__ import annotations

import pytest

from .conftest import log_in, serious_findings

pytestmark = pytest.mark.long

WORDS = {"en": ("Sign in", "Today", "Sign out"), "zh": ("登录", "今日名单", "退出登录")}


@pytest.mark.parametrize("javascript", [True, False], ids=["javascript", "plain"])
@pytest.mark.parametrize("language", ["en", "zh"])
def test_in_and_out(language, javascript, open_page):
    log_in_word, today, log_out = WORDS[language]
    page = open_page(language=language, javascript=javascript)
    assert page.inner_text("h1") == log_in_word
    log_in(page, "ann", "wrong wrong wrong")
    assert page.locator("[role=alert]").is_visible()
    log_in(page, "ann")
    assert (page.url.rpartition("/")[2], page.inner_text("h1")) == ("today", today)
    page.click("text=CRM-K1")
    assert page.inner_text("h1") == "CRM-K1"
    page.click(f"button:has-text('{log_out}')")
    page.wait_for_url("**/login")
    page.goto("/today")
    assert "/login?next=/today" in page.url


def test_the_language_is_switched_on_the_page_itself(open_page):
    page = open_page("ann")
    page.goto("/orders/20260105-C-K1")
    page.click("text=中文")
    assert page.url.endswith("/orders/20260105-C-K1")
    assert page.get_attribute("html", "lang") == "zh-Hans"
    page.click("text=English")
    assert page.get_attribute("html", "lang") == "en"


def test_axe_would_find_a_fault(open_page):
    page = open_page()
    page.evaluate("document.querySelector('label').remove(); document.querySelector('html').removeAttribute('lang')")
    assert {finding.partition(":")[0] for finding in serious_findings(page)} >= {"label", "html-has-lang"}


def test_the_keyboard_alone_goes_everywhere_and_shows_where_it_is(open_page):
    page = open_page("ann")
    page.goto("/today")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "content"
    seen = []
    for _ in range(20):
        page.keyboard.press("Tab")
        style = page.evaluate("(e => [e.tagName, e.getAttribute('href'), getComputedStyle(e).outlineStyle])(document.activeElement)")
        seen.append(style)
        if style[1] == "/orders/20260105-C-K1":
            break
    assert seen[-1][1:] == ["/orders/20260105-C-K1", "solid"]


def test_nothing_of_a_customer_stays_in_the_browser_after_signing_out(open_page):
    page = open_page("ann")
    page.goto("/orders/20260105-C-K1")
    page.click("button:has-text('Sign out')")
    page.wait_for_url("**/login")
    page.go_back()
    page.wait_for_load_state()
    assert "CRM-K1" not in page.content()
    assert page.evaluate("[localStorage.length, document.cookie]") == [0, ""]
    assert "CRM" not in page.evaluate("JSON.stringify(sessionStorage)")
