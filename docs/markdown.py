"""What the written pages are made of."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

CODE = re.compile(r"``([^`]+)``")


def table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    """A table, and the empty line after it."""
    for row in (head, ("---",) * len(head), *rows):
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |\n"
    yield "\n"


def prose(text: str) -> str:
    """Text of a docstring; its code is marked as Markdown has it."""
    return CODE.sub(r"`\1`", text)
