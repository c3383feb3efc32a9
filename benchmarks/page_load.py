"""The managers of `page.py`, in a process of their own: JSON on stdin says whom to ask and how long, JSON on stdout what they saw."""

from __future__ import annotations

import asyncio
import itertools
import json
import random
import re
import ssl
import statistics
import sys
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import httpx2

_LINK = re.compile(r'href="(/orders/[^"?]+)"')
_ACTS = {"today": 40, "customer": 35, "note": 15, "care": 5, "search": 5}
_WARM_SHARE = 0.1
_EARLY = 0.25
_TWICE = 0.25


class Load:
    """What all managers saw together."""

    def __init__(self, given: dict[str, Any]) -> None:
        self.address, self.users = given["address"], given["users"]
        self.think, self.floor, self.pid = given["think"], given["floor"], given["pid"]
        self.length, self.began = given["seconds"], 0.0
        # a client of its own would read the system's certificates each
        self.encryption = ssl.create_default_context()
        self.seconds: dict[str, list[float]] = defaultdict(list)
        self.confirmed: list[str] = []
        self.errors = self.refused = self.bytes = 0
        self.problems: list[str] = []
        self.numbers = itertools.count()

    async def ask(self, client: httpx2.AsyncClient, page: str, path: str, form: dict[str, str] | None = None) -> httpx2.Response | None:
        """Send one request and keep how long it took; None where it failed."""
        began = time.monotonic()
        try:
            answer = await (client.get(path) if form is None else client.post(path, data=form))
        except httpx2.HTTPError as error:
            return self.failed(f"{page}: {type(error).__name__}")
        if began >= self.began + _WARM_SHARE * self.length:
            self.seconds[page].append(time.monotonic() - began)
        if answer.status_code not in (200, 303, 409):
            return self.failed(f"{page}: {answer.status_code}")
        return answer

    def failed(self, told: str) -> None:
        """Count an error."""
        self.errors += 1
        self.problems.append(told)

    def window(self, user: dict[str, str], place: int) -> httpx2.AsyncClient:
        """Open a browser's window in one of the user's sessions."""
        cookies = {user["cookie"]: user[f"session{place}"]}
        return httpx2.AsyncClient(base_url=self.address, cookies=cookies, timeout=30, verify=self.encryption)

    async def manager(self, user: dict[str, str], windows: list[httpx2.AsyncClient], chance: random.Random) -> None:
        """Work as one manager until the time is over."""
        links: list[str] = []
        await asyncio.sleep(chance.uniform(0, self.think))
        while time.monotonic() < self.began + self.length:
            act = "today" if self.floor or not links else chance.choices(list(_ACTS), list(_ACTS.values()))[0]
            if act == "today":
                answer = await self.ask(windows[0], act, "/today")
                if answer is not None:
                    links, self.bytes = _LINK.findall(answer.text) or links, max(self.bytes, len(answer.content))
            elif act == "customer":
                await self.ask(windows[0], act, chance.choice(links))
            elif act == "note":
                await self.write(windows, user, chance.choice(links), twice=chance.random() < _TWICE)
            else:
                await self.ask(windows[0], act, "/care" if act == "care" else f"/search?q=CRM-{chance.choice(links)[-6:]}")
            await asyncio.sleep(chance.expovariate(1 / self.think))
        for window in windows:
            await window.aclose()

    async def write(self, windows: list[httpx2.AsyncClient], user: dict[str, str], link: str, *, twice: bool) -> None:
        """Open a customer and write a note; twice: from two windows at once, as the order was when both were opened."""
        shown = await self.ask(windows[0], "customer", link)
        if shown is None:
            return
        version = re.search(r'name="version" value="(\d+)"', shown.text)
        if version is None:
            self.failed("customer: no form")
            return
        forms = []
        for place in range(1 + twice):
            number = next(self.numbers)
            form = {"form_token": user[f"token{place}"], "version": version[1], "key": f"{number:032x}", "act": "note"}
            forms.append((windows[place], form | {"note": f"load {number}"}))
        answers = await asyncio.gather(*(self.ask(window, "record", f"{link}/record", form) for window, form in forms))
        for answer, (_, form) in zip(answers, forms, strict=True):
            if answer is not None and answer.status_code == 303:
                self.confirmed.append(form["note"])
            elif answer is not None:
                self.refused += 1

    async def memory(self) -> tuple[float, float]:
        """Give the server's resident megabytes early and at the end."""
        await asyncio.sleep(_EARLY * self.length)
        early = resident(self.pid)
        await asyncio.sleep((1 - _EARLY) * self.length)
        return early, resident(self.pid)

    async def run(self) -> dict[str, Any]:
        """Let everybody work."""
        windows = [[self.window(user, place) for place in range(2)] for user in self.users]
        self.began = time.monotonic()
        watch = asyncio.create_task(self.memory())
        chances = [random.Random(number) for number in range(len(self.users))]  # noqa: S311 - no secret is drawn
        await asyncio.gather(*(self.manager(*each) for each in zip(self.users, windows, chances, strict=True)))
        early, late = await watch
        pages = {}
        for page, seconds in sorted(self.seconds.items()):
            cuts = statistics.quantiles(seconds, n=100, method="inclusive") if len(seconds) > 1 else seconds * 99
            pages[page] = {"requests": len(seconds)} | {name: 1000 * cuts[at - 1] for name, at in (("p50", 50), ("p95", 95), ("p99", 99))}
        counted = {"errors": self.errors, "problems": self.problems[:5], "refused": self.refused, "bytes": self.bytes}
        return {"pages": pages, "confirmed": self.confirmed, "memory_early": early, "memory_late": late} | counted


def resident(pid: int) -> float:
    """Read a process's resident megabytes."""
    pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="utf-8").split()[1])
    return round(pages * 4096 / 2**20, 1)


if __name__ == "__main__":
    print(json.dumps(asyncio.run(Load(json.load(sys.stdin)).run())))
