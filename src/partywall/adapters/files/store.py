"""What a store of files does: the port of `Folder` and `S3`.

Stores are told places and names that `names` has checked, and know nothing of tenants.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator

BLOCK = 256 * 1024
"""Bytes that are moved at once."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A file in a list.

    Attributes:
        name: as it was put, in normal form C.
        stored_bytes: what it takes; of a sealed file a little more than its content has.
        modified: when it was put, in UTC.
    """

    name: str
    stored_bytes: int
    modified: dt.datetime


@dataclass(frozen=True, slots=True)
class FileInfo(Entry):
    """What is known of a file without reading it.

    Attributes:
        content_type: its media type, in the words of who put it.
    """

    content_type: str


@dataclass(frozen=True, slots=True)
class Removed:
    """What a removal has removed, in numbers.

    Attributes:
        files: how many; of a bucket with versions, how many versions.
        stored_bytes: what they took.
    """

    files: int = 0
    stored_bytes: int = 0

    def __add__(self, other: Removed) -> Removed:
        """Both."""
        return Removed(self.files + other.files, self.stored_bytes + other.stored_bytes)


class Reading(Protocol):
    """A file that is open."""

    @property
    def info(self) -> FileInfo:
        """What is known of it."""
        ...

    def read(self, size: int) -> bytes:
        """The next bytes, at most *size* of them; none at its end."""
        ...

    def close(self) -> None:
        """Let it go; again: nothing."""
        ...


class Writing(Protocol):
    """A file that is being written, and that nobody sees before it is whole."""

    def write(self, data: bytes) -> None:
        """Add bytes; the first time also begin."""
        ...

    def commit(self) -> None:
        """Make it the file of its name, durably and at once."""
        ...

    def abort(self) -> None:
        """Leave nothing of it; after `commit`: nothing happens."""
        ...


class Store(Protocol):
    """Keeps files, each in a place."""

    def writing(self, place: str, name: str, content_type: str) -> Writing:
        """Begin a file, with the first byte and not before."""
        ...

    def reading(self, place: str, name: str) -> Reading:
        """Open a file.

        Raises:
            UnknownRecord: when there is none.
        """
        ...

    def stat(self, place: str, name: str) -> FileInfo:
        """What is known of a file.

        Raises:
            UnknownRecord: when there is none.
        """
        ...

    def entries(self, place: str, under: str) -> Iterator[Entry]:
        """The files below the folder *under*, of the whole place where it is "", in no order."""
        ...

    def delete(self, place: str, name: str) -> None:
        """Remove a file.

        Raises:
            UnknownRecord: when there is none.
        """
        ...

    def empty(self, place: str) -> Removed:
        """Remove every file of the place, also what is being written."""
        ...

    def erase(self, place: str) -> Removed:
        """As `empty`, and let nothing be written there any more, where the store can see to it."""
        ...
