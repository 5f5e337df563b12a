"""Glyphs and colours: every state has a sign of its own, so that colour is never needed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import TextIO

    from partywall.survey.verdict import State, Verdict

GLYPHS: Mapping[State, tuple[str, str]] = {
    "held": ("✓", "green"),
    "breached": ("✗", "bold red"),
    "undecided": ("?", "bold yellow"),
    "excepted": ("~", "cyan"),
    "known": ("=", "magenta"),
    "closed": ("·", "dim"),
}
COLOURS: Mapping[Verdict, str] = {"held": "green", "breached": "red", "undecided": "yellow"}
WIDEST = 110
"""Prose and witnesses are set no wider than this; the eye loses longer lines."""


def console_on(stream: TextIO, *, width: int | None = None) -> Console:
    """Return a console that writes what it is given: no markup, no emoji, no guessed colours."""
    return Console(file=stream, width=width, markup=False, emoji=False, highlight=False)


def sign(state: State) -> Text:
    """The glyph of *state* in its colour."""
    glyph, style = GLYPHS[state]
    return Text(glyph, style)


def number(count: int, noun: str, plural: str = "") -> str:
    """*count* things: ``1 breach``, ``2 breaches``."""
    return f"{count:,} {noun if count == 1 else plural or noun + 's'}"


def listed(names: Iterable[str], last: str = "and") -> str:
    """Names as in a sentence: ``a, b and c``."""
    *first, end = names
    return f"{', '.join(first)} {last} {end}" if first else end
