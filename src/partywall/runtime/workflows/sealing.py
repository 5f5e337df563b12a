"""Texts that engines keep: encrypted, and bound to the one place where they may be read.

AES-256-GCM, with a key of its own for each tenant, so that a text of another tenant can't be read
even by a mistake of ours; what a text is bound to is authenticated with it (its additional data).
Keys are derived by HKDF.
https://csrc.nist.gov/pubs/sp/800/38/d/final, https://www.rfc-editor.org/rfc/rfc5869
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import os
from functools import lru_cache
from typing import TYPE_CHECKING

from partywall.errors import ConfigurationError, ForgedExecution

try:
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF
except ModuleNotFoundError as missing:
    if missing.name != "cryptography":
        raise
    raise ConfigurationError(
        "workflows need cryptography: pip install 'partywall[encryption]'"
    ) from missing

if TYPE_CHECKING:
    from collections.abc import Sequence

SHORTEST = 32
NONCE = 12
TENANTS = 4096
"""How many tenants' keys are remembered."""

LABEL = b"partywall workflows 1"


class Seal:
    """Seals and opens.

    Args:
        key: the secret, 32 bytes or more.
        older: secrets of before, which still open what they have sealed.

    Raises:
        ConfigurationError: for one that is too short.
    """

    def __init__(self, key: str | bytes, older: Sequence[str | bytes] = ()) -> None:
        secrets = [each.encode() if isinstance(each, str) else each for each in (key, *older)]
        if any(len(each) < SHORTEST for each in secrets):
            raise ConfigurationError(
                "a key for workflows has 32 bytes or more: make one with "
                'python -c "import secrets; print(secrets.token_urlsafe(32))"'
            )
        self._secrets = secrets
        self._ciphers = lru_cache(TENANTS)(self._derived)

    def seal(self, text: str, bound: tuple[str, ...]) -> str:
        """Encrypt for the place that *bound* says; its second part is the tenant."""
        nonce = os.urandom(NONCE)
        [cipher, *_] = self._ciphers(bound[1])
        data = cipher.encrypt(nonce, text.encode(), json.dumps(bound).encode())
        return base64.urlsafe_b64encode(nonce + data).decode()

    def open(self, sealed: object, bound: tuple[str, ...]) -> str:
        """Decrypt what was sealed for this place.

        Raises:
            ForgedExecution: for anything else.
        """
        try:
            data = base64.urlsafe_b64decode(sealed if isinstance(sealed, str) else "")
        except (binascii.Error, ValueError):
            data = b""
        for cipher in self._ciphers(bound[1]):
            try:
                plain = cipher.decrypt(data[:NONCE], data[NONCE:], json.dumps(bound).encode())
            except (InvalidTag, ValueError):
                continue
            return plain.decode()
        raise ForgedExecution(
            f"the workflow engine keeps another {bound[0]} than was put there: its tables were "
            "edited, it belongs to another execution, or the key was changed without keeping the "
            "old one (older_keys=)"
        )

    def digest(self, bound: tuple[str, ...]) -> str:
        """A name made of *bound*, which nobody without the key can foretell."""
        mac = hmac.new(self._secrets[-1], LABEL + json.dumps(bound).encode(), hashlib.sha256)
        return mac.hexdigest()[:32]

    def _derived(self, tenant: str) -> list[AESGCM]:
        info = LABEL + b" " + tenant.encode()
        return [
            AESGCM(HKDF(algorithm=SHA256(), length=32, salt=None, info=info).derive(each))
            for each in self._secrets
        ]
