"""What a cache keeps, and for how long."""

from __future__ import annotations

import math
from typing import TypeAlias

Value: TypeAlias = bytes | str | int | float
"""What can be kept; it comes back as bytes."""

WITHOUT = (
    "a cache needs a TenantContext: make it where the request is authenticated, "
    "TenantContext(tenant_id), and pass it on"
)
"""What is said where there is no context."""


def encoded(value: Value) -> bytes:
    """*value* as bytes.

    Raises:
        TypeError: for what has no one form: None, True, a list, an object.
    """
    match value:
        case bytes():
            return value
        case str():
            return value.encode()
        case int() | float() if not isinstance(value, bool):
            return repr(value).encode()
        case _:
            raise TypeError(
                f"a cache keeps bytes, text and numbers, not {type(value).__name__}: encode it"
            )


def lasting(ttl_s: float) -> float:
    """A time that something lasts.

    Raises:
        ValueError: when it is not more than 0, or has no end.
    """
    if not 0 < ttl_s < math.inf:
        raise ValueError("ttl_s is a number of seconds, more than 0")
    return ttl_s
