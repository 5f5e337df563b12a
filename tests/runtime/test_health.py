"""`Tenancy.health`, of servers that answer and of those that don't."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from partywall import FilePerTenant, RowSecurity, Tenancy
from partywall.runtime.ground import PoolStatus
from partywall.runtime.health import ReplicaHealth
from partywall.servers import postgres, replica
from partywall.servers.launch import free_port
from tests.conftest import Database
from tests.runtime.houses import ACME, DRIVERS, row_security
from tests.runtime.replicas import AT_ONCE, ask, paused, until, until_received, until_replayed

ON_15 = pytest.mark.parametrize("server", ["postgres15"], indirect=True)


@ON_15
def test_a_server_that_answers(database: Database) -> None:
    with Tenancy(database.url("app"), row_security(database), connections=3) as tenancy:
        health = tenancy.health()
        assert health.reachable
        assert health.latency_s is not None
        assert 0 < health.latency_s < 5
        assert health.pool == PoolStatus(limit=3, in_use=0, idle=0)
        assert health.replica is None
        with tenancy.plain(ACME):
            assert tenancy.health().pool == PoolStatus(limit=3, in_use=1, idle=0)
        assert tenancy.health().pool == PoolStatus(limit=3, in_use=0, idle=1)


@ON_15
@pytest.mark.parametrize("driver", DRIVERS)
def test_the_same_for_async_code(database: Database, driver: str) -> None:
    async def main(url: str, model: RowSecurity) -> None:
        async with Tenancy(url, model, connections=1) as tenancy:
            async with tenancy.async_connection(ACME):
                health = await tenancy.async_health()
                assert health.reachable
                assert health.pool == PoolStatus(limit=1, in_use=1, idle=0)
            assert (await tenancy.async_health()).pool == PoolStatus(limit=1, in_use=0, idle=1)

    url = database.url("app").replace("postgresql", driver, 1)
    asyncio.run(main(url, row_security(database)))


@ON_15
def test_a_full_pool_is_reported_at_once(database: Database) -> None:
    url, model = database.url("app"), row_security(database)
    with Tenancy(url, model, connections=1, timeout_s=60) as tenancy, tenancy.plain(ACME):
        asked = time.monotonic()
        assert tenancy.health().reachable
        assert time.monotonic() - asked < 10


@pytest.mark.parametrize("driver", DRIVERS)
def test_nobody_listens(driver: str) -> None:
    nowhere = f"{driver}://app@127.0.0.1:{free_port()}/app"

    async def main() -> None:
        async with Tenancy(nowhere, RowSecurity(), replica=nowhere) as tenancy:
            for health in (tenancy.health(), await tenancy.async_health()):
                assert not health.reachable
                assert health.latency_s is None
                assert health.replica is not None
                assert not health.replica.reachable
                assert health.replica.lag_s is None

    asyncio.run(main())


def test_a_replica_behind_and_one_that_hears_nothing() -> None:
    with (
        postgres(settings=AT_ONCE) as primary,
        replica(primary) as copy,
        Tenancy(primary.url(), RowSecurity(), replica=copy.url()) as tenancy,
    ):
        ask(primary, "CREATE TABLE seen ()")
        until_replayed(copy)
        assert lag_s(tenancy) == 0
        with paused(copy):
            ask(primary, "CREATE TABLE waiting ()")
            until_received(copy)
            behind = lag_s(tenancy)
            assert behind is not None
            assert behind > 0
        primary.stop()
        until(copy, "NOT EXISTS (SELECT FROM pg_stat_wal_receiver)")
        health = tenancy.health()
        assert not health.reachable
        assert health.replica == ReplicaHealth(reachable=True, lag_s=None)


def test_files_have_a_folder(tmp_path: Path) -> None:
    folder = tmp_path / "tenants"
    tenancy = Tenancy("sqlite://", FilePerTenant(folder=str(folder)))
    assert not tenancy.health().reachable
    folder.mkdir()
    assert tenancy.health().reachable


def lag_s(tenancy: Tenancy) -> float | None:
    health = tenancy.health()
    assert health.replica is not None
    assert health.replica.reachable
    return health.replica.lag_s
