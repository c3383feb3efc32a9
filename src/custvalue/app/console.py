"""What a person or a log collector sees while a command runs: a line a step, words on a terminal, JSON otherwise."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar
from uuid import uuid4

from rich.console import Console
from rich.status import Status


class StepReporter:
    """Report steps to stderr as they end.

    Every JSON record tells the time (UTC), the attempt (one a command) and, once it is known, the run; a step's record its seconds too.

    Parameters
    ----------
    human : bool
        Words and a spinner for a person; one JSON object a line otherwise.
    verbose : bool
        Also show notes to a person; JSON always holds them.

    Attributes
    ----------
    steps : list of dict
        What `done` was told, in order: ``step``, ``seconds`` and its facts.
    """

    # A terminal has one spinner, which hides the cursor: whoever tells of the end must be able to stop it.
    _status: ClassVar[Status | None] = None
    # What names the command in every record: the refusal is told by another reporter than the steps before it.
    _ids: ClassVar[dict[str, str]] = {}

    def __init__(self, *, human: bool, verbose: bool = False) -> None:
        self.steps: list[dict[str, Any]] = []
        self._human = human
        self._verbose = verbose
        self._console = Console(stderr=True, highlight=False, soft_wrap=True)
        self._began = time.monotonic()
        self._step = ""

    @classmethod
    def begin_attempt(cls) -> None:
        """Give the records from here on a new attempt id, and no run id."""
        cls._ids = {"attempt_id": uuid4().hex[:12]}

    def start(self, step: str) -> None:
        """Begin a step; its time runs from here."""
        self._began, self._step = time.monotonic(), step
        if self._human and self._console.is_terminal:
            self.stop()
            StepReporter._status = self._console.status(f"{step} …")
            StepReporter._status.start()

    def note(self, text: str) -> None:
        """Tell one fact inside a step."""
        if not self._human:
            self._write("note", {"step": self._step, "text": text})
        elif self._verbose:
            self._console.print(f"             {text}", style="dim", markup=False)

    def done(self, step: str, text: str, **facts: Any) -> None:
        """End a step with a line that says what came of it; a fact ``run_id`` is repeated in every later record.

        A fact ``seconds`` takes the place of the time since its start, where steps ran in turns.
        """
        seconds = float(facts.pop("seconds", time.monotonic() - self._began))
        self.stop()
        self.steps.append({"step": step, "seconds": seconds, **facts})
        if "run_id" in facts:
            StepReporter._ids = StepReporter._ids | {"run_id": str(facts["run_id"])}
        if self._human:
            self._console.print(f"  {step:<10} {text:<78} {seconds:>5.0f} s", markup=False)
        else:
            self._write(step, {"step": step, "text": text, **facts, "seconds": round(seconds, 3)})
        self._began = time.monotonic()

    def alert(self, text: str) -> None:
        """Tell loudly of something that somebody should look at; the command goes on."""
        self.stop()
        if self._human:
            self._console.print(f"  ALERT      {text}", style="bold red", markup=False)
        else:
            self._write("alert", {"step": self._step, "text": text})

    def refused(self, exit_code: int, message: str, facts: Mapping[str, Any] | None = None) -> None:
        """Tell why the command ends without its result."""
        self.stop()
        if self._human:
            self._console.print(f"custvalue: {message}", style="red", markup=False)
        else:
            self._write("refused", {"exit": exit_code, **(facts or {}), "text": message})

    def stop(self) -> None:
        """End the spinner, if one turns."""
        status, StepReporter._status = StepReporter._status, None
        if status is None:
            return
        try:
            status.stop()
        except IndexError:  # Ctrl-C came while rich was still starting it
            self._console.show_cursor()

    @classmethod
    def _write(cls, event: str, record: Mapping[str, Any]) -> None:
        told = {"time": datetime.now(UTC).isoformat(timespec="milliseconds"), "event": event, **cls._ids, **record}
        print(json.dumps(told, ensure_ascii=False, default=str), file=sys.stderr, flush=True)


class Quiet(StepReporter):
    """A reporter inside another one's step: what goes wrong is told, and nothing else."""

    def __init__(self) -> None:
        super().__init__(human=True)

    def start(self, step: str) -> None:
        """Pass over it."""

    def note(self, text: str) -> None:
        """Pass over it."""

    def done(self, step: str, text: str, **facts: Any) -> None:
        """Pass over it."""
