"""Every page that there is, also one that is added later, in a real browser: for who cannot see, who has no mouse, and on a phone."""

from __future__ import annotations

import re

import pytest

from ..app.web.test_every_page import EVIL  # noqa: TID252 - tests are no package
from ..app.web.whole_site import LOOKS, ORDER, RUN, fill_site  # noqa: TID252 - tests are no package
from .conftest import PHONE, keep_picture, serious_findings

pytestmark = pytest.mark.long

USERS = list(dict.fromkeys(user for user, _ in LOOKS))
FOCUSABLE = "a[href], button, input:not([type=hidden]):not([type=radio]), select, textarea, summary, [tabindex='0']"


@pytest.fixture
def run(app, tmp_path):
    return fill_site(app.state.site, tmp_path)


def name_of(user: str | None, address: str) -> str:
    return f"{user or 'anybody'}-{re.sub('[^a-z0-9]+', '-', address.lower()).strip('-') or 'start'}"


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("user", USERS, ids=str)
def test_no_page_has_serious_faults_and_each_fits_a_phone(user, language, run, open_page):
    page = open_page(user, language=language)
    for address in (address.replace(RUN, run) for who, address in LOOKS if who == user):
        page.set_viewport_size({"width": 1280, "height": 800})
        page.goto(address)
        assert serious_findings(page) == [], address
        keep_picture(page, f"{language}-{name_of(user, address)}")
        page.set_viewport_size(PHONE)
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], address
        keep_picture(page, f"{language}-phone-{name_of(user, address)}")


@pytest.mark.parametrize("user", USERS, ids=str)
def test_the_keyboard_reaches_everything_and_shows_where_it_is(user, run, open_page):
    page = open_page(user)
    for address in (address.replace(RUN, run) for who, address in LOOKS if who == user):
        page.goto(address)
        page.evaluate("window.met = new Set(); document.addEventListener('focusin', event => met.add(event.target))")
        visible = f'[...document.querySelectorAll("{FOCUSABLE}")].filter(each => each.checkVisibility())'
        for _ in range(page.evaluate(f"{visible}.length") + 12):  # a date holds several fields
            page.keyboard.press("Tab")
            outline = page.evaluate(
                "(each => each == document.body ? 'solid' : getComputedStyle(each).outlineStyle)(document.activeElement)"
            )
            assert outline != "none", (address, page.evaluate("document.activeElement.outerHTML"))
        unmet = f"{visible}.filter(each => !met.has(each) && !each.autofocus).map(each => each.outerHTML)"
        assert page.evaluate(unmet) == [], address


@pytest.mark.parametrize("path", ["/today", "/care?ahead=true", "/today/changes"])
@pytest.mark.usefixtures("run")
def test_cards_on_a_phone_are_a_table_for_a_screen_reader(path, open_page):
    page = open_page("ann", viewport=PHONE)
    page.goto(path)
    nodes = page.context.new_cdp_session(page).send("Accessibility.getFullAXTree")["nodes"]
    heard = [(node["role"]["value"], node.get("name", {}).get("value")) for node in nodes if not node.get("ignored")]
    headers = page.locator("thead th").count()
    rows = page.locator("tbody tr").count()
    assert sum(role == "table" for role, _ in heard) == 1
    assert sum(role == "columnheader" for role, _ in heard) == headers > 2
    assert sum(role == "row" for role, _ in heard) == rows + 1 > 2
    assert [name for role, name in heard if role == "rowheader" and name.startswith("CRM-K1 ")] != [] or path == "/today/changes"


def test_nothing_that_was_imported_runs_or_draws_in_any_page(app, open_page, tmp_path):
    run = fill_site(app.state.site, tmp_path, evil=EVIL)
    told: list[str] = []
    for user in USERS:
        page = open_page(user)
        page.on("dialog", lambda dialog: (told.append(dialog.message), dialog.dismiss()))
        for address in (address.replace(RUN, run) for who, address in LOOKS if who == user):
            page.goto(address)
            assert page.locator("img, script:not([src]), main script").count() == 0, address
            assert "onerror" not in page.evaluate("[...document.querySelectorAll('*')].flatMap(each => each.getAttributeNames())"), address
            if address == f"/orders/{ORDER}":
                assert "<img src=x" in page.inner_text("main")  # it is there, as text
    assert told == []
