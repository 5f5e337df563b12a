"""The isolation models on a server of this package's own, provisioned once."""

from __future__ import annotations

import sqlite3
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from partywall.isolation import (
    DatabasePerTenant,
    FilePerTenant,
    RowSecurity,
    SchemaPerTenant,
    ScopedQueries,
    row_walls,
)
from partywall.isolation.sealing import install_key
from partywall.runtime.housing import provision
from partywall.servers import postgres
from tests.conftest import installation
from tests.runtime.breakin.house import ACME, GLOBEX, Foundation, House

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from partywall import TenantContext
    from partywall.servers import Postgres

TABLES = """
CREATE TABLE note (id integer PRIMARY KEY, body text NOT NULL);
CREATE TABLE line (id integer PRIMARY KEY, note_id integer NOT NULL REFERENCES note);
"""
SHARED_TABLES = """
CREATE TABLE note (
    tenant_id uuid NOT NULL DEFAULT current_setting('app.tenant_id')::uuid,
    id integer, body text NOT NULL, PRIMARY KEY (tenant_id, id)
);
CREATE TABLE line (
    tenant_id uuid NOT NULL DEFAULT current_setting('app.tenant_id')::uuid,
    id integer, note_id integer NOT NULL, PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, note_id) REFERENCES note
);
ALTER TABLE note ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE line ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON note USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid));
CREATE POLICY own ON line USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid));
GRANT SELECT, INSERT, UPDATE, DELETE ON note, line TO app;
"""
PLAIN_TABLES = """
CREATE TABLE note (
    tenant_id uuid NOT NULL, id integer, body text NOT NULL, PRIMARY KEY (tenant_id, id)
);
CREATE TABLE line (
    tenant_id uuid NOT NULL, id integer, note_id integer NOT NULL, PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, note_id) REFERENCES note
);
"""
GRANTED = "GRANT SELECT, INSERT, UPDATE, DELETE ON note, line TO app"
SCOPED = ScopedQueries(functions={"pg_backend_pid"})


class Ground:
    """A server with a database for each model, and the superuser's connections to them."""

    def __init__(self, server: Postgres, folder: Path, stack: ExitStack) -> None:
        self.server, self.folder = server, folder
        self._stack = stack
        self.control = self.connect("postgres")
        self.control.execute("CREATE ROLE app LOGIN")

    def connect(self, database: str) -> psycopg.Connection[tuple[Any, ...]]:
        """A connection as the superuser, autocommitting."""
        opening = psycopg.connect(self.server.url(database), autocommit=True)
        return self._stack.enter_context(opening)

    def database(self, name: str) -> psycopg.Connection[tuple[Any, ...]]:
        """A new database."""
        self.control.execute(f"CREATE DATABASE {name}".encode())
        return self.connect(name)


def answered(
    connection: psycopg.Connection[tuple[Any, ...]], statements: str
) -> list[tuple[Any, ...]]:
    """The rows of the only statement, none where there are several."""
    cursor = connection.execute(statements.encode())
    return cursor.fetchall() if cursor.description else []


def rows(ground: Ground) -> Foundation:
    """Row security."""
    owner = ground.database("rows")
    owner.execute(SHARED_TABLES)
    url = ground.server.url("rows", "app")
    return Foundation(RowSecurity(), url, lambda _, statement: answered(owner, statement))


def schemas(ground: Ground, *, roles: bool = False) -> Foundation:
    """A schema for each."""
    name = "roles" if roles else "schemas"
    owner = ground.database(name)
    model = SchemaPerTenant(
        roles=roles, prefix="r_" if roles else "t_", tenants_per_connection=None
    )

    def as_owner(context: TenantContext, statement: str) -> list[tuple[Any, ...]]:
        owner.execute(f'SET search_path = "{model.schema(context.tenant_id)}"'.encode())
        return answered(owner, statement)

    for context in (ACME, GLOBEX):
        for statement in model.provision(context.tenant_id, "app"):
            owner.execute(statement.encode())
        as_owner(context, TABLES)
    return Foundation(model, ground.server.url(name, "app"), as_owner)


def roles(ground: Ground) -> Foundation:
    """A schema and a role for each."""
    return schemas(ground, roles=True)


def databases(ground: Ground) -> Foundation:
    """A database for each."""
    model = DatabasePerTenant(prefix="d_")
    owners = {}
    for context in (ACME, GLOBEX):
        owners[context] = owner = ground.database(str(model.place(context).database))
        owner.execute(TABLES.encode())
        owner.execute(GRANTED)
    url = ground.server.url("postgres", "app")
    return Foundation(model, url, lambda context, statement: answered(owners[context], statement))


