"""What goes into a file, and what comes out of it: drafts, and files that are open."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator
from typing import TYPE_CHECKING, BinaryIO, TypeAlias

from partywall.adapters.files.sealing import SealedReading
from partywall.adapters.files.store import BLOCK
from partywall.adapters.files.threads import in_thread
from partywall.errors import InvalidRecord, TooLarge

if TYPE_CHECKING:
    from partywall.adapters.files.store import Reading, Writing

LOG = logging.getLogger("partywall.files")

Content: TypeAlias = bytes | BinaryIO | Iterable[bytes]
AsyncContent: TypeAlias = Content | AsyncIterable[bytes]


class OpenFile:
    """A file that is open.

    Attributes:
        info: what is known of it.
        size_bytes: how long its content is; None where it is sealed, and only reading it tells.
    """

    def __init__(self, reading: Reading) -> None:
        self.reading = reading
        self.info = reading.info
        self.size_bytes = known_size(reading)


class TenantFile(OpenFile):
    """A file that is open, for code that blocks."""

    def read(self, size: int) -> bytes:
        """The next bytes, at most *size*; none at its end."""
        return self.reading.read(size)

    def __iter__(self) -> Iterator[bytes]:
        """The content, in blocks."""
        while block := self.reading.read(BLOCK):
            yield block


class AsyncTenantFile(OpenFile):
    """A file that is open, for async code."""

    async def read(self, size: int) -> bytes:
        """The next bytes, at most *size*; none at its end."""
        return await in_thread(lambda: self.reading.read(size))

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """The content, in blocks."""
        while block := await self.read(BLOCK):
            yield block


class Draft:
    """A file that is being written, held to its size."""

    def __init__(self, writing: Writing, limit_bytes: int, size_bytes: int | None) -> None:
        self._writing = writing
        self._limit_bytes = limit_bytes
        self._exactly = size_bytes
        self._most = limit_bytes if size_bytes is None else min(limit_bytes, size_bytes)
        self.size_bytes = 0

    def write(self, block: bytes) -> None:
        """Add bytes.

        Raises:
            TooLarge: when there are more than may be.
            TypeError: for what is none.
        """
        if not isinstance(block, (bytes, bytearray, memoryview)):
            raise TypeError(f"the content of a file is bytes, not {type(block).__name__}")
        data = bytes(block)  # a view may count in larger things than bytes
        self.size_bytes += len(data)
        if self.size_bytes > self._most:
            raise TooLarge(f"the file has more than {self._most} bytes: nothing of it was kept")
        if data:
            self._writing.write(data)

    def check(self) -> None:
        """Hold it to its size.

        Raises:
            InvalidRecord: when it has less than was said.
        """
        if self._exactly is not None and self.size_bytes != self._exactly:
            raise InvalidRecord(
                f"the file has {self.size_bytes} bytes of {self._exactly}: nothing was kept"
            )

    def commit(self) -> None:
        """Make it a file."""
        self._writing.commit()

    def abort(self) -> None:
        """Leave nothing of it; why it is aborted is told by who aborts."""
        try:
            self._writing.abort()
        except Exception as error:  # noqa: BLE001 - it must not hide what happened before
            LOG.warning("a file that was not kept is still partly there: %s", type(error).__name__)


def blocks(content: Content) -> Iterator[bytes]:
    """Content in pieces."""
    if isinstance(content, (bytes, bytearray, memoryview)):
        view = memoryview(content)
        return (bytes(view[at : at + BLOCK]) for at in range(0, len(view), BLOCK))
    if isinstance(content, str):
        raise TypeError("the content of a file is bytes, not str")
    read = getattr(content, "read", None)
    return iter(lambda: read(BLOCK), b"") if read is not None else iter(content)


def whole(reading: Reading, limit_bytes: int) -> bytes:
    """All that is left of a file.

    Raises:
        TooLarge: when that is more than *limit_bytes*.
    """
    found = bytearray()
    while block := reading.read(BLOCK):
        found += block
        if len(found) > limit_bytes:
            raise TooLarge(f"the file has more than {limit_bytes} bytes: read it with open()")
    return bytes(found)


def known_size(reading: Reading) -> int | None:
    """How long the content of a file is, where what is stored tells."""
    return None if isinstance(reading, SealedReading) else reading.info.stored_bytes
