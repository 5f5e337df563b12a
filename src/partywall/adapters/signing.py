"""Tokens that say what they allow, with an HMAC over all of it."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re

from partywall.errors import ConfigurationError, NotAuthenticated

SHORTEST_KEY = 32
LONGEST_TOKEN = 4096
TOKEN = re.compile(r"([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]{43})\Z")
REFUSED = "this token does not hold: it was changed, it has ended, or it was never ours"


class Signing:
    """Signs what is to be believed again.

    Args:
        keys: at least 32 random bytes each; the first one signs, each of them verifies.
        purpose: of the tokens: what one purpose's key has signed holds for no other.

    Raises:
        ConfigurationError: without a key, or for one that is too short.
    """

    def __init__(self, keys: tuple[bytes, ...], purpose: str) -> None:
        if not keys or any(len(key) < SHORTEST_KEY for key in keys):
            raise ConfigurationError(
                f"tokens are signed with keys of {SHORTEST_KEY} random bytes or more: make one "
                "with secrets.token_bytes(32), and keep it with your secrets"
            )
        self._keys = keys
        self._purpose = f"{purpose}\n".encode()

    def token(self, payload: bytes) -> str:
        """*payload* and its code, as they may stand in an address or a header."""
        return f"{text_of(payload)}.{text_of(self._code(self._keys[0], payload))}"

    def payload(self, token: str) -> bytes:
        """What was signed.

        Raises:
            NotAuthenticated: when it was not, or is spelled otherwise.
        """
        match = TOKEN.match(token) if len(token) <= LONGEST_TOKEN else None
        if match is None:
            raise NotAuthenticated(REFUSED)
        payload, code = bytes_of(match[1]), bytes_of(match[2])
        if not any(hmac.compare_digest(self._code(key, payload), code) for key in self._keys):
            raise NotAuthenticated(REFUSED)
        return payload

    def _code(self, key: bytes, payload: bytes) -> bytes:
        return hmac.digest(key, self._purpose + payload, hashlib.sha256)


def text_of(data: bytes) -> str:
    """Base64url without padding (RFC 4648, 5)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def bytes_of(text: str) -> bytes:
    """What `text_of` wrote.

    Raises:
        NotAuthenticated: for any other spelling of the same bytes: one token has one, so that a
            list of those that were used, or blocked, is no sieve.
    """
    try:
        data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (ValueError, binascii.Error):
        raise NotAuthenticated(REFUSED) from None
    if text_of(data) != text:
        raise NotAuthenticated(REFUSED)
    return data
