"""What must not be seen in a report: credentials, wherever they stand and however written."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus

if TYPE_CHECKING:
    from collections.abc import Iterable

    from partywall.survey.http.actors import Actor

HIDDEN = "[hidden]"
TELLING = 8
"""A secret this long is looked for anywhere; a shorter one would be found by chance."""

CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
"""What a terminal acts upon, or what no argument can hold."""
GIVEN = re.compile(
    r'("[^"]*(?:token|secret|passw|api_?key|private_?key|credential)[^"]*"\s*:\s*")'
    r'((?:[^"\\]|\\.)+)',
    re.IGNORECASE,
)
TOKEN = re.compile(r"\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*")
"""A JSON Web Token, whoever's it is."""


def variable(actor: str, name: str = "") -> str:
    """The environment variable that holds a credential: ``ACME_AUTHORIZATION``."""
    words = re.sub(r"[^A-Za-z0-9]+", "_", f"{actor}_{name}" if name else actor).upper()
    return f"_{words}" if words[:1].isdigit() else words


def variables(actor: Actor) -> dict[str, str]:
    """The credentials of an actor: environment variable -> value.

    A header that only says which tenant is meant, as `own` does, is no secret.
    """
    known = {str(value) for value in actor.own.values()}
    shown = [(name, value) for name, value in actor.headers.items() if value not in known]
    shown += [(f"cookie_{n}", value) for n, value in actor.cookies.items() if value not in known]
    return {variable(actor.name, name): value for name, value in shown if value}


def parts_of(secret: str) -> list[str]:
    """A credential, and its token where a scheme stands before it (``Bearer …``)."""
    _, _, token = secret.partition(" ")
    return [secret, token] if len(token) >= TELLING else [secret]


def disguised(text: str, secrets: Iterable[str]) -> str:
    """A text without secrets in other spellings: percent-encoded, or escaped as in JSON."""
    for secret in secrets:
        for spelling in {quote(secret, ""), quote(secret), quote_plus(secret), _in_json(secret)}:
            if spelling != secret:
                text = text.replace(spelling, HIDDEN)
    return text


def hidden(text: str, secrets: Iterable[str], about: str = "") -> str:
    """A text without secrets, and without what looks like one; *about* stays."""
    parts = sorted((p for one in secrets if one for p in parts_of(one)), key=len, reverse=True)
    for part in parts:
        text = text.replace(part, HIDDEN) if len(part) >= TELLING else _whole(text, part)
    text = disguised(text, (part for part in parts if len(part) >= TELLING))
    text = GIVEN.sub(lambda m: m[0] if _proof(about, m[2]) else f"{m[1]}{HIDDEN}", text)
    return TOKEN.sub(lambda m: m[0] if _proof(about, m[0]) else HIDDEN, text)


def _proof(about: str, text: str) -> bool:
    return bool(about) and about in text


def _whole(text: str, part: str) -> str:
    return text.replace(f'"{part}"', f'"{HIDDEN}"')


def _in_json(secret: str) -> str:
    return json.dumps(secret, ensure_ascii=False)[1:-1]
