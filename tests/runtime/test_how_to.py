"""The pages about what surrounds the walls do what they say."""

from __future__ import annotations

from configparser import ConfigParser
from typing import TYPE_CHECKING

import psycopg
import pytest

from partywall import SchemaPerTenant, Tenancy
from partywall.errors import ConfigurationError
from partywall.servers import Postgres, pgbouncer, postgres, replica
from partywall.servers.pgbouncer import SETTINGS
from tests.blocks import blocks, run
from tests.conftest import Database
from tests.runtime.houses import ACME, row_security, schema_per_tenant
from tests.runtime.replicas import AT_ONCE, ask, paused, until_replayed

if TYPE_CHECKING:
    from partywall.servers import PgBouncer

ON_15 = pytest.mark.parametrize("server", ["postgres15"], indirect=True)
POOLED, REPLICATED = "how-to/pgbouncer.md", "how-to/read-replicas.md"


def as_written(server: Postgres) -> PgBouncer:
    """A PgBouncer with the page's settings, but for the address."""
    [text] = blocks(POOLED, "ini")
    parser = ConfigParser()
    parser.read_string(text)
    settings = dict(parser["pgbouncer"])
    assert settings.keys() >= SETTINGS.keys() - {"default_pool_size", "max_client_conn"}  # no help
    return pgbouncer(server, settings)


@ON_15
def test_pgbouncer(
    database: Database, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    row_security(database)
    with as_written(database.server) as bouncer:
        monkeypatch.setenv("DATABASE_URL", bouncer.url(database.name, "app"))
        run(POOLED)
    assert capsys.readouterr().out == f"['{ACME.tenant_id}']\n"


@ON_15
def test_pgbouncer_with_schemas(database: Database) -> None:
    schema_per_tenant(database)
    database.execute("ALTER ROLE app RESET search_path")
    [statement] = blocks(POOLED, "sql")
    with as_written(database.server) as bouncer:
        url = bouncer.url(database.name, "app")
        with Tenancy(url, SchemaPerTenant(), pooler="transaction") as tenancy:
            with pytest.raises(ConfigurationError, match=r"SET search_path = ''"):
                tenancy.position(ACME)
            database.execute(statement)
            with psycopg.connect(bouncer.url("pgbouncer"), autocommit=True) as console:
                console.execute("RECONNECT")
            assert tenancy.position(ACME)


def test_read_replicas(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    with postgres(settings=AT_ONCE) as primary, replica(primary) as copy:
        with psycopg.connect(primary.url(), autocommit=True) as connection:
            row_security(Database(primary, "postgres", connection))
        until_replayed(copy)
        monkeypatch.setenv("DATABASE_URL", primary.url(user="app"))
        monkeypatch.setenv("REPLICA_URL", copy.url(user="app"))
        with paused(copy):
            run(REPLICATED)
        behind = capsys.readouterr().out
        ask(primary, "DELETE FROM notes WHERE id = 2")
        until_replayed(copy)
        run(REPLICATED)
    first, again, health = behind.splitlines()
    assert first == f"['{ACME.tenant_id}']"
    assert again == f"['{ACME.tenant_id}', 'just written']"
    assert health == "True True True"
    assert capsys.readouterr().out == behind
