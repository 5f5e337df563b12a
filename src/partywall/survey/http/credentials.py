"""Which headers, query parameters and cookies carry credentials, by their names."""

from __future__ import annotations

import re

HEADERS = re.compile(
    r"(proxy-)?authorization|cookie|(x-)?(.+-)?(api-?key|auth(entication)?(-token|-key)?"
    r"|access-?token|session(-?(id|token))?|csrf-?token|xsrf-?token|(bearer|id|jwt)-?token"
    r"|secret(-key)?|jwt|token)",
    re.IGNORECASE,
)
COOKIES = re.compile(
    r".*(session|sess_?id|sid$|token|auth|jwt|csrf|xsrf|remember).*|id_token", re.IGNORECASE
)
QUERY = re.compile(
    r"(x-)?(api|app)[-_]?key|access[-_]?token|auth[-_]?token|authorization|jwt|session[-_]?token"
    r"|(x-amz-)?signature|x-amz-.*",
    re.IGNORECASE,
)
SECRET = re.compile(r"passw|passwd|secret|token|api[-_]?key|credential|otp$|pin$", re.IGNORECASE)
"""Names of fields whose recorded values are nobody's business."""

_KNOWN = {"header": HEADERS, "cookie": COOKIES, "query": QUERY}


def carries(place: str, name: str) -> bool:
    """Whether such a parameter says who asks, and is the actor's and not the operation's.

    A tenant's or a user's id is none: ``X-Tenant-Id`` says for whom, and can be bent.
    """
    known = _KNOWN.get(place)
    return known is not None and known.fullmatch(name) is not None


def secret(name: str) -> bool:
    """Whether a field of that name holds a secret."""
    return SECRET.search(name) is not None
