"""What fields are for, as far as their names tell: common values, choices, secrets, who may see."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from partywall.survey.http.nouns import identifying, snake

if TYPE_CHECKING:
    from collections.abc import Mapping

NAMED: dict[str, str | int] = {
    "color": "#3366cc", "colour": "#3366cc", "currency": "EUR", "country": "DE",
    "country_code": "DE", "language": "en", "lang": "en", "locale": "en", "timezone": "UTC",
    "tz": "UTC", "phone": "+4930901820", "phone_number": "+4930901820", "cron": "0 5 * * *",
    "version": "1.0.0", "zip": "10115", "postal_code": "10115", "ip": "192.0.2.1",
    "mime_type": "text/plain", "content_type": "text/plain", "date": "2031-05-17",
    "limit": 5, "page": 1, "page_size": 5, "per_page": 5, "offset": 0, "skip": 0, "size": 5,
    "count": 1, "quantity": 1, "position": 1, "order": 1, "priority": 1, "level": 1,
    "year": 2031, "month": 5, "day": 17, "rating": 3, "percent": 50, "percentage": 50,
    "age": 30, "version_number": 1,
}  # fmt: skip
"""What fields of a common name are most likely to be, where their schema says only the type."""
CHOOSING = re.compile(
    r"(?:^|_)(?:status|state|type|kind|mode|role|priority|level|stage|severity|frequency|interval|"
    r"unit|format|category|strategy|method|provider|model|engine|action|event|operator|direction)$"
)
"""Names of fields that are most likely one of a few words, even where the schema says text."""
SECRET = frozenset({"password", "passwd", "pwd", "passphrase", "new_password", "old_password"})
PRIVATE = (
    "private", "personal", "restricted", "owner", "self", "me", "internal", "hidden", "none",
    "tenant", "workspace", "organization", "org", "team", "members",
)  # fmt: skip
"""Values of a visibility, the most private first."""
VISIBILITY = frozenset(
    {
        "visibility", "access", "access_type", "access_level", "scope", "privacy", "sharing",
        "share_mode",
    }
)  # fmt: skip
OPEN = frozenset(
    {
        "public", "is_public", "shared", "is_shared", "published", "is_published", "listed",
        "discoverable", "is_global", "global", "share", "open", "is_open", "everyone",
    }
)  # fmt: skip
"""Flags that let others in when they are set."""
CLOSED = frozenset({"private", "is_private", "hidden", "is_hidden", "restricted"})
"""Flags that keep others out when they are set."""
GRANTS = frozenset({"access_control", "access_grants", "shared_with", "viewers", "grants"})
"""Objects that say who else is let in."""
WRITABLE = frozenset({"", "binary", "email", "uri", "url"})
"""Formats of a text that have room for a canary."""


def visible(name: str, schema: Mapping[str, Any]) -> bool:
    """Whether a field says who may see what it belongs to."""
    plain = snake(name)
    if plain in OPEN | CLOSED | GRANTS | VISIBILITY:
        return True
    choices = {str(each).lower() for each in schema.get("enum", ())}
    return bool({"public", "private"} & choices)


def chosen(name: str, schema: Mapping[str, Any]) -> Any:  # noqa: ANN401 - any JSON
    """One of the choices: the most private of a visibility, else the default, else the first."""
    choices = list(schema["enum"])
    if visible(name, schema):
        by_words = {str(choice).lower(): choice for choice in reversed(choices)}
        for words in PRIVATE:
            if words in by_words:
                return by_words[words]
    default = schema.get("default")
    if default is not None and default in choices:
        return default
    return next((choice for choice in choices if choice is not None), None)


def private(description: str) -> str:
    """The most private visibility of which a field's description tells, else the usual word."""
    said = set(re.findall(r"[a-z]+", description.lower()))
    return next((words for words in PRIVATE if words in said), PRIVATE[0])


def free(name: str, schema: Mapping[str, Any]) -> bool:
    """Whether a field is a text of the writer's own words, or a file: there a canary has room."""
    if schema.get("type", "" if schema else "string") != "string":
        return False
    if schema.get("enum") or schema.get("pattern") or schema.get("default"):
        return False
    return schema.get("format", "") in WRITABLE and not _meant(name)


def _meant(name: str) -> bool:
    """Whether a field's name says what it has to be."""
    plain = snake(name)
    known = plain in NAMED or plain in SECRET or "email" in plain
    return known or identifying(name) or CHOOSING.search(plain) is not None