def sealed(ground: Ground) -> Foundation:
    """Row security whose context carries a seal."""
    model = RowSecurity(sealed=True, key=bytes(range(32)))
    tables = ["public.note", "public.line"]
    owner = ground.database("sealed")
    for statement in (
        PLAIN_TABLES,
        *row_walls.context_function(model),
        *(each for table in tables for each in row_walls.build(model, table)),
        *row_walls.grants(model, "app", tables, []),
    ):
        owner.execute(statement.encode())
    installing, *blocks = install_key(model)
    owner.execute(installing.encode(), blocks)
    url = ground.server.url("sealed", "app")
    return Foundation(model, url, lambda _, statement: answered(owner, statement))


def scoped(ground: Ground) -> Foundation:
    """Scoped queries on PostgreSQL, whose tables have no walls of their own."""
    owner = ground.database("scoped")
    owner.execute(PLAIN_TABLES.encode())
    owner.execute(GRANTED)
    url = ground.server.url("scoped", "app")
    return Foundation(SCOPED, url, lambda _, statement: answered(owner, statement))


def local(ground: Ground) -> Foundation:
    """Scoped queries on SQLite."""
    path = ground.folder / "scoped.sqlite"
    said_in(path, PLAIN_TABLES)
    return Foundation(SCOPED, f"sqlite:///{path}", lambda _, statement: said_in(path, statement))


def files(ground: Ground) -> Foundation:
    """A file for each."""
    model = FilePerTenant(folder=str(ground.folder / "files"))
    for context in (ACME, GLOBEX):
        provision(model, context.tenant_id, lambda connection: connection.executescript(TABLES))
    return Foundation(
        model,
        "sqlite://",
        lambda context, statement: said_in(Path(model.path(context.tenant_id)), statement),
    )


def said_in(path: Path, statements: str) -> list[tuple[Any, ...]]:
    """The rows of a file's only statement, none where there are several."""
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        if ";" not in statements:
            return connection.execute(statements).fetchall()
        connection.executescript(statements)
        return []
    finally:
        connection.close()


FOUNDATIONS: dict[str, Callable[[Ground], Foundation]] = {
    "rows": rows,
    "sealed": sealed,
    "schemas": schemas,
    "roles": roles,
    "databases": databases,
}
"""Those where any SQL may be tried: PostgreSQL itself keeps the tenants apart."""

OTHERS: dict[str, Callable[[Ground], Foundation]] = {
    "scoped": scoped,
    "local": local,
    "files": files,
}
EVERY = [
    *((name, driver) for name in (*FOUNDATIONS, "scoped") for driver in House.DRIVERS),
    *((name, driver) for name in ("local", "files") for driver in House.LOCAL),
]
"""Each model on each driver that it can have."""


@pytest.fixture(scope="session")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    """A server that no other test clears, and a folder for SQLite's files."""
    folder = tmp_path_factory.mktemp("ground")
    with postgres(installation(embedded=False)) as server, ExitStack() as stack:
        yield Ground(server, folder, stack)


@pytest.fixture(scope="session")
def laid(ground: Ground) -> Callable[[str], Foundation]:
    """The foundation of a model, laid when first asked for."""
    known: dict[str, Foundation] = {}

    def foundation(name: str) -> Foundation:
        if name not in known:
            known[name] = (FOUNDATIONS | OTHERS)[name](ground)
        return known[name]

    return foundation


@pytest.fixture(params=FOUNDATIONS)
def foundation(request: pytest.FixtureRequest, laid: Callable[[str], Foundation]) -> Foundation:
    """Each model in turn, with its tables filled anew."""
    found = laid(request.param)
    found.fill()
    return found


@pytest.fixture(params=House.DRIVERS)
def house(request: pytest.FixtureRequest, foundation: Foundation) -> Iterator[House]:
    """Each model on each driver, over a pool of one connection."""
    made = House(foundation, request.param)
    yield made
    made.close()


@pytest.fixture
def sync_house(foundation: Foundation) -> Iterator[House]:
    """Each model on psycopg, for sync code."""
    made = House(foundation, "psycopg")
    yield made
    made.close()


@pytest.fixture(params=EVERY, ids="-".join)
def any_house(request: pytest.FixtureRequest, laid: Callable[[str], Foundation]) -> Iterator[House]:
    """All models on all drivers: for what SQLAlchemy says, and no raw SQL."""
    name, driver = request.param
    foundation = laid(name)
    foundation.fill()
    made = House(foundation, driver)
    yield made
    made.close()
