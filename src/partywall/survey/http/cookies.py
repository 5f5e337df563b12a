"""Cookies that an answer gives, whatever their domain, path and flags are."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def given(headers: Iterable[str]) -> dict[str, str]:
    """Name -> value of every ``Set-Cookie`` header; "" where a cookie is taken back.

    A probe sends to addresses that a browser would keep such a cookie from: plain HTTP, a loopback
    address in place of the domain. So only what the cookie is counts, not where it may go.
    """
    found: dict[str, str] = {}
    for header in headers:
        pair, *attributes = header.split(";")
        name, equals, value = pair.partition("=")
        if equals and name.strip():
            said = dict(_attribute(each) for each in attributes)
            found[name.strip()] = "" if _over(said) else value.strip()
    return found


def _attribute(text: str) -> tuple[str, str]:
    name, _, value = text.partition("=")
    return name.strip().lower(), value.strip()


def _over(attributes: dict[str, str]) -> bool:
    """``Max-Age`` goes before ``Expires`` (RFC 6265, 5.3)."""
    if (age := attributes.get("max-age", "")).lstrip("-").isdigit():
        return int(age) <= 0
    try:
        end = parsedate_to_datetime(attributes.get("expires", ""))
    except ValueError:
        return False
    return (end if end.tzinfo else end.replace(tzinfo=UTC)) <= datetime.now(UTC)
