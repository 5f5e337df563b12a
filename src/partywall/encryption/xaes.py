"""XAES-256-GCM: AES-GCM with nonces long enough to be drawn at random.

Each message has a key of its own, derived from the first half of a nonce of 192 bits; the second
half is AES-GCM's. https://c2sp.org/XAES-256-GCM
"""

from __future__ import annotations

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, CipherContext
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.ciphers.modes import ECB

from partywall.errors import SealBroken

KEY_BYTES = 32
NONCE_BYTES = 24
TAG_BYTES = 16

FIRST, SECOND = b"\x00\x01X\x00", b"\x00\x02X\x00"
"""What the derivation puts before the nonce: a counter, the label X, and a zero."""

BLOCKS = 2**128 - 1

BROKEN = (
    "this was not sealed for this tenant in this place, or it was changed since: restore it from "
    "where it was right"
)
"""The one message for every reason, so that nobody learns which it was."""


class Xaes:
    """Seals and opens with one key, which is zeroised when the last user has let go.

    Args:
        key: 32 bytes, which are this object's from now on.
    """

    __slots__ = ("_idle", "_key", "_subkeys")

    def __init__(self, key: bytearray) -> None:
        if len(key) != KEY_BYTES:
            raise ValueError("a key has 32 bytes")
        self._key = key
        self._idle: list[CipherContext] = []
        doubled = int.from_bytes(self._blocks(bytes(16))) << 1
        subkey = (doubled & BLOCKS) ^ (0x87 if doubled > BLOCKS else 0)
        self._subkeys = subkey << 128 | subkey  # one for each of two blocks

    def seal(self, nonce: bytes, data: bytes, about: bytes) -> bytes:
        """*data* encrypted, with its tag; *about* is not in it, and must be the same to open.

        Args:
            nonce: 24 bytes that this key has never had before: random ones.
            data: up to 64 GiB.
            about: the additional data.
        """
        return AESGCM(self.derived(nonce)).encrypt(nonce[12:], data, about)

    def open(self, nonce: bytes, sealed: bytes, about: bytes) -> bytes:
        """What `seal` was given.

        Raises:
            SealBroken: when any of the three is another.
        """
        if len(nonce) != NONCE_BYTES:
            raise SealBroken(BROKEN)
        try:
            return AESGCM(self.derived(nonce)).decrypt(nonce[12:], sealed, about)
        except InvalidTag:
            raise SealBroken(BROKEN) from None

    def derived(self, nonce: bytes) -> bytes:
        """The key of one message, by the first 12 bytes of its nonce: NIST SP 800-108 with CMAC."""
        context = nonce[:12]
        both = int.from_bytes(FIRST + context + SECOND + context)
        return self._blocks((both ^ self._subkeys).to_bytes(32))

    def _blocks(self, blocks: bytes) -> bytes:
        # Making one takes a hundred times as long as using it, and threads can't share one: each
        # takes one of those that nobody uses. pop and append are atomic.
        try:
            cipher = self._idle.pop()
        except IndexError:
            cipher = Cipher(AES256(self._key), ECB()).encryptor()  # noqa: S305 - a PRF
        found = cipher.update(blocks)
        self._idle.append(cipher)
        return found

    def __repr__(self) -> str:
        """Nothing of the key."""
        return "<a key>"

    def __reduce__(self) -> tuple[object, ...]:
        """Refuse to be written down.

        Raises:
            TypeError: always.
        """
        raise TypeError("a key is not pickled or copied")

    def __del__(self) -> None:
        """Overwrite the key; copies that Python and OpenSSL made on the way are theirs."""
        for place in range(len(self._key)):
            self._key[place] = 0
