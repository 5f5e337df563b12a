"""Where a tenant's files lie, and what a file may be called.

A tenant's place is one folder, or the first part of a key, made of its id alone. Its characters
are ``a-z0-9_$``: no separator, no dot, no capital. So no place lies in another one's, also where
case is folded, and an id with ``.``, ``:`` or ``@`` leads nowhere.
"""

from __future__ import annotations

import re
import unicodedata
from hashlib import sha256

from partywall.context import identified
from partywall.errors import InvalidRecord
from partywall.isolation.naming import encoded

LONGEST_PLACE = 200
LONGEST_NAME = 512
"""Bytes in UTF-8: with its place and a prefix a name fits the 1024 of a key of S3."""

LONGEST_PART = 255
"""Bytes of one name in a folder, on every file system in use."""

OWN = ".partywall-"
"""How the names begin that are ours: files that are being written."""

UNFIT = {"Cc": "a control character", "Cs": "half of a character", "Cn": "an unassigned character"}
UNFIT |= {"Zl": "a line separator", "Zp": "a paragraph separator"}
BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Characters that turn the direction of writing: with them ``…gpj.exe`` is shown as a picture.
https://www.unicode.org/reports/tr9/#Directional_Formatting_Characters"""

TYPE = re.compile(
    r"[a-z0-9][a-z0-9!#$&^_.+-]*/[a-z0-9][a-z0-9!#$&^_.+-]*"
    r"(?:; ?[a-z0-9-]+=[a-z0-9_.+-]+)*\Z",
    re.IGNORECASE | re.ASCII,
)
LONGEST_TYPE = 200


def place_of(tenant_id: str) -> str:
    """The folder, or the first part of a key, of a tenant.

    An id whose characters would make a name of more than 200 bytes has its SHA-256 instead: names
    are never cut.

    Raises:
        MissingTenant: when it is no id.
    """
    text = identified(tenant_id)
    name = "t_" + "".join(encoded(character) for character in text)
    return name if len(name) <= LONGEST_PLACE else "h_" + sha256(text.encode()).hexdigest()


def named(name: str) -> str:
    """The name of a file as it is kept: parts with a slash between them, in normal form C.

    Two spellings of what looks the same (an umlaut as one character or as two) are therefore one
    file. https://www.unicode.org/reports/tr15/

    Raises:
        InvalidRecord: for what can't be one; the message doesn't repeat it.
    """
    if not isinstance(name, str):
        raise InvalidRecord(f"the name of a file is text, not {type(name).__name__}")
    for character in name:
        if (category := unicodedata.category(character)) in UNFIT or character in BIDI:
            said = UNFIT.get(category, "a character that turns the direction of writing")
            raise InvalidRecord(f"the name of the file has {said} in it")
    found = unicodedata.normalize("NFC", name)
    if "\\" in found:
        raise InvalidRecord("the name of the file has a backslash in it: parts are divided by /")
    if len(found.encode()) > LONGEST_NAME:
        raise InvalidRecord(f"the name of the file is longer than {LONGEST_NAME} bytes")
    for part in found.split("/"):
        if part in {"", ".", ".."}:
            raise InvalidRecord(
                "a part of the file's name is empty, . or ..: write reports/2026.pdf, without a "
                "slash at either end"
            )
        if part.casefold().startswith(OWN):
            raise InvalidRecord(f"a part of the file's name begins with {OWN}, which is reserved")
        if len(part.encode()) > LONGEST_PART:
            raise InvalidRecord(f"a part of the file's name is longer than {LONGEST_PART} bytes")
    return found


def typed(content_type: str) -> str:
    """A media type that may stand in a header.

    Raises:
        InvalidRecord: for anything else.
    """
    if len(content_type) > LONGEST_TYPE or not TYPE.match(content_type):
        raise InvalidRecord("this is no media type: write application/pdf, or text/csv; header=yes")
    return content_type
