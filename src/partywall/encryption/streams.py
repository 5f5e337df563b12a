"""Sealed streams: chunks that can't be cut off, swapped or taken from elsewhere.

The STREAM construction, by which the nonce of a chunk is a random prefix, its number, and whether
it is the last one: https://eprint.iacr.org/2015/189, section 7. Each chunk is a message of
XAES-256-GCM under that nonce, of 64 KiB but for the last, which may be empty only where the whole
stream is.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from partywall.encryption import envelope
from partywall.encryption.xaes import BROKEN, TAG_BYTES
from partywall.errors import SealBroken

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import BinaryIO

    from partywall.encryption.ring import Ring

CHUNK_BYTES = 65_536
PREFIX_BYTES = 19
MOST_CHUNKS = 2**32


def sealed(ring: Ring, name: str, source: Iterable[bytes] | BinaryIO) -> Iterator[bytes]:
    """The pieces of a sealed stream: its header, and a chunk each."""
    key = ring.newest("seal")
    header, prefix = envelope.header(key, envelope.STREAM), secrets.token_bytes(PREFIX_BYTES)
    about = header + envelope.place(ring.tenant_id, "stream", name)
    cipher = AESGCM(key.cipher.derived(prefix))  # the same for all chunks

    def pieces() -> Iterator[bytes]:
        yield header + prefix
        for number, chunk, last in numbered(source, CHUNK_BYTES):
            yield cipher.encrypt(nonce(prefix, number, last=last), chunk, about)

    return pieces()


def opened(ring: Ring, name: str, source: Iterable[bytes] | BinaryIO) -> Iterator[bytes]:
    """The pieces of what was sealed.

    Raises:
        SealBroken: as soon as something is not as it was.
    """
    beginning = envelope.HEADER_BYTES + PREFIX_BYTES
    held = bytearray()
    rest = pieces_of(source, CHUNK_BYTES)
    while len(held) < beginning:
        piece = next(rest, None)
        if piece is None:
            raise SealBroken(BROKEN)
        held += piece
    header, prefix = bytes(held[: envelope.HEADER_BYTES]), bytes(held[envelope.HEADER_BYTES :])
    prefix, first = prefix[:PREFIX_BYTES], prefix[PREFIX_BYTES:]
    key = ring.key(envelope.key_of(header, envelope.STREAM))
    about = header + envelope.place(ring.tenant_id, "stream", name)
    cipher = AESGCM(key.cipher.derived(prefix))

    def remaining() -> Iterator[bytes]:
        yield first
        yield from rest

    for number, chunk, last in numbered(remaining(), CHUNK_BYTES + TAG_BYTES):
        try:
            plain = cipher.decrypt(nonce(prefix, number, last=last), chunk, about)
        except InvalidTag:
            raise SealBroken(BROKEN) from None
        if number and not plain:
            raise SealBroken(BROKEN)  # a second way to write the same stream
        yield plain


def nonce(prefix: bytes, number: int, *, last: bool) -> bytes:
    """The nonce of a chunk, as AES-GCM takes it: what of the prefix gave no key, and the rest."""
    return prefix[12:] + number.to_bytes(4) + (b"\x01" if last else b"\x00")


def numbered(source: Iterable[bytes] | BinaryIO, size: int) -> Iterator[tuple[int, bytes, bool]]:
    """Chunks of *size* with their number and whether they are the last; at least one, maybe empty.

    Raises:
        ValueError: when there are more than can be numbered.
    """
    held, number = bytearray(), 0
    for piece in pieces_of(source, size):
        held += piece
        while len(held) > size:  # a full one may be the last: it waits until there is more
            yield number, bytes(held[:size]), False
            del held[:size]
            number += 1
            if number == MOST_CHUNKS:
                raise ValueError("a stream has at most 2^32 chunks: seal it in parts")
    yield number, bytes(held), True


def pieces_of(source: Iterable[bytes] | BinaryIO, size: int) -> Iterator[bytes]:
    """What *source* has, a file's contents in pieces of *size*."""
    read = getattr(source, "read", None)
    if read is None:
        yield from source
        return
    while piece := read(size):
        yield piece
