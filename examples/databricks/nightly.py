"""Run one custvalue command on Databricks: 75 is tried again here, any other failure ends the job at once."""

from __future__ import annotations

import os
import sys
import time
from datetime import datetime
from zoneinfo import ZoneInfo

from custvalue.app.cli import run

TRY_AGAIN = 75


def run_patiently(arguments: list[str], *, tries: int, pause_seconds: float) -> int:
    """Run a command, again while it says "later", and give its exit code."""
    code = run(arguments)
    while code == TRY_AGAIN and tries > 1:
        time.sleep(pause_seconds)
        tries -= 1
        code = run(arguments)
    return code


if __name__ == "__main__":
    tries, pause = int(os.environ.get("CUSTVALUE_TRIES", "8")), float(os.environ.get("CUSTVALUE_PAUSE", "900"))
    today = datetime.now(ZoneInfo(os.environ.get("CUSTVALUE_ZONE", "UTC"))).date().isoformat()
    arguments = [today if argument == "today" else argument for argument in sys.argv[1:]]
    code = run_patiently(arguments, tries=tries, pause_seconds=pause)
    if code:
        raise RuntimeError(f"custvalue ended with exit code {code}; the log above tells why and what to do")
