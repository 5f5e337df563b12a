"""What the commands on the control plane print: tables for people, one JSON document for programs.

Names in these tables were chosen by strangers: what could steer a terminal is shown as its code.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from rich import box
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from partywall.cli.ending import say
from partywall.cli.output import answered, somebody_there, write
from partywall.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rich.console import Console

STYLES: Mapping[str, str] = {
    "active": "green", "provisioning": "yellow", "suspended": "yellow", "failed": "bold red",
    "deleted": "dim",
}  # fmt: skip

NOTHING = "–"
"""Where there is no value."""

UNBOUND = 10_000
"""Columns of a table that no terminal shows: a program that looks for a word finds it whole."""


def document(value: Any) -> Any:  # noqa: ANN401 - a value of the control plane, or a part of one
    """A value as JSON has it: a moment in UTC, bytes in hexadecimal, a dataclass as an object."""
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, Mapping):
        return {name: document(one) for name, one in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [document(one) for one in value]
    if hasattr(value, "__dataclass_fields__"):
        return {each.name: document(getattr(value, each.name)) for each in fields(value)}
    return value


def put_json(value: object) -> None:
    """Write one JSON document to standard output."""
    write(json.dumps(document(value), indent=2, ensure_ascii=True) + "\n", None)


def put_table(head: Sequence[str], rows: Iterable[Sequence[object]], none: str) -> None:
    """Write a table to standard output, or the words *none* when it has no row.

    On a terminal that is too narrow for its widest row, each row is a paragraph of its own: so an
    id or a challenge stays in one piece, to be copied.
    """
    table = Table(*head, box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, header_style="bold")
    cells = [[cell(one) for one in row] for row in rows]
    for row in cells:
        table.add_row(*row)
    for column in table.columns:
        column.no_wrap = True

    def show(console: Console) -> None:
        if not console.is_terminal:
            console.width = UNBOUND
        if not cells:
            console.print(Text(none))
        elif widest(console, table) <= console.width:
            console.print(table)
        else:
            paragraphs(console, head, cells)

    write(show, None)


def widest(console: Console, table: Table) -> int:
    """The columns that a table needs, wherever it is shown."""
    return Measurement.get(console, console.options.update(width=UNBOUND), table).maximum


def paragraphs(console: Console, head: Sequence[str], rows: Sequence[Sequence[Text]]) -> None:
    """Print each row as lines with a name and a value; what is not there is left out."""
    width = max(map(len, head))
    for number, row in enumerate(rows):
        if number:
            console.print()
        for name, value in zip(head, row, strict=True):
            if value.plain != NOTHING:
                line = Text.assemble((f"{name:<{width}}  ", "dim"), value)
                console.print(line, soft_wrap=True)


def put_facts(facts: Mapping[str, object]) -> None:
    """Write names and values, one a line."""
    width = max(map(len, facts))

    def show(console: Console) -> None:
        for name, value in facts.items():
            line = Text.assemble((f"{name:<{width}}  ", "dim"), cell(value))
            console.print(line, soft_wrap=True)

    write(show, None)


def put(words: str) -> None:
    """Write a line to standard output."""
    write(f"{shown(words)}\n", None)


def cell(value: object) -> Text:
    """A value as people read it."""
    if value is None or value == "":
        return Text(NOTHING, "dim")
    if isinstance(value, dt.datetime):
        return Text(value.astimezone(dt.UTC).strftime("%Y-%m-%d %H:%M:%SZ"))
    if isinstance(value, int) and not isinstance(value, bool):
        return Text(f"{value:,}")
    words = shown(str(value))
    return Text(words, STYLES.get(words, ""))


def shown(text: str) -> str:
    """Text that can't steer a terminal: ESC and changes of direction become their codes."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def confirmed(question: str, *, yes: bool, word: str = "") -> bool:
    """Whether to go on: asked of who sits there, who types *word*, or y.

    After a no the command ends with 2: what was asked for was not done, and a script's `&&` stops.

    Raises:
        ConfigurationError: when nobody can be asked.
        KeyboardInterrupt: at Ctrl-C.
    """
    import typer  # noqa: PLC0415 - here alone

    if yes:
        return True
    if not somebody_there():
        raise ConfigurationError("nobody can be asked here: say --yes to do it without a question")

    def ask() -> bool:
        if not word:
            return typer.confirm(question, err=True)
        asked = f"{question} Type {word} to go on"
        typed = typer.prompt(asked, default="", show_default=False, err=True)
        return str(typed).strip() == word

    agreed = answered(ask, otherwise=False)
    if not agreed:
        say("nothing was changed")
    return agreed
