"""Path templates from concrete paths: which segments are values, and what they are called."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from partywall.survey.http.nouns import singular

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

VALUE = re.compile(
    r"\d+"
    r"|[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}"  # a UUID
    r"|(?=.*\d)[0-9a-f]{16,}"  # a hash, an ObjectId
    r"|(?=.*\d)[0-9A-HJKMNP-TV-Z]{26}"  # a ULID
    r"|(?=.*\d)[a-z]{2,8}_[0-9a-z]{8,}"  # cus_9s6XKzkNRiz8i3
    r"|\d{4}-\d\d-\d\d"
    r"|[^@\s]+@[^@\s]+\.[a-z]+",
    re.IGNORECASE,
)
KEY = re.compile(r"(.*_)?(id|uuid|guid|slug)|.*[a-z](Id|Uuid|ID)|pk|key|handle|username")
"""Names of fields by whose values an application addresses things."""
SHORTEST = 2
SUFFIX = re.compile(r"\.[a-z][a-z0-9]{1,4}$", re.IGNORECASE)


def template(path: str, ids: Collection[str]) -> tuple[str, tuple[str, ...]]:
    """The template of *path*, and the values of its parameters in order.

    A value is what looks like one, or stands in *ids* and is not the path's first segment.
    """
    made: list[str] = []
    values: list[str] = []
    names: list[str] = []
    word = ""
    for position, segment in enumerate(path.split("/")):
        plain = unquote(segment)
        suffix = SUFFIX.search(plain)
        stem = plain[: suffix.start()] if suffix and VALUE.fullmatch(plain) is None else plain
        if not VALUE.fullmatch(stem) and not (position > 1 and stem in ids):
            made.append(segment)
            word = segment or word
            continue
        name = f"{singular(word)}_id".lstrip("_")
        name = f"{name}_{len(names) + 1}" if name in names else name
        names.append(name)
        values.append(stem)
        made.append(f"{{{name}}}{plain[len(stem) :]}")
    return "/".join(made), tuple(values)


def ids_in(answer: Any) -> Iterator[str]:  # noqa: ANN401 - any JSON
    """Values in an answer by which its objects may be addressed."""
    if isinstance(answer, dict):
        for name, value in answer.items():
            if isinstance(value, str) and len(value) >= SHORTEST and KEY.fullmatch(name):
                yield value
            elif isinstance(value, dict | list):
                yield from ids_in(value)
    elif isinstance(answer, list):
        for item in answer:
            yield from ids_in(item)
