"""The processes of a server, found by its folder; not by a number, which may be another's now."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path

PROC = Path("/proc")
NAMES = {"postgres", "initdb", "pg_basebackup", "pgbouncer", "redis-server"}
POLL_S = 0.01
PATIENCE_S = 10.0


def processes_of(folder: Path) -> set[int]:
    """Return the ids of the servers' programs that work in *folder* or were told of it."""
    if (PROC / "self").exists():
        pids = (int(entry.name) for entry in PROC.iterdir() if entry.name.isdigit())
        return {pid for pid in pids if works_in(pid, folder)}
    listing = subprocess.run(  # on macOS, say
        ["/bin/ps", "-axo", "pid=,command="], capture_output=True, text=True, check=True
    )
    lines = (line.split(maxsplit=1) for line in listing.stdout.splitlines() if str(folder) in line)
    return {int(pid) for pid, command in lines if Path(command.split()[0]).name in NAMES}


def works_in(pid: int, folder: Path) -> bool:
    """Tell whether *pid* is a server's program in *folder*, by what /proc says."""
    process = PROC / str(pid)
    try:
        if (process / "comm").read_text().strip() not in NAMES:
            return False
        if os.fsencode(folder) in (process / "cmdline").read_bytes():
            return True
        return (process / "cwd").readlink().is_relative_to(folder)
    except OSError:  # gone meanwhile, or not ours to look at
        return False


def end_processes(folder: Path) -> bool:
    """End what works in *folder*, at once and without care for its data; tell whether it ended."""
    for sign in (signal.SIGQUIT, signal.SIGKILL):
        deadline = time.monotonic() + PATIENCE_S
        for pid in processes_of(folder):
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, sign)
        while processes_of(folder):
            if time.monotonic() > deadline:
                break
            time.sleep(POLL_S)
        else:
            return True
    return False
