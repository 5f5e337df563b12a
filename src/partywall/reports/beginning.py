"""What `partywall init` writes: a commented partywall.toml, or what was detected as JSON."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, StrictUndefined

if TYPE_CHECKING:
    from partywall.survey.proposal import Proposal

VERSION = 1
TEMPLATE = "partywall.toml.jinja"
BARE = re.compile(r"[A-Za-z0-9_-]+")
DELETE = "\x7f"


@dataclass(frozen=True, slots=True)
class Api:
    """An HTTP API to be probed, and its description."""

    base: str
    openapi: str


def quoted(text: str) -> str:
    """A string of TOML: literal where that reads better, else as JSON writes it, but for DEL.

    https://toml.io/en/v1.0.0#string
    """
    if '"' in text and "'" not in text and text.isprintable():
        return f"'{text}'"
    return json.dumps(text, ensure_ascii=False).replace(DELETE, "\\u007f")


def key(text: str) -> str:
    """A key: bare where it can be."""
    return text if BARE.fullmatch(text) else quoted(text)


def comment(text: str) -> str:
    """*text* within a line of comment: no line break, no control character."""
    words = " ".join(text.split()).rstrip(".")
    return "".join(c if c.isprintable() else "�" for c in words)


def toml(database: Proposal | None, api: Api | None) -> str:
    """The file: what was detected as values, what was not as comments that ask for it."""
    # it is TOML that is written, no page: nothing is escaped for HTML
    environment = Environment(
        autoescape=False, undefined=StrictUndefined,  # noqa: S701
        trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True,
    )  # fmt: skip
    environment.filters |= {"toml": quoted, "key": key, "comment": comment}
    source = (files("partywall.reports") / TEMPLATE).read_text(encoding="utf-8")
    return environment.from_string(source).render(database=database, api=api)


def document(database: Proposal | None, api: Api | None) -> str:
    """What was detected, as JSON."""
    found: dict[str, Any] = {"schema_version": VERSION}
    found["database"] = _database(database) if database else None
    found["api"] = asdict(api) if api else None
    return json.dumps(found, indent=2, ensure_ascii=False) + "\n"


def _database(found: Proposal) -> dict[str, Any]:
    public = [
        {"table": rows.table, "when": rows.when, "policy": name} for rows, name in found.public
    ]
    return asdict(found) | {"public": public}
