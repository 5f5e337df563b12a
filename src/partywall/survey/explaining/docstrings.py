"""The parts of a docstring: what is tried, why it matters, and its named sections."""

from __future__ import annotations

import re
from textwrap import dedent
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

NAMES = (
    "Affected", "Applications", "Breaches", "Holds", "Fires", "Silent", "Fix", "Source",
)  # fmt: skip
SECTION = re.compile(rf"^({'|'.join(NAMES)}):[ \n]", re.MULTILINE)


def parts(doc: str) -> tuple[str, tuple[str, ...], Mapping[str, str]]:
    """The first sentence of *doc*, its paragraphs, and its sections by name.

    A section lasts until an empty line; what is indented keeps its lines.
    """
    summary, *paragraphs = (part for part in doc.strip().split("\n\n") if part.strip())
    said: list[str] = []
    sections: dict[str, str] = {}
    for paragraph in paragraphs:
        found = SECTION.match(f"{paragraph}\n")
        if found is None:
            said.append(_flowing(paragraph))
        else:
            body = dedent(paragraph[found.end() :]).strip("\n")
            sections[found[1]] = _flowing(body) if found[1] in {"Affected", "Fix"} else body
    return _flowing(summary), tuple(said), sections


def _flowing(text: str) -> str:
    return " ".join(text.split())
