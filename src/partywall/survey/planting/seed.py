"""What makes one row's values: all follow from the row's seed, so they are known beforehand."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from uuid import UUID

LETTERS = "abcdefghijkmnpqrstuvwxyz23456789"
NONCE_BYTES = 9


@dataclass(frozen=True, slots=True)
class Seed:
    """The source of one row's values; *salt* is usually a column's name.

    Attributes:
        canary: the word that every text of the row carries.
        nonce: random, and no other row's.
    """

    canary: str
    nonce: str

    def number(self, salt: str, low: int, high: int) -> int:
        """Return a number from *low* to *high*, both possible."""
        return low + int.from_bytes(self._bytes(salt)) % (high - low + 1)

    def letters(self, salt: str, count: int) -> str:
        """Return *count* lower-case letters and digits."""
        number = int.from_bytes(self._bytes(salt))
        found = []
        for _ in range(count):
            number, place = divmod(number, len(LETTERS))
            found.append(LETTERS[place])
        return "".join(found)

    def uuid(self, salt: str) -> str:
        """Return a random UUID, version 4."""
        return str(UUID(bytes=self._bytes(salt)[:16], version=4))

    def word(self, salt: str, length: int | None = None) -> str:
        """Return a word that carries the canary and is unique to the row and *salt*.

        Where *length* leaves no room for both, it is unique and carries no canary.
        """
        room = len(self.canary) + 5 if length is None else length
        if room < len(self.canary) + 2:
            return self.letters(salt, max(room, 0))
        unique = min(room - len(self.canary), 5)
        return self.canary + self.letters(salt, unique)

    def _bytes(self, salt: str) -> bytes:
        return hashlib.sha256(f"{self.nonce}/{salt}".encode()).digest()


def fresh_seed(canary: str) -> Seed:
    """Return a seed for a new row."""
    return Seed(canary, secrets.token_hex(NONCE_BYTES))


def fresh_canary(who: str) -> str:
    """Return a word that occurs in nobody's data: ``pwb7k2q9x`` for B."""
    letters = "".join(secrets.choice(LETTERS) for _ in range(6))
    return f"pw{who.lower()[:1]}{letters}"
