"""Over every page and form that there is, also those that are added later: no customer without an entry, no text as markup or formula."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator

import openpyxl
import pytest
from sqlalchemy import text

from .conftest import audit_of
from .test_injection import PATHS, proper
from .whole_site import LOOKS, NO_PAGE, ORDER, ROUTES, RUN, SHOWN, fill_site

EVIL = "<img src=x onerror=alert(1)>{{7*191919}}\"'"
NAMED = re.compile(r"<h1>(?:CRM-K\d+|20260105-C-K\d+)</h1>|138000\d{5}")
"""A page of one customer, or a full number."""
BROKEN = (
    {},
    {"act": ""},
    {"act": "close", "reason": ""},
    {"act": "deferred", "until": "soon"},
    {"version": "99"},
    {"key": "x"},
    {"since": "x"},
)


@pytest.fixture
def run(app, tmp_path):
    return fill_site(app.state.site, tmp_path)


def test_each_page_is_looked_at():
    assert {path for method, path in ROUTES if method == "GET"} == set(SHOWN) | NO_PAGE


def test_each_look_shows_a_page(run, browse):
    clients = {user: browse(user) for user in {user for user, _ in LOOKS}}
    for user, address in LOOKS:
        refused = {"/orders/none": 404, "/search?q=nobody": 404}.get(address, 403 if (user, address) == ("ann", "/team") else 200)
        assert clients[user].get(address.replace(RUN, run)).status_code == refused, (user, address)


def state(app) -> list[object]:
    """What people can change: orders, what happened to them, service contacts; and the approvals."""
    with app.state.site.reading() as connection:
        queries = (
            "SELECT order_id, version, manager_id FROM orders ORDER BY 1",
            "SELECT customer, kind, done_by FROM care_duties ORDER BY 1, 2",
        )
        rows = [connection.execute(text(query)).all() for query in queries]
    return [*rows, sorted(path.name for path in (app.state.site.config.output / "approvals").rglob("*"))]


def requests(client, method: str, path: str, run: str) -> Iterator[tuple[str, dict[str, str] | None]]:
    """Each way to ask a route: as its page does, and with a form that is wrong in each way."""
    address = path
    for part, usual in (PATHS | {"dry_run": run, "customer": "CRM-K9"}).items():
        address = address.replace(f"{{{part}}}", usual)
    if method == "GET":
        looks = [look.replace(RUN, run) for _, look in SHOWN.get(path, ())]
        yield from ((look, None) for look in dict.fromkeys([address, *looks]))
    else:
        yield from ((address, proper(client, path) | wrong) for wrong in BROKEN)


def test_nobody_sees_takes_or_changes_anything_of_a_customer_without_an_entry(run, app, browse):
    seen: set[str] = set()
    for method, path in (each for each in ROUTES if each[1] not in ("/login", "/logout")):
        client = browse("adm" if path.startswith("/audit") else "lea")
        for address, form in requests(client, method, path, run):
            entries, before = len(audit_of(app)), state(app)
            answer = client.request(method, address, data=form)
            new = audit_of(app)[entries:]
            place = f"{method} {address} {form}: {answer.status_code}, {new}"
            if NAMED.search(answer.text):
                (entry,) = [each for each in new if each[1] in ("view", "reveal")] or [("", place, "")]
                assert entry[2].endswith(("-K1", "-K7")) or entry[2].startswith("C-"), place
            if "attachment" in answer.headers.get("content-disposition", ""):
                assert [each[1] for each in new] == ["export"], place
            if state(app) != before:
                assert "change" in [each[1] for each in new], place
            seen |= {each[1] for each in new}
    assert seen >= {"view", "reveal", "export", "change"}


def test_nothing_that_was_imported_becomes_markup_on_any_page(app, browse, tmp_path):
    run = fill_site(app.state.site, tmp_path, evil=EVIL)
    clients = {user: browse(user) for user in {user for user, _ in LOOKS}}
    shown = set()
    for user, address in LOOKS:
        page = clients[user].get(address.replace(RUN, run)).text
        assert "<img" not in page, address
        assert "1343433" not in page, address
        shown |= {address} if "&lt;img" in page else set()
    assert shown >= {"/today", f"/orders/{ORDER}", "/care", "/customers/CRM-K9", "/team", "/campaigns", f"/campaigns/{RUN}", "/portfolio"}


@pytest.mark.parametrize("evil", ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1+1", '=HYPERLINK("http://x")'])
def test_nothing_that_was_imported_is_a_formula_in_any_file(evil, app, browse, tmp_path):
    fill_site(app.state.site, tmp_path, evil=evil)
    lea = browse("lea")
    book = openpyxl.load_workbook(io.BytesIO(lea.get("/list.xlsx").content))
    cells = [cell for sheet in book.worksheets for row in sheet.iter_rows() for cell in row if cell.value is not None]
    assert len(book.worksheets) > 1  # the service that is owed, too
    assert [(cell.coordinate, cell.value) for cell in cells if cell.data_type == "f" or cell.hyperlink] == []
    assert sum(evil.strip() in str(cell.value) for cell in cells) > 10  # it is there, as text
    lines = list(csv.reader(io.StringIO(lea.get("/list.csv").content.decode("utf-8-sig"))))
    begins = [cell for line in lines for cell in line if cell.lstrip()[:1] in set("=+-@") and not re.fullmatch(r"-[\d.]+%?", cell)]
    assert begins == []
