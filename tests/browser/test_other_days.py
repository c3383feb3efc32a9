"""An analyst's and an administrator's day, and a customer who calls in though he is on no list, in a real browser."""

from __future__ import annotations

import csv

import pytest

from ..app.web.test_customer import tell_everything  # noqa: TID252 - tests are no package
from ..app.web.test_portfolio import write_effect, write_monitoring  # noqa: TID252 - tests are no package
from .conftest import PHONE, keep_picture, log_in, serious_findings
from .test_lead_day import publish_figures

pytestmark = pytest.mark.long

ENTRIES = 230
WORDS = {
    "en": {"portfolio": "Portfolio", "tier": "gold", "refused": "You may not open this", "audit": "Audit log", "out": "Sign out"},
    "zh": {"portfolio": "客户群概览", "tier": "金", "refused": "无权查看", "audit": "审计日志", "out": "退出登录"},
}
BOTH = pytest.mark.parametrize("javascript", [True, False], ids=["javascript", "plain"])
LANGUAGES = pytest.mark.parametrize("language", ["en", "zh"])


@pytest.fixture
def app(app):
    output = app.state.site.config.output
    publish_figures(output)
    write_monitoring(output, "run1")
    write_effect(output, "keep-gold")
    return app


@BOTH
@LANGUAGES
def test_an_analyst_s_whole_day(language, javascript, open_page):
    words = WORDS[language]
    page = open_page("ana", language=language, javascript=javascript)
    assert (page.url.rpartition("/")[2], page.inner_text("h1")) == ("portfolio", words["portfolio"])
    assert page.locator("tbody tr", has_text=words["tier"]).count() >= 1
    assert "keep-gold" in page.inner_text("main")
    assert "CRM-" not in page.content()
    assert page.locator("main form, main button").count() == 0  # there is nothing to change
    assert serious_findings(page) == [] if javascript else True
    page.goto("/today")
    assert page.inner_text("h1") == words["refused"]
    page.click("main a")  # back to the start
    page.click(f"button:has-text('{words['out']}')")
    page.wait_for_url("**/login")
    page.goto("/portfolio")
    assert "/login?next=/portfolio" in page.url


@BOTH
@LANGUAGES
def test_an_administrator_s_whole_day(language, javascript, open_page, app, clock, tmp_path):
    from custvalue.app.web.audit import Action, write_audit

    words = WORDS[language]
    with app.state.site.writing() as connection:
        for number in range(ENTRIES):
            write_audit(connection, Action.VIEW, who="ann", what=f"order-{number}", address="127.0.0.1", at=clock())
    page = open_page("adm", language=language, javascript=javascript)
    assert (page.url.rpartition("/")[2], page.inner_text("h1")) == ("audit", words["audit"])
    seen = 0
    while True:
        seen += page.locator("tbody tr").count()
        if not page.locator("a[rel=next]").count():
            break
        page.click("a[rel=next]")
    assert seen == ENTRIES + 1  # and the own sign-in
    assert serious_findings(page) == [] if javascript else True
    with page.expect_download() as coming:
        page.click("a[href='/audit.csv']")
    coming.value.save_as(tmp_path / "audit.csv")
    with (tmp_path / "audit.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["object"] for row in rows][:2] == ["order-0", "order-1"]
    assert (rows[-1]["who"], rows[-1]["action"]) == ("adm", "export")
    page.goto("/orders/20260105-C-K1")
    assert page.inner_text("h1") == words["refused"]
    page.click("main a")  # back to the start
    page.click(f"button:has-text('{words['out']}')")
    page.wait_for_url("**/login")


@pytest.fixture
def called(app, tmp_path):
    tell_everything(app.state.site, tmp_path)


@LANGUAGES
@pytest.mark.usefixtures("called")
def test_who_calls_in_and_is_on_no_list_is_found_and_shown(language, open_page):
    page = open_page("ann", language=language)
    page.fill("#q", "CRM-K9")
    page.press("#q", "Enter")
    page.wait_for_url("**/customers/CRM-K9")
    assert WORDS[language]["tier"] in page.inner_text("main")
    assert serious_findings(page) == []
    keep_picture(page, f"{language}-ann-known")
    page.set_viewport_size(PHONE)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_a_session_without_a_click_ends_in_every_window_and_goes_on_where_it_was(open_page, clock):
    page = open_page("ana")
    other = page.context.new_page()
    other.goto("/portfolio")
    clock.forward(minutes=61)
    for window in (page, other):
        window.reload()
        assert "/login?next=/portfolio" in window.url
    log_in(other, "ana")
    assert other.url.endswith("/portfolio")


def test_a_session_ends_in_the_evening_though_it_was_used_all_day(open_page, clock):
    page = open_page("ana")
    for _ in range(11):
        clock.forward(minutes=50)
        page.reload()
        assert page.url.endswith("/portfolio")
    clock.forward(minutes=49)
    page.reload()
    assert page.url.endswith("/portfolio")  # a minute before ten hours are over
    clock.forward(minutes=2)
    page.reload()
    assert "/login?next=/portfolio" in page.url
