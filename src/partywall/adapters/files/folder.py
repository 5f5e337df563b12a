"""Files in a folder of this machine: `Folder`.

Before the content of each file stands a block of 512 bytes: a line that says what it is, a line of
JSON with its media type and the place it belongs to, and spaces. So the content and what is known
of it are written by one rename, and a file that a restore put into another tenant's folder isn't
read there. ``tail -c +513`` shows the content.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import secrets
import stat
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from partywall.adapters.files import walking
from partywall.adapters.files.names import OWN
from partywall.adapters.files.store import BLOCK, Entry, FileInfo, Removed
from partywall.errors import (
    ConfigurationError,
    DeletedTenant,
    RecordConflict,
    TenantMismatch,
    UnknownRecord,
    WallError,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

HEADER = 512
MAGIC = b"partywall file 1\n"
ATTEMPTS = 50
"""How often a folder is made again that somebody's removal took away between making and using."""

MEANWHILE = "the tenant's files were removed while this one was written: nothing was kept"


class Folder:
    """Files of tenants below one folder: `<folder>/<place>/<name>`.

    Nothing below the folder is reached through a symbolic link, at whatever moment it appears;
    the folder may be one itself. What is written is on the disk before anybody sees it under its
    name. Folders are made for their owner alone (0700), files too (0600).

    Args:
        path: the folder; it is there already, on a local file system, and nobody but the
            application may write there.

    Raises:
        ConfigurationError: when there is no such folder, or the system can't open a file from a
            folder that is open (Windows).
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path).absolute()
        if not walking.POSSIBLE:
            raise ConfigurationError("Folder needs a POSIX system: use S3 on this one")
        if not self.path.is_dir():
            raise ConfigurationError(f"there is no folder {self.path}: make it, and own it alone")

    def __repr__(self) -> str:
        """The folder."""
        return f"Folder({str(self.path)!r})"

    def writing(self, place: str, name: str, content_type: str) -> FolderWriting:
        """Begin a file."""
        return FolderWriting(self, place, name, content_type)

    def reading(self, place: str, name: str) -> FolderReading:
        """Open a file."""
        *parents, leaf = name.split("/")
        with self.root() as root:
            folder = walking.entered(root, [place, *parents])
        with walking.opened(folder):
            return FolderReading(walking.readable(folder, leaf), place, name)

    def stat(self, place: str, name: str) -> FileInfo:
        """What is known of a file."""
        file = self.reading(place, name)
        file.close()
        return file.info

    def entries(self, place: str, under: str) -> Iterator[Entry]:
        """The files below a folder; none where there is no such folder."""
        prefix = f"{under}/" if under else ""
        with self.root() as root:
            try:
                folder = walking.entered(root, [place, *filter(None, under.split("/"))])
            except UnknownRecord:
                return
        with walking.opened(folder):
            for parent, leaf, name in walking.walked(folder, prefix):
                if leaf.startswith(OWN):
                    continue
                with suppress(FileNotFoundError):  # deleted since the folder was read
                    yield entry(name, os.stat(leaf, dir_fd=parent, follow_symlinks=False))

    def delete(self, place: str, name: str) -> None:
        """Remove a file, and the folders that are empty then."""
        *parents, leaf = name.split("/")
        with self.root() as root:
            folder = walking.entered(root, [place, *parents])
            with walking.opened(folder):
                if walking.kind(folder, leaf) != stat.S_IFREG:
                    raise UnknownRecord(walking.NONE)
                try:
                    os.unlink(leaf, dir_fd=folder)
                except FileNotFoundError:
                    raise UnknownRecord(walking.NONE) from None
                os.fsync(folder)
            prune(root, [place, *parents])

    def empty(self, place: str) -> Removed:
        """Remove every file of the place."""
        with self.root() as root:
            return self._emptied(root, place, forever=False)

    def erase(self, place: str) -> Removed:
        """Remove every file of the place, and leave a file of its name.

        Where that file stands no folder can be made: what is being written this very moment can't
        be brought to its end, and later files are refused with `DeletedTenant`.
        """
        with self.root() as root:
            return self._emptied(root, place, forever=True)

    def _emptied(self, root: int, place: str, *, forever: bool) -> Removed:
        aside = f".{place}.removed-"
        for _ in range(ATTEMPTS):
            found = os.stat(place, dir_fd=root, follow_symlinks=False) if on(root, place) else None
            if found is not None and stat.S_ISDIR(found.st_mode):
                with suppress(FileNotFoundError):
                    # Out of everybody's way at once: removing it may take long.
                    away = aside + secrets.token_hex(8)
                    os.rename(place, away, src_dir_fd=root, dst_dir_fd=root)
            elif found is not None and not stat.S_ISREG(found.st_mode):
                os.unlink(place, dir_fd=root)  # a link in the tenant's name: it is not followed
            if not forever or tombstone(root, place):
                break
        else:
            raise RecordConflict("files of the tenant are being written faster than removed")
        os.fsync(root)
        total = Removed()
        for name in [each.name for each in os.scandir(root) if each.name.startswith(aside)]:
            for found in walking.removed(root, name):
                total += Removed(1, max(0, found.st_size - HEADER))
        os.fsync(root)
        return total

    @contextmanager
    def root(self) -> Iterator[int]:
        """The folder itself, open.

        Raises:
            ConfigurationError: when it is gone.
        """
        flags = walking.FOLDER & ~getattr(os, "O_NOFOLLOW", 0)
        try:
            root = os.open(self.path, flags)
        except (FileNotFoundError, NotADirectoryError):
            raise ConfigurationError(f"there is no folder {self.path} any more") from None
        with walking.opened(root):
            yield root


class FolderWriting:
    """A file beside the one that it becomes, under a name that no list shows."""

    def __init__(self, store: Folder, place: str, name: str, content_type: str) -> None:
        self._store = store
        self._place = place
        self._parts = name.split("/")
        self._header = header(place, content_type)
        self._temporary = OWN + secrets.token_hex(16)
        self._folder = self._file = -1

    def write(self, data: bytes) -> None:
        """Add bytes."""
        if self._file < 0:
            self._begin()
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(self._file, rest) :]

    def commit(self) -> None:
        """Put it in the place of the file of its name.

        Raises:
            RecordConflict: when a folder has that name, or the tenant's files were removed.
            WallError: when a link has it.
        """
        if self._file < 0:
            self._begin()
        os.fsync(self._file)
        leaf = self._parts[-1]
        if walking.kind(self._folder, leaf) == stat.S_IFDIR:
            raise RecordConflict("the file's name is the name of a folder already")
        try:
            os.rename(self._temporary, leaf, src_dir_fd=self._folder, dst_dir_fd=self._folder)
        except IsADirectoryError:
            raise RecordConflict("the file's name is the name of a folder already") from None
        except FileNotFoundError:
            raise RecordConflict(MEANWHILE) from None
        os.fsync(self._folder)
        self._close()

    def abort(self) -> None:
        """Remove what was written."""
        if self._folder < 0:
            return
        with suppress(FileNotFoundError):
            os.unlink(self._temporary, dir_fd=self._folder)
        self._close()
        with self._store.root() as root:
            prune(root, [self._place, *self._parts[:-1]])

    def _begin(self) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        with self._store.root() as root:
            for _ in range(ATTEMPTS):
                if on(root, self._place) and walking.kind(root, self._place) == stat.S_IFREG:
                    raise DeletedTenant("the tenant's files were erased for good")
                with suppress(FileNotFoundError):
                    folder = walking.made(root, [self._place, *self._parts[:-1]])
                    try:
                        self._file = os.open(
                            self._temporary, flags, walking.PRIVATE_FILE, dir_fd=folder
                        )
                    except BaseException:
                        os.close(folder)
                        raise
                    self._folder = folder
                    break
            else:
                raise RecordConflict(MEANWHILE)
        self.write(self._header)

    def _close(self) -> None:
        for descriptor in (self._file, self._folder):
            if descriptor >= 0:
                os.close(descriptor)
        self._file = self._folder = -1


class FolderReading:
    """A file that is open; what replaces it meanwhile is not seen."""

    def __init__(self, file: int, place: str, name: str) -> None:
        self._file = os.fdopen(file, "rb", buffering=BLOCK)
        try:
            found = os.fstat(file)
            content_type = told(self._file.read(HEADER), place)
        except BaseException:
            self._file.close()
            raise
        known = entry(name, found)
        self.info = FileInfo(known.name, known.stored_bytes, known.modified, content_type)

    def read(self, size: int) -> bytes:
        """The next bytes."""
        return self._file.read(size)

    def close(self) -> None:
        """Let it go."""
        self._file.close()


def header(place: str, content_type: str) -> bytes:
    """What stands before the content."""
    known = json.dumps({"content_type": content_type, "place": place}).encode()
    return (MAGIC + known).ljust(HEADER - 1) + b"\n"


def told(block: bytes, place: str) -> str:
    """The media type that a header says.

    Raises:
        TenantMismatch: when the file is another tenant's.
        WallError: when it is no file of ours.
    """
    foreign = "a file among the tenant's was not put there by partywall"
    if len(block) != HEADER or not block.startswith(MAGIC):
        raise WallError(foreign)
    try:
        known: dict[str, object] = json.loads(block.removeprefix(MAGIC))
        content_type, of = str(known["content_type"]), known["place"]
    except (ValueError, KeyError, TypeError):
        raise WallError(foreign) from None
    if of != place:
        raise TenantMismatch("this file is another tenant's: something has moved it here")
    return content_type


def entry(name: str, found: os.stat_result) -> Entry:
    """A file of a list."""
    modified = dt.datetime.fromtimestamp(found.st_mtime, dt.UTC)
    return Entry(name, max(0, found.st_size - HEADER), modified)


def on(root: int, place: str) -> bool:
    """Whether anything has the name of a place, a link that leads nowhere too."""
    try:
        os.stat(place, dir_fd=root, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True


def tombstone(root: int, place: str) -> bool:
    """Put a file where a place was; False when there is a folder again."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    try:
        os.close(os.open(place, flags, walking.PRIVATE_FILE, dir_fd=root))
    except FileExistsError:
        return stat.S_ISREG(os.stat(place, dir_fd=root, follow_symlinks=False).st_mode)
    return True


def prune(root: int, parts: list[str]) -> None:
    """Remove the folders of a path that are empty, from the last on."""
    for length in range(len(parts), 0, -1):
        try:
            parent = walking.entered(root, parts[: length - 1])
        except (UnknownRecord, WallError):
            return
        with walking.opened(parent):
            try:
                os.rmdir(parts[length - 1], dir_fd=parent)
            except OSError:
                return  # it isn't empty, or was another's to remove
