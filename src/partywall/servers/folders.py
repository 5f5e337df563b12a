"""The private folder of a server: made, held while its maker lives, removed with it.

A maker holds a lock on its folder. The kernel lets go of it when the process ends, however it
ends, and confuses it with no other process: a folder whose lock is free is an orphan.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import stat
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from partywall.servers.accounts import Account
from partywall.servers.processes import end_processes

PREFIX = "partywall-postgres-"
MARK = "held"
BIRTH_S = 60.0


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder that this process made and holds.

    Attributes:
        path: 0700 of the maker; 0711 when the server is nobody, who must pass through.
        inner: 0700 of the server's account: its data and its socket.
    """

    path: Path
    inner: Path
    handle: int

    @classmethod
    def create(cls, account: Account) -> Folder:
        """Make a folder in the system's temporary folder (TMPDIR) and hold it."""
        path = Path(tempfile.mkdtemp(prefix=PREFIX)).resolve()
        handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        fcntl.flock(handle, fcntl.LOCK_EX)
        (path / MARK).touch()
        (path / "log").touch(0o600)
        inner = path / "server"
        inner.mkdir(0o700)
        if account.ids:
            os.chown(inner, *account.ids)
            path.chmod(0o711)
        return cls(path, inner, handle)

    def remove(self) -> None:
        """End what still runs in the folder, then remove it and let go."""
        end_processes(self.path)
        shutil.rmtree(self.path, ignore_errors=True)
        os.close(self.handle)


def remove_orphans() -> list[Path]:
    """End and remove the servers whose makers are dead; return their folders.

    Only folders of this user are looked at. Makers may die at any moment, also by SIGKILL.
    """
    temporary = Path(tempfile.gettempdir()).resolve()
    return [path for path in temporary.glob(f"{PREFIX}*") if remove_if_orphan(path)]


def remove_if_orphan(path: Path) -> bool:
    """Remove *path* if it is ours and nobody holds it; tell whether that was so."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:  # gone meanwhile, a link, or another user's
        return False
    try:
        facts = os.fstat(handle)
        if facts.st_uid != os.geteuid() or stat.S_IMODE(facts.st_mode) & 0o022:
            return False  # what another user could write into is no folder of ours
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if being_born(path, facts) or not end_processes(path):
            return False
        shutil.rmtree(path, ignore_errors=True)
        return not path.exists()
    except BlockingIOError:  # its maker lives, or another process is at it
        return False
    finally:
        os.close(handle)


def being_born(path: Path, facts: os.stat_result) -> bool:
    """Tell whether the folder's maker may be just about to take its lock."""
    return not (path / MARK).exists() and time.time() - facts.st_mtime < BIRTH_S
