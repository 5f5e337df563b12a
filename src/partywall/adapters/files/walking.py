"""Folders held open, and entered one name at a time without following a link.

A path is looked up by the kernel anew each time it is used, so that whoever can put a symbolic
link into it between the look and the use decides where it leads. Here every name is opened from
the folder that is open already, with ``O_NOFOLLOW``: there is no moment in between.
https://pubs.opengroup.org/onlinepubs/9799919799/functions/openat.html
"""

from __future__ import annotations

import errno
import os
import stat
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from partywall.errors import RecordConflict, UnknownRecord, WallError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

FOLDER = os.O_RDONLY | os.O_CLOEXEC | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_NOFOLLOW", 0)
FILE = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | getattr(os, "O_NOFOLLOW", 0)
"""Without O_NONBLOCK, opening a pipe that nobody writes to would wait for ever."""

POSSIBLE = {os.open, os.mkdir, os.stat, os.unlink, os.rmdir, os.rename} <= os.supports_dir_fd
NONE = "there is no such file of the tenant"

LINK = "a symbolic link"
STANDS = "{} stands among a tenant's files: it was not followed; remove it"

NO_FOLDER = frozenset({errno.ENOTDIR, errno.ELOOP})
LOOKS = 10
"""How often a folder is opened that was none when it was opened, and is one when looked at."""

PRIVATE_FOLDER, PRIVATE_FILE = 0o700, 0o600


def kind(parent: int, name: str) -> int | None:
    """The type bits of what stands there, a link itself and not where it leads; None for nothing.

    Raises:
        WallError: for what is neither a folder nor a plain file with one name.
    """
    try:
        found = os.stat(name, dir_fd=parent, follow_symlinks=False)
    except FileNotFoundError:
        return None
    plain(found)
    return stat.S_IFMT(found.st_mode)


def plain(found: os.stat_result) -> None:
    """Take a folder, or a file that has no second name.

    Raises:
        WallError: for a link, a device, a pipe, a socket, and a file with a hard link: its other
            name may be another tenant's.
    """
    if stat.S_ISDIR(found.st_mode):
        return
    if not stat.S_ISREG(found.st_mode):
        said = LINK if stat.S_ISLNK(found.st_mode) else "a device, pipe or socket"
        raise WallError(STANDS.format(said))
    if found.st_nlink > 1:
        raise WallError("a file of the tenant has a second name (a hard link): remove one of them")


def below(parent: int, name: str) -> int | None:
    """A folder within an open one, open as well; None where there is none.

    Raises:
        WallError: for a symbolic link and the like.
    """
    for _ in range(LOOKS):
        try:
            return os.open(name, FOLDER, dir_fd=parent)
        except FileNotFoundError:
            return None
        except OSError as error:
            if kind(parent, name) in {None, stat.S_IFREG}:
                return None
            if error.errno not in NO_FOLDER:
                raise  # no permission, too many files: not for us to interpret
    raise WallError("a folder of the tenant's is none at every other look: see who writes there")


def entered(root: int, parts: Sequence[str]) -> int:
    """The folder at *parts* below *root*, open.

    Raises:
        UnknownRecord: where there is none.
        WallError: when a symbolic link is on the way.
    """
    folder = os.dup(root)
    for part in parts:
        try:
            found = below(folder, part)
        finally:
            os.close(folder)
        if found is None:
            raise UnknownRecord(NONE)
        folder = found
    return folder


def made(root: int, parts: Sequence[str]) -> int:
    """The folder at *parts* below *root*, open; what is missing is made, durably.

    Raises:
        RecordConflict: where a file has that name already.
        WallError: when a symbolic link is on the way.
        FileNotFoundError: when a folder was removed meanwhile; to be tried again.
    """
    folder = os.dup(root)
    for part in parts:
        try:
            found = below(folder, part)
            if found is None:
                with suppress(FileExistsError):
                    os.mkdir(part, PRIVATE_FOLDER, dir_fd=folder)
                    os.fsync(folder)
                found = below(folder, part)
            if found is None and kind(folder, part) == stat.S_IFREG:
                raise RecordConflict("a part of the file's name is the name of a file already")
        finally:
            os.close(folder)
        if found is None:
            raise FileNotFoundError(part)
        folder = found
    return folder


def readable(folder: int, name: str) -> int:
    """A plain file, open.

    Raises:
        UnknownRecord: where there is none.
        WallError: for a link, a file with a second name, a device.
    """
    if kind(folder, name) != stat.S_IFREG:  # before it is opened: opening a device can do things
        raise UnknownRecord(NONE)
    try:
        file = os.open(name, FILE, dir_fd=folder)
    except FileNotFoundError:
        raise UnknownRecord(NONE) from None
    except OSError as error:
        _ = kind(folder, name)
        if error.errno == errno.ELOOP:
            raise WallError(STANDS.format(LINK)) from None
        raise
    found = os.fstat(file)  # of what was opened, and not of what stood there before
    try:
        plain(found)
    except WallError:
        os.close(file)
        raise
    if stat.S_ISDIR(found.st_mode):
        os.close(file)
        raise UnknownRecord(NONE)
    return file


@contextmanager
def opened(folder: int) -> Iterator[int]:
    """A folder's descriptor, closed at the end of the block."""
    try:
        yield folder
    finally:
        os.close(folder)


def walked(folder: int, prefix: str = "") -> Iterator[tuple[int, str, str]]:
    """Each file below an open folder: the folder it is in, its name there, its whole name.

    Raises:
        WallError: when there is a link, a device or a file with a second name.
    """
    with os.scandir(folder) as entries:
        for entry in entries:
            match kind(folder, entry.name):
                case stat.S_IFDIR:
                    inner = below(folder, entry.name)
                    if inner is not None:
                        with opened(inner):
                            yield from walked(inner, f"{prefix}{entry.name}/")
                case stat.S_IFREG:
                    yield folder, entry.name, prefix + entry.name
                case _:
                    continue


def removed(parent: int, name: str) -> Iterator[os.stat_result]:
    """Remove a folder with all that is in it, whatever it is; what each file was.

    Links are removed and not followed.
    """
    inner = os.open(name, FOLDER, dir_fd=parent)
    with opened(inner):
        while True:
            with os.scandir(inner) as entries:
                names = [entry.name for entry in entries]
            for each in names:
                with suppress(FileNotFoundError):  # a writer has taken its own back
                    found = os.stat(each, dir_fd=inner, follow_symlinks=False)
                    if stat.S_ISDIR(found.st_mode):
                        yield from removed(inner, each)
                    else:
                        os.unlink(each, dir_fd=inner)
                        yield found
            try:
                os.rmdir(name, dir_fd=parent)
            except OSError as error:
                if error.errno != errno.ENOTEMPTY:
                    raise
                continue  # a writer who had the folder open has added to it
            return
