"""Which fields a refusal is about, and what it says of each."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from partywall.survey.http.wire import Answer

Complaint: TypeAlias = "tuple[tuple[str, ...], str]"

LONGEST = 2_000
"""A longer text is a page, and no complaint."""
ENVELOPES = frozenset(
    {
        "detail", "details", "errors", "error", "messages", "message", "json", "form", "body",
        "data", "validation_error", "body_params", "non_field_errors", "query", "files", "loc",
        "msg", "error_description", "error_message",
    }
)  # fmt: skip
"""Keys around a complaint that are no fields."""
NO_NAMES = frozenset(
    {
        "a", "an", "the", "this", "that", "it", "is", "are", "be", "must", "should", "may", "can",
        "cannot", "not", "no", "of", "for", "in", "required", "missing", "invalid", "unknown",
        "valid", "please", "field", "fields", "parameter", "parameters", "property", "attribute",
        "argument", "input", "request", "error", "one", "these",
    }
)  # fmt: skip
"""Words of a sentence that stand where a field could, and are none."""
PROBLEM = frozenset({"type", "title", "status", "instance"})
"""Members of a problem that are about no field (RFC 9457, section 3.1)."""
SOURCES = frozenset({"body", "query", "json", "form"})
OPENING, CLOSING = "'\"`‘’“”«", "'\"`‘’“”»"  # noqa: RUF001 - servers quote in all of these
QUOTED = re.compile(f"[{OPENING}]([^{OPENING}{CLOSING}]{{1,60}})[{CLOSING}]")
NAME = re.compile(r"[A-Za-z_]\w*")
LEADING = re.compile(
    r"""^\s* ['"`]? ([A-Za-z_]\w*) ['"`]?       # title
        (?: :\s                                 # title: …
          | \s+(?:is|must|should|field|may|can|cannot)\b )  # title is …, "title" must …
    """,
    re.VERBOSE,
)
NAMING = re.compile(
    r"""(?:field|parameter|property|key|attribute|argument|value\ for)s?
        \s* :? \s* ['"`]? ([A-Za-z_][\w.]*)     # field 'title', parameter: title
    """,
    re.VERBOSE | re.IGNORECASE,
)
LACKING = re.compile(
    r"""(?:missing|required|provide)
        [^A-Za-z_]+ (?:a\ |an\ |the\ )? ([a-z_]\w+)  # missing title, provide a title
    """,
    re.VERBOSE | re.IGNORECASE,
)


def complaints(answer: Answer, known: Collection[str] = ()) -> Iterator[Complaint]:
    """Each field that a refusal names, with what it says of it.

    In a sentence the names of *known* fields are looked for first.
    """
    if answer.json is not None:
        yield from _walked(answer.json, (), known)
    elif len(answer.text) < LONGEST:
        yield from _read(answer.text, known)


def _walked(value: Any, path: tuple[str, ...], known: Collection[str]) -> Iterator[Complaint]:  # noqa: ANN401 - any JSON
    """Complaints by place: an entry that says where it belongs, or a key that is the field."""
    if isinstance(value, dict):
        location = _first(value, "loc", "path", "field", "param", "pointer", "at")
        words = _first(value, "msg", "message", "error", "detail")
        if location and isinstance(words, str):
            yield _located(location), words + _expected(value)
            return
        problem = not path and {"title", "status"} <= value.keys()
        for key, inner in value.items():
            if not (problem and key in PROBLEM):
                below = path if key in ENVELOPES else (*path, str(key))
                yield from _walked(inner, below, known)
    elif isinstance(value, list):
        for inner in value:
            yield from _walked(inner, path, known)
    elif isinstance(value, str):
        if path:
            yield path, value
        else:
            yield from _read(value, known)


def _first(value: Mapping[str, Any], *keys: str) -> object:
    return next((value[key] for key in keys if value.get(key)), None)


def _located(location: object) -> tuple[str, ...]:
    """A place as FastAPI (a list), JSON Pointers or dotted paths tell it."""
    parts = location if isinstance(location, list) else re.split(r"[./]", str(location).strip("#/"))
    named = tuple("*" if isinstance(part, int) else str(part) for part in parts)
    return named[1:] if named and named[0] in SOURCES else named


def _expected(value: Mapping[str, Any]) -> str:
    """The choices that pydantic tells beside its words."""
    context = value.get("ctx")
    expected = context.get("expected") if isinstance(context, dict) else None
    return f" one of {expected}" if isinstance(expected, str) else ""


def _read(text: str, known: Collection[str]) -> Iterator[Complaint]:
    """The field that a sentence is about."""
    said = [word for word in NAME.findall(text) if word in known]
    for name in (*said, *_names(text)):
        if name.lower() not in NO_NAMES:
            yield tuple(name.split(".")), text
            return


def _names(text: str) -> Iterator[str]:
    """What may be the field's name, the most likely first."""
    for pattern in (LEADING, NAMING):
        yield from (matched[1] for matched in pattern.finditer(text))
    yield from (name for name in QUOTED.findall(text) if NAME.fullmatch(name))
    yield from (matched[1] for matched in LACKING.finditer(text))
