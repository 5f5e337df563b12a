"""A disposable replica: it follows its primary, and goes without a trace."""

from __future__ import annotations

import psycopg
import pytest

from partywall.errors import ServerError
from partywall.servers import Account, find_binaries, postgres, replica
from partywall.servers.processes import processes_of
from tests.runtime.replicas import AT_ONCE, ask, until_replayed
from tests.servers.programs import ACCOUNTS


@pytest.mark.parametrize("account", ACCOUNTS)
def test_it_follows_and_only_reads(account: Account) -> None:
    for binaries in find_binaries():
        with postgres(binaries, AT_ONCE, account=account) as primary:
            ask(primary, "CREATE TABLE before AS SELECT 1 AS x")
            with replica(primary) as copy:
                assert ask(copy, "SELECT x FROM before") == "1"
                ask(primary, "CREATE TABLE after AS SELECT 2 AS x")
                until_replayed(copy)
                assert ask(copy, "SELECT x FROM after") == "2"
                with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
                    ask(copy, "CREATE TABLE mine ()")
            assert not copy.folder.exists()
            assert not processes_of(copy.folder)
            assert ask(primary, "SELECT x FROM after") == "2"


def test_it_has_a_place_of_its_own_and_the_settings_it_was_given() -> None:
    with (
        postgres(settings={"app.motto": "kept"}) as primary,
        replica(primary, {"hot_standby_feedback": "on"}) as copy,
    ):
        assert copy.port != primary.port
        assert copy.folder != primary.folder
        assert ask(copy, "SHOW unix_socket_directories") == str(copy.socket)
        assert ask(copy, "SHOW hot_standby_feedback") == "on"
        assert ask(copy, "SHOW app.motto") == "kept"


def test_it_outlives_its_primary_and_is_removed_all_the_same() -> None:
    with postgres() as primary, replica(primary) as copy:
        primary.stop()
        assert ask(copy, "SELECT 1") == "1"
    assert not copy.folder.exists()


def test_a_primary_that_keeps_too_little_log_is_told_in_the_program_s_words() -> None:
    minimal = {"wal_level": "minimal", "max_wal_senders": "0"}
    with postgres(settings=minimal) as primary, pytest.raises(ServerError, match="pg_basebackup"):
        replica(primary)
