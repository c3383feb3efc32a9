"""The managers' page under load: 200 managers at once over 100,000 open orders, on SQLite and on PostgreSQL.

``python benchmarks/page.py [--orders 100000] [--managers 200] [--seconds 60] [--think 5] [--databases sqlite postgres]`` prints a Markdown
table: requests, p50, p95 and p99 in milliseconds by page, errors, and lost updates.

Everything runs on this machine: the server in one process, the managers in another (`page_load.py`), PostgreSQL, where it is installed, in
its own. Orders are taken by the store's own `take_night`. Signing in is left out: argon2 takes its time on purpose. A manager thinks for an
exponentially distributed time, then opens Today, a customer, the service list or a search, or writes a note; one write in four is sent from
two windows at once, as the order was when both were opened: one of them must be refused. An update is lost where the server confirmed it
and the database does not hold it exactly once.

The floor is a bare FastAPI page that renders a Jinja template to as many bytes as Today has, without session, database or words, asked at
the same pace by the same managers.

Exit code 1 on an error or a lost update, or where the p95 of Today or Customer is 150 ms or more.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from page_store import ROOT, fill, lost_updates, write_config

GOAL_MS = 150.0
ASKED = ("today", "customer")
_SERVER = """
import sys, socket, uvicorn
from pathlib import Path
from typing import Any
from custvalue.config import load_config
from custvalue.app.web.application import create_app
from custvalue.app.web.serving import listen
from custvalue.app.web.site import Site
listening = listen("127.0.0.1", 0)
print(listening.getsockname()[1], flush=True)
app = create_app(Site(load_config(Path(sys.argv[1])), {}))
settings = uvicorn.Config(app, access_log=False, log_level="error", server_header=False, timeout_keep_alive=75)
uvicorn.Server(settings).run(sockets=[listening])
"""
_FLOOR = """
import sys, uvicorn
from fastapi import FastAPI
from fastapi.responses import HTMLResponse
from jinja2 import Environment
from custvalue.app.web.serving import listen
rows, width = 50, max(int(sys.argv[1]) // 50 - 20, 1)
page = Environment(autoescape=True).from_string("<table>{% for row in rows %}<tr><td>{{ row }}</td></tr>{% endfor %}</table>")
app = FastAPI()
@app.get("/today")
def today():
    return HTMLResponse(page.render(rows=["x" * width] * rows))
listening = listen("127.0.0.1", 0)
print(listening.getsockname()[1], flush=True)
uvicorn.Server(uvicorn.Config(app, access_log=False, log_level="error", timeout_keep_alive=75)).run(sockets=[listening])
"""


@contextmanager
def serving(program: str, argument: str) -> Iterator[tuple[str, int]]:
    """Run a server; gives its address and process id."""
    process = subprocess.Popen([sys.executable, "-c", program, argument], stdout=subprocess.PIPE, text=True, cwd=ROOT)
    try:
        port = int(process.stdout.readline()) if process.stdout else 0
        wait_for(port)
        yield f"http://127.0.0.1:{port}", process.pid
    finally:
        process.terminate()
        process.wait(timeout=30)


def wait_for(port: int, *, patience: float = 60.0) -> None:
    """Wait until a server takes connections."""
    until = time.monotonic() + patience
    while time.monotonic() < until:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.1)
    raise SystemExit(f"no server came up on port {port} within {patience:.0f} s")


def run_load(address: str, users: list[dict[str, str]], *, seconds: float, think: float, pid: int, floor: bool = False) -> dict[str, Any]:
    """Let the managers work, in a process of their own, and give what they saw."""
    given = {"address": address, "users": users, "seconds": seconds, "think": think, "floor": floor, "pid": pid}
    command = [sys.executable, str(Path(__file__).with_name("page_load.py"))]
    done = subprocess.run(command, input=json.dumps(given), capture_output=True, text=True, check=False, env=os.environ)
    if done.returncode:
        raise SystemExit(done.stderr)
    seen: dict[str, Any] = json.loads(done.stdout)
    return seen


@contextmanager
def database_url(kind: str) -> Iterator[str | None]:
    """Give the address of a fresh PostgreSQL server, or None for a SQLite file."""
    if kind == "sqlite":
        yield None
        return
    sys.path.insert(0, str(ROOT))
    from tests.postgres import PostgresServer, server_programs

    programs = server_programs()
    if programs is None:
        raise SystemExit("no PostgreSQL server is installed (Debian: postgresql); give --databases sqlite")
    server = PostgresServer(programs)
    try:
        yield server.url()
    finally:
        server.remove()


def measure(kind: str, *, orders: int, managers: int, seconds: float, think: float) -> dict[str, Any]:
    """Give what the managers saw on one database, with ``lost`` and ``floor``."""
    with tempfile.TemporaryDirectory(prefix="custvalue-load-") as folder, database_url(kind) as url:
        path = write_config(Path(folder), url)
        began = time.monotonic()
        users = fill(path, orders, managers)
        print(f"{kind}: {orders:,} orders taken in {time.monotonic() - began:.0f} s", file=sys.stderr)
        with serving(_SERVER, str(path)) as (address, pid):
            seen = run_load(address, users, seconds=seconds, think=think, pid=pid)
        confirmed = seen.pop("confirmed")
        return seen | {"writes": len(confirmed), "lost": lost_updates(path, confirmed)}


def show(name: str, seen: dict[str, Any]) -> bool:
    """Print one database's rows, and tell whether the goals are met."""
    good = seen["errors"] == 0 and seen.get("lost", 0) == 0 and (name.startswith("floor") or seen["pages"].keys() >= set(ASKED))
    for page, row in seen["pages"].items():
        print(f"| {name} | {page} | {row['requests']:,} | {row['p50']:.0f} | {row['p95']:.0f} | {row['p99']:.0f} |")
        good &= page not in ASKED or name.startswith("floor") or row["p95"] < GOAL_MS
    return bool(good)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=re.sub(r"``", "`", __doc__ or ""), formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--orders", type=int, default=100_000)
    parser.add_argument("--managers", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--think", type=float, default=5.0)
    parser.add_argument("--databases", nargs="+", choices=("sqlite", "postgres"), default=["sqlite", "postgres"])
    options = parser.parse_args()
    load = {"seconds": options.seconds, "think": options.think}
    found = {kind: measure(kind, orders=options.orders, managers=options.managers, **load) for kind in options.databases}
    size = max(seen["bytes"] for seen in found.values())
    with serving(_FLOOR, str(size)) as (address, pid):
        nobody = [{"cookie": "c", "session0": "", "session1": ""}] * options.managers
        floor = run_load(address, nobody, **load, pid=pid, floor=True)
    print("| server | page | requests | p50 ms | p95 ms | p99 ms |\n|---|---|---:|---:|---:|---:|")
    results = [show(name, seen) for name, seen in found.items()]
    show(f"floor: bare page of {size:,} bytes", floor)
    for name, seen in found.items():
        print(
            f"\n{name}: {seen['errors']} error(s) {seen['problems'] or ''}; {seen['lost']} of {seen['writes']} confirmed updates lost, "
            f"{seen['refused']} refused as changed meanwhile; memory {seen['memory_early']} MB early, {seen['memory_late']} MB at the end"
        )
    sys.exit(0 if all(results) else 1)


if __name__ == "__main__":
    main()
