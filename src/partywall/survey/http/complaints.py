"""What a server says is wrong with a body, as corrections to its schema.

The words of FastAPI/pydantic, Django REST framework, marshmallow, WTForms and free text are read.
Which field is meant stands in `blaming`, what is wrong with it here: a correction is a piece of
JSON Schema for the field, or `DROP`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from partywall.survey.http.blaming import LONGEST, QUOTED, complaints

if TYPE_CHECKING:
    from collections.abc import Collection

    from partywall.survey.http.wire import Answer

REFERENCE: dict[str, Any] = {"x-own": 0}
"""The field names something: the owner's ids are tried one after the other."""
DROP: dict[str, Any] = {"x-drop": True}
BAD_REQUEST = 400
REFUSED = frozenset({400, 406, 409, 412, 415, 422})

NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
PATTERN = re.compile(r"pattern:?\s+['\"](.+)['\"]")
REJECTED = re.compile(r"""["'“](.+?)["'”] is not""")
UNKNOWN_THING = re.compile(
    r"does ?n.t exist|does not exist|invalid pk|no such|unknown \w+ id|not a valid choice"
)
NO_JSON = re.compile(
    r"expecting value|unexpected (?:character|token|end of)|(?:invalid|not valid|malformed) json|"
    r"jsondecodeerror|json (?:decode|parse) error|json could not be"
)
HINT = re.compile(
    r"""(?:written\ as(?:\ in)?|write\ it\ as(?:\ in)?|e\.g\.|for\ example|for\ instance)
        [,:]?\s+['"`]?(\w[\w.:/@+-]*\w)""",
    re.VERBOSE | re.IGNORECASE,
)
"""An example of what would be taken."""
FORMS = (
    ("uri", re.compile(r"\w+://.+")),
    ("email", re.compile(r"[^@\s]+@[\w.-]+")),
    ("hostname", re.compile(r"(?:[a-z0-9-]+\.)+[a-z]{2,}")),
)
"""Formats that an example can have, in which there is room for a canary."""
ADDRESS = re.compile(r"(?:start|begin)s? with\b.*\bhttps?://")
CHOICES = re.compile(
    r"one of|valid choice|permitted|input should be ['\"]|allowed values|choose", re.IGNORECASE
)
LISTED = re.compile(
    r"(?:one of|permitted|values|choices|options)(?: are)?:\s*([\w.-]+(?:\s*,\s*[\w.-]+)*)",
    re.IGNORECASE,
)
BETWEEN = re.compile(r"between (-?[\d.]*\d) and (-?[\d.]*\d)")
AT_MOST = re.compile(r"at most|longer than|\bmax|less than|<=|exceed|(?:no|not have) more than")
AT_LEAST = re.compile(r"at least|shorter than|\bmin(?:imum)?\b|greater than|>=|fewer than")
LENGTH = re.compile(r"\bchar|length|\blong(?:er)?\b")
ITEMS = re.compile(r"\bitems?\b|\belements?\b")
PRECISION = re.compile(r"decimal place|\bdigits?\b")

ALPHANUMERIC = {"type": "string", "pattern": "^[a-z0-9]+$"}
RULES: tuple[tuple[re.Pattern[str], dict[str, Any]], ...] = tuple(
    (re.compile(words), fix)
    for words, fix in (
        (r"extra (?:inputs|fields)|not permitted|not allowed|unexpected|unknown field", DROP),
        (r"read.?only", DROP),
        (r"uuid", {"type": "string", "format": "uuid"}),
        (r"e-?mail", {"type": "string", "format": "email"}),
        (r"\burl\b|\buri\b", {"type": "string", "format": "uri"}),
        (r"date.?time|timestamp", {"type": "string", "format": "date-time"}),
        (r"\bdate\b", {"type": "string", "format": "date"}),
        (r"valid integer|an? (?:valid )?int|whole number", {"type": "integer"}),
        (r"valid number|a number|float|decimal", {"type": "number"}),
        (r"valid bool|a boolean", {"type": "boolean"}),
        (r"valid (?:list|array|sequence)|a list|an array", {"type": "array"}),
        (r"valid (?:dict|object|mapping)|a dictionary|an object", {"type": "object"}),
        (r"valid string|a string|\bstr\b", {"type": "string"}),
        (r"valid slug|letters, numbers, underscores|alphanumeric|lower.?case", ALPHANUMERIC),
        (r"required|missing|may not be|blank|null|empty|\bprovide|must (?:be )?(?:set|specif)", {}),
        (r"not an allowed value", {}),
    )
)
"""What a complaint says, the most telling words first; {} asks for the field as it is declared."""


def corrections(
    answer: Answer, known: Collection[str] = ()
) -> dict[tuple[str, ...], dict[str, Any]]:
    """Field -> what its schema has to be, as far as the server's words tell.

    A field whose complaint says nothing that can be followed is left out. *known* are the names of
    the fields that there are; an example without any name is for the only one.
    """
    found: dict[tuple[str, ...], dict[str, Any]] = {}
    hint = _hinted(answer.text)
    if hint and len(known) == 1:
        return {tuple(known): hint}
    for path, text in complaints(answer, known):
        if path:
            fix = correction(text)
            found[path] = DROP if fix is None else fix
    return found


def unreadable(answer: Answer) -> bool:
    """Whether the server took something for JSON that is none: a file that was sent."""
    return (
        answer.status >= BAD_REQUEST and NO_JSON.search(answer.text[:LONGEST].lower()) is not None
    )


def correction(text: str) -> dict[str, Any] | None:
    """One complaint as a piece of JSON Schema; None where its words say nothing of a kind."""
    lowered = text.lower()
    if UNKNOWN_THING.search(lowered):
        return REFERENCE
    if matched := PATTERN.search(text):
        return {"type": "string", "pattern": matched[1]}
    if ADDRESS.search(lowered):
        return {"type": "string", "format": "uri"}
    if CHOICES.search(lowered) and (choices := _choices(text)):
        return {"enum": choices}
    if told := _hinted(text) or _limit(lowered):
        return told
    return next((fix for words, fix in RULES if words.search(lowered)), None)


def _choices(text: str) -> list[str]:
    """The words that a complaint lets through: those after the words that announce them."""
    text = text.partition("(type=")[0]
    announced = CHOICES.search(text)
    if announced and (quoted := QUOTED.findall(text[announced.start() :])):
        return list(dict.fromkeys(quoted))
    if listed := LISTED.search(text):
        return re.split(r"\s*,\s*", listed[1].rstrip("."))
    rejected = REJECTED.match(text)
    return [one for one in QUOTED.findall(text) if not rejected or one != rejected[1]]


def _hinted(text: str) -> dict[str, Any]:
    """What is like the example that a complaint gives; {} for none."""
    found = HINT.search(text)
    if found is None:
        return {}
    for form, like in FORMS:
        if like.fullmatch(found[1]):
            return {"type": "string", "format": form}
    return {"enum": [found[1]]}


def _limit(lowered: str) -> dict[str, Any]:
    """The bounds that a complaint names; {} for none."""
    if PRECISION.search(lowered):
        return {}
    of = "Length" if LENGTH.search(lowered) else "Items" if ITEMS.search(lowered) else "imum"
    if both := BETWEEN.search(lowered):
        return {f"min{of}": _number(both[1]), f"max{of}": _number(both[2])}
    number = NUMBER.search(lowered)
    if number and AT_MOST.search(lowered):
        return {f"max{of}": _number(number[0])}
    if number and AT_LEAST.search(lowered):
        return {f"min{of}": _number(number[0])}
    return {}


def _number(text: str) -> float:
    return float(text) if "." in text else int(text)
