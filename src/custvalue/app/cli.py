"""The command line. Every command is a thin skin: it reads arguments, calls the pipeline, shows what came of it."""

from __future__ import annotations

import gc
import sys

import typer

from custvalue.app.cli_models import MODELS
from custvalue.app.cli_operations import OPERATIONS
from custvalue.app.cli_orders import database
from custvalue.app.cli_page import serve, users
from custvalue.app.cli_start import START
from custvalue.app.cli_tiers import TIERS
from custvalue.app.options import begin_attempt, make_reporter
from custvalue.errors import CustValueError, TryAgainError

app = typer.Typer(
    help="From monthly ARPU, usage and complaints to tonight's retention list.\n\n"
    "Start with `custvalue demo`, or `custvalue init DIR` for a workspace of your own.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 done · 1 a bug of ours · 2 usage or config · 3 data contract or late feed · 4 model missing or refused · "
    "5 publish conflict or lock held · 75 try again later",
)
for _command in (*START, *TIERS, *MODELS, *OPERATIONS, serve):
    app.command()(_command)
app.add_typer(users, name="users")
app.add_typer(database, name="db")

_INTERRUPTED = 130
"""What a shell expects of a command that Ctrl-C ended."""


def run(arguments: list[str] | None = None) -> int:
    """Run one command line and give its exit code; an error becomes one message and its code."""
    begin_attempt()
    try:
        app(args=arguments)
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except CustValueError as error:
        make_reporter().refused(error.exit_code, str(error), error.facts)
        return error.exit_code
    except OSError as error:
        make_reporter().refused(
            TryAgainError.exit_code, f"{error.filename or 'the system'}: {error.strerror or error}. Mend it and run the command again."
        )
        return TryAgainError.exit_code
    except RuntimeError as error:
        if str(error) != "Query interrupted":  # DuckDB's answer to Ctrl-C
            raise
        return _INTERRUPTED
    finally:
        make_reporter().stop()
    return 0


def main() -> None:
    """Entry point of the ``custvalue`` command."""
    # Expressions of hundreds of columns are millions of small objects: Python's collector would walk them all, again and again.
    gc.set_threshold(200_000, 50, 100)
    sys.exit(run())
