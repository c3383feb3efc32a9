"""What the page sends: headers, cookies, languages, errors without insides, and text that stays text."""

from __future__ import annotations

import pytest

from .conftest import NIGHT, audit_of, lists, sign_in, token_in


@pytest.mark.parametrize("path", ["/login", "/today", "/nothing", "/health", "/static/page.css"])
def test_every_answer_has_the_headers(path, browse):
    headers = browse("ann").get(path).headers
    assert "default-src 'self'" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert headers["x-frame-options"] == "DENY"
    assert headers["cache-control"] == ("public, max-age=31536000, immutable" if path.startswith("/static") else "no-store")
    assert "server" not in headers
    assert "strict-transport-security" not in headers


def test_cookies_are_for_the_server_alone(browse, make_site):
    plain = sign_in(browse(), "ann").headers.get_list("set-cookie")
    session = next(cookie for cookie in plain if cookie.startswith("custvalue="))
    assert {"HttpOnly", "Path=/", "SameSite=lax"} <= set(session.split("; "))
    assert "Secure" not in session


def test_over_https_cookies_are_bound_to_the_host(make_site, browse):
    site = make_site(url="https://page.example")
    client = browse(of=site, address="https://page.example")
    answer = sign_in(client, "ann")
    session = next(cookie for cookie in answer.headers.get_list("set-cookie") if cookie.startswith("__Host-custvalue="))
    assert {"HttpOnly", "Path=/", "SameSite=lax", "Secure"} <= set(session.split("; "))
    assert "Domain" not in session
    assert client.get("/today").status_code == 200
    assert client.get("/today").headers["strict-transport-security"] == "max-age=31536000"


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "page.example", ""])
def test_an_unknown_host_is_refused(host, browse):
    client = browse()
    assert client.get("/login").status_code == 200
    assert client.get("/login", headers={"Host": host}).status_code == 400


def test_the_language_is_chosen_or_the_browser_s_or_the_config_s(browse):
    client = browse("ann")
    assert 'lang="en"' in client.get("/today").text
    assert "今日名单" in client.get("/today", headers={"Accept-Language": "fr, zh-CN;q=0.9, en;q=0.8"}).text
    client.get("/language/zh")
    page = client.get("/today").text
    assert 'lang="zh-Hans"' in page
    assert "今日名单" in page
    assert "2026年1月5日" in page
    assert client.get("/language/fr").status_code == 404
    client.get("/language/en")
    assert "Lists of Jan 5, 2026" in client.get("/today").text


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/nothing", 404), ("DELETE", "/today", 405), ("GET", "/audit?before=x", 422), ("GET", "/orders/%00", 404)],
)
def test_failures_are_told_in_plain_words(method, path, status, language, browse):
    client = browse("adm" if "audit" in path else "ann")
    client.get(f"/language/{language}")
    answer = client.request(method, path)
    assert answer.status_code == status
    assert ("返回首页" if language == "zh" else "Back to the start") in answer.text
    assert all(word not in answer.text for word in ("Traceback", "sqlalchemy", "detail", "custvalue.app"))


def test_a_bug_shows_and_logs_nothing_of_a_customer(browse, app, monkeypatch, caplog):
    client = browse("ann", raise_server_exceptions=False)

    def broken(*_):
        raise RuntimeError("13800001111")

    monkeypatch.setattr("custvalue.app.web.today.Visit.reading", broken)
    answer = client.get("/today")
    assert (answer.status_code, "Something went wrong on our side" in answer.text) == (500, True)
    assert "default-src 'self'" in answer.headers["content-security-policy"]
    assert answer.headers["cache-control"] == "no-store"
    assert "13800001111" not in answer.text + caplog.text
    assert "RuntimeError at " in caplog.text


def test_too_much_at_once_is_refused(browse):
    client = browse()
    assert client.post("/login", data={"name": "ann", "password": "x" * 100_000, "form_token": "x"}).status_code == 413

    def piecemeal():
        for _ in range(10):
            yield b"name=" + b"x" * 10_000

    answer = client.post("/login", content=piecemeal(), headers={"Content-Type": "application/x-www-form-urlencoded"})
    assert (answer.status_code, "too much at once" in answer.text) == (413, True)


def test_an_away_database_is_told_and_the_watchdog_hears_of_it(browse, app, tmp_path):
    client = browse("ann")
    assert client.get("/health").json() == {"status": "ok"}
    app.state.site.close()
    (tmp_path / "out" / "orders.db").rename(tmp_path / "out" / "away.db")
    for suffix in ("-wal", "-shm"):
        (tmp_path / "out" / f"orders.db{suffix}").unlink(missing_ok=True)
    (tmp_path / "out" / "orders.db").mkdir()
    assert client.get("/health").status_code == 503
    answer = client.get("/today")
    assert (answer.status_code, "orders.db" in answer.text) == (503, False)


