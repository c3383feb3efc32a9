"""Pages on paper: the whole list with its headers on every sheet, a customer with what to say, and nothing that can only be clicked."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from ..app.web.manager_night import tell_night  # noqa: TID252 - tests are no package

pytestmark = pytest.mark.long

CUSTOMERS = range(1, 61, 2)
CLICKED = ("Sign out", "中文", "Find", "Filter and sort", "Download", "Record", "I take this on", "Show the full number", "Back to Today")


@pytest.fixture
def app(app):
    tell_night(app.state.site, customers=CUSTOMERS)
    return app


@pytest.fixture
def printed(require_part, open_page, tmp_path):
    """Print a page, and give the text of each sheet."""
    require_part("pdftotext (Debian: poppler-utils)", shutil.which("pdftotext") is not None)

    def print_page(path: str, user: str = "ann") -> list[str]:
        page = open_page(user)
        page.goto(path)
        file = tmp_path / "page.pdf"
        page.pdf(path=str(file), prefer_css_page_size=True)
        text = subprocess.run(["pdftotext", "-layout", str(file), "-"], capture_output=True, text=True, check=True).stdout
        return text.split("\f")[:-1]

    return print_page


def test_a_printed_list_holds_every_customer_under_its_headers_and_no_buttons(printed):
    sheets = printed("/today")
    assert len(sheets) > 2
    assert all("Why now" in sheet and "Call by" in sheet and "State" in sheet for sheet in sheets)
    whole = "\n".join(sheets)
    assert [number for number in CUSTOMERS if f"CRM-K{number} " not in whole] == []
    assert [word for word in CLICKED if word in whole] == []


def test_what_a_lead_may_hand_over_can_be_taken_into_a_meeting_on_paper(printed):
    whole = "\n".join(printed("/team/orders?manager=M-001", "lea"))
    assert [number for number in CUSTOMERS if f"CRM-K{number} " not in whole] == []
    assert "Hand over the chosen" not in whole


def test_a_printed_customer_says_what_a_call_needs_and_no_more(printed):
    whole = "\n".join(printed("/orders/20260105-C-K1"))
    for said in (
        "complaint made again",
        "Half a month off",
        "Ask what would fit better",
        "Promise nothing beyond",
        "gold since",
        "order opened",
    ):
        assert said in whole, said
    assert "last ¥117, between" in whole
    assert [word for word in CLICKED if word in whole] == []
    assert "What happened?" not in whole
