"""A house for each isolation model, as an application declares it, with a role that owns it."""

from __future__ import annotations

import datetime as dt
import uuid
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import psycopg
from sqlalchemy import (
    Column,
    Enum,
    ForeignKey,
    ForeignKeyConstraint,
    Integer,
    MetaData,
    Table,
    Text,
    Uuid,
    create_engine,
    text,
)

from partywall import (
    DatabasePerTenant,
    FilePerTenant,
    RowSecurity,
    SchemaPerTenant,
    ScopedQueries,
    TenantContext,
)
from partywall.control.provisioning.building import Building
from partywall.control.tenants import Tenant
from partywall.isolation.sealing import install_key
from partywall.runtime.tables import wall

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from sqlalchemy.orm import Session

    from partywall.isolation import IsolationModel
    from partywall.runtime.tenancy import Tenancy
    from tests.conftest import Database

KEY = b"k" * 32

# SELECT on pg_authid is nobody's but the superuser's, as on a managed server.
ROLES = """
CREATE ROLE app LOGIN; CREATE ROLE keeper LOGIN CREATEDB CREATEROLE;
GRANT app TO keeper WITH ADMIN OPTION; GRANT pg_signal_backend TO keeper;
"""


def own_tables() -> MetaData:
    """The tables of a tenant that has a place of its own; one refers to itself."""
    metadata = MetaData()
    Table("customers", metadata, Column("id", Integer, primary_key=True), Column("name", Text))
    state = Enum("open", "paid", name="state")
    Table(
        "orders",
        metadata,
        Column("id", Uuid, primary_key=True),
        Column("customer_id", ForeignKey("customers.id"), nullable=False, index=True),
        Column("after_id", ForeignKey("orders.id")),
        Column("state", state, nullable=False, server_default="open"),
        Column("memo", Text, nullable=False, server_default="100%"),
    )
    return metadata


def shared_tables(*, walls: RowSecurity | None = None) -> MetaData:
    """The same as tables that all tenants share."""
    metadata = MetaData()
    tenant = partial(Column, "tenant_id", Uuid, primary_key=True)
    Table("plans", metadata, Column("id", Integer, primary_key=True))
    Table(
        "customers",
        metadata,
        tenant(),
        Column("id", Uuid, primary_key=True),
        Column("name", Text),
    )
    Table(
        "orders",
        metadata,
        tenant(),
        Column("id", Uuid, primary_key=True),
        Column("customer_id", Uuid, nullable=False),
        Column("after_id", Uuid),
    )
    add_references(metadata)
    if walls is not None:
        wall(metadata, walls)
    return metadata


def add_references(metadata: MetaData) -> None:
    """Foreign keys with the tenant in them, one to the table itself."""
    orders = metadata.tables["orders"]
    for column, target in (("customer_id", "customers"), ("after_id", "orders")):
        orders.append_constraint(
            ForeignKeyConstraint(
                ["tenant_id", column], [f"{target}.tenant_id", f"{target}.id"], name=f"to_{target}"
            )
        )


def sow(session: Session, tenant: Tenant) -> None:
    """A seed for tables of a tenant's own."""
    del tenant
    session.execute(text("INSERT INTO customers (id, name) VALUES (1, 'first')"))


def sow_shared(session: Session, tenant: Tenant) -> None:
    """A seed for shared tables."""
    values = {"tenant": tenant.id, "id": str(uuid.uuid4())}
    session.execute(
        text("INSERT INTO customers (tenant_id, id, name) VALUES (:tenant, :id, 'first')"), values
    )


@dataclass
class Lodging:
    """A building with what a test needs to look behind it."""

    model: IsolationModel
    building: Building
    remake: Callable[..., Building]
    database: Database | None = None
    shared: bool = False
    made: list[Building] = field(default_factory=list)

    @property
    def tenancy(self) -> Tenancy:
        return self.building._tenancy  # noqa: SLF001 - the test looks behind it

    def another(self, **options: Any) -> Building:  # noqa: ANN401 - Building's
        """A building of the same house, with other options."""
        found = self.remake(**options)
        self.made.append(found)
        return found

    def names(self, tenant: Tenant) -> list[str]:
        """The names in the tenant's table `customers`, read as the application does."""
        own = " WHERE tenant_id = :tenant" if isinstance(self.model, ScopedQueries) else ""
        query = text(f"SELECT name FROM customers{own}")
        given = {"tenant": tenant.id} if own else {}
        with self.tenancy.session(TenantContext(tenant.id)) as session:
            return list(session.execute(query, given).scalars())

    def row(self, tenant: Tenant, name: str) -> None:
        """A customer of the tenant with two orders, one after the other."""
        with self.tenancy.session(TenantContext(tenant.id)) as session:
            if self.shared:
                given = {"tenant": tenant.id, "name": name}
                ids = {k: str(uuid.uuid4()) for k in ("customer", "one", "two")}
                customer = "INSERT INTO customers (tenant_id, id, name) VALUES "
                order = "INSERT INTO orders (tenant_id, id, customer_id, after_id) VALUES "
                for statement in (
                    f"{customer}(:tenant, :customer, :name)",
                    f"{order}(:tenant, :one, :customer, NULL)",
                    f"{order}(:tenant, :two, :customer, :one)",
                ):
                    session.execute(text(statement), {**given, **ids})
                return
            given = {"name": name, "one": uuid.uuid4().hex, "two": uuid.uuid4().hex}
            for statement in (
                "INSERT INTO customers (id, name) VALUES (7, :name)",
                "INSERT INTO orders (id, customer_id) VALUES (:one, 7)",
                "INSERT INTO orders (id, customer_id, after_id) VALUES (:two, 7, :one)",
            ):
                session.execute(text(statement), given)


