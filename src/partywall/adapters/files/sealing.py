"""Content that is encrypted on its way into the store, block by block.

What a `Sealing` does with one block is its own; that no block can be left out, doubled, moved to
another place or taken from another file is seen to here: each is sealed under a name that says
which file, which writing of it, which block, and whether it is the last (the construction STREAM).
https://eprint.iacr.org/2015/189
"""

from __future__ import annotations

import secrets
import struct
from typing import TYPE_CHECKING, Protocol

from partywall.adapters.files.store import BLOCK
from partywall.errors import WallError

if TYPE_CHECKING:
    from partywall.adapters.files.store import FileInfo, Reading, Writing

WRITING = 16
FRAME = struct.Struct(">BI")  # whether it is the last, and how long what follows is
MOST = 2 * BLOCK
"""Bytes of a sealed block; what says that it has more isn't believed."""

BROKEN = "the stored file is not as it was sealed: it was cut, changed, or moved here"


class Sealing(Protocol):
    """Encrypts for a tenant, so that nothing opens under another tenant or name.

    Of AES-GCM, *tenant_id* and *name* are associated data.
    """

    def seal(self, tenant_id: str, name: str, data: bytes) -> bytes:
        """*data* encrypted and authenticated, at most twice as long as a block of 256 KiB."""
        ...

    def open(self, tenant_id: str, name: str, data: bytes) -> bytes:
        """What was sealed.

        Raises:
            PartywallError: when it was not, for this tenant and under this name.
        """
        ...


class SealedWriting:
    """Seals what is written, in blocks; at most one of them is in memory."""

    def __init__(self, inner: Writing, sealing: Sealing, tenant_id: str, name: str) -> None:
        self._inner = inner
        self._sealing = sealing
        self._tenant_id = tenant_id
        self._writing = secrets.token_bytes(WRITING)
        self._name = name
        self._waiting = bytearray()
        self._count = 0

    def write(self, data: bytes) -> None:
        """Add bytes."""
        rest = memoryview(data)
        while rest:
            room = BLOCK - len(self._waiting)
            self._waiting += rest[:room]
            rest = rest[room:]
            if rest and len(self._waiting) == BLOCK:  # one is held back: it may be the last
                self._seal(last=False)

    def commit(self) -> None:
        """Seal the last block, and commit."""
        self._seal(last=True)
        self._inner.commit()

    def abort(self) -> None:
        """Leave nothing."""
        self._inner.abort()

    def _seal(self, *, last: bool) -> None:
        if self._count == 0:
            self._inner.write(self._writing)
        name = block_name(self._name, self._writing, self._count, last=last)
        sealed = self._sealing.seal(self._tenant_id, name, bytes(self._waiting))
        self._inner.write(FRAME.pack(last, len(sealed)) + sealed)
        self._waiting.clear()
        self._count += 1


class SealedReading:
    """Opens what was sealed; not a byte is given out that was not authenticated."""

    def __init__(self, inner: Reading, sealing: Sealing, tenant_id: str, name: str) -> None:
        self._inner = inner
        self._sealing = sealing
        self._tenant_id = tenant_id
        self._name = name
        self._writing = b""
        self._opened = b""
        self._count = 0
        self._over = False

    @property
    def info(self) -> FileInfo:
        """What is known of it."""
        return self._inner.info

    def read(self, size: int) -> bytes:
        """The next bytes.

        Raises:
            WallError: when blocks are missing, or more follow.
            PartywallError: when one can't be opened.
        """
        while not self._opened and not self._over:
            self._opened = self._next()
        given, self._opened = self._opened[:size], self._opened[size:]
        return given

    def close(self) -> None:
        """Let it go."""
        self._inner.close()

    def _next(self) -> bytes:
        if self._count == 0:
            self._writing = self._exactly(WRITING)
        last, length = FRAME.unpack(self._exactly(FRAME.size))
        if last not in {0, 1} or length > MOST:
            raise WallError(BROKEN)
        name = block_name(self._name, self._writing, self._count, last=bool(last))
        found = self._sealing.open(self._tenant_id, name, self._exactly(length))
        self._count += 1
        self._over = bool(last)
        if self._over and self._inner.read(1):
            raise WallError(BROKEN)
        return found

    def _exactly(self, size: int) -> bytes:
        parts, missing = [], size
        while missing:
            part = self._inner.read(missing)
            if not part:
                raise WallError(BROKEN)
            parts.append(part)
            missing -= len(part)
        return b"".join(parts)


def block_name(name: str, writing: bytes, count: int, *, last: bool) -> str:
    """What a block is sealed under; a file's name has no line break, so that none is two."""
    return f"{name}\n{writing.hex()}\n{count}\n{'last' if last else 'more'}"
