"""A tenant's context inside a message: sealed where it is sent, verified where it is received.

A queue is written by everybody who has its address. What a message says about its tenant is
therefore held against a key that only the application has, and against the one message it was
written for (its audience): copied onto another message it does not hold.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from partywall.context import TenantContext, required
from partywall.errors import ConfigurationError, MissingTenant, NotAuthenticated

if TYPE_CHECKING:
    from collections.abc import Callable

VERSION = "1"

SHORTEST_KEY = 32
"""Bytes: as many as SHA-256 gives (RFC 2104, section 3)."""

LONGEST = 16_384
"""Characters of an envelope; one with a few roles has about 300."""

AHEAD_S = 60.0
"""How far the clock of the sender may be ahead of ours."""

KEY_ID = re.compile(r"[A-Za-z0-9_-]{1,64}\Z")


class Envelopes:
    """Seals contexts with HMAC-SHA256, and opens what one of its keys has sealed.

    Args:
        keys: a key of at least 32 random bytes (`secrets.token_bytes(32)`), or several by their
            names: the first seals, all open. To replace a key, first add the new one behind the
            old one everywhere, then put it in front, then take the old one out.
        expires_s: how long an envelope holds; None for ever, which work that waits for long needs.
        clock: seconds since 1970.

    Raises:
        ConfigurationError: without a key, for a short one, or for a name that can't be.
    """

    def __init__(
        self,
        keys: bytes | Mapping[str, bytes],
        *,
        expires_s: float | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._keys = dict(keys) if isinstance(keys, Mapping) else {named(keys): keys}
        if not self._keys:
            raise ConfigurationError("Envelopes needs a key: secrets.token_bytes(32)")
        for name, key in self._keys.items():
            if not KEY_ID.match(name):
                raise ConfigurationError(f"{name!r} is no name of a key: use letters, digits, _, -")
            if type(key) is not bytes or len(key) < SHORTEST_KEY:
                raise ConfigurationError(
                    f"the key {name!r} is too short: {SHORTEST_KEY} bytes at least, from "
                    "secrets.token_bytes(32)"
                )
        self._expires_s = expires_s
        self._clock = clock

    def __repr__(self) -> str:
        """The keys' names, and no key."""
        return f"Envelopes({', '.join(self._keys)})"

    def sealed(self, context: TenantContext, *, audience: str) -> str:
        """The context as text for one message: ASCII without blanks.

        Args:
            context: who acts for which tenant.
            audience: the message that it goes with, and all of it that matters; see `digest`.

        Raises:
            MissingTenant: without a context.
        """
        required(context, "there is no tenant to seal: pass a TenantContext")
        issued = int(self._clock())
        claims: dict[str, Any] = {"context": json.loads(context.to_json()), "iat": issued}
        if self._expires_s is not None:
            claims["exp"] = issued + self._expires_s
        name, key = next(iter(self._keys.items()))
        payload = encoded(json.dumps(claims, sort_keys=True, separators=(",", ":")).encode())
        head = f"{VERSION}.{name}.{payload}"
        return f"{head}.{encoded(signature(key, head, audience))}"

    def opened(self, text: object, *, audience: str) -> TenantContext:
        """The context that was sealed for this message.

        Raises:
            MissingTenant: where there is nothing to open.
            NotAuthenticated: when it was not sealed by one of our keys, for this audience, or
                holds no longer. The message says which, and never what was in it.
        """
        if text is None or text == "":
            raise MissingTenant("the message says nothing about its tenant: it was sent past us")
        parts = text.split(".") if isinstance(text, str) and len(text) <= LONGEST else []
        if not parts or parts[0] != VERSION:
            raise NotAuthenticated("the message's envelope is of no version that is known here")
        key = self._keys.get(parts[1]) if len(parts) == 4 else None  # noqa: PLR2004 - see above
        if key is None:
            raise NotAuthenticated("the message's envelope was sealed with no key of ours")
        head, _, mac = str(text).rpartition(".")
        if not hmac.compare_digest(encoded(signature(key, head, audience)).encode(), bytesof(mac)):
            raise NotAuthenticated(
                "the message's envelope does not hold: it is forged, or was sealed for another "
                "message"
            )
        claims = json.loads(base64.urlsafe_b64decode(padded(parts[2])))
        self._in_time(claims)
        return TenantContext.from_json(json.dumps(claims["context"]))

    def _in_time(self, claims: Mapping[str, Any]) -> None:
        now = self._clock()
        if claims["iat"] > now + AHEAD_S:
            raise NotAuthenticated("the message's envelope is of the future: compare the clocks")
        if claims.get("exp", now) < now:
            raise NotAuthenticated("the message's envelope has expired")


def digest(*parts: object) -> str:
    """An audience for `Envelopes`: two that differ in any part have different ones.

    Args:
        parts: what JSON can say; the order of keys does not count.
    """
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def signature(key: bytes, head: str, audience: str) -> bytes:
    """The code over head and audience; neither can run into the other, for a head has no NUL."""
    return hmac.digest(key, b"partywall envelope\0" + f"{head}\0{audience}".encode(), "sha256")


def named(key: bytes) -> str:
    """The name of a key that was given none; it tells nothing of the key."""
    if not isinstance(key, bytes):
        raise ConfigurationError("a key is bytes: secrets.token_bytes(32)")
    return hmac.digest(key, b"partywall key id", "sha256")[:6].hex()


def encoded(data: bytes) -> str:
    """base64url without its padding (RFC 4648, section 5)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def padded(text: str) -> str:
    """As it was before `encoded` took the padding off."""
    return text + "=" * (-len(text) % 4)


def bytesof(text: str) -> bytes:
    """What can be compared in constant time: text with other letters than ASCII can't."""
    return text.encode("utf-8", "replace")
