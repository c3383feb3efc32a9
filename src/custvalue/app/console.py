"""What a person or a log collector sees while a command runs: a line a step, words on a terminal, JSON otherwise."""

from __future__ import annotations

import json
import sys
import time
from typing import Any, ClassVar

from rich.console import Console
from rich.status import Status


class StepReporter:
    """Report steps to stderr as they end.

    Parameters
    ----------
    human : bool
        Words and a spinner for a person; one JSON object a line otherwise.
    verbose : bool
        Also show notes to a person; JSON always holds them.
    """

    # A terminal has one spinner, which hides the cursor: whoever tells of the end must be able to stop it.
    _status: ClassVar[Status | None] = None

    def __init__(self, *, human: bool, verbose: bool = False) -> None:
        self._human = human
        self._verbose = verbose
        self._console = Console(stderr=True, highlight=False, soft_wrap=True)
        self._began = time.monotonic()

    def start(self, step: str) -> None:
        """Begin a step; its time runs from here."""
        self._began = time.monotonic()
        if self._human and self._console.is_terminal:
            self.stop()
            StepReporter._status = self._console.status(f"{step} …")
            StepReporter._status.start()

    def note(self, text: str) -> None:
        """Tell one fact inside a step."""
        if not self._human:
            self._write({"event": "note", "text": text})
        elif self._verbose:
            self._console.print(f"             {text}", style="dim", markup=False)

    def done(self, step: str, text: str, **facts: Any) -> None:
        """End a step with a line that says what came of it."""
        seconds = time.monotonic() - self._began
        self.stop()
        if self._human:
            self._console.print(f"  {step:<10} {text:<78} {seconds:>5.0f} s", markup=False)
        else:
            self._write({"event": step, "text": text, **facts, "seconds": round(seconds, 3)})
        self._began = time.monotonic()

    def refused(self, exit_code: int, message: str) -> None:
        """Tell why the command ends without its result."""
        self.stop()
        if self._human:
            self._console.print(f"custvalue: {message}", style="red", markup=False)
        else:
            self._write({"event": "refused", "exit": exit_code, "text": message})

    def stop(self) -> None:
        """End the spinner, if one turns."""
        status, StepReporter._status = StepReporter._status, None
        if status is None:
            return
        try:
            status.stop()
        except IndexError:  # Ctrl-C came while rich was still starting it
            self._console.show_cursor()

    @staticmethod
    def _write(record: dict[str, Any]) -> None:
        print(json.dumps(record, ensure_ascii=False, default=str), file=sys.stderr, flush=True)
