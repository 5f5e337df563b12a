"""Who a line of a log is about, and what of it may stand in a line."""

from __future__ import annotations

import re
from dataclasses import dataclass

from partywall.context import TenantContext
from partywall.errors import MissingTenant

RESERVED = ("tenant_id", "user_id", "request_id")
"""The names of our fields; what comes under them from anywhere else is data, and is called so."""

DATA = "data_"
NOBODY = "-"
LONGEST = 256

CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
SPACED = re.compile(r"[\s=\"'\\]|" + CONTROL.pattern)


@dataclass(frozen=True, slots=True)
class Stamp:
    """What is said of a line.

    It is a value of a type of its own: nothing that came in a request can be one.

    Args:
        context: the tenant and the user.
        request_id: of the request, "" where there is none; made fit for a line.

    Raises:
        MissingTenant: without a context.
    """

    context: TenantContext
    request_id: str = ""

    def __post_init__(self) -> None:
        """Take nothing but a context."""
        if not isinstance(self.context, TenantContext):
            raise MissingTenant(
                "a line of a log is stamped from a TenantContext: pass on the one that was made "
                "where the request is authenticated"
            )

    @property
    def fields(self) -> dict[str, str]:
        """The fields of the line; NOBODY where there is nothing to say."""
        said = (self.context.tenant_id, self.context.user_id, self.request_id)
        return {name: word(value) for name, value in zip(RESERVED, said, strict=True)}


NO_STAMP = dict.fromkeys(RESERVED, NOBODY)


def word(value: str) -> str:
    """*value* as one word of a line, at most 256 characters: without space, quotes, `=`."""
    return SPACED.sub(escape, value[:LONGEST]) or NOBODY


def line(text: str) -> str:
    """*text* as part of one line: what would begin another one, or move a cursor, is escaped."""
    return CONTROL.sub(escape, text)


def escape(found: re.Match[str]) -> str:
    """A character as Python would write it."""
    code = ord(found[0])
    return {9: "\\t", 10: "\\n", 13: "\\r"}.get(
        code,
        f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}",  # noqa: PLR2004 - two digits
    )
