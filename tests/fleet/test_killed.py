"""Broken off anywhere, by SIGKILL of a real process, an upgrade goes on when it runs again."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest

from partywall.errors import UpgradeError
from partywall.fleet.upgrade import upgrade
from tests.fleet.shops import ACME, GLOBEX, MODEL, pending, report, seen, shop

if TYPE_CHECKING:
    from partywall.fleet.steps import Step
    from tests.conftest import Database

ON_15 = pytest.mark.parametrize("server", ["postgres15"], indirect=True)
ROOT = Path(__file__).parents[2]

DOOMED = """
import os, signal, sys
import psycopg
from partywall.fleet.upgrade import upgrade
from tests.fleet.shops import ACME, MODEL

class Doomed(psycopg.Connection):
    left = int(sys.argv[2])

    def execute(self, *args, **kwargs):
        result = super().execute(*args, **kwargs)
        Doomed.left -= 1
        if not Doomed.left:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

upgrade(lambda: Doomed.connect(sys.argv[1]), MODEL, ACME, login="app")
"""


def test_killed_again_and_again_in_the_middle_of_transactions(database: Database) -> None:
    shop(database)
    endings = [
        subprocess.run(
            [sys.executable, "-c", DOOMED, database.url(), str(statements)],
            check=False,
            cwd=ROOT,
            timeout=60,
        ).returncode
        for statements in (14, 29, 47, 60, 71, 50, 64, 1000)
    ]
    assert endings.count(-signal.SIGKILL) >= 6
    assert endings[-1] == 0
    assert pending(database) == []
    assert seen(database, ACME, "SELECT count(*) FROM items") == [(200,)]
    assert seen(database, GLOBEX, "SELECT count(*) FROM items") == [(0,)]
    leftovers = database.rows("SELECT relname FROM pg_class WHERE relname ~ '^partywall_'")
    assert leftovers == []


@ON_15
def test_an_index_that_was_left_invalid_is_built_again(database: Database) -> None:
    shop(database)
    upgrade(database.url(), MODEL, ACME, login="app", until="column")
    invalid = "SELECT indexrelid::regclass::text FROM pg_index WHERE NOT indisvalid"
    with report(database, "UPDATE users SET name = name"), pytest.raises(UpgradeError):
        upgrade(database.url(), MODEL, ACME, login="app", patience_s=0.2)
    assert len(database.rows(invalid)) == 1
    upgrade(database.url(), MODEL, ACME, login="app")
    assert database.rows(invalid) == []
    assert pending(database) == []


@ON_15
def test_a_backend_that_is_terminated_is_an_error_that_says_to_go_on(database: Database) -> None:
    shop(database)
    end = (
        "SELECT pg_terminate_backend(l.pid, 5000) FROM pg_locks l WHERE l.locktype = 'advisory' "
        "AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    )

    def progress(step: Step, said: str) -> None:
        if step.kind == "concurrently" and said == "begins":
            database.execute(end)

    with pytest.raises(UpgradeError, match="run the upgrade again"):
        upgrade(database.url(), MODEL, ACME, login="app", progress=progress)
    upgrade(database.url(), MODEL, ACME, login="app")
    assert pending(database) == []


def test_an_address_without_a_server_is_an_error_of_ours() -> None:
    with pytest.raises(UpgradeError, match="no connection") as caught:
        upgrade("postgresql+psycopg://x:secret@127.0.0.1:1/x", MODEL, ACME, login="app")
    assert isinstance(caught.value.__cause__, psycopg.OperationalError)
    assert "secret" not in str(caught.value)
