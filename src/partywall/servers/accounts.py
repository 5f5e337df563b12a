"""The account a server runs as: PostgreSQL refuses to be root."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from enum import Enum
from functools import cache
from typing import IO, TYPE_CHECKING

from partywall.errors import ServerError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


class Account(Enum):
    """How a server's programs are run.

    Members:
        SELF: as the user who asks.
        NAMESPACE: as root, in a user namespace that maps no one: to the programs they are
            nobody, to the file system they are root without any capability.
        NOBODY: as the user nobody; the programs and all folders above them must be open to it.
    """

    SELF = "self"
    NAMESPACE = "namespace"
    NOBODY = "nobody"

    @property
    def ids(self) -> tuple[int, int] | None:
        """The user and group that own what the server writes; None for those of this process.

        Raises:
            ServerError: this machine has no user nobody.
        """
        if self is not Account.NOBODY:
            return None
        try:
            nobody = pwd.getpwnam("nobody")
        except KeyError as error:
            message = "this machine has no user nobody: run as an ordinary user, not as root"
            raise ServerError(message) from error
        return nobody.pw_uid, nobody.pw_gid


@cache
def choose_account() -> Account:
    """Return the account for this process: SELF unless it is root, then the first that works."""
    if os.geteuid() != 0:
        return Account.SELF
    try:
        spawn(Account.NAMESPACE, ["true"]).wait(timeout=10)
    except (OSError, ServerError, subprocess.SubprocessError):
        return Account.NOBODY
    return Account.NAMESPACE


def spawn(
    account: Account,
    command: Sequence[str],
    *,
    folder: Path | None = None,
    output: IO[bytes] | int = subprocess.DEVNULL,
) -> subprocess.Popen[bytes]:
    """Start *command* in *folder* as *account*, out of reach of the terminal's signals.

    Its environment is ours without what would speak to PostgreSQL, and its messages are English.

    Raises:
        OSError: the command can't be executed by the account.
        ServerError: the account can't be had on this machine.
    """
    words = list(command)
    user, group = account.ids or (None, None)
    if account is Account.NAMESPACE:
        words = [*namespace(), *words]
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PG", "LC_", "LANG"))}
    return subprocess.Popen(
        words,
        cwd=folder or "/",
        env=kept | {"LC_ALL": "C"},
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        start_new_session=True,
        user=user,
        group=group,
        extra_groups=None if user is None else [],
    )


def namespace() -> list[str]:
    """Return the words that put a command into a user namespace of its own."""
    if unshare := shutil.which("unshare"):
        return [unshare, "--user", "--"]
    raise ServerError("unshare is not on PATH: install util-linux, or run as an ordinary user")
