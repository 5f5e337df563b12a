"""A small AES-GCM, for what a cache asks of one."""

from __future__ import annotations

import os

from cryptography.hazmat.primitives.ciphers.aead import AESGCM


class Sealed:
    """Seals with one key for all; the tenant and the place are in the additional data."""

    def __init__(self) -> None:
        self._cipher = AESGCM(AESGCM.generate_key(256))

    def seal(self, tenant_id: str, key: str, value: bytes) -> bytes:
        nonce = os.urandom(12)
        return nonce + self._cipher.encrypt(nonce, value, f"{tenant_id}/{key}".encode())

    def open(self, tenant_id: str, key: str, sealed: bytes) -> bytes:
        return self._cipher.decrypt(sealed[:12], sealed[12:], f"{tenant_id}/{key}".encode())
