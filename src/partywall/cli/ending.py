"""However a command ends, the exit code and the last words are right."""

from __future__ import annotations

import os
import platform
import signal
import sys
import traceback
from contextlib import suppress
from typing import TYPE_CHECKING

from partywall import __version__
from partywall.errors import PartywallError

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType
    from typing import NoReturn

HELD, BREACHED, USAGE, UNDECIDED, INTERNAL = 0, 1, 2, 3, 70
INTERRUPTED, UNREAD = 130, 141
ISSUES = "https://github.com/partywall/partywall/issues"


REMOVED = "what was made for this run has been removed"


def exit_code(
    command: Callable[[], int], *, verbose: bool = False, interrupted: str = REMOVED
) -> int:
    """Run *command* and return its exit code, or the one that fits how it failed.

    Args:
        command: what to run.
        verbose: whether to show tracebacks.
        interrupted: what an interrupted command leaves, in words.
    """
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _leave)
    try:
        return command()
    except KeyboardInterrupt:
        say(f"interrupted: {interrupted}")
        return INTERRUPTED
    except PartywallError as error:
        return _refused(error, verbose=verbose)
    except BrokenPipeError:
        silence()
        return UNREAD
    except Exception as error:  # noqa: BLE001 - the last resort: a message for people, exit code 70
        return _failed(error, verbose=verbose)


def _refused(error: PartywallError, *, verbose: bool) -> int:
    if verbose:
        traceback.print_exc()
    say(" ".join(str(error).split()))
    return USAGE


def _failed(error: Exception, *, verbose: bool) -> int:
    """Say that it is partywall's fault, or that the server went away, and what to do."""
    if verbose:
        traceback.print_exc()
    if _of_server(error):
        say(f"the server did not go on: {' '.join(str(error).split())}")
        return USAGE
    words = " ".join(f"{type(error).__name__}: {error}".split())
    say(f"internal error: {words}")
    hint = "" if verbose else ", with what the same command says with --verbose"
    say(
        f"This is a fault of partywall {__version__} (Python {platform.python_version()}), "
        f"no verdict. Please report it{hint}: {ISSUES}"
    )
    return INTERNAL


def _of_server(error: Exception) -> bool:
    psycopg = sys.modules.get("psycopg")
    return psycopg is not None and isinstance(error, psycopg.OperationalError)


def say(words: str) -> None:
    """Write one paragraph to standard error, after a progress line if there was one."""
    with suppress(BrokenPipeError):
        sys.stderr.write(f"partywall: {words}\n")


def silence() -> None:
    """Nobody reads standard output any more: let nothing complain about it at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _leave(number: int, _frame: FrameType | None) -> NoReturn:
    """End by way of every `with` and `finally`, so that nothing is left behind."""
    raise SystemExit(128 + number)
