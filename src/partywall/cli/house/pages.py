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
from rich.table import Table
from rich.text import Text

from partywall.cli.ending import say
from partywall.cli.output import somebody_there, write
from partywall.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rich.console import Console

STYLES: Mapping[str, str] = {
    "active": "green", "provisioning": "yellow", "suspended": "yellow", "failed": "bold red",
    "deleted": "dim",
}  # fmt: skip

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
    """Write a table to standard output, or the words *none* when it has no row."""
    table = Table(*head, box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, header_style="bold")
    for column in table.columns:
        column.overflow = "fold"  # nothing is lost in a narrow terminal
    for row in rows:
        table.add_row(*(cell(one) for one in row))

    def show(console: Console) -> None:
        if not console.is_terminal:
            console.width = UNBOUND
        console.print(table if table.row_count else Text(none))

    write(show, None)


def put_facts(facts: Mapping[str, object]) -> None:
    """Write names and values, one a line."""
    width = max(map(len, facts))

    def show(console: Console) -> None:
        for name, value in facts.items():
            console.print(Text(f"{name:<{width}}  ", "dim") + cell(value), soft_wrap=True)

    write(show, None)


def put(words: str) -> None:
    """Write a line to standard output."""
    write(f"{shown(words)}\n", None)


def cell(value: object) -> Text:
    """A value as people read it."""
    if value is None or value == "":
        return Text("–", "dim")
    if isinstance(value, dt.datetime):
        return Text(value.astimezone(dt.UTC).strftime("%Y-%m-%d %H:%M:%S"))
    if isinstance(value, int) and not isinstance(value, bool):
        return Text(f"{value:,}")
    words = shown(str(value))
    return Text(words, STYLES.get(words, ""))


def shown(text: str) -> str:
    """Text that can't steer a terminal: ESC and changes of direction become their codes."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def confirmed(question: str, *, yes: bool, word: str = "") -> bool:
    """Whether to go on: asked of who sits there, who types *word*, or y.

    Raises:
        ConfigurationError: when nobody can be asked.
    """
    import typer  # noqa: PLC0415 - here alone

    if yes:
        return True
    if not somebody_there():
        raise ConfigurationError("nobody can be asked here: say --yes to do it without a question")
    try:
        if word:
            asked = f"{question} Type {word} to go on"
            typed = typer.prompt(asked, default="", show_default=False, err=True)
            agreed = str(typed).strip() == word
        else:
            agreed = typer.confirm(question, err=True)
    except typer.Abort:  # Ctrl-C, Ctrl-D
        agreed = False
    if not agreed:
        say("nothing was changed")
    return agreed
