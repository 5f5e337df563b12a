"""The words of an API: what a parameter or a field is the id of."""

from __future__ import annotations

import re

GENERIC = frozenset(
    {
        "", "id", "pk", "uuid", "guid", "slug", "key", "name", "number", "code", "ref", "handle",
        "identifier", "item", "object", "resource", "entity", "path", "lookup", "oid", "hash",
        "title", "index", "no", "nr", "command", "tag", "record",
    }
)  # fmt: skip
"""Names of parameters that say nothing of what they are the id of: the segment before does."""

PRINCIPALS = frozenset(
    {
        "user", "member", "account", "person", "principal", "owner", "assignee", "author",
        "creator", "profile", "tenant", "organization", "organisation", "org", "team", "group",
        "invitee", "participant", "collaborator", "me", "identity", "subject",
    }
)  # fmt: skip
"""Who acts, not what is acted on: naming one may let it in, so they are tried last."""

ENDING = re.compile(r"[_-]?(?:ids?|uuids?|guids?|pks?|slug|key|name|number|code|ref|handle)$")
OTHERWISE = re.compile(r"_or_(?:id|name|slug|key|uuid)$|^(?:old|new|source|target)_(?=\w+_id$)")
"""What a name says besides: ``flow_id_or_name`` and ``old_session_id`` are ids of those."""
LISTED = re.compile(r"(?:_ids|_uuids|_pks|_keys)$")
BOUNDARY = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
ID = re.compile(r"(?:^|_)(?:id|ids|uuid|uuids|guid|pk|pks)$")
VERSION = re.compile(r"^v\d+$")
SHORTEST = 4


def snake(name: str) -> str:
    """A name in lower case, its words joined by an underscore."""
    return BOUNDARY.sub("_", name).replace("-", "_").replace(".", "_").lower()


def singular(word: str) -> str:
    """One of what *word* names in the plural, as far as spelling tells."""
    word = snake(word)
    if word.endswith("ies") and len(word) > SHORTEST:
        return word[:-3] + "y"
    if word.endswith(("sses", "shes", "ches", "xes", "zes")):
        return word[:-2]
    if word.endswith("s") and not word.endswith(("ss", "us", "is", "news")):
        return word[:-1]
    return word


def noun(name: str) -> str:
    """What a parameter is the id of, by its own name: "" where the name doesn't say."""
    plain = OTHERWISE.sub("", snake(name))
    if plain in GENERIC:
        return ""
    stem = ENDING.sub("", plain)
    return "" if stem in GENERIC else singular(stem)


def identifying(name: str) -> bool:
    """Whether a field of this name holds an id, or a list of ids."""
    return bool(ID.search(snake(name)))
