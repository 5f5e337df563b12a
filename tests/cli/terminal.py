"""The command on a terminal of its own, of 80 columns, with somebody who types."""

from __future__ import annotations

import fcntl
import os
import re
import struct
import subprocess
import sys
import termios
import threading
import time
from typing import TYPE_CHECKING

from tests.cli.harbour import COMMAND, surroundings

if TYPE_CHECKING:
    from pathlib import Path

CTRL_C = "\x03"
ROWS, COLUMNS = 24, 80
STEERING = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
PATIENCE_S = 30.0

OPENING = 'terminal=$1; shift; exec "$@" <"$terminal" >"$terminal" 2>&1'
"""Who leads a session and opens a terminal has it: then Ctrl-C is a signal."""


def on_terminal(
    folder: Path, *arguments: str, at: str = "", typed: str = "", **environment: str
) -> tuple[int, str]:
    """Run the command; when it has printed *at*, type. Its exit code, and all that was shown."""
    ours, theirs = os.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    path = os.pathsep.join(sys.path)
    command = subprocess.Popen(
        ["/bin/sh", "-c", OPENING, "sh", os.ttyname(theirs), *COMMAND, *arguments],
        cwd=folder,
        env=surroundings(PYTHONPATH=path, TERM="xterm", **environment),
        start_new_session=True,
    )
    shown: list[bytes] = []
    reading = threading.Thread(target=read, args=(ours, shown), daemon=True)
    reading.start()
    try:
        end = time.monotonic() + PATIENCE_S
        while typed and at.encode() not in b"".join(shown):
            assert time.monotonic() < end, b"".join(shown)
            time.sleep(0.02)
        os.write(ours, typed.encode())
        code = command.wait(PATIENCE_S)
    finally:
        command.kill()
        command.wait()
        os.close(theirs)
        reading.join(PATIENCE_S)
        os.close(ours)
    text = STEERING.sub("", b"".join(shown).decode())
    return code, text.replace("\r\n", "\n")


def read(terminal: int, shown: list[bytes]) -> None:
    """Take what is shown, until nobody has the terminal open any more."""
    while True:
        try:
            shown.append(os.read(terminal, 4096))
        except OSError:
            return
