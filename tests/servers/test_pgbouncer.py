"""A disposable PgBouncer: before its server, and gone without a trace."""

from __future__ import annotations

import socket
import sys
import tempfile
from pathlib import Path

import psycopg
import pytest

from partywall.errors import ConfigurationError, ServerError
from partywall.servers import Account, PgBouncer, Postgres, pgbouncer, postgres
from partywall.servers.cluster import HOST
from partywall.servers.daemon import Daemon
from partywall.servers.launch import free_port
from partywall.servers.processes import processes_of
from tests.servers.programs import ACCOUNTS, program

PROGRAM = """
from partywall.servers import pgbouncer
bouncer = pgbouncer(server)
print(bouncer.folder, bouncer.url(), flush=True)
sys.stdin.read()
"""


def ask(bouncer: PgBouncer, query: str, database: str = "postgres") -> str:
    with psycopg.connect(bouncer.url(database), autocommit=True) as connection:
        return str((connection.execute(query.encode()).fetchone() or [""])[0])


@pytest.mark.parametrize("account", ACCOUNTS)
def test_it_stands_before_its_server_and_goes(account: Account) -> None:
    with postgres(account=account) as server:
        with pgbouncer(server) as bouncer:
            assert ask(bouncer, "SHOW port") == str(server.port)
            assert bouncer.port != server.port
            assert processes_of(bouncer.folder)
        assert not bouncer.folder.exists()
        assert not processes_of(bouncer.folder)


def test_a_role_that_is_made_later_may_log_in(postgres15: Postgres) -> None:
    with (
        pgbouncer(postgres15) as bouncer,
        psycopg.connect(bouncer.url(), autocommit=True) as control,
    ):
        control.execute("CREATE ROLE late LOGIN")
        with psycopg.connect(bouncer.url(user="late"), autocommit=True) as connection:
            assert connection.execute("SELECT current_user").fetchone() == ("late",)
        control.execute("DROP ROLE late")


def test_transactions_share_a_session_that_is_cleared(postgres15: Postgres) -> None:
    with pgbouncer(postgres15, {"default_pool_size": "1"}) as bouncer:
        process = "SELECT pg_backend_pid()"
        with psycopg.connect(bouncer.url(), autocommit=True) as connection:
            connection.execute("SET app.trace = 'here'")
            left = connection.execute(process).fetchone()
            assert left == (int(ask(bouncer, process)),)
            found = connection.execute("SELECT current_setting('app.trace', true)").fetchone()
            assert found in {(None,), ("",)}


def test_its_settings_are_kept(postgres15: Postgres) -> None:
    settings = {"pool_mode": "session", "query_timeout": "7"}
    with (
        pgbouncer(postgres15, settings) as bouncer,
        psycopg.connect(bouncer.url("pgbouncer"), autocommit=True) as console,
    ):
        shown = {str(row[0]): row[1] for row in console.execute("SHOW CONFIG").fetchall()}
    assert shown["pool_mode"] == "session"
    assert shown["query_timeout"] == "7"
    assert shown["server_reset_query_always"] == "1"


@pytest.mark.parametrize(("name", "value"), [("a b", "1"), ("x", "1\nadmin_users = app")])
def test_a_setting_can_not_smuggle_in_another(postgres15: Postgres, name: str, value: str) -> None:
    with pytest.raises(ConfigurationError, match="is no setting"):
        pgbouncer(postgres15, {name: value})


def test_a_setting_that_it_refuses_is_told_in_its_words(
    postgres15: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    temporary = Path(tempfile.mkdtemp())
    temporary.chmod(0o711)
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    with pytest.raises(ServerError, match=r"did not start (.|\n)*pool_mode"):
        pgbouncer(postgres15, {"pool_mode": "puddle"})
    temporary.rmdir()  # nothing is left in it


def test_a_machine_without_it_is_told_what_to_install(
    postgres15: Postgres, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys.modules[Daemon.__module__], "PLACES", str(tmp_path))
    with pytest.raises(ConfigurationError, match="install Debian's package pgbouncer"):
        pgbouncer(postgres15)


def test_kill_leaves_an_orphan_and_the_next_start_removes_it(postgres15: Postgres) -> None:
    with program(ACCOUNTS[0], PROGRAM) as killed:
        assert killed.process.stdout is not None
        folder, url = killed.process.stdout.readline().split()
        killed.process.kill()
        killed.process.wait()
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("SELECT 1")
        with pgbouncer(postgres15):
            assert not Path(folder).exists()
            with pytest.raises(psycopg.OperationalError):
                psycopg.connect(url)


def test_a_port_that_was_snatched_is_given_up(
    postgres15: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as snatcher:
        snatcher.bind((HOST, 0))
        snatcher.listen()
        snatched = snatcher.getsockname()[1]
        choices = iter([snatched, free_port()])
        monkeypatch.setattr(sys.modules[Daemon.__module__], "free_port", lambda: next(choices))
        with pgbouncer(postgres15) as bouncer:
            assert bouncer.port != snatched
            assert ask(bouncer, "SELECT 1") == "1"