def tenant(**changed: Any) -> Tenant:  # noqa: ANN401 - its fields
    """A tenant that is being provisioned."""
    created = dt.datetime.now(dt.UTC)
    new = Tenant(str(uuid.uuid4()), "acme", "Acme", "provisioning", "", "", {}, created)
    return replace(new, **changed)


def deleted(of: Tenant) -> Tenant:
    """The same, past the point of no return."""
    return replace(of, status="deleted", slug="")


@contextmanager
def lodging(kind: str, tmp_path: Path, database: Database) -> Iterator[Lodging]:
    """The house of a kind: see `KINDS`."""
    found = KINDS[kind](tmp_path, database)
    try:
        yield found
    finally:
        for building in (found.building, *found.made):
            building.close()


def on_postgres(model: IsolationModel, database: Database, metadata: MetaData) -> Lodging:
    database.execute(ROLES)
    database.execute(f"GRANT CREATE ON DATABASE {database.name} TO keeper")
    database.execute("GRANT CREATE, USAGE ON SCHEMA public TO keeper")
    shared = isinstance(model, (RowSecurity, ScopedQueries))
    if shared:
        engine = create_engine(database.url("keeper").replace("postgresql:", "postgresql+psycopg:"))
        metadata.create_all(engine)
        engine.dispose()
        if isinstance(model, RowSecurity):
            for statement in metadata.info["partywall"].grants("app"):
                database.execute(statement)
        else:
            database.execute("GRANT USAGE ON SCHEMA public TO app")
            database.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON customers, orders TO app")
    remake = partial(
        with_defaults,
        model,
        url=database.url("app"),
        owner_url=database.url("keeper"),
        schema=metadata,
        seed=sow_shared if shared else sow,
    )
    return Lodging(model, remake(), remake, database, shared)


def with_defaults(model: IsolationModel, **options: Any) -> Building:  # noqa: ANN401 - Building's
    return Building(model, **options)


def rows(_: Path, database: Database) -> Lodging:
    model = RowSecurity(shared={"plans"})
    return on_postgres(model, database, shared_tables(walls=model))


def sealed(_: Path, database: Database) -> Lodging:
    model = RowSecurity(shared={"plans"}, sealed=True, key=KEY)
    found = on_postgres(model, database, shared_tables(walls=model))
    assert found.database is not None
    statement, *key = install_key(model)
    with psycopg.connect(found.database.url("keeper")) as connection:
        connection.execute(statement.encode(), key)
    return found


def schemas(_: Path, database: Database, *, roles: bool = False) -> Lodging:
    return on_postgres(SchemaPerTenant(roles=roles), database, own_tables())


def databases(_: Path, database: Database, *, logins: bool = False) -> Lodging:
    return on_postgres(DatabasePerTenant(logins=logins), database, own_tables())


def files(folder: Path, database: Database) -> Lodging:
    del database
    model = FilePerTenant(folder=str(folder / "tenants"))
    remake = partial(with_defaults, model, url="sqlite://", schema=own_tables(), seed=sow)
    return Lodging(model, remake(), remake)


def scoped(_: Path, database: Database) -> Lodging:
    return on_postgres(ScopedQueries(shared={"plans"}), database, shared_tables())


def scoped_sqlite(folder: Path, database: Database) -> Lodging:
    del database
    url, metadata = f"sqlite:///{folder / 'app.db'}", shared_tables()
    engine = create_engine(url)
    metadata.create_all(engine)
    engine.dispose()
    model = ScopedQueries(shared={"plans"})
    remake = partial(with_defaults, model, url=url, schema=metadata, seed=sow_shared)
    return Lodging(model, remake(), remake, None, shared=True)


KINDS: dict[str, Callable[[Path, Database], Lodging]] = {
    "rows": rows,
    "sealed": sealed,
    "schemas": schemas,
    "roles": partial(schemas, roles=True),
    "databases": databases,
    "logins": partial(databases, logins=True),
    "files": files,
    "scoped": scoped,
    "scoped_sqlite": scoped_sqlite,
}
