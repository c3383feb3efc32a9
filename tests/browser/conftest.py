from __future__ import annotations

import os
import shutil
import threading
from importlib.util import find_spec
from pathlib import Path

import pytest

from ..app.web.conftest import Clock, filled_file, make_config, make_site, quick_hash  # noqa: F401, TID252 - fixtures; tests are no package

CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
PICTURES = os.environ.get("CUSTVALUE_PICTURES")
"""Folder in which to keep a picture of each page."""
PHONE = {"width": 360, "height": 740}


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture(scope="session")
def chromium(require_part):
    """The system's Chromium, driven by Playwright."""
    require_part("playwright (custvalue[dev])", find_spec("playwright") is not None)
    require_part("axe-playwright-python (custvalue[dev])", find_spec("axe_playwright_python") is not None)
    require_part("Chromium (Debian: chromium)", Path(CHROMIUM).exists())
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def app(make_site):  # noqa: F811 - pytest hands it in
    return make_site()


@pytest.fixture
def address(app):
    """Address of the application, served for real."""
    import uvicorn

    from custvalue.app.web.serving import listen

    listening = listen("127.0.0.1", 0)
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", access_log=False))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    server.should_exit = True
    thread.join(timeout=20)


@pytest.fixture
def open_page(chromium, address):
    """Open a window of its own: ``open_page("ann")`` signed in; with ``javascript``, ``language`` and ``viewport`` as wished.

    A window that the browser refused a script, a style or a request of, or in which one failed, fails the test.
    """
    windows = []

    def open_window(user: str | None = None, *, javascript: bool = True, language: str = "en", viewport=None):
        window = chromium.new_context(
            base_url=address,
            java_script_enabled=javascript,
            locale={"en": "en-GB", "zh": "zh-CN"}[language],
            viewport=viewport or {"width": 1280, "height": 800},
        )
        page = window.new_page()
        troubles: list[str] = []
        page.on("console", lambda message: troubles.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on("request", lambda request: troubles.append(request.url) if not request.url.startswith((address, "data:")) else None)
        windows.append((window, troubles))
        page.goto("/")
        if user:
            log_in(page, user)
        return page

    yield open_window
    for window, troubles in windows:
        window.close()
        assert [trouble for trouble in troubles if "status of 40" not in trouble] == []


def log_in(page, user: str, password: str = "correct horse battery") -> None:  # noqa: S107 - of users who are nobody
    page.fill("#name", user)
    page.fill("#password", password)
    page.press("#password", "Enter")
    page.wait_for_load_state()


def serious_findings(page) -> list[str]:
    """What axe-core finds on the page that is serious or critical."""
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page).response["violations"]
    return [
        f"{finding['id']}: {node['html']}" for finding in found if finding["impact"] in ("serious", "critical") for node in finding["nodes"]
    ]


def keep_picture(page, name: str) -> None:
    if PICTURES:
        page.screenshot(path=str(Path(PICTURES) / f"{name}.png"), full_page=True)