def test_imported_text_stays_text(app, browse):
    odd = '<script>alert(1)</script>{{7*7}}"><img src=x onerror=alert(1)>'
    from custvalue.retention.orders.schema import orders

    with app.state.site.writing() as connection:
        connection.execute(orders.update().values(customer=odd, tier=odd, offer=odd))
    for path in ("/today", "/orders/20260105-C-K1"):
        text = browse("ann").get(path).text
        assert "<script>alert" not in text
        assert "<img" not in text
        assert "&lt;script&gt;" in text
        assert "{{7*7}}" in text


def test_templates_hold_no_inline_script_or_style_and_no_readable_words():
    import re

    from custvalue.app.web.rendering import FOLDER

    for path in sorted((FOLDER / "templates").rglob("*.j2")):
        text = path.read_text(encoding="utf-8")
        assert re.search(r"\son\w+\s*=|\sstyle\s*=|<style|javascript:|\|\s*safe|<script(?![^>]*src=)", text) is None, path.name
        assert "http://" not in text.replace("http://www.w3.org", ""), path.name
        words = re.sub(r"<[^>]*>", "", re.sub(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", "", text, flags=re.S)).replace("custvalue", "")
        assert re.findall(r"[A-Za-z]{2,}|[\u4e00-\u9fff]+", re.sub(r"&\w+;", "", words)) == [], path.name


def test_the_vendored_script_is_the_release_that_is_named():
    import hashlib

    from custvalue.app.web.rendering import STATIC

    known = (STATIC / "htmx.VERSION.txt").read_text(encoding="utf-8").split()
    assert hashlib.sha256((STATIC / "htmx.min.js").read_bytes()).hexdigest() in known
    assert "Zero-Clause BSD" in (STATIC / "htmx.LICENSE.txt").read_text(encoding="utf-8")


def test_the_audit_log_as_a_file_holds_no_formula_and_names_its_own_export(browse, app, clock):
    import csv
    import io

    from custvalue.app.web.audit import Action, write_audit

    with app.state.site.writing() as connection:
        write_audit(connection, Action.VIEW, who="=1+1", what="@SUM(A1)", address="-2", at=clock())
    answer = browse("adm").get("/audit.csv")
    rows = list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))
    assert [rows[0][name] for name in ("who", "object", "address")] == ["'=1+1", "'@SUM(A1)", "'-2"]
    assert (rows[-1]["action"], rows[-1]["who"]) == ("export", "adm")
    assert answer.headers["content-disposition"] == 'attachment; filename="audit.csv"'


def test_looking_at_a_customer_is_written_down_before_it_is_shown(browse, app):
    client = browse("ann")
    client.get("/orders/20260105-C-K1")
    client.get("/orders/20260105-C-K2")
    assert [entry for entry in audit_of(app) if entry[1] == "view"] == [("ann", "view", "20260105-C-K1")]


def test_a_page_shows_one_night_whole(app, clock):
    from datetime import timedelta

    from custvalue.app.web.principal import make_principal
    from custvalue.app.web.repository import Repository
    from custvalue.app.web.repository_team import listed_orders
    from custvalue.retention.orders.store import OrderStore

    site = app.state.site
    lead = make_principal("lea", "lead", None, "north", site.page)
    with site.reading() as connection:
        repository = Repository(lead, connection, site.roster)
        assert repository.night() == NIGHT
        later = lists([1, 7, 9]).assign(order_id=["20260106-C-K1", "20260106-C-K7", "20260106-C-K9"])
        OrderStore.of(site.config).take_night(later, NIGHT + timedelta(days=1), "run2", decisions={}, now=clock())
        assert {order["customer"] for order in listed_orders(repository)} == {"CRM-K1", "CRM-K3", "CRM-K5"}
    with site.reading() as connection:
        repository = Repository(lead, connection, site.roster)
        assert repository.night() == NIGHT + timedelta(days=1)
        assert {order["customer"] for order in listed_orders(repository)} == {"CRM-K1", "CRM-K7", "CRM-K9"}


def test_a_form_that_is_out_of_date_says_so(browse):
    client = browse("ann")
    answer = client.post("/logout", data={"form_token": token_in(client.get("/today").text)[::-1]})
    assert (answer.status_code, "out of date" in answer.text) == (403, True)
