"""Where reports go: standard output or a file, also when nobody reads on."""

from __future__ import annotations

import io
import sys
from typing import TYPE_CHECKING, TypeVar

from partywall.cli.ending import silence
from partywall.errors import ConfigurationError
from partywall.reports.style import console_on

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from rich.console import Console

T = TypeVar("T")

FILE_WIDTH = 100


def write(what: str | Callable[[Console], None], file: Path | None) -> None:
    """Write a text, or what a function prints, to *file* or to standard output.

    A reader who closes the pipe early (`| head`) has read enough: that is no error.

    Raises:
        ConfigurationError: *file* can't be written.
    """
    if file is not None:
        try:
            file.write_text(_text(what), encoding="utf-8", errors="replace")
        except OSError as error:
            why = error.strerror or error
            raise ConfigurationError(f"the report can't be written to {file}: {why}") from error
        return
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a terminal without ✓ shows a ?
    try:
        if isinstance(what, str):
            sys.stdout.write(what)
        else:
            what(console_on(sys.stdout))
        sys.stdout.flush()
    except BrokenPipeError:
        silence()


def _text(what: str | Callable[[Console], None]) -> str:
    if isinstance(what, str):
        return what
    page = io.StringIO()
    what(console_on(page, width=FILE_WIDTH))
    return page.getvalue()


def answered(ask: Callable[[], T], otherwise: T) -> T:
    """What somebody says to a question; *otherwise* where the input ends (Ctrl-D).

    Raises:
        KeyboardInterrupt: at Ctrl-C, which a prompt takes for the same.
    """
    import typer  # noqa: PLC0415 - here alone

    try:
        return ask()
    except typer.Abort as abort:
        sys.stderr.write("\n")  # the question's line has none
        if isinstance(abort.__context__, KeyboardInterrupt):
            raise KeyboardInterrupt from None
        return otherwise


def somebody_there() -> bool:
    """Whether a person can be asked: both ends are a terminal."""
    return sys.stdin.isatty() and sys.stderr.isatty()
