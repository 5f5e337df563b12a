"""However a program ends, its server and its folder end with it, or with the next start."""

from __future__ import annotations

import os
import signal
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest

from partywall.servers import Account, postgres, remove_orphans
from partywall.servers.folders import BIRTH_S, MARK, PREFIX
from partywall.servers.processes import processes_of
from tests.servers.programs import ACCOUNTS, WAIT, program

if TYPE_CHECKING:
    from collections.abc import Iterator

FORK = """
child = os.fork()
if not child:
    sys.exit()
os.waitpid(child, 0)
print("forked", flush=True)
sys.stdin.read()
"""
FORK_THAT_IS_ENDED = """
child = os.fork()
if not child:
    os._exit(signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL)
print(os.waitpid(child, 0)[1], signal.getsignal(signal.SIGTERM) is signal.SIG_DFL, flush=True)
sys.stdin.read()
"""
FORK_THAT_STAYS = """
child = os.fork()
if not child:
    os.close(0)
    print("forked", os.getpid(), flush=True)
    os.close(1)
    signal.pause()
sys.stdin.read()
"""


@pytest.mark.parametrize("account", ACCOUNTS)
def test_kill_leaves_an_orphan_and_the_next_start_removes_it(account: Account) -> None:
    with program(account) as killed:
        killed.process.kill()
        killed.process.wait()
        with psycopg.connect(killed.url) as connection:
            connection.execute("SELECT 1")
    with postgres():
        assert is_gone(killed.folder)


def test_the_server_of_a_living_program_is_left_alone() -> None:
    with program(ACCOUNTS[0]) as living:
        assert living.folder not in remove_orphans()
        with postgres(), psycopg.connect(living.url) as connection:
            connection.execute("SELECT 1")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_polite_signal_ends_the_server_too(number: signal.Signals) -> None:
    with program(ACCOUNTS[0]) as asked:
        asked.process.send_signal(number)
        assert asked.process.wait(timeout=30) == 128 + number
        assert not asked.folder.exists()
        assert not processes_of(asked.folder)


@pytest.mark.parametrize("ending", ["", "raise SystemExit(1)", "1 / 0", WAIT])
def test_a_program_that_ends_takes_its_server_along(
    ending: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with program(ACCOUNTS[0], ending) as ended:
        ended.process.communicate(timeout=30)
        assert not ended.folder.exists()
        assert not processes_of(ended.folder)
    capfd.readouterr()


def test_a_signal_that_the_program_handles_itself_stays_its_own() -> None:
    before = signal.getsignal(signal.SIGTERM)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        with postgres():
            assert signal.getsignal(signal.SIGTERM) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGTERM, before)


def test_a_fork_that_ends_leaves_the_server_to_its_parent() -> None:
    with program(ACCOUNTS[0], FORK) as parent:
        assert parent.process.stdout is not None
        assert parent.process.stdout.readline() == "forked\n"
        with psycopg.connect(parent.url) as connection:
            connection.execute("SELECT 1")
        assert parent.folder not in remove_orphans()


def test_a_fork_is_ended_by_a_signal_as_if_there_were_no_server() -> None:
    with program(ACCOUNTS[0], "import signal" + FORK_THAT_IS_ENDED) as parent:
        assert parent.process.stdout is not None
        assert parent.process.stdout.readline() == "0 False\n"


def test_a_fork_that_stays_does_not_keep_an_orphan_alive() -> None:
    with program(ACCOUNTS[0], "import signal" + FORK_THAT_STAYS) as parent:
        assert parent.process.stdout is not None
        child = int(parent.process.stdout.readline().removeprefix("forked "))
        try:
            parent.process.kill()
            parent.process.wait()
            remove_orphans()
            assert is_gone(parent.folder)
        finally:
            os.kill(child, signal.SIGKILL)


def is_gone(folder: Path) -> bool:
    """Whether *folder* is gone, at once or as soon as another test worker has removed it."""
    for _ in range(1000):
        if not folder.exists():
            break
        time.sleep(0.01)
    return not folder.exists() and not processes_of(folder)


def test_a_folder_whose_maker_may_be_about_to_lock_it_is_left() -> None:
    with folder() as newborn:
        assert newborn not in remove_orphans()
        assert newborn.exists()


def test_a_folder_whose_maker_died_before_it_locked_it_is_removed() -> None:
    with folder() as stillborn:
        past = time.time() - 2 * BIRTH_S
        os.utime(stillborn, (past, past))
        remove_orphans()
        assert is_gone(stillborn)


def test_a_folder_that_others_can_write_into_is_not_trusted() -> None:
    with folder() as open_to_all:
        (open_to_all / MARK).touch()
        open_to_all.chmod(0o777)
        assert open_to_all not in remove_orphans()
        assert open_to_all.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_the_folder_of_another_user_is_not_ours_to_remove() -> None:
    with folder() as foreign:
        (foreign / MARK).touch()
        os.chown(foreign, 65534, 65534)
        assert foreign not in remove_orphans()
        assert foreign.exists()


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / MARK).touch()
    link = Path(tempfile.gettempdir(), f"{PREFIX}link-{os.getpid()}")
    link.symlink_to(tmp_path)
    try:
        assert link not in remove_orphans()
        assert (tmp_path / MARK).exists()
    finally:
        link.unlink()


@contextmanager
def folder() -> Iterator[Path]:
    """A folder as a maker makes it, before it takes the lock."""
    path = Path(tempfile.mkdtemp(prefix=PREFIX)).resolve()
    try:
        yield path
    finally:
        for entry in path.glob("*"):
            entry.unlink()
        if path.exists():
            path.rmdir()
