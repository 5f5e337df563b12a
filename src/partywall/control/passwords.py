"""Passwords: argon2id, with the second parameters that RFC 9106 recommends (64 MiB, three passes).

https://www.rfc-editor.org/rfc/rfc9106#section-4
"""

from __future__ import annotations

import os
import threading
import unicodedata

from argon2 import PasswordHasher, extract_parameters
from argon2.exceptions import InvalidHashError, VerifyMismatchError

from partywall.errors import InvalidRecord

SHORTEST, LONGEST = 8, 256
"""Characters. https://pages.nist.gov/800-63-3/sp800-63b.html#memsecretver wants 8 at least, and
64 allowed; what is longer than ours is no password, and would only keep the processor busy."""

_hasher = PasswordHasher()

_places = threading.BoundedSemaphore(os.cpu_count() or 1)
"""Whoever hashes holds one: more at once would take memory, 64 MiB each, and save no time."""


def hashed(password: str) -> str:
    """What is kept of a password.

    Raises:
        InvalidRecord: for one that is too short or too long, or has half a character.
    """
    normal = normalised(password)
    if normal is None or len(normal) < SHORTEST:
        raise InvalidRecord(f"a password has {SHORTEST} to {LONGEST} characters")
    with _places:
        return _hasher.hash(normal)


def matches(kept: str, password: str) -> bool:
    """Whether *password* is the one of which *kept* is the hash.

    It takes as long where *kept* is "", or the hash of another system: nothing matches those.
    """
    normal = normalised(password)
    if normal is None:
        return False
    try:
        extract_parameters(kept)
    except InvalidHashError:
        kept = nobodys()
    with _places:
        try:
            return _hasher.verify(kept, normal)
        except VerifyMismatchError:
            return False


def renewed(kept: str, password: str) -> str:
    """The hash to keep of a password that has matched: a new one where parameters have changed."""
    normal = normalised(password)
    if normal is None or not _hasher.check_needs_rehash(kept):
        return kept
    with _places:
        return _hasher.hash(normal)  # also of a short one: it was good enough when it was chosen


def normalised(password: str) -> str | None:
    """*password* as it is hashed, however it was typed; None when it can't be one.

    One keyboard writes é as one character, another as two: NFKC makes them one.
    """
    if len(password) > LONGEST:  # before anything is done with it
        return None
    normal = unicodedata.normalize("NFKC", password)
    try:
        normal.encode()
    except UnicodeEncodeError:  # JSON can carry half a character
        return None
    return normal


def nobodys() -> str:
    """A hash that no password is known for, with the parameters of today."""
    salt, digest = "A" * 22, "A" * 43
    cost = f"m={_hasher.memory_cost},t={_hasher.time_cost},p={_hasher.parallelism}"
    return f"$argon2id$v=19${cost}${salt}${digest}"
