"""Secrets that are shown once: how they are made, told from other text, and kept."""

from __future__ import annotations

import hashlib
import re
import secrets
import zlib

SHAPE = re.compile(r"[0-9a-f]{72}\Z")


def made(prefix: str) -> str:
    """A new secret of 256 random bits.

    Its prefix says what it is and its last eight digits, a CRC-32, whether the rest was copied in
    full: so scanners for leaked secrets can tell one from any other text.
    """
    body = secrets.token_hex(32)
    return f"{prefix}{body}{check(body)}"


def plausible(secret: str, prefix: str) -> bool:
    """Whether this could be one of ours; no database is asked."""
    rest = secret.removeprefix(prefix)
    return rest != secret and SHAPE.match(rest) is not None and check(rest[:64]) == rest[64:]


def check(body: str) -> str:
    """The end of a secret."""
    return f"{zlib.crc32(body.encode()):08x}"


def digest(secret: str) -> bytes:
    """What is kept of a secret; 256 random bits need neither salt nor a slow hash."""
    return hashlib.sha256(secret.encode()).digest()
